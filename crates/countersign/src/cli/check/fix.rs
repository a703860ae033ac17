//! `check --fix`: safe edits, each kept only if what is judged afterwards says so.

use std::collections::BTreeSet;
use std::path::PathBuf;

use access::fix::{Edit, edit};

use super::{Args, check};
use crate::ask::check::Checked;
use crate::cli::replace::replace;
use crate::cli::rights::Raw;
use crate::cli::{Context, show};

/// Findings by control and subject.
type Found = BTreeSet<(&'static str, String)>;

/// Mends what can be mended safely in a folder, and gives what is found afterwards.
pub(super) fn fix(
    raw: &mut Raw,
    mut checked: Checked,
    args: &Args,
    context: &mut Context<'_>,
) -> anyhow::Result<Checked> {
    let folder = PathBuf::from(args.sources.repo.as_deref().unwrap_or("."));
    let is_folder = raw.checkout.as_ref().is_some_and(|c| c.commit.is_none()) && folder.is_dir();
    anyhow::ensure!(is_folder, "--fix edits files: name a folder, not a commit or a bundle");
    let mut fixed = 0;
    for (control, subject) in found(&checked) {
        let Some(edit) = propose(raw, control, &subject)? else { continue };
        let Some((after, old, new)) = tried(raw, &edit, args, context)? else { continue };
        let (before, now) = (found(&checked), found(&after));
        if now.contains(&(control, subject.clone())) || !now.is_subset(&before) {
            put_back(raw, &edit.file, old);
            continue;
        }
        replace(&folder.join(&edit.file), new.as_bytes())?;
        writeln!(context.err, "fixed {control} {subject}: {}:{}", edit.file, edit.line)?;
        for line in edit.difference(&old) {
            writeln!(context.err, "  {line}")?;
        }
        (checked, fixed) = (after, fixed + 1);
    }
    let left = show::of(checked.new_findings().count() as u64, "finding", "findings");
    writeln!(context.err, "{} fixed, {left} left\n", show::of(fixed, "finding", "findings"))?;
    Ok(checked)
}

fn found(checked: &Checked) -> Found {
    checked.new_findings().map(|f| (f.control, f.subject.clone())).collect()
}

fn propose(raw: &Raw, control: &str, subject: &str) -> anyhow::Result<Option<Edit>> {
    // The repository is read for those few only that can have a fix.
    if !access::fix::may_have(control, subject) {
        return Ok(None);
    }
    let read = raw.read()?;
    let content = |path: &str| raw.checkout.as_ref()?.content(path);
    let Some(repository) = &read.repository else { return Ok(None) };
    Ok(edit(repository, control, subject, &content))
}

fn put_back(raw: &mut Raw, file: &str, old: String) {
    if let Some(checkout) = raw.checkout.as_mut() {
        checkout.set(file, old.into_bytes());
    }
}

/// Judges the files with the edit in them, as they are held in memory.
fn tried(
    raw: &mut Raw,
    edit: &Edit,
    args: &Args,
    context: &Context<'_>,
) -> anyhow::Result<Option<(Checked, String, String)>> {
    let Some(checkout) = raw.checkout.as_mut() else { return Ok(None) };
    let old = checkout.content(&edit.file).and_then(|b| String::from_utf8(b.to_vec()).ok());
    let Some((old, new)) = old.and_then(|old| Some((old.clone(), edit.apply(&old)?))) else {
        return Ok(None);
    };
    checkout.set(&edit.file, new.clone().into_bytes());
    let after = check(raw, args, context)?;
    Ok(Some((after, old, new)))
}
