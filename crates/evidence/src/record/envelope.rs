//! The envelope: an entry's canonical bytes, which are its leaf.
//!
//! RFC 8785 JSON of seven fields, in this order, and nothing else. It has one encoder, and a reader
//! encodes again what it read and compares, so two different byte strings never mean the same.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tlog::Hash;

use super::{BadRecordId, Cite, RecordId};
use crate::channel::UnknownChannel;

/// The longest envelope: the limit of an entry in an entry bundle (C2SP tlog-tiles).
pub const ENVELOPE_BYTES_MAX: usize = 65_535;

/// How the sender of a record was authenticated when it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Nobody was: an operator named a file or a pipe.
    OperatorFile,
    /// The ledger itself wrote the record.
    Ledger,
    /// By a bearer token.
    Bearer,
    /// By a signature over the body (HMAC).
    Hmac,
    /// By a client certificate.
    ClientCertificate,
    /// Nobody was: it came over the loopback of the receiver's own machine.
    Loopback,
}

impl Auth {
    const ALL: [Self; 6] = [
        Self::OperatorFile,
        Self::Ledger,
        Self::Bearer,
        Self::Hmac,
        Self::ClientCertificate,
        Self::Loopback,
    ];

    /// The word that stands in the envelope.
    pub const fn id(self) -> &'static str {
        match self {
            Self::OperatorFile => "operator-file",
            Self::Ledger => "ledger",
            Self::Bearer => "bearer",
            Self::Hmac => "hmac",
            Self::ClientCertificate => "client-certificate",
            Self::Loopback => "loopback",
        }
    }
}

/// What an envelope says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// How the sender was authenticated.
    pub auth: Auth,
    /// Which record it is.
    pub cite: Cite,
    /// The parser that it was recognised for, with its version.
    pub parser: String,
    /// Commitment to the payload.
    pub payload: Hash,
    /// When it was received: UTC, by the clock of the receiver.
    pub received_at: jiff::Timestamp,
}

/// Why bytes are not an envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the JSON of an envelope.
    #[error("not an envelope: {0}")]
    Json(String),
    /// A version that this program does not know.
    #[error("envelope version {0} is not known")]
    Version(u64),
    /// An unknown channel.
    #[error(transparent)]
    Channel(#[from] UnknownChannel),
    /// An id that is none.
    #[error(transparent)]
    Id(#[from] BadRecordId),
    /// An unknown way of authentication.
    #[error("unknown authentication {0:?}")]
    Auth(String),
    /// A commitment that is not 32 bytes in base64.
    #[error("payload commitment is not 32 bytes in base64")]
    Commitment,
    /// A time that is none.
    #[error("received_at is not a time: {0:?}")]
    Time(String),
    /// The same content, but not the canonical bytes.
    #[error("not canonical: another encoding of the same envelope")]
    NotCanonical,
    /// Over [`ENVELOPE_BYTES_MAX`].
    #[error("envelope of {0} bytes is over the limit of 65535")]
    TooLong(usize),
}

/// The JSON members, in the order that RFC 8785 asks for; all ASCII keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    auth: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    // An id may have a quote or a backslash, which stand escaped and so cannot be borrowed.
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    parser: Cow<'a, str>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    received_at: Cow<'a, str>,
    v: u64,
}

impl Envelope {
    /// The canonical bytes: the leaf.
    pub fn encode(&self) -> Result<Vec<u8>, EnvelopeError> {
        let (payload, received_at) =
            (STANDARD.encode(self.payload.as_bytes()), self.received_at.to_string());
        let wire = Wire {
            auth: self.auth.id().into(),
            channel: self.cite.channel.id().into(),
            id: self.cite.id.as_str().into(),
            parser: self.parser.as_str().into(),
            payload: payload.into(),
            received_at: received_at.into(),
            v: 1,
        };
        let bytes = serde_json::to_vec(&wire).map_err(|e| EnvelopeError::Json(e.to_string()))?;
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(EnvelopeError::TooLong(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads canonical bytes, and only these.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let wire: Wire<'_> =
            serde_json::from_slice(bytes).map_err(|e| EnvelopeError::Json(e.to_string()))?;
        if wire.v != 1 {
            return Err(EnvelopeError::Version(wire.v));
        }
        let auth = Auth::ALL.into_iter().find(|a| a.id() == wire.auth);
        let envelope = Self {
            auth: auth.ok_or_else(|| EnvelopeError::Auth(wire.auth.into_owned()))?,
            cite: Cite { channel: wire.channel.parse()?, id: RecordId::new(wire.id)? },
            parser: wire.parser.into_owned(),
            payload: commitment(&wire.payload).ok_or(EnvelopeError::Commitment)?,
            received_at: (wire.received_at.parse())
                .map_err(|_| EnvelopeError::Time(wire.received_at.into_owned()))?,
        };
        if envelope.encode()? == bytes { Ok(envelope) } else { Err(EnvelopeError::NotCanonical) }
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

fn commitment(text: &str) -> Option<Hash> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Hash::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Channel;

    fn sample() -> Envelope {
        Envelope {
            auth: Auth::OperatorFile,
            cite: Cite {
                channel: Channel::KubernetesAudit,
                id: RecordId::new("08b95346/ResponseComplete").expect("fits"),
            },
            parser: Channel::KubernetesAudit.parser(),
            payload: Hash::from_bytes([7; 32]),
            received_at: "2026-11-23T21:47:42.347601Z".parse().expect("a time"),
        }
    }

    #[test]
    fn the_bytes_are_those_of_rfc_8785() {
        let bytes = sample().encode().expect("short");
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let oracle = serde_json_canonicalizer::to_vec(&value).expect("canonical");
        assert_eq!(String::from_utf8(bytes), String::from_utf8(oracle));
    }

    #[test]
    fn every_id_that_is_written_is_read_again() {
        let every: String = (b'!'..=b'~').map(char::from).collect();
        for id in [r#"a"b"#, r"a\b", every.as_str()] {
            let cite = Cite { id: RecordId::new(id).expect("graphic ASCII"), ..sample().cite };
            let envelope = Envelope { cite, ..sample() };
            let bytes = envelope.encode().expect("short");
            assert_eq!(Envelope::decode(&bytes), Ok(envelope), "{id}");
        }
    }

    #[test]
    fn only_canonical_bytes_are_read() {
        let bytes = sample().encode().expect("short");
        assert_eq!(Envelope::decode(&bytes), Ok(sample()));
        let text = String::from_utf8(bytes).expect("UTF-8");
        let table = [
            (text.replace("{\"auth\"", "{ \"auth\""), EnvelopeError::NotCanonical),
            (text.replace("\"v\":1", "\"v\":2"), EnvelopeError::Version(2)),
            (text.replace("operator-file", "trust-me"), EnvelopeError::Auth("trust-me".into())),
            (text.replace("347601Z", "3476010Z"), EnvelopeError::NotCanonical),
            (text.replace("BwcHBwc=", "BwcHBw=="), EnvelopeError::Commitment),
            (
                text.replace("kubernetes-audit\"", "gossip\""),
                EnvelopeError::Channel(UnknownChannel("gossip".into())),
            ),
            (
                text.replace("/ResponseComplete", " ResponseComplete"),
                EnvelopeError::Id(BadRecordId("08b95346 ResponseComplete".into())),
            ),
        ];
        for (changed, expected) in table {
            assert_ne!(changed, text, "the row must change something: {expected}");
            assert_eq!(Envelope::decode(changed.as_bytes()), Err(expected), "{changed}");
        }
        let extra = text.replace("\"v\":1", "\"v\":1,\"w\":1");
        assert!(matches!(Envelope::decode(extra.as_bytes()), Err(EnvelopeError::Json(_))));
    }
}
