//! Bodies: read within a limit, a time and the server's memory, and unpacked within the same limit.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The unit in which memory is counted.
const UNIT: usize = 1024;

/// Memory for bodies; what is full is told at once, so that nothing queues up behind it.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<Semaphore>);

/// Memory that is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    memory: Memory,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Over the limit of its source.
    TooLarge,
    /// It took too long.
    TooSlow,
    /// Other bodies take the memory.
    NoMemory,
    /// The sender broke off.
    BrokenOff,
    /// Not gzip, though it is said to be.
    NotGzip,
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    /// Not at all.
    Plain,
    /// With gzip.
    Gzip,
}

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS))))
    }

    fn none(&self) -> Held {
        Held { memory: self.clone(), permit: None, bytes: 0 }
    }
}

impl Held {
    /// Holds memory for so many bytes in all.
    fn grow(&mut self, bytes: usize) -> Result<(), Unread> {
        let more = bytes.div_ceil(UNIT).saturating_sub(self.bytes.div_ceil(UNIT));
        let more = u32::try_from(more).map_err(|_| Unread::NoMemory)?;
        if more > 0 {
            let taken = Arc::clone(&self.memory.0).try_acquire_many_owned(more);
            let taken = taken.map_err(|_| Unread::NoMemory)?;
            match &mut self.permit {
                Some(permit) => permit.merge(taken),
                None => self.permit = Some(taken),
            }
        }
        self.bytes = bytes;
        Ok(())
    }
}

/// How the headers say that a body is packed; `None` for what is not understood.
pub(super) fn packed(headers: &HeaderMap) -> Option<Packed> {
    let mut all = headers.get_all(CONTENT_ENCODING).iter();
    let Some(first) = all.next() else { return Some(Packed::Plain) };
    let name = first.to_str().ok()?.trim().to_ascii_lowercase();
    match (name.as_str(), all.next()) {
        ("identity" | "", None) => Some(Packed::Plain),
        // `x-gzip` is the same (RFC 9110 8.4.1.3).
        ("gzip" | "x-gzip", None) => Some(Packed::Gzip),
        _ => None,
    }
}

/// Whether the headers already say that the body is over the limit.
pub(super) fn is_announced_over(headers: &HeaderMap, limit: usize) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > limit as u64)
}

/// Reads a body as it comes over the wire.
pub(super) async fn read(
    mut body: Body,
    limit: usize,
    within: Duration,
    memory: &Memory,
) -> Result<(Vec<u8>, Held), Unread> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLarge);
    }
    let (mut bytes, mut held) = (Vec::new(), memory.none());
    let all = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Unread::BrokenOff)?;
            let Some(piece) = frame.data_ref() else { continue };
            if bytes.len() + piece.len() > limit {
                return Err(Unread::TooLarge);
            }
            held.grow(bytes.len() + piece.len())?;
            bytes.extend_from_slice(piece);
        }
        Ok(())
    };
    timeout(within, all).await.unwrap_or(Err(Unread::TooSlow))?;
    Ok((bytes, held))
}

/// Unpacks a body; no more than the limit is ever unpacked.
pub(super) fn unpack(
    bytes: Vec<u8>,
    packed: Packed,
    limit: usize,
    held: &mut Held,
) -> Result<Vec<u8>, Unread> {
    if packed == Packed::Plain {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let (mut reader, mut piece) = (MultiGzDecoder::new(bytes.as_slice()), vec![0; 1 << 16]);
    loop {
        let n = reader.read(&mut piece).map_err(|_| Unread::NotGzip)?;
        if n == 0 {
            return Ok(unpacked);
        }
        if unpacked.len() + n > limit {
            return Err(Unread::TooLarge);
        }
        held.grow(bytes.len() + unpacked.len() + n)?;
        unpacked.extend_from_slice(&piece[..n]);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    #[test]
    fn bodies_are_unpacked_within_the_limit_and_the_memory() {
        let memory = Memory::new(64 << 10);
        let (text, bomb) = (b"{\"a\":1}".to_vec(), gzip(&vec![b' '; 50 << 20]));
        let mut truncated = gzip(&text);
        truncated.truncate(truncated.len() - 3);
        let table = [
            (text.clone(), Packed::Plain, 100, Ok(text.clone())),
            (gzip(&text), Packed::Gzip, 100, Ok(text.clone())),
            (gzip(&text), Packed::Gzip, text.len(), Ok(text.clone())),
            (gzip(&text), Packed::Gzip, text.len() - 1, Err(Unread::TooLarge)),
            (bomb.clone(), Packed::Gzip, 10 << 10, Err(Unread::TooLarge)),
            (bomb, Packed::Gzip, 100 << 20, Err(Unread::NoMemory)),
            (text.clone(), Packed::Gzip, 100, Err(Unread::NotGzip)),
            (truncated, Packed::Gzip, 100, Err(Unread::NotGzip)),
        ];
        for (bytes, packed, limit, expected) in table {
            let mut held = memory.none();
            assert_eq!(unpack(bytes, packed, limit, &mut held), expected);
            drop(held);
            assert_eq!(memory.0.available_permits(), 64, "all of it is given back");
        }
    }

    #[test]
    fn memory_is_counted_in_all_not_in_each_piece() {
        let memory = Memory::new(4 << 10);
        let (mut one, mut other) = (memory.none(), memory.none());
        for bytes in [1, 1000, 1024, 2048] {
            assert_eq!(one.grow(bytes), Ok(()));
        }
        assert_eq!(memory.0.available_permits(), 2);
        assert_eq!(other.grow(3 << 10), Err(Unread::NoMemory));
        drop(one);
        assert_eq!(other.grow(3 << 10), Ok(()));
    }

    #[test]
    fn encodings() {
        let table = [
            (vec![], Some(Packed::Plain)),
            (vec!["identity"], Some(Packed::Plain)),
            (vec!["gzip"], Some(Packed::Gzip)),
            (vec!["X-GZIP"], Some(Packed::Gzip)),
            (vec!["br"], None),
            (vec!["gzip, gzip"], None),
            (vec!["gzip", "gzip"], None),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(CONTENT_ENCODING, value.parse().expect("a value"));
            }
            assert_eq!(packed(&headers), expected, "{values:?}");
        }
    }
}
