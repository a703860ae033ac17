//! `countersign ledger status`.

use super::{Context, Format, Outcome, show};
use crate::ledger::dir::LedgerDir;
use crate::ledger::history;
use crate::ledger::pages::{self, Seal};
use crate::ledger::read::Reader;
use crate::store::Coverage;

/// Refused lines that `status` lists.
const REFUSALS_SHOWN: u32 = 20;

/// What the ledger holds, what it covers and what vouches for it.
pub(super) fn status(context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let reader = Reader::open(&dir)?;
    let (notes, _) = history::read(&dir.checkpoints())?;
    let status = Status {
        size: reader.size().get(),
        coverage: reader.coverage()?,
        refusals: reader.refusals(REFUSALS_SHOWN)?,
        checkpoints: notes.len(),
        newest: notes.last().cloned().unwrap_or_default(),
        seal: pages::check(&dir)?,
        dir,
    };
    match context.shared.format {
        Format::Json => status.json(context)?,
        Format::Text => status.text(context)?,
    }
    Ok(Outcome::Done)
}

struct Status {
    dir: LedgerDir,
    size: u64,
    coverage: Vec<Coverage>,
    refusals: Vec<crate::store::Refused>,
    checkpoints: usize,
    newest: String,
    seal: Seal,
}

impl Status {
    fn text(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        let out = &mut *context.out;
        writeln!(out, "Ledger      {}", self.dir.settings.origin)?;
        writeln!(out, "Entries     {}", show::count(self.size))?;
        let root = self.newest.lines().nth(2).unwrap_or("none");
        let signed = self.newest.lines().nth(1).unwrap_or("0");
        writeln!(out, "Checkpoint  {signed} entries, root {root}; {} published", self.checkpoints)?;
        writeln!(out, "Key         {}", self.dir.settings.verifier_key)?;
        let anchor = self.dir.settings.anchor.as_ref();
        let anchor = anchor.map_or_else(
            || "none: nobody outside this folder would notice a rollback".to_owned(),
            |p| p.display().to_string(),
        );
        writeln!(out, "Anchor      {anchor}")?;
        writeln!(out, "Timestamp   none from outside")?;
        writeln!(out, "Page seal   {}", seal_text(&self.seal))?;
        let rows: Vec<Vec<String>> = self
            .coverage
            .iter()
            .map(|c| {
                vec![
                    c.channel.clone(),
                    c.source.clone(),
                    c.epoch.to_string(),
                    show::count(c.accepted),
                    show::count(c.duplicate),
                    show::count(c.dropped),
                    show::count(c.refused),
                ]
            })
            .collect();
        if rows.is_empty() {
            writeln!(out, "\nNothing was ingested yet.")?;
        } else {
            let header = ["channel", "source", "epoch", "new", "known", "not kept", "refused"];
            writeln!(out, "\n{}", show::table(&header, &rows, 2))?;
        }
        for (i, r) in self.refusals.iter().enumerate() {
            let title = if i == 0 { "\nRefused\n" } else { "" };
            writeln!(out, "{title}  {}:{}: {}", r.source, r.line, r.reason)?;
        }
        Ok(())
    }

    fn json(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        let coverage: Vec<_> = self
            .coverage
            .iter()
            .map(|c| {
                serde_json::json!({
                    "channel": c.channel, "source": c.source, "epoch": c.epoch, "new": c.accepted,
                    "known_already": c.duplicate, "not_kept": c.dropped, "refused": c.refused,
                    "last_at": c.at.to_string(),
                })
            })
            .collect();
        let refusals: Vec<_> = self
            .refusals
            .iter()
            .map(|r| {
                serde_json::json!({
                    "source": r.source, "epoch": r.epoch, "line": r.line, "reason": r.reason,
                })
            })
            .collect();
        let json = serde_json::json!({
            "status": 1, "origin": self.dir.settings.origin, "entries": self.size,
            "checkpoint": self.newest, "checkpoints": self.checkpoints,
            "verifier_key": self.dir.settings.verifier_key, "anchor": self.dir.settings.anchor,
            "page_seal": seal_text(&self.seal), "coverage": coverage, "refusals": refusals,
        });
        writeln!(context.out, "{json}")?;
        Ok(())
    }
}

fn seal_text(seal: &Seal) -> String {
    match seal {
        Seal::Whole { pages } => format!("whole, {} pages", show::count(*pages as u64)),
        Seal::Broken(pages) => {
            format!(
                "broken at {}; run `countersign ledger fsck`",
                show::of(pages.len() as u64, "page", "pages")
            )
        }
        Seal::Absent => "absent: being written, or not closed in order".to_owned(),
        Seal::Unreadable => "unreadable; run `countersign ledger fsck`".to_owned(),
    }
}
