//! A check as text: each finding at its line, then what was accepted, and what could not be said.

use std::collections::BTreeMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use evidence::control::{Control, Finding, NotAssessed, Place, Severity};

use super::{ALERT, PLAIN, QUIET, RenderOptions, Sheet, TITLE, printable, wrapped};
use crate::ask::check::Checked;
use crate::cli::show::of;
use crate::controls;

/// Findings of one control that are shown in full; the others are counted.
const SHOWN: usize = 5;
/// Places of one finding that are shown.
const PLACES: usize = 3;
/// Columns that a diagnostic may take at least: below it, lines of a file say nothing.
const WIDTH_MIN: usize = 60;

/// What a check is shown with.
pub struct Shown<'a> {
    /// What it came to.
    pub checked: &'a Checked,
    /// What was read, in words, each with what it is.
    pub sources: &'a [(&'static str, String)],
    /// A line of a file, from 1.
    pub line: &'a dyn Fn(&str, u32) -> Option<String>,
    /// Whether nothing is rolled up.
    pub all: bool,
}

/// The check as text.
pub fn render(shown: &Shown<'_>, options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    head(&mut sheet, shown);
    findings(&mut sheet, shown, options);
    accepted(&mut sheet, shown);
    lapsed(&mut sheet, shown.checked);
    undetermined(&mut sheet, shown);
    leftovers(&mut sheet, shown.checked);
    next(&mut sheet, shown.checked);
    sheet.text
}

fn head(sheet: &mut Sheet, shown: &Shown<'_>) {
    let checked = shown.checked;
    let not_met = checked.judged.len();
    let (known, excepted) = (checked.known().count(), checked.excepted().count());
    let mut split = vec![format!("{} new", not_met - known - excepted)];
    split.extend((known > 0).then(|| format!("{known} known")));
    split.extend((excepted > 0).then(|| format!("{excepted} excepted")));
    let split =
        if known + excepted == 0 { String::new() } else { format!(" ({})", split.join(", ")) };
    let line = format!(
        "Conditions: {} met · {not_met} not met{split} · {} undetermined",
        checked.met,
        checked.not_assessed.len()
    );
    sheet.entry("", &line, "", TITLE);
    for (label, what) in shown.sources {
        sheet.entry(&format!("{label:<11}"), &printable(what), "", QUIET);
    }
}

fn findings(sheet: &mut Sheet, shown: &Shown<'_>, options: &RenderOptions<'_>) {
    let mut by_control: Vec<(&str, Vec<&Finding>)> = Vec::new();
    let too = told_once(shown.checked);
    let is_first = |f: &&Finding| too[&(f.subject.as_str(), f.message.as_str())][0] == f.control;
    for finding in shown.checked.new_findings().filter(is_first) {
        match by_control.last_mut().filter(|(control, _)| *control == finding.control) {
            Some((_, findings)) => findings.push(finding),
            None => by_control.push((finding.control, vec![finding])),
        }
    }
    let renderer = if options.colour { Renderer::styled() } else { Renderer::plain() };
    let width = options.width.max(WIDTH_MIN);
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    for (id, findings) in by_control {
        let shown_max = if shown.all { findings.len() } else { SHOWN };
        let control = controls::by_id(id);
        for (number, finding) in findings.iter().take(shown_max).enumerate() {
            // What the auditor asks is the same for each: it is said with the last that is shown.
            let is_last = number + 1 == findings.len().min(shown_max);
            let also = &too[&(finding.subject.as_str(), finding.message.as_str())][1..];
            let group = diagnostic(finding, also, control.filter(|_| is_last), shown, width);
            sheet.blank();
            sheet.text.push_str(&renderer.render(&[group]));
            sheet.blank();
        }
        if findings.len() > shown_max {
            let more = format!("… and {} more of {id}; --all shows them", findings.len() - SHOWN);
            sheet.entry("  ", &more, "", QUIET);
        }
    }
}

/// Controls by subject and message: what several say of one subject in the same words, such as that
/// a push had no proposal, is told once.
fn told_once(checked: &Checked) -> BTreeMap<(&str, &str), Vec<&str>> {
    let mut told: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for finding in checked.new_findings() {
        told.entry((&finding.subject, &finding.message)).or_default().push(finding.control);
    }
    told
}

fn diagnostic<'a>(
    finding: &Finding,
    also: &[&str],
    control: Option<&Control>,
    shown: &Shown<'_>,
    width: usize,
) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let room = width.saturating_sub(finding.control.len() + 12).max(58);
    let title = wrapped(&printable(&finding.message), room).join("\n");
    let mut group = Group::with_title(level.primary_title(title).id(finding.control.to_owned()));
    for place in finding.places.iter().take(PLACES) {
        group = group.element(element(place, shown));
    }
    let mut notes = Vec::new();
    if finding.places.len() > PLACES {
        notes.push(("places", format!("{} more", finding.places.len() - PLACES)));
    }
    notes.push(("subject", finding.subject.clone()));
    if !also.is_empty() {
        notes.push(("not met too", also.join(", ")));
    }
    if let Some(control) = control {
        notes.push(("auditor asks", control.asks.to_owned()));
        notes.push(("fix", control.fix.to_owned()));
        let relates = control.relates.iter().map(|r| format!("{} {}", r.framework, r.id));
        notes.push(("relates to", relates.collect::<Vec<_>>().join(" · ")));
    }
    for (name, text) in notes {
        let room = width.saturating_sub(name.len() + 8).max(30);
        let text = wrapped(&printable(&text), room).join("\n");
        group = group.element(Level::NOTE.with_name(name).message(text));
    }
    group
}

/// A line of a file with a mark under it, or only where it stands.
fn element<'a>(place: &Place, shown: &Shown<'_>) -> Element<'a> {
    match place {
        Place::File { path, line: Some(line) } => {
            let number = usize::try_from(*line).unwrap_or(0);
            let path = printable(path);
            match (shown.line)(&path, *line).map(|text| printable(&text)) {
                Some(text) if !text.trim().is_empty() => {
                    let begin = text.len() - text.trim_start().len();
                    let span = begin..text.trim_end().len();
                    let mark = AnnotationKind::Primary.span(span);
                    Snippet::source(text).line_start(number).path(path).annotation(mark).into()
                }
                _ => Origin::path(path).line(number).into(),
            }
        }
        Place::File { path, line: None } => Origin::path(printable(path)).into(),
        Place::Json { document, pointer } => {
            Origin::path(printable(&format!("{document} {pointer}"))).into()
        }
        Place::Record { cite } => Origin::path(printable(&format!("record {cite}"))).into(),
    }
}

/// Excepted findings are told with their exceptions; known ones are counted.
fn accepted(sheet: &mut Sheet, shown: &Shown<'_>) {
    let checked = shown.checked;
    if checked.excepted().next().is_some() {
        sheet.blank();
        sheet.entry("", "Excepted", "", TITLE);
    }
    for (finding, by) in checked.excepted() {
        let text = format!(
            "{}: {}; {} (approved by {}, until {})",
            finding.subject, finding.message, by.reason, by.approver, by.expires
        );
        sheet.entry(&format!("  {} ", finding.control), &printable(&text), "", PLAIN);
    }
    let known: Vec<&Finding> = checked.known().collect();
    if known.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", "Known by the baseline", "", TITLE);
    if shown.all {
        for finding in known {
            let text = printable(&format!("{}: {}", finding.subject, finding.message));
            sheet.entry(&format!("  {} ", finding.control), &text, "", PLAIN);
        }
    } else {
        let text = of(known.len() as u64, "finding", "findings");
        sheet.entry("  ", &format!("{text}; --all shows them"), "", PLAIN);
    }
}

fn lapsed(sheet: &mut Sheet, checked: &Checked) {
    if checked.lapsed.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", "Exceptions that do not hold", "", TITLE);
    for lapsed in &checked.lapsed {
        let (exception, reason) = (&lapsed.exception, &lapsed.reason);
        let text = printable(&format!("{}: {reason}", exception.subject));
        sheet.entry(&format!("  {} ", exception.control), &text, "", ALERT);
    }
}

/// What could not be said, by its reason: one missing source leaves many controls open.
fn undetermined(sheet: &mut Sheet, shown: &Shown<'_>) {
    let mut by_reason: BTreeMap<&str, Vec<&NotAssessed>> = BTreeMap::new();
    for open in &shown.checked.not_assessed {
        by_reason.entry(&open.reason).or_default().push(open);
    }
    if by_reason.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", "Undetermined", "", TITLE);
    let reasons = by_reason.len();
    let most = if shown.all { reasons } else { 4 * SHOWN };
    for (reason, open) in by_reason.into_iter().take(most) {
        let mut ids: Vec<&str> = open.iter().map(|o| o.control).collect();
        ids.dedup();
        let subjects = match open.as_slice() {
            [one] if one.subject != "sources" => format!(" for {}", one.subject),
            [_] => String::new(),
            _ if ids.len() < open.len() => format!(", {} subjects", open.len()),
            _ => String::new(),
        };
        sheet.entry("  ", &printable(&format!("{reason}{subjects}")), "", PLAIN);
        sheet.entry("    ", &ids.join(", "), "", QUIET);
    }
    if reasons > most {
        let more = format!("… and {} more reasons; --all shows them", reasons - most);
        sheet.entry("  ", &more, "", QUIET);
    }
}

/// What can be taken out of policy and baseline.
fn leftovers(sheet: &mut Sheet, checked: &Checked) {
    let mut lines = Vec::new();
    for unused in &checked.unused {
        let (control, subject) = (&unused.control, &unused.subject);
        lines.push(format!("the exception of {control} for {subject} covers nothing found"));
    }
    for (control, subject) in &checked.gone {
        lines.push(format!("the baseline knows {control} {subject}, which is no longer found"));
    }
    if !checked.off.is_empty() {
        lines.push(format!("switched off by the policy: {}", checked.off.join(", ")));
    }
    if lines.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", "Noted", "", TITLE);
    for line in lines {
        sheet.entry("  ", &printable(&line), "", PLAIN);
    }
}

fn next(sheet: &mut Sheet, checked: &Checked) {
    let Some(first) = checked.new_findings().next() else { return };
    sheet.blank();
    let text = format!("countersign explain {}", first.control);
    sheet.entry("Next       ", &text, "", QUIET);
}

/// A problem of a policy file at its line.
pub fn problem(
    found: &access::policy::Problem,
    line: &dyn Fn(&str, u32) -> Option<String>,
    width: usize,
    colour: bool,
) -> String {
    let place = match &found.place {
        access::place::Place::File(file) => {
            Place::File { path: file.file.to_string(), line: found.place.line_number() }
        }
        access::place::Place::Object(object) => {
            Place::Json { document: object.object.to_string(), pointer: object.path.to_string() }
        }
    };
    let shown = Shown { checked: &Checked::default(), sources: &[], line, all: false };
    let mut group = Group::with_title(Level::ERROR.primary_title(printable(&found.what)))
        .element(element(&place, &shown));
    if let Some(help) = &found.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).term_width(width.max(WIDTH_MIN)).render(&[group])
}
