//! The checkpoint file: every checkpoint that was ever published, appended and never rewritten.
//!
//! Signed notes one after the other. A note ends with its last signature line, so a reader finds
//! the ends without a frame; what a crash left unfinished at the end was never acknowledged and is
//! cut off by the next writer.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::LedgerError;

/// How a signature line starts (C2SP signed-note): an em dash and a space.
const SIGNATURE: &str = "— ";

/// The checkpoint file, open for appending.
#[derive(Debug)]
pub struct History {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl History {
    /// Opens the file, cuts off an unfinished end, and gives the last checkpoint in it.
    pub fn open(path: &Path) -> Result<(Self, Option<String>), LedgerError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .map_err(LedgerError::file("open", path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(LedgerError::file("read", path))?;
        let (notes, whole) = split(&bytes);
        let last = notes.last().map(|n| (*n).to_owned());
        let history = Self { file, path: path.to_owned(), bytes: whole as u64 };
        if whole < bytes.len() {
            history.cut()?;
        }
        Ok((history, last))
    }

    /// Makes the file with its first checkpoint.
    pub fn create(path: &Path, first: &str) -> Result<(), LedgerError> {
        super::dir::write_durable(path, first.as_bytes())
    }

    /// Appends a checkpoint and waits until it is durable.
    pub fn append(&mut self, note: &str) -> Result<(), LedgerError> {
        let written = self
            .file
            .seek(SeekFrom::Start(self.bytes))
            .and_then(|_| self.file.write_all(note.as_bytes()))
            .and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            // Half a note must not stand before the next one. If the cut fails too, the next
            // opening makes it.
            let error = LedgerError::file("append to", &self.path)(e);
            return self.cut().and(Err(error));
        }
        self.bytes += note.len() as u64;
        Ok(())
    }

    fn cut(&self) -> Result<(), LedgerError> {
        self.file
            .set_len(self.bytes)
            .and_then(|()| self.file.sync_all())
            .map_err(LedgerError::file("cut the unfinished end of", &self.path))
    }
}

/// Reads every checkpoint of the file, and how many bytes an unfinished one leaves at its end.
pub fn read(path: &Path) -> Result<(Vec<String>, usize), LedgerError> {
    let bytes = std::fs::read(path).map_err(LedgerError::file("read", path))?;
    let (notes, whole) = split(&bytes);
    Ok((notes.into_iter().map(str::to_owned).collect(), bytes.len() - whole))
}

/// Splits notes: each ends after a run of signature lines.
fn split(bytes: &[u8]) -> (Vec<&str>, usize) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A crash can leave half a character; what stands before it is still whole.
        Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default(),
    };
    let (mut notes, mut start, mut at, mut signed) = (Vec::new(), 0, 0, false);
    for line in text.split_inclusive('\n') {
        let signature = line.starts_with(SIGNATURE) && line.ends_with('\n');
        if signed && !signature {
            notes.push(&text[start..at]);
            start = at;
        }
        signed = signature;
        at += line.len();
    }
    if signed {
        notes.push(&text[start..at]);
        start = at;
    }
    (notes, start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "o\n1\nroot\n\n— k AAAA\n";
    const B: &str = "o\n2\nroot\n\n— k BBBB\n— w CCCC\n";

    #[test]
    fn an_unfinished_end_is_cut_off_at_every_byte() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("checkpoints");
        // A note whose log signature is whole is a checkpoint; a cosignature cut short is not.
        let signed = "o\n2\nroot\n\n— k BBBB\n";
        for end in 0..B.len() {
            let bytes = [A.as_bytes(), &B.as_bytes()[..end]].concat();
            std::fs::write(&path, &bytes).expect("written");
            let (mut history, last) = History::open(&path).expect("opened");
            let expected = if end < signed.len() { A } else { signed };
            assert_eq!(last.as_deref(), Some(expected), "cut after {end}");
            history.append(B).expect("appended");
            let (notes, rest) = read(&path).expect("read");
            assert_eq!((notes.last().map(String::as_str), rest), (Some(B), 0), "cut after {end}");
            assert_eq!(notes[0], A);
        }
    }
}
