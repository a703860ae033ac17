//! What a client's certificate says of its owner. The TLS handshake verified it before.

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;

/// DER tags (X.690 8.1.2) that stand in a name.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
/// `id-at-commonName`, 2.5.4.3 (RFC 5280 appendix A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The names of a verified certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The only common name of the subject.
    pub(super) common_name: Option<String>,
    /// DNS names, in lower case.
    pub(super) dns_names: Vec<String>,
    /// URIs.
    pub(super) uris: Vec<String>,
    /// SHA-256 of the certificate.
    pub(super) sha256: [u8; 32],
}

impl Certificate {
    /// Reads a certificate that the handshake verified.
    pub(super) fn of(der: &CertificateDer<'_>) -> Self {
        let sha256 = Sha256::digest(der.as_ref()).into();
        let Ok(certificate) = EndEntityCert::try_from(der) else {
            return Self { sha256, ..Self::default() };
        };
        Self {
            common_name: common_name(certificate.subject()),
            dns_names: certificate.valid_dns_names().map(str::to_ascii_lowercase).collect(),
            uris: certificate.valid_uri_names().map(str::to_owned).collect(),
            sha256,
        }
    }
}

/// The common name in a subject (`RDNSequence` without its own tag); `None` if there are two, since
/// readers disagree on which one counts.
fn common_name(mut rdns: &[u8]) -> Option<String> {
    let mut found = None;
    while !rdns.is_empty() {
        let mut attributes = element(&mut rdns, SET)?;
        while !attributes.is_empty() {
            let mut attribute = element(&mut attributes, SEQUENCE)?;
            if element(&mut attribute, OBJECT_IDENTIFIER)? != COMMON_NAME {
                continue;
            }
            let tag = *attribute.first()?;
            let value = element(&mut attribute, tag)?;
            let text = matches!(tag, UTF8_STRING | PRINTABLE_STRING).then_some(value)?;
            if found.replace(std::str::from_utf8(text).ok()?.to_owned()).is_some() {
                return None;
            }
        }
    }
    found
}

/// Takes the next element, which must have this tag, and gives its content.
fn element<'d>(der: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let (head, rest) = der.split_at_checked(2)?;
    let (length, rest) = match head[1] {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (length, rest) = rest.split_at_checked(2)?;
            (usize::from(length[0]) << 8 | usize::from(length[1]), rest)
        }
        // No name is longer than 64 KiB.
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *der = rest;
    (head[0] == tag).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One attribute as a set of its own.
    fn attribute(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| {
            let length = u8::try_from(content.len()).expect("short");
            [&[tag, length], content].concat()
        };
        let pair = [wrap(OBJECT_IDENTIFIER, oid), wrap(tag, value)].concat();
        wrap(SET, &wrap(SEQUENCE, &pair))
    }

    #[test]
    fn the_only_common_name_counts() {
        let organisation = attribute(&[0x55, 0x04, 0x0a], UTF8_STRING, b"bank");
        let name = attribute(COMMON_NAME, UTF8_STRING, b"kube-apiserver");
        let printable = attribute(COMMON_NAME, PRINTABLE_STRING, b"argocd");
        let other = attribute(COMMON_NAME, 0x1e, b"\0a");
        let table: [(Vec<u8>, Option<&str>); 8] = [
            (Vec::new(), None),
            (name.clone(), Some("kube-apiserver")),
            ([organisation.clone(), printable.clone()].concat(), Some("argocd")),
            (organisation, None),
            ([name.clone(), printable].concat(), None),
            (other, None),
            (name[..name.len() - 1].to_vec(), None),
            (vec![SET, 0x84, 0xff, 0xff, 0xff, 0xff], None),
        ];
        for (subject, expected) in table {
            assert_eq!(common_name(&subject).as_deref(), expected, "{subject:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_a_digest_only() {
        let read = Certificate::of(&CertificateDer::from(vec![1, 2, 3]));
        assert_eq!(read.common_name, None);
        assert_ne!(read.sha256, [0; 32]);
    }
}
