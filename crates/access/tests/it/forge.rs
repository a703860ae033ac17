//! Forge snapshots: what they show of who can, and what they do not show.

use access::forge::{Branch, Snapshot, WhoCan};
use serde_json::{Value, json};

mod gitea;
mod github;
mod gitlab;
mod time;

/// A snapshot of these answers: path, status, body.
fn snapshot(forge: &str, answers: &[(&str, u16, Value)]) -> Snapshot {
    let answer = |(path, status, body): &(&str, u16, Value)| json!({"path": path, "status": status, "body": body});
    let list: Vec<Value> = answers.iter().map(answer).collect();
    let whole = json!({"forge_snapshot": 1, "forge": forge, "repository": "o/r",
        "taken_at": "2026-03-01T10:00:00Z", "answers": list});
    Snapshot::parse(whole.to_string().as_bytes()).expect("a snapshot")
}

/// `login: by (passes), …`, with `!` where review is left out, `[machine]` and places left out.
fn told(who: &WhoCan) -> Vec<String> {
    let reach = |r: &access::forge::Reach| {
        let ways = r.ways.iter().map(|way| {
            assert!(way.at.iter().all(|at| at.starts_with('$')), "{way:?}");
            format!("{} ({}){}", way.by, way.passes, if way.skips_review { "!" } else { "" })
        });
        let ways: Vec<String> = ways.collect();
        format!("{}{}: {}", r.login, if r.machine { " [machine]" } else { "" }, ways.join(", "))
    };
    who.accounts.iter().map(reach).collect()
}

fn logins(who: &WhoCan) -> Vec<&str> {
    who.accounts.iter().map(|r| r.login.as_str()).collect()
}

/// Something set, who can push then, who can merge, who of these without review.
type Row = (Value, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Every reason, as text.
fn unknown(who: &WhoCan) -> Vec<String> {
    who.unknown.iter().map(ToString::to_string).collect()
}

fn unknown_of(branch: &Branch) -> Vec<String> {
    branch.unknown.iter().map(ToString::to_string).collect()
}
