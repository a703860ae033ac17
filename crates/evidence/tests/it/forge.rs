//! Pushes and proposals together: what was pushed past proposals, whatever came first.

use evidence::channel::Channel;
use evidence::people::People;
use evidence::record::Record;
use evidence::story::act::{Act, What};
use evidence::story::{Story, derive};
use serde_json::{Value, json};

use crate::captures;
use crate::git_commit::commit;
use crate::github_webhook::{delivery, pull};
use crate::gitlab_webhook::merge_request;

/// A commit id of one letter.
fn id(letter: char) -> String {
    String::from(letter).repeat(40)
}

fn ids(letters: &str) -> Vec<String> {
    letters.chars().map(id).collect()
}

fn record(name: &str, event: &str, body: &Value) -> Record {
    captures::record(Channel::GithubWebhook, name, delivery(Some(event), body))
}

/// A push of some commits; the last is where the branch is then.
fn push(name: &str, branch: &str, before: char, commits: &str, second: u32) -> Record {
    let listed: Vec<Value> = ids(commits).iter().map(|id| json!({"id": id})).collect();
    let after = commits.chars().last().map_or_else(|| id('0'), id);
    let body = json!({
        "ref": format!("refs/heads/{branch}"), "before": id(before), "after": after,
        "forced": false, "commits": listed, "sender": {"login": "ben"},
        "repository": {"full_name": "shop/deploy", "default_branch": "trunk",
            "pushed_at": 1_770_112_800 + second},
    });
    record(name, "push", &body)
}

fn sides(head: char) -> Value {
    json!({"sha": id(head), "ref": "shop-2", "repo": {"full_name": "shop/deploy"}})
}

fn opened(name: &str, head: char) -> Record {
    record(name, "pull_request", &pull("opened", &json!({"head": sides(head)})))
}

/// The merge of a proposal of so many commits.
fn merged(name: &str, head: char, made: char, commits: u64) -> Record {
    let with = json!({"head": sides(head), "merged": true, "merge_commit_sha": id(made),
        "merged_at": "2026-02-03T10:00:05Z", "commits": commits});
    record(name, "pull_request", &pull("closed", &with))
}

fn git(of: char, parents: &str) -> Record {
    let parents = ids(parents);
    let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
    let line = commit(&id(of), &parents).to_string();
    captures::record(Channel::GitCommit, &format!("commit/{of}"), line)
}

/// Derives in both orders of arrival, which must not matter.
fn story(records: &[Record]) -> Story {
    let there = derive(records.iter().cloned(), &People::default());
    let back = derive(records.iter().rev().cloned(), &People::default());
    assert_eq!(there.to_json(), back.to_json(), "the order of arrival mattered");
    there
}

/// The commits that were pushed past proposals: those on the default branch, and those on others.
fn past(story: &Story) -> (String, String) {
    let (mut direct, mut other) = (String::new(), String::new());
    for act in &story.acts {
        match &act.what {
            What::DirectPush { commit, .. } => direct.extend(commit.chars().next()),
            What::BranchPushWithoutProposal { commit, .. } => other.extend(commit.chars().next()),
            _ => {}
        }
    }
    (direct, other)
}

/// Something before and after, so that the channel covers what is between.
fn around(records: Vec<Record>) -> Vec<Record> {
    let ping = |name: &str, at: &str| {
        let body = json!({"received_at": at, "event": "ping", "body": {}}).to_string();
        captures::record(Channel::GithubWebhook, name, body)
    };
    let mut all = vec![ping("first", "2026-02-03T09:00:00Z"), ping("last", "2026-02-03T11:00:00Z")];
    all.extend(records);
    all
}

#[test]
fn a_push_of_a_merge_is_the_proposals_and_every_other_is_not() {
    for (told, records, direct) in [
        (
            "a merge of which no delivery was seen",
            vec![opened("1", 'd'), push("2", "trunk", 'a', "bdm", 6)],
            "m",
        ),
        (
            "a merge and its delivery",
            vec![merged("1", 'd', 'm', 2), push("2", "trunk", 'a', "bdm", 6)],
            "",
        ),
        ("a squash", vec![merged("1", 'd', 'm', 2), push("2", "trunk", 'a', "m", 6)], ""),
        ("a rebase", vec![merged("1", 'd', 'f', 2), push("2", "trunk", 'a', "ef", 6)], ""),
        (
            "a proposed head, pushed by hand",
            vec![opened("1", 'd'), push("2", "trunk", 'a', "bd", 6)],
            "",
        ),
        (
            "a merge, and one commit on top of it",
            vec![merged("1", 'd', 'm', 2), push("2", "trunk", 'a', "bdmx", 6)],
            "x",
        ),
        ("no proposal", vec![opened("1", 'd'), push("2", "trunk", 'a', "xy", 6)], "xy"),
    ] {
        assert_eq!(past(&story(&around(records))).0, direct, "{told}");
    }
}

#[test]
fn with_the_commits_at_hand_what_came_along_with_a_merge_is_told_apart() {
    let merge = [git('m', "xd"), git('d', "b"), git('b', "a"), git('x', "a"), git('a', "")];
    let rebase = [git('f', "e"), git('e', "x"), git('x', "a"), git('a', "")];
    for (told, graph, of, commits, direct) in [
        ("a merge", &merge[..], merged("1", 'd', 'm', 2), "xbdm", "x"),
        ("a merge of which no delivery was seen", &merge[..], opened("1", 'd'), "xbdm", "x"),
        ("a rebase of two", &rebase[..], merged("1", 'd', 'f', 2), "xef", "x"),
        ("a squash", &rebase[..], merged("1", 'd', 'f', 1), "xef", "ex"),
    ] {
        let mut records = around(vec![of, push("2", "trunk", 'a', commits, 6)]);
        records.extend(graph.iter().cloned());
        assert_eq!(past(&story(&records)).0, direct, "{told}");
    }
}

#[test]
fn a_branch_belongs_to_a_proposal_when_any_of_its_heads_came_from_there() {
    for (told, records, other) in [
        ("never proposed", vec![push("1", "quick", '0', "q", 1), opened("2", 'd')], "q"),
        ("proposed later", vec![push("1", "shop-2", '0', "d", 1), opened("2", 'd')], ""),
        (
            "pushed twice, then proposed",
            vec![
                push("1", "shop-2", '0', "b", 1),
                push("2", "shop-2", 'b', "d", 2),
                opened("3", 'd'),
            ],
            "",
        ),
        (
            "a branch at a commit of the default branch",
            vec![push("1", "trunk", 'a', "x", 1), push("2", "side", '0', "x", 2)],
            "",
        ),
        (
            "a branch of the merge queue",
            vec![push("1", "gh-readonly-queue/trunk/pr-7-a", '0', "q", 1)],
            "",
        ),
    ] {
        assert_eq!(past(&story(&around(records))).1, other, "{told}");
    }
    let graph = [git('d', "b"), git('b', "a"), git('a', "")];
    let mut renamed = vec![push("1", "draft", '0', "b", 1), opened("2", 'd')];
    renamed.extend(graph);
    assert_eq!(past(&story(&around(renamed))).1, "", "reached from a proposed head");
}

#[test]
fn what_a_branch_lost_to_a_forced_push_was_never_proposed() {
    let mut forced: Value =
        serde_json::from_slice(&push("2", "shop-2", 'b', "d", 2).payload).unwrap();
    forced["body"]["forced"] = json!(true);
    let forced = captures::record(Channel::GithubWebhook, "2", forced.to_string());
    let records = vec![push("1", "shop-2", '0', "b", 1), forced, opened("3", 'd')];
    assert_eq!(past(&story(&around(records))).1, "b");
}

#[test]
fn commits_alone_accuse_nobody() {
    let story = story(&[git('a', ""), git('x', "a")]);
    assert!(story.acts.is_empty(), "{:?}", story.acts);
}

fn notes(story: &Story) -> Vec<String> {
    let direct = |act: &&Act| matches!(act.what, What::DirectPush { .. });
    story.acts.iter().filter(direct).flat_map(|act| act.notes.clone()).collect()
}

#[test]
fn what_is_not_covered_is_said_with_the_act() {
    let covered = around(vec![opened("1", 'd'), push("2", "trunk", 'a', "x", 6)]);
    assert_eq!(notes(&story(&covered)), Vec::<String>::new());
    let no_proposals = around(vec![push("2", "trunk", 'a', "x", 6)]);
    assert!(notes(&story(&no_proposals))[0].contains("any proposal of this repository"));
    let merge = around(vec![opened("1", 'd'), push("2", "trunk", 'a', "bdm", 6)]);
    assert!(notes(&story(&merge))[0].contains("may be its merge"));
    let last = [opened("1", 'd'), push("2", "trunk", 'a', "x", 6)];
    let said = notes(&story(&last));
    assert!(said[0].ends_with("no record of this channel is newer"), "{said:?}");
}

#[test]
fn a_push_that_two_hooks_deliver_is_one_act_with_two_records() {
    let records = around(vec![
        opened("1", 'd'),
        push("2", "trunk", 'a', "x", 6),
        push("3", "trunk", 'a', "x", 6),
    ]);
    let story = story(&records);
    let direct: Vec<&Act> =
        story.acts.iter().filter(|a| matches!(a.what, What::DirectPush { .. })).collect();
    assert_eq!(direct.len(), 1);
    assert_eq!(direct[0].cites.iter().count(), 2);
    assert_eq!(direct[0].who.as_ref().unwrap().account, "ben");
}

#[test]
fn a_branch_that_is_only_moved_or_removed_brings_no_commit() {
    let mut moved: Value =
        serde_json::from_slice(&push("1", "trunk", 'b', "a", 1).payload).unwrap();
    moved["body"]["commits"] = json!([]);
    let moved = captures::record(Channel::GithubWebhook, "1", moved.to_string());
    let back = story(&around(vec![moved, merged("2", 'd', 'a', 1)]));
    assert_eq!(past(&back).0, "a");
    assert!(notes(&back)[0].contains("moved the branch"), "{:?}", notes(&back));
    let removed = story(&around(vec![push("1", "side", 'b', "", 1)]));
    assert_eq!(past(&removed), (String::new(), String::new()));
}

#[test]
fn merge_requests_of_gitlab_are_told_in_the_same_words() {
    let of = |name: &str, body: &Value| {
        captures::record(Channel::GitlabWebhook, name, delivery(Some("Merge Request Hook"), body))
    };
    let (head, made) = (id('d'), id('m'));
    let with = json!({"last_commit": {"id": head}});
    let merge = json!({"last_commit": {"id": head}, "merge_commit_sha": made});
    let listed: Vec<Value> = ids("bdm").iter().map(|id| json!({"id": id})).collect();
    let pushed = json!({"object_kind": "push", "ref": "refs/heads/trunk", "before": id('a'),
        "after": made, "user_username": "ann", "commits": listed, "total_commits_count": 3,
        "project": {"path_with_namespace": "shop/deploy", "default_branch": "trunk"}});
    let story = story(&[
        of("1", &merge_request("open", &with)),
        of("2", &merge_request("approved", &with)),
        of("3", &merge_request("merge", &merge)),
        of("4", &pushed),
    ]);
    let kinds: Vec<Value> = story
        .acts
        .iter()
        .map(|act| serde_json::to_value(act).unwrap())
        .map(|act| json!([act["kind"], act["number"], act["who"]["account"]]))
        .collect();
    let expected =
        json!([["proposal-opened", 7, "ann"], ["merge", 7, "ann"], ["review", 7, "ann"]]);
    assert_eq!(Value::from(kinds), expected);
}
