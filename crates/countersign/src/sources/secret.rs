//! Secrets of senders and of services that are asked: read once, from a file or from the environment, and never shown.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// Bytes under which a secret is worth a warning: 128 bits.
const SHORT_BYTES: usize = 16;
/// Mode bit of a file that everybody may read.
const READ_BY_OTHERS: u32 = 0o004;

/// A secret. Its `Debug` form shows nothing of it.
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A secret that stands nowhere.
    #[cfg(fuzzing)]
    pub(crate) fn for_fuzzing(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Where a secret is.
pub(crate) enum Place {
    /// In a file of its own.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

impl Place {
    /// Reads the secret, without the line end that editors put behind it.
    pub(crate) fn read(&self, warnings: &mut Vec<String>) -> Result<Secret, String> {
        let mut bytes = match self {
            Self::File(path) => {
                let mode = path.metadata().map_or(0, |m| m.mode());
                if mode & READ_BY_OTHERS != 0 {
                    warnings
                        .push(format!("{self}: everybody on this machine can read it; chmod 600"));
                }
                std::fs::read(path).map_err(|e| format!("cannot read {self}: {e}"))?
            }
            Self::Environment(name) => std::env::var_os(name)
                .ok_or_else(|| format!("{self} is not set"))?
                .into_encoded_bytes(),
        };
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if bytes.is_empty() {
            return Err(format!("{self} is empty"));
        }
        if bytes.len() < SHORT_BYTES {
            warnings
                .push(format!("{self}: shorter than {SHORT_BYTES} bytes, so it may be guessed"));
        }
        Ok(Secret(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    type Row<'a> = (&'a [u8], u32, Result<&'a [u8], &'a str>, usize);

    #[test]
    fn files_are_trimmed_of_one_line_end_and_watched_for_their_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let table: [Row<'_>; 5] = [
            (b"0123456789abcdef\n", 0o600, Ok(b"0123456789abcdef"), 0),
            (b"0123456789abcdef\r\n", 0o600, Ok(b"0123456789abcdef"), 0),
            (b" 123456789abcde \n\n", 0o600, Ok(b" 123456789abcde \n"), 0),
            (b"short", 0o644, Ok(b"short"), 2),
            (b"\n", 0o600, Err("is empty"), 0),
        ];
        for (bytes, mode, expected, warned) in table {
            fs::write(&path, bytes).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            let mut warnings = Vec::new();
            let read = Place::File(path.clone()).read(&mut warnings);
            match (read, expected) {
                (Ok(secret), Ok(expected)) => assert_eq!(secret.bytes(), expected),
                (Err(e), Err(expected)) => assert!(e.contains(expected), "{e}"),
                (read, expected) => panic!("{read:?} where {expected:?}"),
            }
            assert_eq!(warnings.len(), warned, "{warnings:?}");
        }
        let unset = Place::Environment("NO_SUCH_SECRET".to_owned()).read(&mut Vec::new());
        assert!(unset.expect_err("unset").contains("is not set"));
        assert_eq!(format!("{:?}", Secret(b"hunter2".to_vec())), "Secret");
    }
}
