//! Who can, as text and as a picture.

use access::reach::{Answer, Holder, Hop, Path, listed};

use super::{PLAIN, QUIET, RenderOptions, Sheet, TITLE, printable};

mod picture;

pub use self::picture::picture;

/// Holders that are told one by one; components of Kubernetes itself are counted.
fn is_component(holder: &Holder) -> bool {
    let account = holder.account.as_str();
    account.contains("kube-system/") || account.contains(" system:")
}

/// The answer as a table: each path with what it needs and where the right stands.
pub fn render(answer: &Answer, options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    sheet.entry("", &title(answer), "", TITLE);
    sheet.entry("", &counts(answer), "", PLAIN);
    for application in answer.applications.iter().filter(|a| a.syncs_itself) {
        let says = format!("{} syncs by itself: a merge deploys it", application.name);
        sheet.entry("Note     ", &printable(&says), "", QUIET);
    }
    for person in &answer.people {
        sheet.blank();
        let name = person.name.as_deref().unwrap_or("");
        let note = match &person.alone {
            Some(paths) => format!("alone, by {}", numbers(paths)),
            None => String::new(),
        };
        sheet.entry("", &printable(&format!("{} {name}", person.id)), &note, TITLE);
        paths(&mut sheet, &person.paths);
    }
    holders(&mut sheet, "Unmapped: in nobody's people map", &answer.unmapped);
    holders(&mut sheet, "Machine accounts", &answer.machines);
    hops(&mut sheet, "Noted", &answer.notes);
    if !answer.undetermined.is_empty() {
        sheet.blank();
        sheet.entry("", "Undetermined", "", TITLE);
        for gap in &answer.undetermined {
            let at = gap.at.as_ref().map(|at| format!(" [{at}]")).unwrap_or_default();
            sheet.entry("  ", &printable(&format!("{}: {}{at}", gap.what, gap.why)), "", PLAIN);
        }
    }
    sheet.text
}

/// One person's paths, each as a sentence.
pub fn sentences(told: &[String], options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    for (number, sentence) in told.iter().enumerate() {
        if number > 0 {
            sheet.blank();
        }
        sheet.entry(&format!("{:>2}  ", number + 1), &printable(sentence), "", PLAIN);
    }
    sheet.text
}

fn title(answer: &Answer) -> String {
    let names: Vec<&str> =
        answer.applications.iter().filter(|a| !a.is_root).map(|a| a.name.as_str()).collect();
    let shown = match names.len() {
        0 => "nothing that the sources show".to_owned(),
        1..=6 => names.join(", "),
        n => format!("{n} Applications"),
    };
    let of = answer.environment.as_ref().map_or(shown.clone(), |e| format!("{e} ({shown})"));
    let verb = answer.verb.words();
    let to = if verb == "deploy" { " to" } else { "" };
    printable(&format!("Who can {verb}{to} {of}?"))
}

fn counts(answer: &Answer) -> String {
    let mut parts = vec![count(answer.people.len(), "person", "people")];
    let alone = answer.people.iter().filter(|p| p.alone.is_some()).count();
    if answer.people.iter().any(|p| p.alone.is_some()) {
        parts.push(format!("{alone} alone"));
    }
    parts.push(count(answer.machines.len(), "machine account", "machine accounts"));
    parts.push(format!("{} unmapped", answer.unmapped.len()));
    parts.push(format!("{} undetermined", answer.undetermined.len()));
    parts.join(" · ")
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn numbers(paths: &[usize]) -> String {
    let shown: Vec<String> = paths.iter().map(|at| (at + 1).to_string()).collect();
    format!("path {}", shown.join(" and "))
}

fn paths(sheet: &mut Sheet, paths: &[Path]) {
    for (number, path) in paths.iter().enumerate() {
        let label = format!("{:>3} {:<11}", number + 1, path.part.word());
        sheet.entry(&label, &printable(&line(path)), "", PLAIN);
        if !path.needs.is_empty() {
            let needs: Vec<String> = path.needs.iter().map(|need| need.words()).collect();
            sheet.entry("      needs    ", &needs.join("; "), "", QUIET);
        }
        sheet.entry("      at       ", &printable(&places(path)), "", QUIET);
    }
}

/// By which right, and what it reaches.
fn line(path: &Path) -> String {
    format!("{}, {} → {}", path.account, path.by, listed(&path.applications))
}

/// Where the right stands, without what the Applications themselves say.
fn places(path: &Path) -> String {
    let mut all: Vec<String> = Vec::new();
    for at in path.hops.iter().flat_map(|hop| &hop.at) {
        let at = at.to_string();
        if !all.contains(&at) {
            all.push(at);
        }
    }
    all.join(" · ")
}

fn holders(sheet: &mut Sheet, heading: &str, holders: &[Holder]) {
    if holders.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", heading, "", TITLE);
    for holder in holders.iter().filter(|holder| !is_component(holder)) {
        sheet.entry("  ", &printable(&holder.account), "", PLAIN);
        paths(sheet, &holder.paths);
    }
    let components = holders.iter().filter(|holder| is_component(holder)).count();
    if components > 0 {
        let says = format!(
            "and {}; --format json names them",
            count(components, "component of Kubernetes", "components of Kubernetes")
        );
        sheet.entry("  ", &says, "", QUIET);
    }
}

fn hops(sheet: &mut Sheet, heading: &str, hops: &[Hop]) {
    if hops.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", heading, "", TITLE);
    for hop in hops {
        let at: Vec<String> = hop.at.iter().map(ToString::to_string).collect();
        let at = if at.is_empty() { String::new() } else { format!(" [{}]", at.join("; ")) };
        sheet.entry("  ", &printable(&format!("{}{at}", hop.says)), "", PLAIN);
    }
}
