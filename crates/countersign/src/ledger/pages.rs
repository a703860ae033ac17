//! The page seal: a digest of every page of the closed database.
//!
//! The tree covers every entry, but a database has bytes that no row covers: free pages, the gaps
//! within a page. A changed byte there changes no answer, yet it shows that somebody wrote to the
//! file. The seal covers them all while nobody writes. It is no proof against somebody who can
//! also rewrite the seal; the checkpoints are.
//!
//! Format: the line `countersign-pages v1 4096`, then 16 bytes of SHA-256 for each page.

use std::fs::{self, File};
use std::io::{BufReader, Read};

use sha2::{Digest as _, Sha256};

use super::LedgerError;
use super::dir::{LedgerDir, write_durable};
use super::recover::remove_durable;
use crate::store::sqlite::PAGE_BYTES;

const FIRST_LINE: &[u8] = b"countersign-pages v1 4096\n";
const DIGEST_BYTES: usize = 16;

/// What the seal says of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Every page is as it was when the ledger was closed.
    Whole {
        /// How many pages there are.
        pages: usize,
    },
    /// These pages differ, counted from 1 as the database does.
    Broken(Vec<usize>),
    /// There is none: somebody writes, or a writer died.
    Absent,
    /// The seal itself is not one.
    Unreadable,
}

/// Seals the database of a ledger that is closed.
pub fn seal(dir: &LedgerDir) -> Result<(), LedgerError> {
    let mut bytes = FIRST_LINE.to_vec();
    for digest in digests(dir)? {
        bytes.extend_from_slice(&digest);
    }
    write_durable(&dir.pages(), &bytes)
}

/// Removes the seal, durably, before the first write.
pub fn unseal(dir: &LedgerDir) -> Result<(), LedgerError> {
    remove_durable(&dir.pages())
}

/// Refuses a database that was changed since it was sealed.
pub fn hold(dir: &LedgerDir) -> Result<(), LedgerError> {
    match check(dir)? {
        Seal::Broken(pages) => {
            let first = pages.first().copied().unwrap_or(0);
            Err(LedgerError::PagesChanged { pages: pages.len(), first })
        }
        Seal::Unreadable => Err(LedgerError::Settings {
            path: dir.pages(),
            problem: "is not a page seal; run `countersign ledger fsck`".to_owned(),
        }),
        Seal::Whole { .. } | Seal::Absent => Ok(()),
    }
}

/// Compares the database with its seal.
pub fn check(dir: &LedgerDir) -> Result<Seal, LedgerError> {
    let path = dir.pages();
    let whole = match fs::read(&path) {
        Ok(whole) => whole,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Seal::Absent),
        Err(e) => return Err(LedgerError::file("read", &path)(e)),
    };
    let Some(sealed) = whole.strip_prefix(FIRST_LINE).filter(|s| s.len() % DIGEST_BYTES == 0)
    else {
        return Ok(Seal::Unreadable);
    };
    let found = digests(dir)?;
    let mut sealed = sealed.chunks_exact(DIGEST_BYTES);
    let pages = found.len().max(sealed.len());
    let mut found = found.iter();
    let differ = |_: &usize| sealed.next() != found.next().map(<[u8; DIGEST_BYTES]>::as_slice);
    let broken: Vec<usize> = (1..=pages).filter(differ).collect();
    if broken.is_empty() {
        return Ok(Seal::Whole { pages });
    }
    // A writer takes the seal away before it writes, and makes a new one after. If the seal is no
    // longer the one that was compared, the difference is a writer's work.
    let unchanged = fs::read(&path).is_ok_and(|now| now == whole);
    Ok(if unchanged { Seal::Broken(broken) } else { Seal::Absent })
}

fn digests(dir: &LedgerDir) -> Result<Vec<[u8; DIGEST_BYTES]>, LedgerError> {
    let path = dir.database();
    let file = File::open(&path).map_err(LedgerError::file("open", &path))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut page, mut digests) = ([0; PAGE_BYTES], Vec::new());
    loop {
        let read = read_page(&mut reader, &mut page).map_err(LedgerError::file("read", &path))?;
        if read == 0 {
            return Ok(digests);
        }
        let whole: [u8; 32] = Sha256::digest(&page[..read]).into();
        let mut digest = [0; DIGEST_BYTES];
        digest.copy_from_slice(&whole[..DIGEST_BYTES]);
        digests.push(digest);
    }
}

/// Fills a page, or as much of it as the file still has.
fn read_page(reader: &mut impl Read, page: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < page.len() {
        match reader.read(&mut page[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
