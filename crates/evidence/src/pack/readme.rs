//! The README of a pack: what the file is, for whoever opens it with an editor.
//!
//! It follows from the manifest alone, so a verifier writes it again and compares.

use super::manifest::{Manifest, digest};

/// The member `README.txt` of a manifest.
pub fn readme(manifest: &Manifest) -> Vec<u8> {
    let (payloads, entries) = manifest.counts();
    let names = if manifest.pseudonyms { "replaced by pseudonyms" } else { "as recorded" };
    format!(
        "Countersign pack, version 1

Records of changes to production, in one file that can be checked without the
ledger, without a network and without trusting whoever handed it over:

    countersign-verify --key KEY FILE

KEY is the ledger's verifier key. Get it by another way than this file.

Ledger      {origin}
Checkpoint  {size} entries, root {root}
Covers      entries {start} to {last}
Selection   {selection}
Records     {payloads} of {entries} in full, the others by their commitment
Names       {names}
Rules       {rules}
Manifest    SHA-256 {digest}

Not shown: what never reached the ledger; who held a credential; what the
records that were left out say.

Members follow, each behind a line with its name, size and stored size.
Format: docs/formats/pack.md of Countersign.
",
        origin = manifest.origin,
        size = manifest.size,
        root = manifest.root,
        start = manifest.start,
        last = manifest.end.saturating_sub(1),
        selection = manifest.selection.words(),
        rules = manifest.rules,
        digest = digest(&manifest.encode()),
    )
    .into_bytes()
}
