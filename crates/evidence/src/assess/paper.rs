//! Working papers: a frozen population as sheets of a workbook, one row a transition.
//!
//! What the records do not say stands there as `undetermined` with the reason, never as an empty
//! cell that could be read as in order. A transition in no change has no author and no approver: its
//! cells say that too.

use std::borrow::Cow;

use jiff::Timestamp;

use super::population::Listing;
use super::{Kept, draws_of};
use crate::parse::ledger_assessment::Population;
use crate::record::Cite;
use crate::story::Story;
use crate::story::coverage::Coverage;

mod row;

/// The longest text of a cell: Excel takes 32,767 characters (`ECMA-376` part 1, 18.3.1.96 leaves
/// it to the application).
const CELL_CHARS_MAX: usize = 32_000;

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text; [`neutral`] makes it safe for spreadsheets.
    Text(String),
    /// A count or a number.
    Number(u64),
    /// An instant, in UTC.
    Time(Timestamp),
}

/// A sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its name.
    pub name: &'static str,
    /// The columns: title, and width in characters.
    pub columns: Vec<(&'static str, u16)>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// What working papers are made of.
#[derive(Clone, Copy)]
pub struct Papers<'a> {
    /// The story of the population's records.
    pub story: &'a Story,
    /// The population and what is no part of it.
    pub listing: &'a Listing<'a>,
    /// The frozen population, and its entry.
    pub population: (&'a Kept, &'a Population),
    /// Every assessment of the ledger: the draws are marked.
    pub kept: &'a [Kept],
    /// The entry of a record.
    pub entry_of: &'a dyn Fn(&Cite) -> Option<u64>,
    /// The ledger's name.
    pub origin: &'a str,
    /// The size of the checkpoint that covers the population's entry.
    pub checkpoint: u64,
}

/// The sheets, in order: population, excluded, coverage, reading guide.
pub fn sheets(papers: &Papers<'_>) -> [Sheet; 4] {
    [papers.population(), papers.excluded(), papers.coverage(), papers.guide()]
}

impl Papers<'_> {
    fn population(&self) -> Sheet {
        let rows = self.listing.rows.iter().map(|listed| row::cells(self, listed));
        Sheet { name: "population", columns: row::COLUMNS.to_vec(), rows: rows.collect() }
    }

    fn excluded(&self) -> Sheet {
        let apart = [
            ("changed nothing", &self.listing.excluded),
            ("lacks the environment or time that was asked for", &self.listing.unplaced),
        ];
        let rows = apart.into_iter().flat_map(|(why, list)| {
            list.iter().map(move |listed| {
                let row = &listed.row;
                vec![
                    text(why),
                    Cell::Number(row.row),
                    known(row.app.as_deref()),
                    known(row.environment.as_deref()),
                    text(&row.what),
                    time(listed.transition.at.map(|at| at.earliest())),
                    text(row.class),
                    text(row.detail.as_deref().unwrap_or("-")),
                    text(&row::entries(self, listed)),
                ]
            })
        });
        let columns = vec![
            ("why it is no part of the population", 34),
            ("row", 6),
            ("application", 20),
            ("environment", 13),
            ("transition", 26),
            ("began (UTC)", 21),
            ("class", 13),
            ("detail", 44),
            ("entries", 24),
        ];
        Sheet { name: "excluded", columns, rows: rows.collect() }
    }

    fn coverage(&self) -> Sheet {
        let row = |c: &Coverage| {
            let gaps = c.gaps.iter().map(|g| format!("{}: {}", g.cite, g.reason));
            let gaps = gaps.collect::<Vec<_>>().join("; ");
            vec![
                text(c.channel),
                Cell::Number(c.records as u64),
                time(c.first.map(|at| at.earliest())),
                time(c.last.map(|at| at.latest())),
                Cell::Number(c.gaps.len() as u64),
                text(if gaps.is_empty() { "no gap recorded" } else { &gaps }),
                Cell::Number(c.not_understood as u64),
                text(if c.interpreted { "yes" } else { "no: of the ledger itself" }),
            ]
        };
        let columns = vec![
            ("channel", 28),
            ("records", 9),
            ("first time stated (UTC)", 23),
            ("last time stated (UTC)", 23),
            ("gaps", 6),
            ("where it broke off", 50),
            ("not understood", 15),
            ("read by these rules", 20),
        ];
        Sheet { name: "coverage", columns, rows: self.story.coverage.iter().map(row).collect() }
    }

    fn guide(&self) -> Sheet {
        let (kept, p) = self.population;
        let or = |text: &Option<String>, otherwise: &str| {
            text.clone().unwrap_or_else(|| otherwise.to_owned())
        };
        let strata = p.strata.iter().map(|(stratum, rows)| format!("{stratum} {rows}"));
        let draws = draws_of(self.kept, kept.entry, u64::MAX);
        let draws = draws.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let facts = [
            ("ledger", self.origin.to_owned()),
            ("population frozen in entry", kept.entry.to_string()),
            ("leaf hash of that entry", kept.leaf.to_string()),
            ("under checkpoint", self.checkpoint.to_string()),
            ("derived from entries before", p.size.to_string()),
            ("root of that tree", p.root.clone()),
            ("environment", or(&p.environment, "every")),
            ("from (UTC, by the time it began)", or(&p.from, "the first record")),
            ("to (UTC, no longer within)", or(&p.to, "the last record")),
            ("rows", p.rows.to_string()),
            ("digest of the rows (SHA-256)", p.digest.clone()),
            ("strata", strata.collect::<Vec<_>>().join(", ")),
            ("changed nothing, on sheet excluded", p.excluded.to_string()),
            ("without environment or time, on sheet excluded", p.unplaced.to_string()),
            ("extracted by", p.program.clone()),
            (
                "rules",
                format!(
                    "story {}, changes {}, assessment {}",
                    p.rules.story, p.rules.changes, p.rules.assessment
                ),
            ),
            ("drawn from in entries", if draws.is_empty() { "none".to_owned() } else { draws }),
        ];
        let facts = facts.into_iter().map(|(what, said)| vec![text(what), text(&said)]);
        let advice = READING.iter().map(|(what, said)| vec![text(what), text(said)]);
        let columns = vec![("what", 46), ("says", 110)];
        Sheet { name: "reading guide", columns, rows: facts.chain(advice).collect() }
    }
}

/// How to read the other sheets.
const READING: [(&str, &str); 9] = [
    ("a row", "one transition of the live state of one Application, as the listed sources show it"),
    ("undetermined", "the records do not say, for the reason given; neither a pass nor a failure"),
    ("in no change", "nothing of a change (author, approval, ticket) belongs to this transition"),
    (
        "conditions",
        "of the change that the row belongs to, counted; what one is worth is for the reader",
    ),
    (
        "accounts",
        "person (account) where the people map knows the person; who held a credential is not shown",
    ),
    (
        "emergency",
        "in a change of which no approval before the transition is recorded, or with content nobody approved",
    ),
    (
        "entries",
        "numbers of ledger entries: `countersign change show entry:N` shows what rests on one",
    ),
    ("times", "UTC, to the millisecond; `clock` says how finely the source resolves"),
    (
        "leading apostrophe",
        "put before texts that a spreadsheet could take for a formula; the record has none",
    ),
];

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn known(found: Option<&str>) -> Cell {
    text(found.unwrap_or("undetermined"))
}

fn time(at: Option<Timestamp>) -> Cell {
    at.map_or_else(|| text("undetermined"), Cell::Time)
}

/// A text that no spreadsheet takes for a formula, and that fits a cell.
///
/// A text that begins with `=`, `+`, `-`, `@`, a tab or a line end gets an apostrophe before it
/// (OWASP, "CSV Injection"). In a workbook it would be a text anyhow, until somebody saves it as
/// CSV.
pub fn neutral(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.chars().count() > CELL_CHARS_MAX {
        let cut: String = text.chars().take(CELL_CHARS_MAX).collect();
        text = Cow::Owned(format!("{cut}… (cut here)"));
    }
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        text = Cow::Owned(format!("'{text}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::neutral;

    #[test]
    fn formulas_are_texts() {
        let table = [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("a=1", "a=1"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(neutral(text), expected, "{text:?}");
        }
        assert!(neutral(&"x".repeat(40_000)).ends_with("… (cut here)"));
    }
}
