//! `countersign explain`: a control in full, or all of them.

use super::{Context, Format, Outcome};
use crate::controls;
use crate::render::explain;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The control's id, such as `sod-two-people`; without one, all are listed
    id: Option<String>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let options = context.options();
    let Some(id) = &args.id else {
        let catalogue = controls::catalogue();
        match context.shared.format {
            Format::Json => {
                let json = serde_json::json!({"controls_version": 1, "controls": catalogue});
                writeln!(context.out, "{json}")?;
            }
            Format::Text => write!(context.out, "{}", explain::all(&catalogue, &options))?,
        }
        return Ok(Outcome::Done);
    };
    let Some(control) = controls::by_id(id) else {
        let near: Vec<&str> =
            controls::catalogue().iter().map(|c| c.id).filter(|known| is_near(known, id)).collect();
        let near = if near.is_empty() { String::new() } else { format!(" ({})", near.join(", ")) };
        writeln!(context.err, "there is no control {id:?}{near}; `countersign explain` lists all")?;
        return Ok(Outcome::Undetermined);
    };
    match context.shared.format {
        Format::Json => {
            let json = serde_json::json!({"controls_version": 1, "controls": [control]});
            writeln!(context.out, "{json}")?;
        }
        Format::Text => write!(context.out, "{}", explain::one(control, &options))?,
    }
    Ok(Outcome::Done)
}

/// Whether an id shares a word with what was typed.
fn is_near(known: &str, typed: &str) -> bool {
    typed.split('-').any(|word| word.len() > 3 && known.split('-').any(|k| k == word))
}
