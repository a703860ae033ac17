//! Tags: whether one can be moved to another commit.
//!
//! GitHub: rulesets with the target *tag*. GitLab: protected tags, which nobody moves and only some
//! make or delete. Gitea: protected tags, by glob or expression.

use serde_json::Value;

use super::answers::Answers;
use super::names::branch_matches;
use super::{Forge, Known, Unknown, github};

/// Whether a tag is kept from being moved.
pub(super) fn protected(forge: Forge, answers: &Answers, name: &str) -> Known<bool> {
    match forge {
        Forge::GitHub => by_rulesets(answers, name),
        Forge::GitLab => by_list(answers, "/protected_tags", "name", name, true),
        Forge::Gitea => by_list(answers, "/tag_protections", "name_pattern", name, false),
    }
}

/// A tag that may be deleted may be made anew elsewhere, so both have to be forbidden.
fn by_rulesets(answers: &Answers, name: &str) -> Known<bool> {
    let items = match answers.all("/rulesets") {
        Ok(items) => items,
        Err(why) => return Known::Unknown(why),
    };
    let reference = format!("refs/tags/{name}");
    let nothing = Known::at(String::new(), "$");
    let (mut moves, mut deletes, mut unknown) = (None, None, None);
    for (item, _) in items {
        let Some(id) = item.get("id").and_then(Value::as_u64) else { continue };
        if item.get("target").and_then(Value::as_str) != Some("tag") {
            continue;
        }
        let found = answers.one(&format!("/rulesets/{id}")).and_then(|(body, at)| {
            github::covers(body, &at, &reference, &nothing).map(|covers| (body, at, covers))
        });
        match found {
            Ok((body, at, true)) if body["enforcement"] == "active" => {
                let rules = body["rules"].as_array().into_iter().flatten();
                for rule in rules {
                    match rule["type"].as_str() {
                        Some("update") => moves = Some(at.clone()),
                        Some("deletion") => deletes = Some(at.clone()),
                        _ => {}
                    }
                }
            }
            Ok(_) => {}
            Err(why) => unknown = Some(why),
        }
    }
    match (moves.zip(deletes), unknown) {
        (Some((at, _)), _) => Known::at(true, at),
        (None, Some(why)) => Known::Unknown(why),
        (None, None) => Known::at(false, "$"),
    }
}

fn by_list(answers: &Answers, request: &str, member: &str, tag: &str, across: bool) -> Known<bool> {
    let items = match answers.all(request) {
        Ok(items) => items,
        Err(why) => return Known::Unknown(why),
    };
    let mut unknown = None;
    for (item, at) in items {
        let Some(pattern) = item.get(member).and_then(Value::as_str) else { continue };
        if pattern.starts_with('/') && pattern.ends_with('/') {
            unknown = Some(Unknown::NotResolved { what: format!("the expression {pattern}"), at });
        } else if branch_matches(pattern, tag, across) {
            return Known::at(true, at);
        }
    }
    unknown.map_or_else(|| Known::at(false, "$"), Known::Unknown)
}
