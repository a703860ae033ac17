//! What a snapshot of a forge shows, and what the forge refused.

use access::forge::collect::Collection;
use access::forge::{Branch, Forge, Known, Level, Protected, Snapshot};

use super::{PLAIN, QUIET, RenderOptions, Sheet, TITLE, columns, printable};
use crate::cli::show::of;

/// Refusals that are told one by one.
const REFUSALS_TOLD: usize = 20;

/// The summary of a snapshot.
pub fn summary(
    collection: &Collection,
    snapshot: &Snapshot,
    options: &RenderOptions<'_>,
) -> String {
    let mut sheet = Sheet::new(options);
    let refused: Vec<_> = collection.refusals().collect();
    let answered = of(collection.answered() as u64, "request", "requests");
    let title =
        format!("{}: {answered} answered, {} refused", snapshot.repository(), refused.len());
    sheet.entry("", &printable(&title), "", TITLE);
    let rows = shown(snapshot);
    let widest = rows.iter().map(|(label, _)| columns(label)).max().unwrap_or(0);
    for (label, text) in rows {
        sheet.entry(&format!("  {label:widest$}  "), &printable(&text), "", PLAIN);
    }
    let unasked = collection.passed_over();
    if unasked > 0 {
        let text = format!("{unasked} more are protected; name those that matter with --branch");
        sheet.entry(&format!("  {:widest$}  ", "not asked"), &text, "", QUIET);
    }
    for list in collection.incomplete() {
        let text = printable(&format!("{list}: the forge has more, and it did not come"));
        sheet.entry(&format!("  {:widest$}  ", "cut short"), &text, "", PLAIN);
    }
    if !refused.is_empty() {
        sheet.blank();
        sheet.entry("", "Refused: undetermined, and never counted as not protected", "", TITLE);
        for refusal in refused.iter().take(REFUSALS_TOLD) {
            let said = refusal.said.as_deref().map(|said| format!("  {said}")).unwrap_or_default();
            let text = printable(&format!("{}{said}", refusal.request));
            sheet.entry(&format!("  {}  ", refusal.status), &text, "", PLAIN);
        }
        let more = refused.len().saturating_sub(REFUSALS_TOLD);
        if more > 0 {
            sheet.entry("  ", &format!("and {more} more"), "", QUIET);
        }
    }
    sheet.blank();
    sheet.text
}

fn shown(snapshot: &Snapshot) -> Vec<(String, String)> {
    let default = match snapshot.default_branch() {
        Known::Known { value, .. } => {
            let what = branch(&snapshot.branch(value));
            ("branch".to_owned(), format!("{value}: {what}"))
        }
        Known::Unknown(why) => ("branch".to_owned(), format!("undetermined: {why}")),
    };
    let accounts = told(snapshot.accounts(), |accounts| {
        let admins = accounts.iter().filter(|account| account.level == Level::Admin).count();
        let all = of(accounts.len() as u64, "account", "accounts");
        let by_name = if snapshot.forge() == Forge::Gitea { " added by name" } else { "" };
        format!(
            "{all}{by_name}, {} among them",
            of(admins as u64, "administrator", "administrators")
        )
    });
    let teams = told(snapshot.teams(), |teams| {
        let hidden = teams.iter().filter(|team| team.members.unknown().is_some()).count();
        let all = of(teams.len() as u64, "team", "teams");
        if hidden == 0 { all } else { format!("{all}, the members of {hidden} undetermined") }
    });
    vec![default, ("people".to_owned(), accounts), ("teams".to_owned(), teams)]
}

fn told<T>(known: &Known<T>, say: impl FnOnce(&T) -> String) -> String {
    match known {
        Known::Known { value, .. } => say(value),
        Known::Unknown(why) => format!("undetermined: {why}"),
    }
}

fn branch(branch: &Branch) -> String {
    let protected = match branch.protected() {
        Protected::No => return "not protected".to_owned(),
        Protected::Unknown => {
            let why = branch.unknown.first().map(ToString::to_string).unwrap_or_default();
            return format!("undetermined: {why}");
        }
        Protected::Yes => "protected",
    };
    let approvals = told(&branch.approvals(), |n| of(u64::from(*n), "approval", "approvals"));
    let owners = told(&branch.code_owners(), |asked| {
        if *asked { "code owners have to approve" } else { "code owners need not approve" }
            .to_owned()
    });
    format!("{protected}; {approvals}; {owners}")
}
