//! Integrity: the first verdict.
//!
//! In this order: the container; the members' forms and digests; the checkpoint's signature; every
//! entry; the tree over them; what is erased; the counts; what the reader kept from before.

use std::collections::{BTreeMap, BTreeSet};

use tlog::{Hash, LeafIndex, TreeSize, UnverifiedCheckpoint, VerifiedCheckpoint, VerifierKey};

use super::container::{self, Member};
use super::entries::{PackedEntry, take};
use super::manifest::{ChannelCount, Digests, Manifest, Selection, digest};
use super::proofs::Proofs;
use super::readme::readme;
use super::trust::Trust;
use super::verdict::{Kept, Verdict};
use super::{Terms, VERSION};
use crate::channel::Channel;
use crate::record::check::{Checked, check_exported, kept_segment};
use crate::record::{Cite, redaction};

/// What a sound pack holds: the ground of the second verdict.
pub(super) struct Sound {
    pub(super) manifest: Manifest,
    pub(super) people: Vec<u8>,
    pub(super) story: Vec<u8>,
    /// The entries of the covered range: which record each is, and its payload, if it is there.
    pub(super) entries: Vec<(Cite, Option<Vec<u8>>)>,
}

/// The members' contents.
struct Contents {
    of: BTreeMap<Member, Vec<u8>>,
}

impl Contents {
    fn get(&self, member: Member) -> &[u8] {
        self.of.get(&member).map_or(&[], Vec::as_slice)
    }
}

/// Checks integrity. What was sound is given back only if everything is.
pub(super) fn integrity(pack: &[u8], terms: &Terms<'_>) -> (Verdict, Option<Sound>) {
    let mut verdict = Verdict::new(terms.trust.is_some());
    let sound = check(pack, terms, &mut verdict);
    (verdict, sound)
}

fn check(pack: &[u8], terms: &Terms<'_>, verdict: &mut Verdict) -> Option<Sound> {
    let contents = contents(pack, verdict)?;
    let manifest = Manifest::decode(contents.get(Member::Manifest));
    let manifest = manifest.map_err(|e| verdict.fault(Member::Manifest, e)).ok()?;
    let Manifest { start, end, size, .. } = manifest;
    if !(start < end && end <= size && size <= tlog::size::MAX_PARSED) {
        let problem = format!("covers entries {start} to before {end} of {size}: no range");
        verdict.fault(Member::Manifest, problem);
        return None;
    }
    verdict.manifest = Some(manifest.clone());
    digests(&contents, &manifest, verdict);
    let proofs = Proofs::decode(contents.get(Member::Proofs));
    let proofs = proofs.map_err(|e| verdict.fault(Member::Proofs, e)).ok();
    let checkpoint = checkpoint(&contents, &manifest, terms.trust, verdict);
    let read = Entries::read(contents.get(Member::Entries), manifest.start, verdict);
    if let (Some(checkpoint), Some(proofs)) = (&checkpoint, &proofs) {
        let held = tree(&manifest, checkpoint, proofs, &read, verdict);
        if let Some(note) = terms.kept {
            let keys = keys(&manifest, terms.trust).unwrap_or_default();
            let leaves = held.then_some(read.leaves.as_slice());
            Reader { keys, checkpoint, proofs, start, leaves }.kept(note, verdict);
        }
    }
    erasures(&read, verdict);
    counts(&manifest, &read, verdict);
    let (people, story) = (contents.get(Member::People), contents.get(Member::Story));
    let (people, story) = (people.to_vec(), story.to_vec());
    Some(Sound { manifest, people, story, entries: read.read })
}

/// Takes the container apart. What cannot be unpacked to its end is still looked into, so that the
/// entry can be named.
fn contents(pack: &[u8], verdict: &mut Verdict) -> Option<Contents> {
    let members = container::read(pack);
    let members = members.map_err(|(member, problem)| verdict.fault(member, problem)).ok()?;
    let mut of = BTreeMap::new();
    for (member, stored) in Member::ALL.into_iter().zip(members) {
        let content = stored.content().unwrap_or_else(|broken| {
            verdict.fault(member, broken.problem);
            broken.bytes
        });
        of.insert(member, content);
    }
    Some(Contents { of })
}

fn digests(contents: &Contents, manifest: &Manifest, verdict: &mut Verdict) {
    let Digests { checkpoint, proofs, people, entries, story } = &manifest.sha256;
    let expected = [
        (Member::Checkpoint, checkpoint),
        (Member::Proofs, proofs),
        (Member::People, people),
        (Member::Entries, entries),
        (Member::Story, story),
    ];
    for (member, expected) in expected {
        if digest(contents.get(member)) != *expected {
            verdict.fault(member, "is not the one whose digest the manifest holds");
        }
    }
    if contents.get(Member::Readme) != readme(manifest) {
        verdict.fault(Member::Readme, "is not the one that follows from the manifest");
    }
}

/// The keys that the checkpoint may be signed with.
fn keys(manifest: &Manifest, trust: Option<&Trust>) -> Result<Vec<VerifierKey>, String> {
    let Some(trust) = trust else {
        let key = manifest.key.parse().map_err(|e| format!("key of the manifest: {e}"))?;
        return Ok(vec![key]);
    };
    let unknown = || format!("is of {}, which the reader does not trust", manifest.origin);
    trust.keys(&manifest.origin).ok_or_else(unknown)
}

fn checkpoint(
    contents: &Contents,
    manifest: &Manifest,
    trust: Option<&Trust>,
    verdict: &mut Verdict,
) -> Option<VerifiedCheckpoint> {
    let note = contents.get(Member::Checkpoint);
    let verified = keys(manifest, trust).and_then(|keys| signed(note, &manifest.origin, &keys));
    let verified = verified.map_err(|e| verdict.fault(Member::Checkpoint, e)).ok()?;
    if verified.to_note_text().as_bytes() != note {
        verdict.fault(Member::Checkpoint, "is not in its one form");
    }
    let states = (manifest.size, manifest.root.as_str());
    if states != (verified.size().get(), verified.root().to_base64().as_str()) {
        verdict.fault(Member::Manifest, "names another size or root than the checkpoint signs");
    }
    let cosigners: Vec<&VerifierKey> = verified.cosignatures().map(|c| c.key()).collect();
    if trust.is_some_and(|trust| !trust.is_met(&cosigners)) {
        verdict.fault(Member::Checkpoint, "is not cosigned as the reader's policy asks");
    }
    verdict.cosigners = cosigners.iter().map(|key| key.name().to_string()).collect();
    verdict.checkpoint = Some(verified.checkpoint().clone());
    Some(verified)
}

/// Verifies a checkpoint's note by origin and keys.
fn signed(note: &[u8], origin: &str, keys: &[VerifierKey]) -> Result<VerifiedCheckpoint, String> {
    let origin = origin.parse().map_err(|e| format!("origin of the manifest: {e}"))?;
    let unverified = UnverifiedCheckpoint::parse(note).map_err(|e| said(&e))?;
    unverified.verify(&origin, keys).map_err(|e| said(&e))
}

/// An error with its causes.
fn said(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The entries of the covered range, each checked by itself.
#[derive(Default)]
struct Entries {
    leaves: Vec<Hash>,
    read: Vec<(Cite, Option<Vec<u8>>)>,
    erased: BTreeMap<u64, Vec<u32>>,
    /// Whether each entry could be read: only then does the tree say more.
    whole: bool,
}

impl Entries {
    fn read(bytes: &[u8], start: u64, verdict: &mut Verdict) -> Self {
        let mut read = Self { whole: true, ..Self::default() };
        let mut known: BTreeMap<Cite, u64> = BTreeMap::new();
        let mut rest = bytes;
        for index in start.. {
            if rest.is_empty() {
                break;
            }
            let Some(entry) = take(&mut rest) else {
                let at = bytes.len() - rest.len();
                verdict.fault(entry_at(index), format!("is not in its form, from byte {at} on"));
                read.whole = false;
                break;
            };
            if let Err(problem) = read.entry(index, entry, &mut known, verdict) {
                verdict.fault(entry_at(index), problem);
                read.whole = false;
            }
        }
        read
    }

    fn entry(
        &mut self,
        index: u64,
        entry: PackedEntry<'_>,
        known: &mut BTreeMap<Cite, u64>,
        verdict: &mut Verdict,
    ) -> Result<(), String> {
        let (envelope, checked) =
            check_exported(entry.leaf, entry.payload).map_err(|e| e.to_string())?;
        self.leaves.push(tlog::leaf_hash(entry.leaf));
        let Checked { erased, shown, .. } = checked;
        verdict.redacted += u64::from(!erased.is_empty());
        verdict.pseudonymised += u64::from(shown > 0);
        if !erased.is_empty() {
            self.erased.insert(index, erased);
        }
        self.read.push((envelope.cite.clone(), entry.payload.map(<[u8]>::to_vec)));
        match known.insert(envelope.cite, index) {
            None => Ok(()),
            Some(first) => Err(format!("is the same record as entry {first}")),
        }
    }
}

fn entry_at(index: u64) -> String {
    format!("entry {index}")
}

/// Holds the entries to the root that the checkpoint signs; gives whether they lead there.
fn tree(
    manifest: &Manifest,
    checkpoint: &VerifiedCheckpoint,
    proofs: &Proofs,
    read: &Entries,
    verdict: &mut Verdict,
) -> bool {
    // An entry that is named already explains what follows from it.
    if !read.whole {
        return false;
    }
    let Manifest { start, end, .. } = *manifest;
    let count = read.leaves.len();
    if start.checked_add(count as u64) != Some(end) {
        let problem = format!("{count} entries from {start} on do not end before {end}");
        verdict.fault(Member::Entries, problem);
        return false;
    }
    let proof = match proofs.of_range() {
        Ok(proof) => proof,
        Err(e) => {
            verdict.fault(Member::Proofs, e.to_string());
            return false;
        }
    };
    let (size, root) = (checkpoint.size(), checkpoint.root());
    let held = tlog::verify_range(&proof, size, &root, LeafIndex::new(start), &read.leaves);
    if let Err(e) = &held {
        let problem = format!("{count} entries are not those that checkpoint {size} signs: {e}");
        verdict.fault(Member::Entries, problem);
    }
    held.is_ok()
}

/// What a checkpoint that the reader kept is held to.
struct Reader<'a> {
    keys: Vec<VerifierKey>,
    checkpoint: &'a VerifiedCheckpoint,
    proofs: &'a Proofs,
    start: u64,
    /// The leaves of the covered range, if they lead to the root.
    leaves: Option<&'a [Hash]>,
}

impl Reader<'_> {
    fn kept(&self, note: &[u8], verdict: &mut Verdict) {
        const PLACE: &str = "kept checkpoint";
        match self.consistent(note) {
            Ok(kept) => verdict.kept = Some(kept),
            Err(problem) => verdict.fault(PLACE, problem),
        }
    }

    fn consistent(&self, note: &[u8]) -> Result<Kept, String> {
        let old = signed(note, self.checkpoint.origin().as_str(), &self.keys)?;
        let (size, new, root) = (old.size(), self.checkpoint.size(), self.checkpoint.root());
        if size > new {
            return Err(format!(
                "contradicted: it signs {size} entries and the pack ends at {new}; what was \
                 published is gone"
            ));
        }
        let follows = if size == new {
            old.root() == root
        } else if let Some(was) = self.within(size) {
            old.root() == was
        } else if let Some(proof) = self.proofs.from_size(size.get()) {
            let proof = proof.map_err(|e| format!("cannot be held to the pack: {e}"))?;
            tlog::verify_consistency(&proof, size, &old.root(), new, &root).is_ok()
        } else {
            let reason = format!(
                "the pack covers no entry next to size {size}; ask for one exported with --since"
            );
            return Ok(Kept::CannotTell { reason });
        };
        let problem = || format!("contradicted: the ledger had another tree at size {size}");
        follows.then_some(Kept::Consistent { size: size.get() }).ok_or_else(problem)
    }

    /// The root at an older size that lies in the covered range.
    fn within(&self, size: TreeSize) -> Option<Hash> {
        let proof = self.proofs.of_range().ok()?;
        tlog::root_within(&proof, LeafIndex::new(self.start), self.leaves?, size)
    }
}

/// Holds what is erased to the redaction records: a segment that none of them names was taken out,
/// not erased.
fn erasures(read: &Entries, verdict: &mut Verdict) {
    let of_ledger = read.read.iter().filter(|(cite, _)| cite.channel == Channel::LedgerRedaction);
    let kept = of_ledger.filter_map(|(_, payload)| kept_segment(payload.as_deref()?));
    let redactions = kept.filter_map(|record| redaction::parse(record).ok());
    let named: BTreeSet<(u64, u32)> =
        redactions.flat_map(|r| r.segments).map(|s| (s.entry, s.segment)).collect();
    for (entry, segments) in &read.erased {
        for segment in segments.iter().filter(|s| !named.contains(&(*entry, **s))) {
            let problem = format!("personal segment {segment} is gone and no redaction names it");
            verdict.fault(entry_at(*entry), problem);
        }
    }
}

/// Counts again what the manifest states.
fn counts(manifest: &Manifest, read: &Entries, verdict: &mut Verdict) {
    debug_assert_eq!(manifest.pack, VERSION, "checked when it was read");
    let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (cite, payload) in &read.read {
        let count = found.entry(cite.channel.id()).or_default();
        count.0 += 1;
        count.1 += u64::from(payload.is_some());
    }
    let counted = |row: &ChannelCount| found.get(row.channel.as_str()).copied().unwrap_or_default();
    let sorted = manifest.channels.is_sorted_by(|a, b| a.channel < b.channel);
    let agree = manifest.channels.iter().all(|row| counted(row) == (row.entries, row.payloads));
    let named = manifest.channels.iter().filter(|row| row.entries > 0).count() == found.len();
    if read.whole && !(sorted && agree && named) {
        verdict.fault(Member::Manifest, "counts other entries than there are");
    }
    let all = manifest.selection == Selection::Ledger;
    let complete = manifest.start == 0 && manifest.end == manifest.size;
    if all && !(complete && read.read.iter().all(|(_, payload)| payload.is_some())) {
        verdict.fault(Member::Manifest, "says everything is there, and something is left out");
    }
}
