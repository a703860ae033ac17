//! The recorded evening through every channel, and with sources left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use evidence::control::{Inputs, Settings, Verdict, assess};
use evidence::people::People;
use evidence::record::Record;
use evidence::story::change::Content;
use evidence::story::{Story, derive};

use crate::controls::Codeowners;
use crate::support::Bench;

/// The sources of the recording: each is a file that an operator would name.
const SOURCES: [&str; 28] = [
    "alertmanager/webhook.jsonl.gz",
    "argocd/controller-audit-log.jsonl.gz",
    "argocd/notifications.jsonl.gz",
    "argocd/server-log.jsonl.gz",
    "argocd/stream-applications.jsonl.gz",
    "forge/github-webhooks.jsonl.gz",
    "git/gitops.bundle",
    "kubernetes/audit-webhook-sample.jsonl.gz",
    "kubernetes/audit.jsonl.gz",
    "kubernetes/watch/applications.jsonl.gz",
    "kubernetes/watch/appprojects.jsonl.gz",
    "kubernetes/watch/argocd-configmaps.jsonl.gz",
    "kubernetes/watch/clusterrolebindings.jsonl.gz",
    "kubernetes/watch/clusterroles.jsonl.gz",
    "kubernetes/watch/deployments.jsonl.gz",
    "kubernetes/watch/events.jsonl.gz",
    "kubernetes/watch/externalsecrets.jsonl.gz",
    "kubernetes/watch/partial-secrets.jsonl.gz",
    "kubernetes/watch/pods.jsonl.gz",
    "kubernetes/watch/replicasets.jsonl.gz",
    "kubernetes/watch/rolebindings.jsonl.gz",
    "kubernetes/watch/roles.jsonl.gz",
    "kubernetes/watch/secretstores.jsonl.gz",
    "openbao/audit.jsonl.gz",
    "prometheus/argocd-app-info.json.gz",
    "prometheus/argocd-app-sync-total.json.gz",
    "prometheus/error-ratio.json.gz",
    "tickets/jira-webhooks.jsonl.gz",
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../captures").join(name)
}

fn people() -> People {
    People::from_json(&std::fs::read(path("people.json")).expect("read")).expect("a people map")
}

/// The records of each source, as a ledger of its own keeps them.
static RECORDS: LazyLock<Vec<Vec<Record>>> =
    LazyLock::new(|| SOURCES.iter().map(|source| records_of(source)).collect());

pub(crate) static FULL: LazyLock<Story> = LazyLock::new(|| without(&[]));

fn records_of(source: &str) -> Vec<Record> {
    let bench = Bench::new();
    let (file, map) = (path(source), path("people.json"));
    let (file, map) = (file.to_str().expect("UTF-8"), map.to_str().expect("UTF-8"));
    let ran = bench.run(&["--people", map, "ingest", file]);
    assert_eq!(ran.code, 0, "{source}: {}{}", ran.out, ran.err);
    let records = bench.records();
    assert!(!records.is_empty(), "{source} gave no record");
    records
}

/// The story of everything but some of the sources.
fn without(left_out: &[usize]) -> Story {
    let kept = RECORDS.iter().enumerate().filter(|(at, _)| !left_out.contains(at));
    derive(kept.flat_map(|(_, records)| records.iter().cloned()), &people())
}

/// The story of everything under another people map.
pub(crate) fn story_under(people: &People) -> Story {
    derive(RECORDS.iter().flatten().cloned(), people)
}

/// What the bank's policy says: the order of its environments, and who is in which team.
pub(crate) fn settings() -> Settings {
    let map = std::fs::read(path("people.json")).expect("read");
    let map: serde_json::Value = serde_json::from_slice(&map).expect("JSON");
    let team = |name: &str| {
        let is_in = |groups: &serde_json::Value| {
            groups.as_array().into_iter().flatten().any(|group| group == name)
        };
        let people = map.as_object().expect("an object").iter();
        let members = people.filter(|(_, p)| is_in(&p["oidc_groups"])).map(|(id, _)| id.clone());
        (name.to_owned(), members.collect::<BTreeSet<String>>())
    };
    Settings {
        promotion: ["dev", "staging", "prod"].map(str::to_owned).to_vec(),
        merge_teams: [team("team-payments"), team("team-web")].into(),
        sync_teams: [team("team-sre"), team("team-sre-oncall")].into(),
        emergency_bindings: Some(BTreeSet::new()),
        ..Settings::default()
    }
}

/// What controls find against somebody, each as a line that does not depend on how exactly the
/// records tell it.
fn found(story: &Story) -> BTreeSet<String> {
    let (settings, owners) = (settings(), Codeowners::of_the_bank());
    let inputs = Inputs { owners: Some(&owners), ..Inputs::new(story, &settings) };
    let all = assess(inputs).into_iter();
    let findings = all.filter(|o| o.verdict == Verdict::NotMet);
    let lines = findings.filter_map(|o| {
        // Versions and records name an operation or an act differently where sources are missing.
        let operation = story
            .operations
            .iter()
            .find(|p| o.subject == format!("operation:{}@{}", p.app.name, p.set.version()));
        let about = match operation {
            Some(p) => format!("{} {:?}", p.app.name, p.finished_at.map(|at| at.latest())),
            None if o.subject.starts_with("pr:") || o.subject.starts_with("push:") => {
                o.subject.clone()
            }
            // What an undetermined account did is found against nobody.
            None if o.reason.starts_with("an undetermined account") => return None,
            None => {
                let kind = o.subject.split(':').next().unwrap_or_default();
                format!("{kind} by {}", o.reason.split(' ').next().unwrap_or_default())
            }
        };
        Some(format!("{}: {about}", o.control))
    });
    lines.collect()
}

/// Everything that a story says against or of a person, each as a line that does not depend on how
/// exactly the records tell it.
fn statements(story: &Story) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for act in &story.acts {
        let what = serde_json::to_value(act).expect("JSON");
        let named = ["number", "commit", "key", "status", "pod", "release", "revision", "path"];
        let about: Vec<String> = named.iter().map(|k| what[*k].to_string()).collect();
        let people = act.person().into_iter().map(str::to_owned);
        let actors = what["actors"].as_array().into_iter().flatten();
        let actors = actors.filter_map(|a| a["person"].as_str().map(str::to_owned));
        for person in people.chain(actors) {
            // Without the versions of a project it is not known which part of it was written.
            let kind = what["kind"].as_str().unwrap_or_default();
            let kind = if kind == "sync-window-edit" { "project-edit" } else { kind };
            said.insert(format!("{person}: {kind} {}", about.join(" ")));
        }
    }
    for operation in &story.operations {
        let contradicted = operation.initiator.is_contradicted();
        if let Some(person) = operation.person() {
            let (app, revision) = (&operation.app.name, &operation.revision);
            let end = operation.finished_at.map(|at| at.latest());
            said.insert(format!("{person}: sync of {app} to {revision:?} {end:?} {contradicted}"));
        }
    }
    for one in &story.changes {
        for deployed in one.operations.iter().filter(|d| d.applied) {
            if matches!(deployed.content, Content::NotApproved { .. }) {
                said.insert(format!("{}: content nobody approved {:?}", one.id, deployed.revision));
            }
        }
    }
    said.extend(found(story));
    said
}

#[test]
fn leaving_out_one_source_accuses_nobody_of_anything_new() {
    accuses_nobody_new(&(0..SOURCES.len()).map(|a| vec![a]).collect::<Vec<_>>());
}

#[test]
fn leaving_out_two_sources_accuses_nobody_of_anything_new() {
    let pairs = (0..SOURCES.len()).flat_map(|a| (a + 1..SOURCES.len()).map(move |b| vec![a, b]));
    accuses_nobody_new(&pairs.collect::<Vec<_>>());
}

fn accuses_nobody_new(sets: &[Vec<usize>]) {
    let full = statements(&FULL);
    assert!(full.len() > 100, "{} statements are too few to be all", full.len());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let (first, second) = sets.split_at(sets.len() / 2);
        let halves = [first, second].map(|half| {
            let full = &full;
            scope.spawn(move || half.iter().filter_map(|set| accused(set, full)).collect())
        });
        halves
            .map(|half| half.join().expect("no panic"))
            .into_iter()
            .flat_map(|w: Vec<_>| w)
            .collect()
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), sets.len(), wrong.join("\n"));
}

/// What a story of fewer sources says of somebody and the full one does not.
fn accused(left_out: &[usize], full: &BTreeSet<String>) -> Option<String> {
    let said = statements(&without(left_out));
    let new: Vec<&str> = said.difference(full).map(String::as_str).take(5).collect();
    let names: Vec<&str> = left_out.iter().map(|at| SOURCES[*at]).collect();
    (!new.is_empty()).then(|| format!("without {}: {}", names.join(" and "), new.join("; ")))
}

#[test]
fn the_order_of_the_sources_does_not_matter() {
    let backwards = RECORDS.iter().rev().flat_map(|records| records.iter().cloned());
    assert_eq!(derive(backwards, &people()).to_json(), FULL.to_json());
    // Twice, and interleaved record by record.
    let longest = RECORDS.iter().map(Vec::len).max().unwrap_or_default();
    let interleaved = (0..longest).flat_map(|at| RECORDS.iter().filter_map(move |r| r.get(at)));
    let twice = interleaved.clone().chain(interleaved).cloned();
    assert_eq!(derive(twice, &people()).to_json(), FULL.to_json());
}

#[test]
fn the_population_adds_up_and_every_operation_is_in_it_once() {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for transition in &FULL.population {
        *classes.entry(transition.class.word()).or_default() += 1;
    }
    println!("population: {classes:?}");
    assert_eq!(classes.values().sum::<usize>(), FULL.population.len());
    for operation in &FULL.operations {
        let name = format!("{}@{}", operation.app.name, operation.set.version());
        let times = FULL.population.iter().filter(|t| t.what == name).count();
        assert_eq!(times, 1, "{name}");
        let owners = FULL.changes.iter().filter(|c| {
            c.operations
                .iter()
                .any(|d| d.app.uid == operation.app.uid && d.version == operation.set.version())
        });
        assert!(owners.count() <= 1, "{name} belongs to several changes");
    }
}

fn change(number: u64) -> &'static evidence::story::change::Change {
    let found = FULL.changes.iter().find(|c| c.number == Some(number));
    found.unwrap_or_else(|| panic!("no change {number}"))
}

#[test]
fn what_was_deployed_is_compared_with_what_was_approved() {
    let of = |number: u64, app: &str| {
        let deployed = change(number).operations.iter().filter(|d| d.app.name == app && d.applied);
        deployed.map(|d| d.content.word()).collect::<BTreeSet<_>>()
    };
    assert_eq!(of(103, "payments-prod"), BTreeSet::from(["approved content"]));
    assert_eq!(of(111, "ledger-prod"), BTreeSet::from(["content nobody approved"]));
    let differs = change(103).operations.iter().find_map(|d| match &d.content {
        Content::Approved { differs_in, in_deployed_path, .. } => {
            Some((differs_in.clone(), *in_deployed_path))
        }
        _ => None,
    });
    assert_eq!(differs, Some((vec!["apps/prod/payments.yaml".to_owned()], false)));
}

#[test]
fn a_ticket_merges_no_changes() {
    for (key, citing) in [("CHG-2041", 2), ("CHG-2063", 1)] {
        let cited = |c: &&evidence::story::change::Change| c.tickets.iter().any(|t| t.key == key);
        let changes: Vec<_> = FULL.changes.iter().filter(cited).collect();
        assert!(changes.len() >= citing, "{key} is cited by {} changes", changes.len());
        let ids: BTreeSet<_> = changes.iter().map(|c| &c.id).collect();
        assert_eq!(ids.len(), changes.len());
    }
}

#[test]
fn a_hand_edit_does_not_lend_its_pods_to_a_proposal() {
    for change in &FULL.changes {
        for step in &change.rollouts {
            let text = serde_json::to_string(&step.act).expect("JSON");
            assert!(text.contains(r#""by":"argocd""#), "{}: {text}", change.id);
        }
    }
}
