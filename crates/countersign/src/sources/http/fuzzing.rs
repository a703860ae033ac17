//! Doors for the fuzz targets to what is private here; compiled for them alone.

use evidence::channel::Channel;
use evidence::intake::seal::Salts;
use evidence::intake::{PendingEntry, Terms};
use evidence::record::payload::Salt;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::authenticate::Authenticator;
use super::take::BothTerms;
use crate::sources::secret::Secret;

/// Salts that are all different and the same in every run.
struct Counting(u64);

impl Salts for Counting {
    fn salt(&mut self) -> Salt {
        self.0 += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.0.to_be_bytes());
        salt
    }
}

/// Takes a body apart by the terms without and with the source's channel: what is to be appended,
/// and why the rest is not.
pub fn take(
    [recognised, named]: [Terms; 2],
    headers: Vec<(String, String)>,
    body: &[u8],
) -> (Vec<PendingEntry>, Vec<String>) {
    let both = BothTerms { recognised, named };
    let now = Timestamp::UNIX_EPOCH;
    let gathered = super::take::take(&both, headers, body, now, &mut Counting(0));
    let reasons = gathered.refused.iter().map(|(_, why)| why.reason()).collect();
    (gathered.entries, reasons)
}

/// Whether a header's value is the signature of a body under a secret of this function.
pub fn is_signed(value: &str, body: &[u8]) -> bool {
    let (header, mut headers) = (HeaderName::from_static("x-hub-signature-256"), HeaderMap::new());
    let Ok(value) = HeaderValue::from_str(value) else { return false };
    headers.insert(header.clone(), value);
    let secret = Secret::for_fuzzing(b"a secret that no input has");
    let way = Authenticator::hmac(&[secret], header);
    way.check_head(&headers, None).is_ok() && way.check_body(&headers, body).is_ok()
}

/// Reads the sender's clock out of a delivery.
pub fn clocks(channel: Option<Channel>, headers: &[(String, String)], body: &[u8]) {
    if let Some(channel) = channel {
        super::skew::ahead(channel, headers, body, Timestamp::UNIX_EPOCH);
    }
}
