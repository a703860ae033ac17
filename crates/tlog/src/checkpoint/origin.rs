//! The identity of a log ([C2SP tlog-checkpoint], "Note text").
//!
//! [C2SP tlog-checkpoint]: https://c2sp.org/tlog-checkpoint

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::note::{KeyName, KeyNameError};

/// The identity of a log, the first line of its checkpoints.
///
/// Not empty and without ASCII control characters. It should be a URL without scheme, such as
/// `example.com/log42`, but nothing relies on that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// Checks and takes an origin. Fails with the reason in [`OriginError`].
    pub fn new(origin: impl Into<String>) -> Result<Self, OriginError> {
        let origin = origin.into();
        if origin.is_empty() {
            return Err(OriginError::Empty);
        }
        if origin.bytes().any(|byte| byte < 0x20) {
            return Err(OriginError::Control);
        }
        Ok(Self(origin))
    }

    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name the log's key should have: the same text (tlog-checkpoint, "Signatures").
    ///
    /// Fails with [`KeyNameError`] if the origin has a character that key names must not have.
    pub fn to_key_name(&self) -> Result<KeyName, KeyNameError> {
        KeyName::new(self.0.as_str())
    }
}

impl From<&KeyName> for Origin {
    /// The origin of the log whose key has this name; every key name is a valid origin.
    fn from(name: &KeyName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// Why a text is not an [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OriginError {
    /// The origin is empty.
    #[error("origin is empty")]
    Empty,
    /// The origin has an ASCII control character, such as a newline.
    #[error("origin contains a control character")]
    Control,
}
