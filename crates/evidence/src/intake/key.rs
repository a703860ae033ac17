//! Keys: what makes a redelivery recognisable.
//!
//! A source's own key (uid and resourceVersion, audit id and stage) is taken as it is. A line
//! without one is known by its content, as a keyed hash: an unkeyed one would let anybody with the
//! envelope try guesses of what was cut or erased.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tlog::Hash;

use crate::channel::Channel;
use crate::record::{Cite, RecordId};

/// The ledger's secret for content-based keys.
#[derive(Clone)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// Takes 32 random bytes.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// A digest of a line that means nothing without the secret.
    pub fn digest(&self, channel: Channel, line: &[u8]) -> ContentDigest {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length (RFC 2104)"));
        mac.update(b"countersign/content/v1\n");
        mac.update(channel.id().as_bytes());
        mac.update(b"\n");
        mac.update(line);
        ContentDigest(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

/// What [`ContentKey::digest`] makes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// The record id of the line's `occurrence`-th time in its file, counted from 1.
    pub fn id(&self, occurrence: u64) -> String {
        format!("line/{}/{occurrence}", Hash::from_bytes(self.0))
    }
}

/// The ledger's unique key of a record: `SHA-256("countersign/record/v1\n" ‖ channel ‖ "\n" ‖ id)`.
///
/// Two records with the same key are the same record: there is no other way than a collision of
/// SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey([u8; 32]);

impl DedupKey {
    /// The key of a record.
    pub fn of(cite: &Cite) -> Self {
        let mut hash = Sha256::new_with_prefix(b"countersign/record/v1\n");
        hash.update(cite.channel.id().as_bytes());
        hash.update(b"\n");
        hash.update(cite.id.as_str().as_bytes());
        Self(hash.finalize().into())
    }

    /// The key's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Makes a record id of a natural key; one that is no id (a caller may choose an audit id) is
/// known by its content instead.
pub fn natural(key: &str) -> Option<RecordId> {
    RecordId::new(key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_separate_channels_contents_and_secrets() {
        let (a, b) = (ContentKey::new([1; 32]), ContentKey::new([2; 32]));
        let digest = |key: &ContentKey, channel| key.digest(channel, b"line").id(1);
        let all = [
            digest(&a, Channel::KubernetesAudit),
            digest(&b, Channel::KubernetesAudit),
            digest(&a, Channel::KubernetesEventWatch),
            a.digest(Channel::KubernetesAudit, b"line").id(2),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|id| natural(id).is_some()));
        assert_eq!(format!("{a:?}"), "ContentKey(…)");
    }
}
