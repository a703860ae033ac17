//! The recorded evening as lines, and as many evenings as are wanted.

use std::io::Read as _;
use std::path::PathBuf;

use countersign::entropy::SystemSalts;
use countersign::ledger::append::Batch;
use countersign::sources::files::find;
use countersign::sources::git::{GitLines, Limits};
use evidence::channel::Channel;
use evidence::intake::cuts::Rules;
use evidence::intake::key::ContentKey;
use evidence::intake::{Intake, Taken, Terms};
use evidence::people::People;
use evidence::record::envelope::Auth;
use flate2::read::MultiGzDecoder;

use crate::measure::Outcome;
use crate::shift::shifted;

/// The folder of the recording.
pub(crate) fn captures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../captures")
}

/// The people map of the recording.
pub(crate) fn people() -> Outcome<People> {
    Ok(People::from_json(&std::fs::read(captures().join("people.json"))?)?)
}

/// The lines of one source.
pub(crate) struct Source {
    named: Option<Channel>,
    lines: Vec<String>,
}

/// Every source of the recording.
pub(crate) fn sources() -> Outcome<Vec<Source>> {
    let folders =
        ["alertmanager", "argocd", "forge", "kubernetes", "openbao", "prometheus", "tickets"];
    let folders: Vec<PathBuf> = folders.iter().map(|f| captures().join(f)).collect();
    let mut sources = Vec::new();
    for source in find(&folders)?.sources {
        let mut text = String::new();
        MultiGzDecoder::new(std::fs::File::open(source.name())?).read_to_string(&mut text)?;
        sources.push(Source { named: None, lines: text.lines().map(str::to_owned).collect() });
    }
    let bundle = captures().join("git/gitops.bundle");
    let commits = std::io::read_to_string(GitLines::open(&bundle, Limits::default())?)?;
    let lines = commits.lines().map(str::to_owned).collect();
    sources.push(Source { named: Some(Channel::GitCommit), lines });
    Ok(sources)
}

/// What records are taken by.
pub(crate) fn terms(named: Option<Channel>) -> Outcome<Terms> {
    let people = people()?;
    Ok(Terms {
        rules: Rules::new(people.identifying_strings().iter().copied())?,
        content_key: ContentKey::new([7; 32]),
        record_bytes_max: 2 << 20,
        named,
        auth: Auth::OperatorFile,
    })
}

/// Takes one evening in: the `number`-th, of records that no other evening has.
pub(crate) fn evening(
    sources: &[Source],
    (recognised, named): (&Terms, &Terms),
    number: u32,
    salts: &mut SystemSalts,
) -> Vec<Batch> {
    let mut batches = Vec::new();
    for source in sources {
        let terms = if source.named.is_some() { named } else { recognised };
        let (mut intake, mut batch) = (Intake::new(terms), Batch::default());
        for line in &source.lines {
            let line = shifted(line, number);
            // What is no record is none on any evening.
            if let Ok(taken) = intake.take(line.as_bytes(), countersign::clock::now(), salts) {
                add(&mut batch, taken);
            }
        }
        batches.push(batch);
    }
    batches
}

fn add(batch: &mut Batch, taken: Taken) {
    match taken {
        Taken::Pending(entry) => batch.entries.push(*entry),
        Taken::Several(several) => {
            for taken in several.into_iter().flatten() {
                add(batch, taken);
            }
        }
        Taken::ReadByPerson(_) => {}
    }
}
