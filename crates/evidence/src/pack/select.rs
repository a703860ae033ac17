//! Which records a selection needs, so that its part of the story follows from them.
//!
//! | selected | because |
//! |---|---|
//! | what a statement of the part cites | it says so |
//! | versions of an Application around those | an operation begins after the version before it |
//! | records of forge, git and tickets that name its commits or tickets | content is compared through them |
//! | commits that those name | the way from a deployed commit to an approved one |
//! | of a period, whatever states a time within it | nothing of that time is left out |
//! | erasures of what is selected | else a segment is gone without a reason |

use std::collections::{BTreeMap, BTreeSet};

use crate::ask::part::part;
use crate::channel::Channel;
use crate::pack::manifest::Selection;
use crate::parse::ResourceVersion;
use crate::people::People;
use crate::record::{Record, redaction};
use crate::story::header::{self, Header};
use crate::story::{Story, derive};
use crate::time::Moment;

/// The channels that speak of commits and tickets.
const NAMING: [Channel; 4] =
    [Channel::GitCommit, Channel::GithubWebhook, Channel::GitlabWebhook, Channel::JiraWebhook];

/// The indexes, within `records`, of those that a selection needs, and of entries whose erasure it
/// needs: both by place. `records` are all of a ledger, in their order.
///
/// Fails when the selection cannot be understood, or nothing is known of it.
pub fn select(
    records: &[Record],
    people: &People,
    selection: &Selection,
) -> Result<BTreeSet<usize>, String> {
    if *selection == Selection::Ledger {
        return Ok((0..records.len()).collect());
    }
    let part = part(&derive(records.iter().cloned(), people), selection)?;
    if crate::ask::part::is_empty(&part) {
        return Err(format!("the records show nothing of {}", selection.words()));
    }
    let (cited, names) = mentions(&part);
    let headers: Vec<Header> = records.iter().map(header::of).collect();
    let window = window(selection);
    let versions = versions(&part, &headers);
    let wanted = |(place, record): &(usize, &Record)| {
        let header = &headers[*place];
        cited.contains(&record.cite.to_string())
            || header.application.as_ref().is_some_and(|of| versions.contains(of))
            || window
                .is_some_and(|w| header.at.is_some_and(|at| at.overlaps(w.earliest(), w.latest())))
            || (NAMING.contains(&record.cite.channel) && names_any(record, &names))
    };
    let places = records.iter().enumerate();
    let mut selected: BTreeSet<usize> = places.filter(wanted).map(|(place, _)| place).collect();
    selected.extend(commits(records, &selected));
    selected.extend(erasures(records, &selected));
    Ok(selected)
}

fn window(selection: &Selection) -> Option<Moment> {
    let Selection::Period { from, to } = selection else {
        return None;
    };
    Some(Moment::window(from.parse().ok()?, to.parse().ok()?))
}

/// What a part of a story names: records, as `channel:id`; commits and tickets.
fn mentions(part: &Story) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut said = part.clone();
    // Coverage cites what broke off, wherever that was.
    said.coverage.clear();
    let json = serde_json::to_value(&said).unwrap_or_default();
    let (mut cited, mut names) = (BTreeSet::new(), BTreeSet::new());
    collect(&json, false, &mut cited);
    commit_ids(&said.to_json(), &mut names);
    names.extend(said.changes.iter().flat_map(|c| &c.tickets).map(|t| t.key.clone()));
    (cited, names)
}

/// Gathers the texts under `cite` and `cites`.
fn collect(json: &serde_json::Value, within: bool, cited: &mut BTreeSet<String>) {
    match json {
        serde_json::Value::String(text) if within => drop(cited.insert(text.clone())),
        serde_json::Value::Array(all) => all.iter().for_each(|v| collect(v, within, cited)),
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, key == "cites" || key == "cite", cited);
            }
        }
        _ => {}
    }
}

/// Gathers what looks like a commit's id: forty hexadecimal digits, and no more.
fn commit_ids(bytes: &[u8], found: &mut BTreeSet<String>) {
    let words = bytes.split(|b| !b.is_ascii_alphanumeric()).filter(|word| word.len() == 40);
    let hex = words.filter(|word| word.iter().all(u8::is_ascii_hexdigit));
    found.extend(hex.map(|word| String::from_utf8_lossy(word).into_owned()));
}

fn names_any(record: &Record, names: &BTreeSet<String>) -> bool {
    let mut ids = BTreeSet::new();
    commit_ids(&record.payload, &mut ids);
    let words = record.payload.split(|b| !b.is_ascii_alphanumeric() && *b != b'-');
    let mut words = words.filter_map(|word| std::str::from_utf8(word).ok());
    ids.iter().any(|id| names.contains(id)) || words.any(|word| names.contains(word))
}

/// The records of commits that selected records of forge and git name.
fn commits(records: &[Record], selected: &BTreeSet<usize>) -> Vec<usize> {
    let mut ids = BTreeSet::new();
    let naming = selected.iter().filter_map(|place| records.get(*place));
    for record in naming.filter(|r| NAMING.contains(&r.cite.channel)) {
        commit_ids(&record.payload, &mut ids);
    }
    let of_git = |(_, r): &(usize, &Record)| r.cite.channel == Channel::GitCommit;
    let named = |(_, r): &(usize, &Record)| {
        let mut own = BTreeSet::new();
        commit_ids(r.cite.id.as_str().as_bytes(), &mut own);
        own.iter().any(|id| ids.contains(id))
    };
    records.iter().enumerate().filter(of_git).filter(named).map(|(place, _)| place).collect()
}

/// The redaction records that name a selected entry.
fn erasures(records: &[Record], selected: &BTreeSet<usize>) -> Vec<usize> {
    let of_ledger = |(_, r): &(usize, &Record)| r.cite.channel == Channel::LedgerRedaction;
    let names = |(_, r): &(usize, &Record)| {
        let segments = redaction::parse(&r.payload).map(|r| r.segments).unwrap_or_default();
        let entries = segments.iter().filter_map(|s| usize::try_from(s.entry).ok());
        entries.into_iter().any(|entry| selected.contains(&entry))
    };
    records.iter().enumerate().filter(of_ledger).filter(names).map(|(place, _)| place).collect()
}

/// The versions of Applications from the one before a statement's first to the one after its last.
fn versions(part: &Story, headers: &[Header]) -> BTreeSet<(String, ResourceVersion)> {
    let mut seen: BTreeMap<&str, BTreeSet<ResourceVersion>> = BTreeMap::new();
    for (uid, version) in headers.iter().filter_map(|h| h.application.as_ref()) {
        seen.entry(uid).or_default().insert(*version);
    }
    let operations = part.operations.iter().map(|o| {
        let from = o.set.version();
        (o.app.uid.as_str(), from, o.end.version().unwrap_or(from))
    });
    let states = part.state_changes.iter().map(|s| (s.app.uid.as_str(), s.version, s.version));
    let mut around = BTreeSet::new();
    for (uid, from, to) in operations.chain(states) {
        let Some(seen) = seen.get(uid) else { continue };
        let before = seen.range(..from).next_back();
        let after = seen.range(to..).find(|v| **v > to);
        let within = seen.iter().filter(|v| (from..=to).contains(v));
        let all = before.into_iter().chain(within).chain(after);
        around.extend(all.map(|version| (uid.to_owned(), *version)));
    }
    around
}
