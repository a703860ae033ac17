//! Verifying a receipt: signature, statement, checkpoint, proofs; each fault names its member.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tlog::{
    Checkpoint, Hash, InclusionProof, LeafIndex, Origin, SignatureType, UnverifiedCheckpoint,
    VerifierKey,
};

use super::statement::{CitedRecord, Read};
use super::{
    Included, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, VERSION, Wire, encode, key_id, pae,
};
use crate::pack::Trust;
use crate::record::envelope::Envelope;

/// What is wrong with a receipt, and in which member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The member, as a path: `payload`, `countersign.entries[3]`.
    pub member: String,
    /// What is wrong.
    pub problem: String,
}

/// What the verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
    /// The checkpoint, if it verified.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the key is one that the reader brought.
    pub key_given: bool,
    /// The name of the key.
    pub key: Option<String>,
    /// Records whose entries are proved to be under the checkpoint.
    pub records: usize,
    /// What is stated, in a line each, once its signature holds.
    pub stated: Vec<String>,
}

/// Whether a file looks like a receipt rather than a pack. Decides nothing else.
pub fn is_receipt(bytes: &[u8]) -> bool {
    // A damaged one is a receipt still, so that the damage is told in its terms.
    bytes.starts_with(br#"{"countersign":"#)
        || serde_json::from_slice::<Value>(bytes).is_ok_and(|v| v.get("payloadType").is_some())
}

/// Verifies a receipt under what the reader trusts: by the key of one of its logs. Cosignatures are
/// not looked at.
pub fn verify_under(bytes: &[u8], trust: Option<&Trust>) -> Verdict {
    let Some(trust) = trust else { return verify(bytes, None) };
    let mut verdicts = trust.logs().iter().map(|key| verify(bytes, Some(key)));
    let first = verdicts.next().unwrap_or_else(|| verify(bytes, None));
    if first.holds() { first } else { verdicts.find(Verdict::holds).unwrap_or(first) }
}

/// Verifies a receipt. `pinned` is a key that the reader trusts, got from elsewhere.
pub fn verify(bytes: &[u8], pinned: Option<&VerifierKey>) -> Verdict {
    let mut verdict = Verdict {
        faults: Vec::new(),
        checkpoint: None,
        key_given: pinned.is_some(),
        key: None,
        records: 0,
        stated: Vec::new(),
    };
    let read = read(bytes).and_then(|wire| Ok((key(&wire, pinned)?, wire)));
    let (key, wire) = match read {
        Ok(read) => read,
        Err(fault) => return verdict.broken(fault),
    };
    verdict.key = Some(key.name().to_string());
    let statement = match signed(&wire, &key).and_then(|payload| stated(&payload)) {
        Ok(statement) => statement,
        Err(fault) => return verdict.broken(fault),
    };
    verdict.stated = in_words(&statement.predicate.operation);
    match checkpoint(&wire, &statement, &key) {
        Ok(checkpoint) => {
            verdict.entries(&wire.countersign.entries, &statement.predicate.records, &checkpoint);
            verdict.checkpoint = Some(checkpoint);
        }
        Err(fault) => verdict.faults.push(fault),
    }
    verdict
}

fn fault(member: impl Into<String>, problem: impl Into<String>) -> Fault {
    Fault { member: member.into(), problem: problem.into() }
}

/// Reads the file, and refuses any other spelling of the same.
fn read(bytes: &[u8]) -> Result<Wire, Fault> {
    let wire: Wire =
        serde_json::from_slice(bytes).map_err(|e| fault("receipt", format!("is none: {e}")))?;
    let again = encode(&wire).map_err(|e| fault("receipt", e.to_string()))?;
    if again != bytes {
        return Err(fault("receipt", "is not in its canonical form"));
    }
    match wire.countersign.receipt {
        VERSION => Ok(wire),
        version => Err(fault("countersign.receipt", format!("version {version} is not known"))),
    }
}

fn key(wire: &Wire, pinned: Option<&VerifierKey>) -> Result<VerifierKey, Fault> {
    let member = "countersign.key";
    let carried: VerifierKey =
        wire.countersign.key.parse().map_err(|e| fault(member, format!("{e}")))?;
    if carried.signature_type() != SignatureType::Ed25519 {
        return Err(fault(member, "is not a key that signs receipts"));
    }
    match pinned {
        Some(pinned) if *pinned != carried => Err(fault(member, "is not the key that was given")),
        _ => Ok(carried),
    }
}

/// The payload, once the key has signed it.
fn signed(wire: &Wire, key: &VerifierKey) -> Result<Vec<u8>, Fault> {
    if wire.payload_type != PAYLOAD_TYPE {
        return Err(fault(
            "payloadType",
            format!("is {:?}, not {PAYLOAD_TYPE:?}", wire.payload_type),
        ));
    }
    let payload = decode("payload", &wire.payload)?;
    let [signature] = wire.signatures.as_slice() else {
        return Err(fault("signatures", format!("are {}, not one", wire.signatures.len())));
    };
    if signature.keyid != key_id(key) {
        return Err(fault("signatures[0].keyid", "names another key"));
    }
    let made = decode("signatures[0].sig", &signature.sig)?;
    key.check_ed25519(&pae(&wire.payload_type, &payload), &made)
        .map_err(|_| fault("signatures[0].sig", "is not the key's signature of this payload"))?;
    Ok(payload)
}

fn decode(member: &str, text: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|e| fault(member, format!("is not base64: {e}")))
}

/// Reads the statement that was signed.
fn stated(payload: &[u8]) -> Result<Read, Fault> {
    let read: Read =
        serde_json::from_slice(payload).map_err(|e| fault("payload", format!("is none: {e}")))?;
    if read.statement_type != STATEMENT_TYPE {
        return Err(fault("payload._type", format!("{:?} is not known", read.statement_type)));
    }
    if read.predicate_type != PREDICATE_TYPE {
        return Err(fault(
            "payload.predicateType",
            format!("{:?} is not known", read.predicate_type),
        ));
    }
    if read.subject.is_empty() || read.subject.iter().any(|s| s.digest.is_empty()) {
        return Err(fault("payload.subject", "has no digest"));
    }
    Ok(read)
}

/// The checkpoint, once it is the one that the statement speaks of.
fn checkpoint(wire: &Wire, statement: &Read, key: &VerifierKey) -> Result<Checkpoint, Fault> {
    let member = "countersign.checkpoint";
    let ledger = &statement.predicate.ledger;
    let origin: Origin = (ledger.origin.parse())
        .map_err(|e| fault("payload.predicate.ledger.origin", format!("{e}")))?;
    let checkpoint = UnverifiedCheckpoint::parse(wire.countersign.checkpoint.as_bytes())
        .and_then(|c| c.verify(&origin, std::slice::from_ref(key)))
        .map(|c| c.checkpoint().clone())
        .map_err(|e| fault(member, e.to_string()))?;
    let size = checkpoint.size().get();
    if size != ledger.size {
        let problem = format!("signs {size} entries, the statement speaks of {}", ledger.size);
        return Err(fault(member, problem));
    }
    if checkpoint.root().to_base64() != ledger.root {
        return Err(fault(member, "signs another root than the statement speaks of"));
    }
    Ok(checkpoint)
}

impl Verdict {
    fn broken(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Every record of the statement has its entry under the checkpoint, in the same order.
    fn entries(&mut self, entries: &[Included], records: &[CitedRecord], checkpoint: &Checkpoint) {
        let member = "countersign.entries";
        if entries.len() != records.len() {
            let (have, cited) = (entries.len(), records.len());
            self.faults.push(fault(member, format!("are {have}, the statement cites {cited}")));
        }
        if records.is_empty() {
            self.faults.push(fault("payload.predicate.records", "are none"));
        }
        for (number, (entry, record)) in entries.iter().zip(records).enumerate() {
            match included(entry, record, checkpoint) {
                Ok(()) => self.records += 1,
                Err(problem) => {
                    let problem = format!("entry {}: {problem}", entry.entry);
                    self.faults.push(fault(format!("{member}[{number}]"), problem));
                }
            }
        }
    }

    /// Whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }

    /// The verdict for people: the answer first, then what it rests on and what it cannot say.
    pub fn report(&self) -> String {
        let faults: String = self.faults.iter().map(|f| format!("FAULT      {f}\n")).collect();
        let integrity = if self.holds() { "intact" } else { "NOT INTACT" };
        let key = self.key.as_deref().unwrap_or("no key");
        let under = match &self.checkpoint {
            Some(c) => format!("under checkpoint {} of {}", c.size(), c.origin()),
            None => "no checkpoint verified".to_owned(),
        };
        let stated: String = self.stated.iter().map(|line| format!("{line}\n")).collect();
        let from = if self.key_given {
            "given by the reader"
        } else {
            "from the receipt itself: it agrees with itself; who made it is not shown"
        };
        format!(
            "{faults}Integrity  {integrity}: {} records {under}, signed by {key}\n\
             {stated}\
             Story      stated by the signer, not derived: a receipt does not hold the records\n\
             Key        {from}\n\
             Not shown  what never reached the ledger; who held a credential\n",
            self.records
        )
    }
}

fn included(
    included: &Included,
    record: &CitedRecord,
    checkpoint: &Checkpoint,
) -> Result<(), String> {
    if included.entry != record.entry {
        return Err(format!("the statement cites entry {} here", record.entry));
    }
    let leaf = STANDARD.decode(&included.leaf).map_err(|e| format!("leaf is not base64: {e}"))?;
    let envelope = Envelope::decode(&leaf).map_err(|e| format!("leaf: {e}"))?;
    if envelope.cite.to_string() != record.record {
        return Err("holds another record than the statement cites".to_owned());
    }
    let hashes = included.proof.iter().map(|hash| Hash::from_base64(hash));
    let hashes = hashes.collect::<Result<Vec<_>, _>>().map_err(|e| format!("proof: {e}"))?;
    let (proof, index) = (InclusionProof::from_hashes(hashes), LeafIndex::new(included.entry));
    let (size, root) = (checkpoint.size(), checkpoint.root());
    tlog::verify_inclusion(&proof, size, &root, index, &tlog::leaf_hash(&leaf))
        .map_err(|e| e.to_string())
}

/// What the statement says, as far as its words are known here.
fn in_words(operation: &Value) -> Vec<String> {
    let text = |path: &str| {
        let found = operation.pointer(path).and_then(Value::as_str).unwrap_or("undetermined");
        // What is signed is not what a terminal may be told to do.
        found.chars().filter(|c| !c.is_control()).collect::<String>()
    };
    vec![
        format!(
            "Operation  {}, {}, {}, revision {}",
            text("/app/name"),
            text("/kind"),
            text("/phase"),
            text("/revision")
        ),
        format!("Initiator  {}{}", text("/initiator/result"), account(operation)),
    ]
}

/// The account that the statement names as the one that started the operation.
fn account(operation: &Value) -> String {
    let places = ["/initiator/who/account", "/initiator/writer/who/account"];
    let found = places.iter().find_map(|p| operation.pointer(p).and_then(Value::as_str));
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    found.map(|account| format!(": account {}", clean(account))).unwrap_or_default()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.member, self.problem)
    }
}
