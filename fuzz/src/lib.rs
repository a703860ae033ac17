//! What fuzz targets share: an intake with invented people, and the promises that hold for
//! whatever it takes.

use std::ops::Range;

use evidence::channel::Channel;
use evidence::intake::cuts::Rules;
use evidence::intake::json::{What, scan};
use evidence::intake::key::ContentKey;
use evidence::intake::seal::Salts;
use evidence::intake::{Intake, PendingEntry, Refusal, Taken, Terms};
use evidence::people::People;
use evidence::record::Record;
use evidence::record::check::check_entry;
use evidence::record::envelope::{Auth, Envelope};
use evidence::record::payload::{Payload, Personal, Salt};
use jiff::Timestamp;

/// A token that is a secret by its form, wherever it stands.
pub const TOKEN: &str = "ghp_PLANTED0123456789abcdefghijklmnop";
/// A secret by the key above it alone.
pub const PASSWORD: &str = "planted hunter two";
/// A person's address, wherever it stands.
pub const MAIL: &str = "planted.person@fuzz.example";
/// The longest record that targets take.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Salts that are all different and the same in every run.
#[derive(Default)]
pub struct Counting(u64);

impl Salts for Counting {
    fn salt(&mut self) -> Salt {
        self.0 += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.0.to_be_bytes());
        salt
    }
}

/// The channel that a selecting byte stands for: `@` none, `A` the first, and so on.
pub fn channel(select: u8) -> Option<Channel> {
    let number = usize::from(select & 0x1f);
    Channel::ALL.get(number.checked_sub(1)?).copied()
}

/// Invented people: three names and accounts, one of them of a Windows domain.
pub fn people() -> People {
    let map = br#"{"p1":{"name":"Nadia Tom","email":"nadia@bank.test","github_login":"nadia-t"},
        "p2":{"name":"Uwe","kubernetes_user":"BANK\\anna","oidc_subject":"u0abe"}}"#;
    People::from_json(map).expect("a people map")
}

/// What is taken by.
pub fn terms(named: Option<Channel>) -> Terms {
    thread_local! {
        static RULES: Rules = Rules::new(people().identifying_strings().iter().copied())
            .expect("few names");
    }
    Terms {
        rules: RULES.with(Clone::clone),
        content_key: ContentKey::new([7; 32]),
        record_bytes_max: RECORD_BYTES_MAX,
        named,
        auth: Auth::OperatorFile,
    }
}

/// The entries and the refusals of what was taken.
pub fn flat(taken: Result<Taken, Refusal>) -> (Vec<PendingEntry>, Vec<Refusal>) {
    let (mut entries, mut refusals) = (Vec::new(), Vec::new());
    let mut open = vec![taken];
    while let Some(taken) = open.pop() {
        match taken {
            Ok(Taken::Pending(entry)) => entries.push(*entry),
            Ok(Taken::ReadByPerson(_)) => {}
            Ok(Taken::Several(several)) => open.extend(several),
            Err(refusal) => refusals.push(refusal),
        }
    }
    (entries, refusals)
}

/// Takes a line by itself.
pub fn take(line: &[u8], named: Option<Channel>) -> (Vec<PendingEntry>, Vec<Refusal>) {
    let terms = terms(named);
    flat(Intake::new(&terms).take(line, Timestamp::UNIX_EPOCH, &mut Counting::default()))
}

/// Holds an entry to what is promised of every entry, and gives its record.
pub fn checked(entry: &PendingEntry) -> Record {
    let (envelope, found) = check_entry(&entry.envelope, &entry.payload).expect("belongs together");
    assert!(found.erased.is_empty());
    assert_eq!(envelope.encode().as_deref(), Ok(entry.envelope.as_slice()));
    assert_eq!(envelope.cite, entry.cite);
    let mut payload = Payload::decode(&entry.payload).expect("a stored payload");
    assert_eq!(payload.encode(), entry.payload);
    assert_eq!(payload.commitment(), envelope.payload);
    let record = payload.record();
    assert_json(&record);
    for personal in &mut payload.personal {
        *personal = Personal::Erased { commitment: personal.commitment() };
    }
    let (_, found) = check_entry(&entry.envelope, &payload.encode()).expect("proofs still hold");
    assert_eq!(found.erased.len(), payload.personal.len());
    assert_json(&payload.record());
    Record { cite: entry.cite.clone(), payload: record }
}

fn assert_json(record: &[u8]) {
    let read = serde_json::from_slice::<serde::de::IgnoredAny>(record);
    assert!(read.is_ok(), "what is kept is JSON: {}", String::from_utf8_lossy(record));
}

/// Nothing of what was planted is in what is kept for good, or in a refusal, which is kept too.
pub fn assert_not_kept(entries: &[PendingEntry], refusals: &[Refusal], planted: &str) {
    for entry in entries {
        let payload = Payload::decode(&entry.payload).expect("a stored payload");
        assert!(!holds(&payload.kept, planted), "planted text in the kept segment");
        assert!(!holds(&entry.envelope, planted), "planted text in the leaf");
        let personal = payload.personal.iter().any(|p| match p {
            Personal::Present { bytes, .. } => holds(bytes, planted),
            Personal::Shown { pseudonym, .. } => holds(pseudonym, planted),
            Personal::Erased { .. } => false,
        });
        assert!(planted == MAIL || !personal, "a planted secret in a personal segment");
    }
    for refusal in refusals {
        assert!(!holds(refusal.to_string().as_bytes(), planted), "planted text in a refusal");
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// The `nth` string value of a JSON text, with the key right above it where there is one.
fn string_at(line: &[u8], nth: usize) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let (mut key, mut texts) = (None, Vec::new());
    scan(line, &mut |found| match found.what {
        What::Key => key = Some(found.raw.clone()),
        What::Text => {
            let above = key.take().filter(|k: &Range<usize>| found.raw.start <= k.end + 3);
            texts.push((found.raw.clone(), above));
        }
        What::Number => key = None,
    })
    .ok()?;
    let chosen = nth.checked_rem(texts.len())?;
    texts.into_iter().nth(chosen)
}

/// A line with something planted into its `nth` string, and what it was.
///
/// `None` where the line has that text already: the fuzzer learns it from the comparisons of
/// [`assert_not_kept`] and writes it where it gives nothing away, such as the password under a key
/// that is no secret's. Nothing could be told then of the one planted here.
pub fn plant(line: &[u8], nth: usize, way: u8) -> Option<(Vec<u8>, &'static str)> {
    let (value, key) = string_at(line, nth)?;
    let planted = match way % 3 {
        0 => TOKEN,
        1 => MAIL,
        _ => PASSWORD,
    };
    if holds(line, planted) {
        return None;
    }
    let mut changed = Vec::new();
    match (planted, key) {
        (PASSWORD, None) => return None,
        (PASSWORD, Some(key)) => {
            changed.extend_from_slice(&line[..key.start]);
            changed.extend_from_slice(b"password");
            changed.extend_from_slice(&line[key.end..value.start]);
            changed.extend_from_slice(PASSWORD.as_bytes());
        }
        // In the middle of the text, or alone.
        (text, _) if way & 0x80 != 0 => {
            let middle = value.start + value.len() / 2;
            changed.extend_from_slice(&line[..middle]);
            changed.extend_from_slice(format!(" {text} ").as_bytes());
            changed.extend_from_slice(&line[middle..value.end]);
        }
        (text, _) => {
            changed.extend_from_slice(&line[..value.start]);
            changed.extend_from_slice(text.as_bytes());
        }
    }
    changed.extend_from_slice(&line[value.end..]);
    Some((changed, planted))
}

/// Runs the parser of a record's channel; it may understand it or not, but always alike.
pub fn parse(channel: Channel, record: &[u8]) -> bool {
    use evidence::parse::*;
    macro_rules! by {
        ($module:ident) => {{
            let read = $module::parse(record);
            assert_eq!(format!("{read:?}"), format!("{:?}", $module::parse(record)));
            read.is_ok()
        }};
    }
    match channel {
        Channel::AlertmanagerWebhook => by!(alertmanager_webhook),
        Channel::ArgocdApplicationWatch => by!(argocd_application_watch),
        Channel::ArgocdControllerLog => by!(argocd_controller_log),
        Channel::ArgocdNotification => by!(argocd_notification),
        Channel::ArgocdServerLog => by!(argocd_server_log),
        Channel::ArgocdStream => by!(argocd_stream),
        Channel::Cloudevent => by!(cloudevent),
        Channel::ForgeSnapshot => by!(forge_snapshot),
        Channel::GitCommit => by!(git_commit),
        Channel::GithubWebhook => by!(github_webhook),
        Channel::GitlabWebhook => by!(gitlab_webhook),
        Channel::JiraWebhook => by!(jira_webhook),
        Channel::KubernetesAudit => by!(kubernetes_audit),
        Channel::KubernetesEventWatch => by!(kubernetes_event_watch),
        Channel::KubernetesObjectWatch => by!(kubernetes_object_watch),
        Channel::LedgerAssessment => by!(ledger_assessment),
        Channel::LedgerRedaction => by!(ledger_redaction),
        Channel::OpenbaoAudit => by!(openbao_audit),
        Channel::PrometheusRange => by!(prometheus_range),
    }
}

/// An envelope over any payload, for targets that read payloads.
pub fn envelope_over(payload: tlog::Hash) -> Vec<u8> {
    let channel = Channel::KubernetesAudit;
    let id = evidence::record::RecordId::new("fuzz").expect("an id");
    let envelope = Envelope {
        auth: Auth::OperatorFile,
        cite: evidence::record::Cite { channel, id },
        parser: channel.parser(),
        payload,
        received_at: Timestamp::UNIX_EPOCH,
    };
    envelope.encode().expect("short")
}
