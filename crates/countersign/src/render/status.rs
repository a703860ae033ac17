//! `ledger status` as text.

use super::{ALERT, PLAIN, QUIET, RenderOptions, Sheet, TITLE, printable};
use crate::ask::Derived;
use crate::ask::spots::SpotKind;
use crate::ask::status::{Channeled, Reading, Status};
use crate::cli::show::{count, of};

/// Readings that are listed one by one.
const READINGS_SHOWN: usize = 40;

/// What a ledger holds, what it covers and what it cannot show.
pub fn render(status: &Status, derived: &Derived, width: usize, colour: bool) -> String {
    let mut sheet = Sheet::new(&RenderOptions::without_ledger(width, colour));
    head(&mut sheet, status, derived);
    if status.channels.is_empty() {
        sheet.blank();
        sheet.entry("", "Nothing was ingested yet.", "", PLAIN);
    }
    for silent in &status.silent {
        let text = match &silent.received_last {
            None => "expected, and no record ever came".to_owned(),
            Some(at) => format!("expected, and nothing came since {at}"),
        };
        sheet.entry("!! SILENT   ", &format!("{}: {text}", silent.channel), "", ALERT);
    }
    section(
        &mut sheet,
        "Channels, by the time that their records state (UTC)",
        !status.channels.is_empty(),
    );
    for channel in &status.channels {
        channeled(&mut sheet, channel);
    }
    let spots = |kind| status.blind_spots.iter().filter(move |spot| spot.kind == kind);
    for (kind, title) in [
        (SpotKind::Channel, "Blind spots: channels of which no record came"),
        (SpotKind::WatchedKind, "Blind spots: kinds of objects that nobody watched"),
        (SpotKind::Always, "Blind spots: shown by no channel"),
    ] {
        section(&mut sheet, title, spots(kind).next().is_some());
        for spot in spots(kind) {
            sheet.entry(&format!("  {:<25} ", spot.of), &spot.shows, "", PLAIN);
        }
    }
    readings(&mut sheet, &status.readings);
    section(&mut sheet, "Refused", !status.refusals.is_empty());
    for r in &status.refusals {
        let text = printable(&format!("{}:{}: {}", r.source, r.line, r.reason));
        sheet.entry("  ", &text, "", PLAIN);
    }
    sheet.text
}

fn section(sheet: &mut Sheet, title: &str, there: bool) {
    if there {
        sheet.blank();
        sheet.entry("", title, "", TITLE);
    }
}

fn head(sheet: &mut Sheet, status: &Status, derived: &Derived) {
    let mut field = |label: &str, text: &str| {
        sheet.entry(&format!("{label:<12}"), &printable(text), "", PLAIN);
    };
    field("Ledger", &status.origin);
    field("Entries", &count(derived.entries));
    let root = derived.checkpoint.lines().nth(2).unwrap_or("none");
    let published = status.checkpoints;
    field(
        "Checkpoint",
        &format!("{} entries, root {root}; {published} published", derived.entries),
    );
    field("Key", &status.verifier_key);
    let none = "none: nobody outside this folder would notice a rollback";
    field("Anchor", status.anchor.as_deref().unwrap_or(none));
    field("Timestamp", "none from outside");
    field("Page seal", &status.page_seal);
}

fn channeled(sheet: &mut Sheet, channel: &Channeled) {
    let coverage = &channel.coverage;
    let expected = if channel.expected { ", expected" } else { "" };
    let records = of(coverage.records as u64, "record", "records");
    sheet.entry(
        &format!("  {:<25} ", coverage.channel),
        &format!("{records}{expected}"),
        "",
        PLAIN,
    );
    let mut more = |text: &str, style| sheet.entry(&" ".repeat(28), text, "", style);
    if let (Some(first), Some(last)) = (&coverage.first, &coverage.last) {
        more(&format!("{} – {}", clock(first.earliest()), clock(last.latest())), PLAIN);
    }
    if let Some(at) = &channel.received_last {
        more(&format!("newest received {at}"), QUIET);
    }
    if coverage.bookmarks > 0 {
        more(&of(coverage.bookmarks as u64, "bookmark", "bookmarks"), QUIET);
    }
    for gap in coverage.gaps.iter().take(3) {
        more(&format!("gap: {} ({})", gap.reason, gap.cite), ALERT);
    }
    if coverage.gaps.len() > 3 {
        more(&format!("and {} more gaps", coverage.gaps.len() - 3), ALERT);
    }
    if coverage.not_understood > 0 {
        let first = coverage.not_understood_first.first();
        let why = first.map_or_else(String::new, |f| format!("; the first: {}", f.reason));
        more(&format!("{} not understood{why}", coverage.not_understood), ALERT);
    }
    if channel.refused > 0 {
        more(&format!("{} refused at intake of its sources", channel.refused), ALERT);
    }
    if !channel.kinds.is_empty() {
        let kinds: Vec<String> = channel.kinds.iter().map(|(k, n)| format!("{k} {n}")).collect();
        more(&kinds.join(", "), PLAIN);
    }
}

fn readings(sheet: &mut Sheet, readings: &[Reading]) {
    section(sheet, "Readings of sources", !readings.is_empty());
    for reading in readings.iter().take(READINGS_SHOWN) {
        let counts = [
            (reading.new, "new"),
            (reading.known_already, "known"),
            (reading.not_kept, "not kept"),
            (reading.refused, "refused"),
        ];
        let counts = counts.iter().filter(|(n, _)| *n > 0);
        let counts: Vec<String> = counts.map(|(n, word)| format!("{} {word}", count(*n))).collect();
        let source = printable(&reading.source);
        let text = format!("{} of {source}, reading {}", counts.join(", "), reading.epoch);
        sheet.entry(&format!("  {:<25} ", reading.channel), &text, "", PLAIN);
    }
    if readings.len() > READINGS_SHOWN {
        let more = readings.len() - READINGS_SHOWN;
        sheet.entry("  ", &format!("and {more} more; --format json has all"), "", QUIET);
    }
}

fn clock(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
