//! What the intake does with a channel's records, told by doing it.
//!
//! Nothing is described twice: the rules are the table that cuts ([`table`](super::cuts::table)),
//! and what is said of a channel is what the intake makes of a sample of its shape, so that neither
//! can differ from what happens to a real record. Paths are told, never values.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

use super::cuts::{Class, Rules, TooManyNames};
use super::json::{What, scan};
use super::key::ContentKey;
use super::seal::Salts;
use super::{Intake, PendingEntry, Taken, Terms};
use crate::channel::Channel;
use crate::record::envelope::Auth;
use crate::record::payload::{Payload, Piece, Salt};

mod samples;

/// How long a key in a path may be; a longer one is shortened.
const KEY_CHARS_MAX: usize = 48;
/// How many paths are told of a channel; the rest is counted.
const PATHS_MAX: usize = 200;

/// Which fields of records were cut, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// By class (`secret`, `address`, `personal`) and path.
    pub known: BTreeMap<(&'static str, String), u64>,
    /// Cuts at further paths.
    pub more: u64,
}

/// What the intake does with a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The channel.
    pub channel: Channel,
    /// The natural keys of its records, with `<…>` for what a record says itself; empty where a
    /// record is known by its content alone.
    pub keys: BTreeSet<String>,
    /// What is cut of its sample.
    pub fields: Fields,
    /// Whether a person's reads are dropped.
    pub drops_reads: bool,
    /// Which other forms are taken, in words.
    pub forms: &'static str,
}

impl Fields {
    /// Adds the cuts of an entry. Keys that are secret or personal themselves are not told.
    pub fn add(&mut self, entry: &PendingEntry) {
        let Ok(payload) = Payload::decode(&entry.payload) else { return };
        let (masked, marks) = masked(&payload);
        // What was cut may have been two keys of one object; each mark is another text, so the
        // masked record is as strict as the record was.
        let scanned = scan(&masked, &mut |found| {
            let hit =
                |mark: &&Mark| mark.range.start < found.raw.end && found.raw.start < mark.range.end;
            for mark in marks.iter().filter(hit) {
                let mut path: Vec<String> = found.path.iter().map(|k| shortened(k)).collect();
                if found.what == What::Key {
                    path.push("(a key)".to_owned());
                }
                self.count(mark.class.word(), path.join("."));
            }
        });
        debug_assert!(scanned.is_ok(), "a masked record is JSON: {scanned:?}");
    }

    fn count(&mut self, class: &'static str, path: String) {
        let known = self.known.len();
        match self.known.get_mut(&(class, path.clone())) {
            Some(times) => *times += 1,
            None if known < PATHS_MAX => drop(self.known.insert((class, path), 1)),
            None => self.more += 1,
        }
    }

    /// The paths of a class, with how often each was cut.
    pub fn of(&self, class: &str) -> impl Iterator<Item = (&str, u64)> {
        let wanted = self.known.iter().filter(move |((c, _), _)| *c == class);
        wanted.map(|((_, path), times)| (path.as_str(), *times))
    }
}

/// Where something that is not kept with the rest stood.
struct Mark {
    range: Range<usize>,
    class: Class,
}

/// The record with a mark in each place of a cut.
fn masked(payload: &Payload) -> (Vec<u8>, Vec<Mark>) {
    let (mut record, mut marks, mut kept) = (Vec::new(), Vec::new(), payload.kept.as_slice());
    for (number, piece) in payload.layout.iter().enumerate() {
        let class = match piece {
            Piece::Kept(bytes) => {
                let (now, later) = kept.split_at_checked(*bytes).unwrap_or((kept, &[]));
                record.extend_from_slice(now);
                kept = later;
                continue;
            }
            Piece::Personal(_) => Class::Personal,
            Piece::Address => Class::Address,
            Piece::Secret => Class::Secret,
            Piece::SecretNumber => Class::SecretNumber,
        };
        let start = record.len();
        let mark = format!("[{} {number}]", class.word());
        let mark = if class == Class::SecretNumber { format!("\"{mark}\"") } else { mark };
        record.extend_from_slice(mark.as_bytes());
        marks.push(Mark { range: start..record.len(), class });
    }
    (record, marks)
}

fn shortened(key: &str) -> String {
    // The number of a mark is that of a place in one record: paths of several must be alike.
    for class in [Class::Secret, Class::Address, Class::Personal] {
        if let Some(at) = key.find(&format!("[{} ", class.word())) {
            let before = key[..at].chars().take(KEY_CHARS_MAX).collect::<String>();
            return format!("{before}[{}]", class.word());
        }
    }
    match key.char_indices().nth(KEY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

/// Salts for samples, which hold nothing to hide.
struct NoSalts;

impl Salts for NoSalts {
    fn salt(&mut self) -> Salt {
        [0; 16]
    }
}

/// What the intake does with each channel that can be ingested.
pub fn channels() -> Result<Vec<Told>, TooManyNames> {
    let rules = Rules::new([])?;
    let ingested = Channel::ALL
        .into_iter()
        .filter(|c| !matches!(c, Channel::LedgerAssessment | Channel::LedgerRedaction));
    Ok(ingested.map(|channel| told(channel, &rules)).collect())
}

fn told(channel: Channel, rules: &Rules) -> Told {
    let samples = samples::of(channel);
    let terms = Terms {
        rules: rules.clone(),
        content_key: ContentKey::new([0; 32]),
        record_bytes_max: usize::MAX,
        named: None,
        auth: Auth::OperatorFile,
    };
    let mut told = Told {
        channel,
        keys: BTreeSet::new(),
        fields: Fields::default(),
        drops_reads: false,
        forms: samples.forms,
    };
    for line in samples.lines {
        let taken = Intake::new(&terms).take(line.as_bytes(), Timestamp::UNIX_EPOCH, &mut NoSalts);
        match taken {
            Ok(Taken::Pending(entry)) => {
                told.fields.add(&entry);
                let key = entry.cite.id.as_str();
                if !key.starts_with("line/") {
                    told.keys.insert(key.to_owned());
                }
            }
            Ok(Taken::ReadByPerson(_)) => told.drops_reads = true,
            Ok(Taken::Several(_)) | Err(_) => {}
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_taken_as_what_they_are_samples_of() {
        let terms = Terms {
            rules: Rules::new([]).expect("no names"),
            content_key: ContentKey::new([0; 32]),
            record_bytes_max: usize::MAX,
            named: None,
            auth: Auth::OperatorFile,
        };
        for channel in Channel::ALL {
            for line in samples::of(channel).lines {
                let mut intake = Intake::new(&terms);
                match intake.take(line.as_bytes(), Timestamp::UNIX_EPOCH, &mut NoSalts) {
                    Ok(Taken::Pending(entry)) => assert_eq!(entry.cite.channel, channel, "{line}"),
                    Ok(Taken::ReadByPerson(of)) => assert_eq!(of, channel, "{line}"),
                    other => panic!("{channel}: {other:?} of {line}"),
                }
            }
        }
    }

    #[test]
    fn what_is_told_of_channels() {
        let all = channels().expect("no names");
        assert_eq!(all.len(), Channel::ALL.len() - 2);
        let of = |channel| all.iter().find(|t| t.channel == channel).expect("told");
        let audit = of(Channel::KubernetesAudit);
        assert!(audit.drops_reads);
        assert!(audit.keys.contains("<auditID>/<stage>/<stageTimestamp>"), "{:?}", audit.keys);
        let has = |told: &Told, class, path: &str| told.fields.of(class).any(|(p, _)| p == path);
        assert!(has(audit, "address", "sourceIPs"));
        assert!(has(audit, "personal", "user.username"));
        assert!(has(audit, "secret", "requestObject.data.<key>"));
        assert!(has(of(Channel::OpenbaoAudit), "secret", "auth.client_token"));
        assert!(of(Channel::AlertmanagerWebhook).keys.is_empty());
        assert!(!of(Channel::GithubWebhook).drops_reads);
    }

    #[test]
    fn paths_are_told_and_no_values() {
        let terms = Terms {
            rules: Rules::new(["Anna"]).expect("few names"),
            content_key: ContentKey::new([0; 32]),
            record_bytes_max: usize::MAX,
            named: Some(Channel::KubernetesAudit),
            auth: Auth::OperatorFile,
        };
        let line = br#"{"labels":{"owner-anna":{"token":"hunter2"},"a@b.example":1,"c@d.example":2},"password":7,"user":{"username":"anna"}}"#;
        let taken = Intake::new(&terms).take(line, Timestamp::UNIX_EPOCH, &mut NoSalts);
        let Ok(Taken::Pending(entry)) = taken else { panic!("not taken") };
        let mut fields = Fields::default();
        fields.add(&entry);
        let told: Vec<String> =
            fields.known.iter().map(|((c, p), n)| format!("{c} {p} {n}")).collect();
        let expected = [
            "personal labels.(a key) 3",
            "personal user.username 1",
            "secret labels.owner-[personal].token 1",
            "secret password 1",
        ];
        assert_eq!(told, expected);
    }
}
