//! A proposed people map as text: what is linked, what is asked, what fits nobody.

use evidence::ask::people::propose::{Confidence, Proposal};

use super::{PLAIN, RenderOptions, Sheet, TITLE, columns, printable};

/// Columns that an account may take before the rest of its line goes below.
const ACCOUNT_COLUMNS_MAX: usize = 36;

/// The report: questions first, then what is only likely, then the rest.
pub fn proposal(proposal: &Proposal, options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    let certain = proposal.links.iter().filter(|l| l.confidence == Confidence::Certain).count();
    let counts = format!(
        "{} people; {} accounts linked, {certain} of them certain; {} questions, {} unmatched, {} bots",
        proposal.persons,
        proposal.links.len(),
        proposal.questions.len(),
        proposal.unmatched.len(),
        proposal.bots.len(),
    );
    sheet.entry("", &counts, "", TITLE);
    let questions = proposal.questions.iter().flat_map(|q| {
        let of = move |(person, why): &(String, String)| format!("{person}? {why}");
        q.candidates.iter().map(move |c| (q.field.word(), q.account.as_str(), of(c)))
    });
    part(&mut sheet, "To answer: nothing is linked before somebody does", questions);
    for (title, wanted) in
        [("Likely: look them over", Confidence::Likely), ("Certain", Confidence::Certain)]
    {
        let links = proposal.links.iter().filter(|l| l.confidence == wanted);
        let rows = links.map(|l| {
            let told = format!("{}, {}: {}", l.person, l.rule, l.why);
            (l.field.word(), l.account.as_str(), told)
        });
        part(&mut sheet, title, rows);
    }
    let unmatched = proposal.unmatched.iter();
    let unmatched = unmatched.map(|(field, a)| (field.word(), a.as_str(), String::new()));
    part(&mut sheet, "Fits nobody", unmatched);
    let bots = proposal.bots.iter();
    let bots = bots.map(|b| (b.field.word(), b.account.as_str(), b.why.to_owned()));
    part(&mut sheet, "Bots, nobody's", bots);
    sheet.text
}

fn part<'r>(
    sheet: &mut Sheet,
    title: &str,
    rows: impl Iterator<Item = (&'static str, &'r str, String)>,
) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    sheet.blank();
    sheet.entry("", title, "", TITLE);
    let widest = rows.iter().map(|(_, account, _)| columns(account)).max().unwrap_or(0);
    let room = widest.min(ACCOUNT_COLUMNS_MAX);
    for (field, account, told) in rows {
        let label = format!("  {field:<16} {:<room$}  ", printable(account));
        sheet.entry(&label, &printable(&told), "", PLAIN);
    }
}
