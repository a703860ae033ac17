//! A small ledger in memory, and packs of it.

use std::collections::HashMap;

use evidence::channel::Channel;
use evidence::intake::cuts::Rules;
use evidence::intake::key::ContentKey;
use evidence::intake::seal::{Salts, seal};
use evidence::intake::{Intake, PendingEntry, Taken, Terms};
use evidence::pack::proofs::{Older, Proofs};
use evidence::pack::write::{Draft, write};
use evidence::pack::{Selection, container};
use evidence::record::envelope::Auth;
use evidence::record::payload::{Payload, Personal, Salt};
use evidence::record::{Cite, RecordId};
use tlog::{
    Checkpoint, ConsistencyProof, Frontier, Hash, LeafIndex, NodeId, NodeSource, Origin,
    RangeProof, Signer, TreeSize, sign_checkpoint,
};

pub(crate) const ORIGIN: &str = "verify.example/log";
const PEOPLE: &str = r#"{"dora":{"email":"dora@b.example"}}"#;

struct Counting(u8);

impl Salts for Counting {
    fn salt(&mut self) -> Salt {
        self.0 = self.0.wrapping_add(1);
        [self.0; 16]
    }
}

/// A ledger of thirteen audit events, the last entry being an erasure in the fifth.
pub(crate) struct Ledger {
    pub(crate) signer: Signer,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// The payload of entry 4 before its segment was erased.
    before_erasure: Vec<u8>,
    nodes: HashMap<NodeId, Hash>,
    roots: Vec<Hash>,
}

impl NodeSource for Ledger {
    type Error = std::convert::Infallible;

    fn node(&self, id: NodeId) -> Result<Hash, Self::Error> {
        Ok(self.nodes[&id])
    }
}

fn line(number: usize) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a{number}","stage":"ResponseComplete","stageTimestamp":"2026-11-23T21:4{}:00.5Z","requestReceivedTimestamp":"2026-11-23T21:4{}:00Z","verb":"patch","user":{{"username":"dora@b.example"}},"objectRef":{{"resource":"configmaps","namespace":"shop","name":"c{number}"}},"responseStatus":{{"code":200}}}}"#,
        number % 10,
        number % 10
    )
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let terms = Terms {
            rules: Rules::new(["dora@b.example"]).expect("names"),
            content_key: ContentKey::new([9; 32]),
            record_bytes_max: 2_000,
            named: Some(Channel::KubernetesAudit),
            auth: Auth::OperatorFile,
        };
        let (mut intake, mut salts) = (Intake::new(&terms), Counting(0));
        let at = jiff::Timestamp::UNIX_EPOCH;
        let mut entries = Vec::new();
        for number in 0..12 {
            match intake.take(line(number).as_bytes(), at, &mut salts) {
                Ok(Taken::Pending(entry)) => entries.push((entry.envelope, entry.payload)),
                other => panic!("not pending: {other:?}"),
            }
        }
        let json = br#"{"redaction":1,"reason":"r","segments":[{"entry":4,"segment":1}]}"#;
        let id = RecordId::new("redaction/12").expect("an id");
        let cite = Cite { channel: Channel::LedgerRedaction, id };
        let entry = PendingEntry::new(cite, &seal(json, &[], &mut salts), Auth::Ledger, at);
        let entry = entry.expect("short");
        entries.push((entry.envelope, entry.payload));
        let before_erasure = entries[4].1.clone();
        entries[4].1 = erased(&before_erasure);
        Self::of(entries, before_erasure)
    }

    fn of(entries: Vec<(Vec<u8>, Vec<u8>)>, before_erasure: Vec<u8>) -> Self {
        let origin: Origin = ORIGIN.parse().expect("an origin");
        let signer = Signer::from_seed(origin.to_key_name().expect("a name"), &[9; 32]);
        let (mut tree, mut nodes) = (Frontier::new(), HashMap::new());
        let mut roots = vec![tree.root()];
        for (leaf, _) in &entries {
            tree.push(tlog::leaf_hash(leaf), |id, hash| {
                nodes.insert(id, hash);
            });
            roots.push(tree.root());
        }
        Self { signer, entries, before_erasure, nodes, roots }
    }

    /// The ledger that differs from this one from an entry on.
    pub(crate) fn fork(&self, at: usize) -> Self {
        let mut entries = self.entries.clone();
        entries.swap(at, at + 1);
        Self::of(entries, self.before_erasure.clone())
    }

    pub(crate) fn key(&self) -> String {
        self.signer.verifier_key().to_string()
    }

    pub(crate) fn checkpoint(&self, size: usize) -> String {
        let origin: Origin = ORIGIN.parse().expect("an origin");
        let checkpoint = Checkpoint::new(origin, TreeSize::new(size as u64), self.roots[size]);
        sign_checkpoint(&checkpoint.expect("small"), &self.signer)
    }

    fn draft(&self, range: std::ops::Range<usize>, size: usize) -> Draft {
        let base64 = |hashes: &[Hash]| hashes.iter().map(Hash::to_base64).collect();
        let index = |at: usize| LeafIndex::new(at as u64);
        let total = TreeSize::new(size as u64);
        let proof = RangeProof::build(self, index(range.start)..index(range.end), total);
        let proof = proof.expect("a range");
        Draft {
            origin: ORIGIN.to_owned(),
            key: self.key(),
            note: self.checkpoint(size),
            size: size as u64,
            root: self.roots[size].to_base64(),
            start: range.start as u64,
            entries: self.entries[range].iter().cloned().map(|(l, p)| (l, Some(p))).collect(),
            proofs: Proofs { range: base64(proof.hashes()), consistency: Vec::new() },
            selection: Selection::Ledger,
            refused: [(Channel::KubernetesAudit, 2)].into(),
            people: PEOPLE.to_owned(),
            pseudonyms: None,
        }
    }

    /// A pack of the whole ledger, or of its first entries as they were before the erasure.
    pub(crate) fn whole(&self, size: usize) -> Vec<u8> {
        let mut draft = self.draft(0..size, size);
        if size < self.entries.len() {
            draft.entries[4].1 = Some(self.before_erasure.clone());
        }
        write(&draft).expect("a pack")
    }

    /// A pack of the whole ledger with pseudonyms.
    pub(crate) fn pseudonymised(&self) -> Vec<u8> {
        let mut draft = self.draft(0..13, 13);
        draft.pseudonyms = Some([5; 32]);
        write(&draft).expect("a pack")
    }

    /// A pack of a part, with every second payload left out and a proof from size 2.
    pub(crate) fn part(&self) -> Vec<u8> {
        let mut draft = self.draft(5..11, 13);
        for (_, payload) in draft.entries.iter_mut().step_by(2) {
            *payload = None;
        }
        let (old, new) = (TreeSize::new(2), TreeSize::new(13));
        let proof = ConsistencyProof::build(self, old, new).expect("a proof");
        let hashes = proof.hashes().iter().map(Hash::to_base64).collect();
        draft.proofs.consistency.push(Older { size: 2, hashes });
        let (from, to) = ("2026-11-23T21:45:00Z".to_owned(), "2026-11-23T21:50:00Z".to_owned());
        draft.selection = Selection::Period { from, to };
        write(&draft).expect("a pack")
    }
}

/// Erases the first personal segment of a stored payload.
pub(crate) fn erased(stored: &[u8]) -> Vec<u8> {
    let mut payload = Payload::decode(stored).expect("a payload");
    payload.personal[0] = Personal::Erased { commitment: payload.personal[0].commitment() };
    payload.encode()
}

/// The contents of a pack's members, in their order.
pub(crate) fn contents(pack: &[u8]) -> Vec<Vec<u8>> {
    let members = container::read(pack).expect("a pack");
    members.iter().map(|m| m.content().expect("sound")).collect()
}
