//! The second verdict: the story follows from the records that are there.

use std::collections::BTreeMap;

use super::check::Sound;
use super::manifest::Manifest;
use super::verdict::{StoryVerdict, Verdict};
use crate::ask::part::part;
use crate::channel::Channel;
use crate::people::People;
use crate::record::payload::Payload;
use crate::record::{Cite, Record};
use crate::story::coverage::Coverage;
use crate::story::{RULES, derive_part};

/// Derives the story again and compares.
pub(super) fn judge(sound: Sound, verdict: &mut Verdict) {
    let Sound { manifest, people, story, entries } = sound;
    if manifest.rules != RULES {
        let pack = manifest.rules;
        verdict.story = StoryVerdict::OtherRules { pack, program: RULES };
        return;
    }
    let wrong = |problem: String| StoryVerdict::DoesNotFollow { problem };
    let people = match People::from_json(&people) {
        Ok(people) => people,
        Err(e) => return verdict.story = wrong(e.to_string()),
    };
    let records = match records(&entries) {
        Ok(records) => records,
        Err(problem) => return verdict.story = wrong(problem),
    };
    let left_out = left_out(entries.iter().map(|(cite, payload)| (cite, payload.is_some())));
    let derived = derive_part(records, &left_out, &people);
    let derived = match part(&derived, &manifest.selection) {
        Ok(derived) => derived,
        Err(problem) => return verdict.story = wrong(problem),
    };
    verdict.coverage = coverage(&manifest, &derived.coverage);
    verdict.story = if derived.to_json() == story {
        StoryVerdict::Follows
    } else {
        wrong("they give another one".to_owned())
    };
}

/// The records that are there in full, put together again.
fn records(entries: &[(Cite, Option<Vec<u8>>)]) -> Result<Vec<Record>, String> {
    let there = entries.iter().filter_map(|(cite, payload)| Some((cite, payload.as_deref()?)));
    there
        .map(|(cite, stored)| {
            let payload = Payload::decode(stored).map_err(|e| format!("{cite}: {e}"))?.record();
            Ok(Record { cite: cite.clone(), payload })
        })
        .collect()
}

/// How many records of each channel are not there in full.
pub(super) fn left_out<'e>(
    entries: impl IntoIterator<Item = (&'e Cite, bool)>,
) -> BTreeMap<Channel, usize> {
    let mut left_out = BTreeMap::new();
    for (cite, _) in entries.into_iter().filter(|(_, in_full)| !in_full) {
        *left_out.entry(cite.channel).or_default() += 1;
    }
    left_out
}

/// How far each channel reaches, in words.
fn coverage(manifest: &Manifest, told: &[Coverage]) -> Vec<String> {
    let row = |count: &super::manifest::ChannelCount| {
        let told = told.iter().find(|c| c.channel == count.channel);
        let reach =
            told.and_then(|c| Some(format!(", {} to {}", c.first?.earliest(), c.last?.latest())));
        let mut line = format!(
            "{}: {} of {} records{}",
            count.channel,
            count.payloads,
            count.entries,
            reach.unwrap_or_default()
        );
        let gaps = told.map_or(0, |c| c.gaps.len());
        let unread = told.map_or(0, |c| c.not_understood);
        for (number, what) in [
            (gaps as u64, "gaps"),
            (unread as u64, "not understood"),
            (count.refused, "lines refused at intake, by the exporter's word"),
        ] {
            if number > 0 {
                line = format!("{line}; {number} {what}");
            }
        }
        line
    };
    manifest.channels.iter().map(row).collect()
}
