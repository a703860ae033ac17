//! Who sent a request: each source in its own way.
//!
//! | way | what shows it | compared |
//! |---|---|---|
//! | HMAC-SHA-256 | a header with the signature of the body | in constant time |
//! | bearer token | `Authorization: Bearer …` | its digest, in constant time |
//! | GitLab token | `X-Gitlab-Token` | its digest, in constant time |
//! | client certificate | the TLS handshake verified it; here its name is compared | |
//! | none | the server listens on the loopback | |

use std::fmt;

use evidence::record::envelope::Auth;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::certificate::Certificate;
use crate::sources::secret::Secret;

/// How a source is authenticated.
pub(super) enum Authenticator {
    /// By a signature over the body.
    Hmac { keys: Vec<Hmac<Sha256>>, header: HeaderName },
    /// By a token in a header.
    Token { digests: Vec<[u8; 32]>, place: TokenPlace },
    /// By the certificate of the TLS client.
    Certificate(Wanted),
    /// Not at all: only this machine can connect.
    Loopback,
}

/// Where a token stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum TokenPlace {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// `X-Gitlab-Token`.
    Gitlab,
}

/// The name that a client's certificate must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The common name of the subject.
    CommonName(String),
    /// A DNS name among the alternative names.
    Dns(String),
    /// A URI among the alternative names.
    Uri(String),
    /// The digest of the certificate.
    Sha256([u8; 32]),
}

/// Why a request is not its source's: says what is expected, and nothing of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unauthenticated {
    /// No signature.
    #[error(
        "header {0} is missing: send `sha256=` and the HMAC-SHA-256 of the body, in hexadecimal"
    )]
    NoSignature(HeaderName),
    /// Not the body's signature.
    #[error(
        "header {0} is not the HMAC-SHA-256 of this body under the source's secret; compare the secret on both sides, and let nothing between them change the body"
    )]
    WrongSignature(HeaderName),
    /// No token.
    #[error("header {0} is missing")]
    NoToken(&'static str),
    /// Another token.
    #[error("header {0} has another token than expected; compare the token on both sides")]
    WrongToken(&'static str),
    /// A header that counts stands twice.
    #[error("header {0} stands more than once")]
    Twice(HeaderName),
    /// No certificate.
    #[error("a client certificate is expected in the TLS handshake")]
    NoCertificate,
    /// Another certificate.
    #[error(
        "the client certificate is genuine, but not the one of this source; compare its name or fingerprint with the sources file"
    )]
    WrongCertificate,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac { .. } => "Hmac",
            Self::Token { place: TokenPlace::Bearer, .. } => "Bearer",
            Self::Token { place: TokenPlace::Gitlab, .. } => "GitlabToken",
            Self::Certificate(_) => "Certificate",
            Self::Loopback => "Loopback",
        })
    }
}

impl Authenticator {
    pub(super) fn hmac(secrets: &[Secret], header: HeaderName) -> Self {
        // A key of any length is allowed (RFC 2104 2), so none is refused.
        let key = |s: &Secret| Hmac::new_from_slice(s.bytes()).ok();
        Self::Hmac { keys: secrets.iter().filter_map(key).collect(), header }
    }

    pub(super) fn bearer(tokens: &[Secret]) -> Self {
        Self::token(tokens, TokenPlace::Bearer)
    }

    pub(super) fn gitlab(tokens: &[Secret]) -> Self {
        Self::token(tokens, TokenPlace::Gitlab)
    }

    fn token(tokens: &[Secret], place: TokenPlace) -> Self {
        Self::Token { digests: tokens.iter().map(|t| digest(t.bytes())).collect(), place }
    }

    /// What the envelope says of a record's sender.
    pub(super) const fn auth(&self) -> Auth {
        match self {
            Self::Hmac { .. } => Auth::Hmac,
            Self::Token { .. } => Auth::Bearer,
            Self::Certificate(_) => Auth::ClientCertificate,
            Self::Loopback => Auth::Loopback,
        }
    }

    /// Whether a token in a header decides.
    pub(super) const fn is_token(&self) -> bool {
        matches!(self, Self::Token { .. })
    }

    /// Whether the body decides, so that it must be read first.
    pub(super) const fn needs_body(&self) -> bool {
        matches!(self, Self::Hmac { .. })
    }

    /// The challenge of a 401 (RFC 9110 11.6.1).
    pub(super) fn challenge(&self) -> String {
        match self {
            Self::Hmac { header, .. } => format!("HMAC-SHA-256 header=\"{header}\""),
            Self::Token { place: TokenPlace::Gitlab, .. } => "X-Gitlab-Token".to_owned(),
            Self::Token { .. } => "Bearer".to_owned(),
            Self::Certificate(_) => "TLS-Client-Certificate".to_owned(),
            Self::Loopback => "None".to_owned(),
        }
    }

    /// Checks what can be checked before the body is read.
    pub(super) fn check_head(
        &self,
        headers: &HeaderMap,
        certificate: Option<&Certificate>,
    ) -> Result<(), Unauthenticated> {
        match self {
            Self::Hmac { header, .. } => {
                only(headers, header)?
                    .ok_or_else(|| Unauthenticated::NoSignature(header.clone()))?;
                Ok(())
            }
            Self::Token { digests, place } => place.check(digests, headers),
            Self::Certificate(wanted) => match certificate {
                None => Err(Unauthenticated::NoCertificate),
                Some(certificate) if wanted.is(certificate) => Ok(()),
                Some(_) => Err(Unauthenticated::WrongCertificate),
            },
            Self::Loopback => Ok(()),
        }
    }

    /// Checks the signature of the body, as it came over the wire.
    pub(super) fn check_body(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Unauthenticated> {
        let Self::Hmac { keys, header } = self else { return Ok(()) };
        let missing = || Unauthenticated::NoSignature(header.clone());
        let value = only(headers, header)?.ok_or_else(missing)?;
        let hex = value.strip_prefix(b"sha256=").unwrap_or(value);
        let wrong = || Unauthenticated::WrongSignature(header.clone());
        let signature = unhex(hex).ok_or_else(wrong)?;
        let of =
            |key: &Hmac<Sha256>| key.clone().chain_update(body).verify_slice(&signature).is_ok();
        if keys.iter().any(of) { Ok(()) } else { Err(wrong()) }
    }
}

impl TokenPlace {
    fn check(self, digests: &[[u8; 32]], headers: &HeaderMap) -> Result<(), Unauthenticated> {
        let (name, expected) = match self {
            Self::Bearer => (AUTHORIZATION, "Authorization: Bearer …"),
            Self::Gitlab => (HeaderName::from_static("x-gitlab-token"), "X-Gitlab-Token"),
        };
        let value = only(headers, &name)?.ok_or(Unauthenticated::NoToken(expected))?;
        let token = match self {
            Self::Gitlab => value,
            // The name of the scheme is not case-sensitive (RFC 9110 11.1).
            Self::Bearer => match value.split_at_checked("bearer ".len()) {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token,
                _ => return Err(Unauthenticated::NoToken(expected)),
            },
        };
        let given = digest(token.trim_ascii());
        // Digests have one length, so not even the token's length shows in the time.
        let same = digests.iter().fold(Choice::from(0), |same, d| same | d.ct_eq(&given));
        if bool::from(same) { Ok(()) } else { Err(Unauthenticated::WrongToken(expected)) }
    }
}

impl Wanted {
    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::CommonName(name) => certificate.common_name.as_ref() == Some(name),
            Self::Dns(name) => certificate.dns_names.contains(name),
            Self::Uri(name) => certificate.uris.contains(name),
            Self::Sha256(digest) => certificate.sha256 == *digest,
        }
    }
}

/// The value of a header that must not stand twice: two readers could take different ones.
fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h [u8]>, Unauthenticated> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Unauthenticated::Twice(name.clone()));
    }
    Ok(first.map(|v| v.as_bytes().trim_ascii()))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Reads 32 bytes in hexadecimal.
pub(super) fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |d: &u8| char::from(*d).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(&pair[0])? << 4 | digit(&pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
