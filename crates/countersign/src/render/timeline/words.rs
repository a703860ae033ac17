//! The words of a timeline: what each record is called, and what no answer may say.
//!
//! An answer names the account and the credential; who held the credential is in no record.

use evidence::ask::timeline::Source;
use evidence::story::claim::{Claim, ClaimSource, Identity, Voice, Writer};
use evidence::story::commit::CommitSeen;
use evidence::story::initiator::Initiator;
use evidence::story::state::{StateChange, StateKind};
use evidence::story::write::Write;
use evidence::time::Moment;

use crate::render::{printable, short};

pub(super) fn reach(source: &Source, clock: impl Fn(&Moment) -> String) -> String {
    let coverage = &source.coverage;
    let noun = if coverage.records == 1 { "record" } else { "records" };
    let mut text = format!("{}: {} {noun}", coverage.channel, coverage.records);
    if let (Some(first), Some(last)) = (&coverage.first, &coverage.last) {
        text = format!("{text}, {}–{}", clock(first), clock(last));
    }
    if !coverage.interpreted {
        text.push_str(", kept and not interpreted");
        return text;
    }
    match &source.incomplete {
        None => text.push_str(", no gap detected"),
        Some(reason) => text = format!("{text}, does not cover all of the window: {reason}"),
    }
    text
}

/// Sources whose records cover the window, by the system that they come from.
pub(super) fn counted(sources: &[&Source]) -> String {
    let mut systems: Vec<(&str, usize)> = Vec::new();
    for source in sources {
        let channel = source.coverage.channel;
        let system = channel.split('-').next().unwrap_or(channel);
        match systems.iter_mut().find(|(known, _)| *known == system) {
            Some((_, channels)) => *channels += 1,
            None => systems.push((system, 1)),
        }
    }
    let named = |(system, channels): (&str, usize)| match channels {
        1 => system.to_owned(),
        several => format!("{system} ({several} channels)"),
    };
    systems.into_iter().map(named).collect::<Vec<_>>().join(", ")
}

/// A commit by its own word: whoever made it could write any name there.
pub(super) fn commit(commit: &CommitSeen) -> String {
    let subject = commit.subject.as_deref().map_or_else(String::new, |s| format!(" \"{s}\""));
    let author = commit.author_name.as_deref().unwrap_or("empty or not recorded");
    let signed = match commit.signature.as_deref() {
        Some("none") => ", unsigned".to_owned(),
        Some(kind) => format!(", {kind} signature not verified"),
        None => String::new(),
    };
    printable(&format!("{}{subject}; author field {author}{signed}", short(&commit.id)))
}

/// A title that grows by what is known.
pub(super) trait With {
    /// Adds a word, if there is one.
    fn with(self, word: Option<&str>) -> String;
}

impl With for String {
    fn with(self, word: Option<&str>) -> String {
        word.map_or(self.clone(), |word| format!("{self} · {word}"))
    }
}

pub(super) fn claimed(claim: &Claim) -> String {
    match &claim.who {
        Some(who) => name(who),
        None if claim.automated => "automated".to_owned(),
        None => "nobody".to_owned(),
    }
}

pub(super) fn name(who: &Identity) -> String {
    printable(&who.account)
}

pub(super) fn by(initiator: &Initiator) -> String {
    match initiator {
        Initiator::Determined { who, voice: Voice::Recorded, .. } => {
            format!("{} through Argo CD's API server", name(who))
        }
        Initiator::Determined { who, .. } => format!("{} straight to Kubernetes", name(who)),
        Initiator::Automated { .. } => "automated".to_owned(),
        Initiator::Machine { who, .. } => format!("{}, no human in the record", name(who)),
        Initiator::Contradicted { .. } => "initiator contradicted, see below".to_owned(),
        Initiator::Undetermined { .. } => "initiator undetermined, see below".to_owned(),
    }
}

pub(super) fn result(initiator: &Initiator) -> String {
    match initiator {
        Initiator::Contradicted { writer, .. } => {
            let credential = held(writer);
            format!(
                "initiator contradicted. Written by account {} with {}. Who held the {}: not \
                 determined.",
                name(&writer.who),
                credential.0,
                credential.1
            )
        }
        Initiator::Undetermined { reason } => format!("undetermined: {}.", printable(reason)),
        other => format!("{}.", by(other)),
    }
}

pub(super) fn stands(source: ClaimSource) -> &'static str {
    match source {
        ClaimSource::Resource => "claimed in the resource",
        ClaimSource::History => "copied from the resource to Argo CD's history",
        ClaimSource::ControllerEvent => "Event of Argo CD's controller",
        ClaimSource::ServerEvent => "Event of Argo CD's API server",
        ClaimSource::AuditWriteBefore | ClaimSource::AuditWrite => "authenticated by Kubernetes",
    }
}

/// The credential, and what somebody would have to hold to use it.
pub(super) fn held(writer: &Writer) -> (String, &'static str) {
    let Some(credential) = &writer.credential else {
        return ("a credential that the record does not name".to_owned(), "credential");
    };
    let abbreviated = |id: &str| format!("{}…", id.chars().take(8).collect::<String>());
    // The prefixes are those of `kubernetes/kubernetes`
    // `staging/src/k8s.io/apiserver/pkg/authentication/request/x509/x509.go` and
    // `staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go`.
    if let Some(digest) = credential.strip_prefix("X509SHA256=") {
        (format!("client certificate {}", printable(&abbreviated(digest))), "certificate key")
    } else if let Some(id) = credential.strip_prefix("JTI=") {
        (format!("token {}", printable(&abbreviated(id))), "token")
    } else {
        (format!("credential {}", printable(credential)), "credential")
    }
}

pub(super) fn as_whom(writer: &Writer) -> String {
    let mut text = name(&writer.who);
    if let Some(named) = &writer.impersonating {
        text = format!("{text}, in the name of {}", name(named));
    }
    format!("{text}, {}", held(writer).0)
}

pub(super) fn via(writer: &Writer) -> Option<String> {
    let right = writer.right.as_ref()?;
    Some(printable(&format!(
        "{} {} → {} {}",
        right.binding_kind, right.binding, right.role_kind, right.role
    )))
}

pub(super) fn tool(writer: &Writer, verb: &str) -> String {
    let agent = writer.user_agent.as_deref().unwrap_or_default();
    let program = agent.split(['/', ' ']).next().unwrap_or_default();
    let text = if program.is_empty() { verb.to_owned() } else { format!("{program} {verb}") };
    printable(&text)
}

pub(super) fn object(write: &Write) -> String {
    let object = &write.object;
    let kind = if object.is_application() { "Application" } else { &object.resource };
    let mut text = format!("{kind}/{}", object.name);
    if !object.subresource.is_empty() {
        text = format!("{text} {}", object.subresource);
    }
    if write.operation.is_some() {
        text.push_str(" .operation");
    } else if !object.namespace.is_empty() {
        text = format!("{text} in {}", object.namespace);
    }
    printable(&text)
}

/// `configmap/web configured` says how it went with its last word; other messages say it whole.
pub(super) fn outcome(message: &str) -> &str {
    match message.split_once(' ') {
        Some((object, word)) if object.contains('/') && !word.contains(' ') => word,
        _ => message,
    }
}

pub(super) fn state(change: &StateChange) -> String {
    let word =
        |value: &Option<String>| value.as_deref().map_or_else(|| "none".to_owned(), printable);
    let arrow = format!("{} → {}", word(&change.from), word(&change.to));
    match change.what {
        StateKind::Sync => arrow,
        StateKind::Health => format!("health {arrow}"),
    }
}
