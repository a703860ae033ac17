//! Making a pack. Verification calls nothing of this.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::container;
use super::entries::{PackedEntry, put};
use super::manifest::{ChannelCount, Digests, Manifest, Selection, digest};
use super::proofs::Proofs;
use super::readme::readme;
use crate::ask::part::part;
use crate::channel::Channel;
use crate::people::People;
use crate::record::envelope::Envelope;
use crate::record::payload::{Payload, Personal};
use crate::record::{Cite, Record};
use crate::story::{RULES, derive_part};

/// What a pack is made of.
#[derive(Debug)]
pub struct Draft {
    /// The ledger's name.
    pub origin: String,
    /// Its verifier key.
    pub key: String,
    /// The signed checkpoint, and what it signs.
    pub note: String,
    /// The size that it signs.
    pub size: u64,
    /// The root that it signs, base64.
    pub root: String,
    /// The index of the first entry.
    pub start: u64,
    /// The entries of the covered range: leaf, and the stored payload of those that are selected.
    pub entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// What ties them to the checkpoint.
    pub proofs: Proofs,
    /// Which records are there in full.
    pub selection: Selection,
    /// Lines refused at intake, by channel.
    pub refused: BTreeMap<Channel, u64>,
    /// The people map, JSON.
    pub people: String,
    /// The key of the pseudonyms, if personal values are to be replaced.
    pub pseudonyms: Option<[u8; 32]>,
}

/// Why a pack cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// An entry is not what it must be.
    #[error("entry {index} cannot be exported: {problem}")]
    Entry {
        /// The entry.
        index: u64,
        /// What is wrong.
        problem: String,
    },
    /// The people map is none.
    #[error("{0}")]
    People(String),
    /// The selection cannot be understood.
    #[error("{0}")]
    Selection(String),
    /// The pack would be larger than a reader takes.
    #[error("the entries are more than 1 GiB: select less")]
    TooLarge,
}

/// Makes a pack. The same draft gives the same bytes.
pub fn write(draft: &Draft) -> Result<Vec<u8>, WriteError> {
    let pseudonyms = draft.pseudonyms.as_ref().map(Pseudonyms);
    let (mut entries, mut records, mut cites) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (leaf, payload)) in (draft.start..).zip(&draft.entries) {
        let wrong = |problem: String| WriteError::Entry { index, problem };
        let cite = Envelope::decode(leaf).map_err(|e| wrong(e.to_string()))?.cite;
        let payload = match (payload, &pseudonyms) {
            (Some(stored), Some(pseudonyms)) => {
                let mut payload = Payload::decode(stored).map_err(|e| wrong(e.to_string()))?;
                payload.personal.iter_mut().for_each(|personal| pseudonyms.hide(personal));
                Some(payload.encode())
            }
            (stored, _) => stored.clone(),
        };
        put(&mut entries, PackedEntry { leaf, payload: payload.as_deref() });
        if let Some(stored) = &payload {
            let payload = Payload::decode(stored).map_err(|e| wrong(e.to_string()))?.record();
            records.push(Record { cite: cite.clone(), payload });
        }
        cites.push((cite, payload.is_some()));
    }
    if entries.len() > super::packed::BYTES_MAX {
        return Err(WriteError::TooLarge);
    }
    let people = match &pseudonyms {
        Some(pseudonyms) => pseudonyms.people(&draft.people)?,
        None => draft.people.clone(),
    };
    let (people, story) = story_and_people(&draft.selection, records, &cites, &people)?;
    let manifest = Manifest {
        pack: super::VERSION,
        origin: draft.origin.clone(),
        key: draft.key.clone(),
        size: draft.size,
        root: draft.root.clone(),
        start: draft.start,
        end: draft.start + draft.entries.len() as u64,
        selection: draft.selection.clone(),
        pseudonyms: pseudonyms.is_some(),
        channels: channels(&cites, &draft.refused),
        rules: RULES,
        policy: None,
        sha256: Digests::default(),
    };
    let proofs = draft.proofs.encode();
    Ok(assemble(manifest, [draft.note.as_bytes(), &proofs, people.as_bytes(), &entries, &story]))
}

/// Puts members together, with their digests and the README that follow from them: the members
/// `checkpoint`, `proofs.json`, `people.json`, `entries` and `story.json`, in this order.
pub fn assemble(mut manifest: Manifest, members: [&[u8]; 5]) -> Vec<u8> {
    let [checkpoint, proofs, people, entries, story] = members.map(digest);
    manifest.sha256 = Digests { checkpoint, proofs, people, entries, story };
    let readme = readme(&manifest);
    let [checkpoint, proofs, people, entries, story] = members;
    let manifest = manifest.encode();
    container::write([&readme, &manifest, checkpoint, proofs, people, entries, story])
}

/// The story, and of the people map only those whom it names: the map is kept outside of evidence
/// so that it can be erased.
fn story_and_people(
    selection: &Selection,
    records: Vec<Record>,
    cites: &[(Cite, bool)],
    people: &str,
) -> Result<(String, Vec<u8>), WriteError> {
    let read = |json: &str| {
        People::from_json(json.as_bytes()).map_err(|e| WriteError::People(e.to_string()))
    };
    let left_out = super::tell::left_out(cites.iter().map(|(cite, in_full)| (cite, *in_full)));
    let tell = |records: Vec<Record>, people: &People| {
        part(&derive_part(records, &left_out, people), selection).map_err(WriteError::Selection)
    };
    let named = tell(records.clone(), &read(people)?)?.people;
    let map: Result<BTreeMap<String, Value>, _> = serde_json::from_str(people);
    let mut map = map.map_err(|e| WriteError::People(e.to_string()))?;
    map.retain(|person, _| named.contains(person));
    let people = serde_json::to_string(&map).map_err(|e| WriteError::People(e.to_string()))?;
    let story = tell(records, &read(&people)?)?.to_json();
    Ok((people, story))
}

fn channels(cites: &[(Cite, bool)], refused: &BTreeMap<Channel, u64>) -> Vec<ChannelCount> {
    let row = |channel: Channel| {
        let of = cites.iter().filter(|(cite, _)| cite.channel == channel);
        let entries = of.clone().count() as u64;
        let payloads = of.filter(|(_, in_full)| *in_full).count() as u64;
        let refused = refused.get(&channel).copied().unwrap_or(0);
        ChannelCount { channel: channel.id().to_owned(), entries, payloads, refused }
    };
    let mut rows: Vec<ChannelCount> = Channel::ALL.into_iter().map(row).collect();
    rows.retain(|row| row.entries + row.refused > 0);
    rows.sort_by(|a, b| a.channel.cmp(&b.channel));
    rows
}

/// Replaces personal values by keyed hashes: the same value by the same pseudonym.
struct Pseudonyms<'a>(&'a [u8; 32]);

impl Pseudonyms<'_> {
    fn of(&self, value: &[u8]) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0) else {
            return "anon".to_owned();
        };
        mac.update(b"countersign/pseudonym/v1\n");
        mac.update(value);
        let tag = mac.finalize().into_bytes();
        tag.iter().take(8).fold("anon-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn hide(&self, personal: &mut Personal) {
        if let Personal::Present { bytes, .. } = personal {
            let pseudonym = self.of(bytes).into_bytes();
            *personal = Personal::Shown { commitment: personal.commitment(), pseudonym };
        }
    }

    /// The people map with every text in it replaced; groups are left out.
    fn people(&self, people: &str) -> Result<String, WriteError> {
        let map: Result<BTreeMap<String, BTreeMap<String, Value>>, _> =
            serde_json::from_str(people);
        let map = map.map_err(|e| WriteError::People(e.to_string()))?;
        let hidden = |value: Value| match value {
            Value::String(text) => Value::String(self.of(text.as_bytes())),
            other => other,
        };
        let persons = map.into_iter().map(|(id, fields)| {
            let fields = fields.into_iter().filter(|(key, _)| key != "oidc_groups");
            let fields: BTreeMap<String, Value> =
                fields.map(|(key, value)| (key, hidden(value))).collect();
            (self.of(id.as_bytes()), fields)
        });
        let persons: BTreeMap<String, BTreeMap<String, Value>> = persons.collect();
        serde_json::to_string(&persons).map_err(|e| WriteError::People(e.to_string()))
    }
}
