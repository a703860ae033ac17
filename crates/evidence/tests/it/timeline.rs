//! `timeline`: what happened in a window, of everything or of one Application.

use evidence::ask::timeline::{Query, Row, Timeline, What, timeline};
use evidence::channel::Channel;
use evidence::story::{act, derive};

use crate::captures;

fn query(from: &str, to: &str, app: Option<&str>) -> Query {
    let on = |time: &str| format!("2026-11-23T{time}Z").parse().unwrap();
    Query {
        from: on(from),
        to: on(to),
        app: app.map(str::to_owned),
        namespace: None,
        environment: None,
    }
}

fn word(row: &Row) -> String {
    match &row.what {
        What::Write(w) => format!("write {}", w.object.name),
        What::Refused(w) => format!("refused {}", w.object.name),
        What::Operation(o) => format!("sync {} {}", o.app.name, o.set.version()),
        What::UnmatchedStart(s) => format!("start {}", s.name),
        What::State(s) => format!("state {}", s.to.as_deref().unwrap_or_default()),
        What::Commit(c) => format!("commit {}", &c.id[..8]),
        What::Act(a) => {
            let json = serde_json::to_value(&a.what).unwrap();
            format!("act {}", json["kind"].as_str().unwrap())
        }
    }
}

fn words(timeline: &Timeline) -> Vec<String> {
    timeline.rows.iter().map(word).collect()
}

#[test]
fn the_contradicted_operation_is_told_in_order_with_its_claims() {
    let window = query("21:47:41", "21:47:52", Some("payments-prod"));
    let answer = timeline(captures::story(), &window);
    assert_eq!(
        words(&answer),
        [
            "act alert",
            "commit 6524e328",
            "act branch-push-without-proposal",
            "write payments-prod",
            "sync payments-prod 2523",
            "state OutOfSync",
            "sync payments-prod 2536",
            "state Synced",
        ]
    );
    assert_eq!(answer.questions.len(), 1);
    assert_eq!(answer.contradicted().count(), 1);
    assert_eq!(answer.questions[0].version.0, 2523);
    let gaps = answer.sources.iter().filter(|s| s.incomplete.is_some());
    let gaps: Vec<&str> = gaps.map(|s| s.coverage.channel).collect();
    assert_eq!(gaps, [""; 0]);
    let expected = &answer.questions[0].expected_absent;
    let expected: Vec<&str> = expected.iter().map(|a| a.what.as_str()).collect();
    assert_eq!(expected, ["pull request", "approval", "ticket"]);
    let wrote: Vec<_> =
        answer.effects.iter().flat_map(|e| &e.wrote).flat_map(|w| &w.values).collect();
    let [there, back] = wrote[..] else { panic!("{wrote:?}") };
    assert_eq!((there.before.as_deref(), there.after.as_deref()), (Some("info"), Some("debug")));
    assert_eq!((back.before.as_deref(), back.after.as_deref()), (Some("debug"), Some("info")));
    assert_eq!(answer.cannot_see, ["processes inside pods"]);
}

#[test]
fn what_no_source_could_show_is_not_called_absent() {
    let forges = [Channel::GithubWebhook, Channel::GitCommit];
    let rest = captures::records().iter().filter(|r| !forges.contains(&r.cite.channel)).cloned();
    let story = derive(rest, &captures::people());
    let answer = timeline(&story, &query("21:47:41", "21:47:52", Some("payments-prod")));
    let question = &answer.questions[0];
    assert_eq!(question.expected_absent, []);
    let unknown: Vec<&str> = question.expected_unknown.iter().map(|a| a.what.as_str()).collect();
    assert_eq!(unknown, ["pull request", "approval", "ticket"]);
}

#[test]
fn an_application_brings_the_writes_into_its_namespace_along() {
    let window = query("21:43:20", "21:43:30", Some("argocd/payments-prod"));
    let answer = timeline(captures::story(), &window);
    assert!(words(&answer).contains(&"act workload-edit".to_owned()), "the variable set by hand");
    assert!(!words(&answer).contains(&"write payments".to_owned()), "told once");
    let none = timeline(captures::story(), &query("21:43:20", "21:43:30", Some("web-dev")));
    assert!(none.rows.is_empty());
}

#[test]
fn a_namespace_stands_for_what_is_deployed_into_it() {
    let window = query("21:47:41", "21:47:52", None);
    let inside = Query { namespace: Some("payments-prod".to_owned()), ..window.clone() };
    assert_eq!(timeline(captures::story(), &inside).rows.len(), 8);
    let outside = Query { namespace: Some("elsewhere".to_owned()), ..window };
    assert!(timeline(captures::story(), &outside).rows.is_empty());
}

#[test]
fn all_that_happened_is_in_the_widest_window() {
    let story = captures::story();
    let answer = timeline(story, &query("21:00:00", "22:00:00", None));
    let is = |what: fn(&What) -> bool| answer.rows.iter().filter(|r| what(&r.what)).count();
    assert_eq!(is(|w| matches!(w, What::Operation(_))), story.operations.len());
    assert_eq!(is(|w| matches!(w, What::State(_))), story.state_changes.len());
    let visible =
        story.acts.iter().filter(|a| matches!(a.what, act::What::Drift { version: Some(_), .. }));
    let acts = is(|w| matches!(w, What::Act(_)));
    assert_eq!(acts, story.acts.len() - visible.count(), "a state row tells visible drift");
    assert!(is(|w| matches!(w, What::Write(_))) < story.writes.len(), "most writes are acts");
    assert!(answer.sources.iter().all(|s| s.incomplete.is_some()), "the window is wider");
}

#[test]
fn rows_of_one_application_keep_the_order_of_its_versions() {
    let answer = timeline(captures::story(), &query("21:00:00", "22:00:00", Some("web-prod")));
    let versions: Vec<u64> = answer
        .rows
        .iter()
        .filter_map(|row| match &row.what {
            What::Operation(o) => Some(o.set.version().0),
            What::State(s) => Some(s.version.0),
            _ => None,
        })
        .collect();
    assert!(versions.is_sorted(), "{versions:?}");
}

#[test]
fn missing_channels_are_named_as_what_cannot_be_seen() {
    let channels = [Channel::ArgocdApplicationWatch];
    let story = derive(captures::records_of(&channels), &captures::people());
    let answer = timeline(&story, &query("21:47:41", "21:47:52", Some("payments-prod")));
    assert_eq!(answer.questions.len(), 2, "nothing but claims is left");
    assert_eq!(answer.contradicted().count(), 0);
    let unseen = answer.cannot_see.join("; ");
    assert!(unseen.contains("no record of kubernetes-audit"), "{unseen}");
    assert!(unseen.contains("no record of kubernetes-event-watch"), "{unseen}");
}

#[test]
fn the_answer_is_versioned_json() {
    let answer = timeline(captures::story(), &query("21:47:41", "21:47:52", None));
    let json: serde_json::Value = serde_json::from_slice(&answer.to_json()).unwrap();
    assert_eq!(json["timeline"], 1);
    assert_eq!(json["query"]["from"], "2026-11-23T21:47:41Z");
    assert_eq!(json["rows"][0]["what"]["what"], "act");
}
