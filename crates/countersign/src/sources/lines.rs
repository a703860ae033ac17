//! Lines of a stream, with limits: no line is held beyond the limit of a record, and no archive
//! unpacks without end.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// How much larger than its file an archive may become. Logs of one repeated line stay under 200;
/// deflate itself ends at 1032.
const RATIO_MAX: u64 = 400;
/// What may be unpacked before the ratio counts.
const RATIO_FREE_BYTES: u64 = 64 << 20;

/// A line of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line within the limit, without its end, in the caller's buffer.
    Whole,
    /// A line over the limit; its bytes were passed over.
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The stream's end.
    End,
}

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The system or the archive.
    #[error("cannot be read after line {line}: {cause}; what came before is kept")]
    Read {
        /// The last line that was read whole.
        line: u64,
        /// What went wrong.
        cause: io::Error,
    },
    /// The archive unpacks to far more than a log does.
    #[error(
        "unpacks to over {RATIO_MAX} times its size after line {line}: taken for a gzip bomb and left; if it is genuine, unpack it first"
    )]
    Bomb {
        /// The last line that was read whole.
        line: u64,
    },
}

/// A reader that counts what it hands out.
#[derive(Debug)]
pub struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Whether a line begins a JSON object without ending it.
fn is_begun(line: &[u8]) -> bool {
    let whole = || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    line.trim_ascii_start().starts_with(b"{") && !whole()
}

type Packed = BufReader<Counted<Box<dyn Read>>>;

enum Stream {
    Plain(Packed),
    Gzip(Box<BufReader<MultiGzDecoder<Packed>>>),
}

/// The lines of a stream, unpacked if it is gzip.
pub struct Lines {
    stream: Stream,
    limit: usize,
    /// Whether the stream may be one JSON document over several lines.
    document: bool,
    read: u64,
    bytes: u64,
}

impl Lines {
    /// Reads a stream; gzip is known by its first two bytes, not by a name.
    pub fn new(stream: Box<dyn Read>, limit: usize) -> io::Result<Self> {
        let mut packed = BufReader::with_capacity(1 << 16, Counted { inner: stream, bytes: 0 });
        let gzip = packed.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let stream = if gzip {
            let unpacked = MultiGzDecoder::new(packed);
            Stream::Gzip(Box::new(BufReader::with_capacity(1 << 16, unpacked)))
        } else {
            Stream::Plain(packed)
        };
        Ok(Self { stream, limit, document: false, read: 0, bytes: 0 })
    }

    /// Reads a stream that may be one JSON document: when its first line begins an object and does
    /// not end it, all that follows belongs to the same record.
    pub fn document(stream: Box<dyn Read>, limit: usize) -> io::Result<Self> {
        Ok(Self { document: true, ..Self::new(stream, limit)? })
    }

    /// Reads the next line into `line`.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<Line, StreamError> {
        line.clear();
        let first = self.one(line)?;
        if !(std::mem::take(&mut self.document) && is_begun(line)) {
            return Ok(first);
        }
        let mut bytes = line.len();
        let mut rest = Vec::new();
        loop {
            rest.clear();
            let length = match self.one(&mut rest)? {
                Line::End => break,
                Line::Whole => rest.len(),
                Line::TooLong { bytes } => bytes,
            };
            bytes += length + 1;
            if bytes <= self.limit {
                line.push(b'\n');
                line.extend_from_slice(&rest);
            }
        }
        Ok(if bytes > self.limit { Line::TooLong { bytes } } else { Line::Whole })
    }

    fn one(&mut self, line: &mut Vec<u8>) -> Result<Line, StreamError> {
        let (limit, number) = (self.limit, self.read);
        let read = match &mut self.stream {
            Stream::Plain(reader) => read_line(reader, line, limit),
            Stream::Gzip(reader) => read_line(reader.as_mut(), line, limit),
        };
        let (length, ended) = read.map_err(|cause| StreamError::Read { line: number, cause })?;
        self.bytes += length as u64 + u64::from(ended);
        if matches!(self.stream, Stream::Gzip(_))
            && self.bytes > RATIO_FREE_BYTES.max(self.packed_bytes() * RATIO_MAX)
        {
            return Err(StreamError::Bomb { line: number });
        }
        if length == 0 && !ended {
            return Ok(Line::End);
        }
        self.read += 1;
        Ok(if length > limit { Line::TooLong { bytes: length } } else { Line::Whole })
    }

    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.read
    }

    /// Bytes read so far, unpacked.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes taken from the file so far.
    pub fn packed_bytes(&self) -> u64 {
        match &self.stream {
            Stream::Plain(reader) => reader.get_ref().bytes,
            Stream::Gzip(reader) => reader.get_ref().get_ref().get_ref().bytes,
        }
    }
}

/// Reads up to a line end, keeping at most `limit` bytes and one. Says how long the line was and
/// whether it had an end.
fn read_line(
    reader: &mut dyn BufRead,
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<(usize, bool)> {
    let mut length = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            return Ok((length, false));
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let taken = end.unwrap_or(buffer.len());
        let room = limit.saturating_sub(line.len()).min(taken);
        line.extend_from_slice(&buffer[..room]);
        length += taken;
        reader.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            if line.last() == Some(&b'\r') && length <= limit {
                line.pop();
            }
            return Ok((length, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(bytes: Vec<u8>, limit: usize) -> (Vec<(Line, String)>, Option<String>) {
        let mut lines = Lines::new(Box::new(io::Cursor::new(bytes)), limit).expect("readable");
        let (mut out, mut line) = (Vec::new(), Vec::new());
        loop {
            match lines.next(&mut line) {
                Ok(Line::End) => return (out, None),
                Ok(read) => out.push((read, String::from_utf8_lossy(&line).into_owned())),
                Err(e) => return (out, Some(e.to_string())),
            }
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    #[test]
    fn lines_with_and_without_ends_packed_and_plain() {
        let text = b"one\r\n\nlonger than ten\nlast";
        let expected = [
            (Line::Whole, "one"),
            (Line::Whole, ""),
            (Line::TooLong { bytes: 15 }, "longer tha"),
            (Line::Whole, "last"),
        ];
        for bytes in [text.to_vec(), gzip(text)] {
            let (lines, error) = all(bytes, 10);
            let lines: Vec<_> = lines.iter().map(|(l, t)| (l.clone(), t.as_str())).collect();
            assert_eq!(lines, expected);
            assert_eq!(error, None);
        }
    }

    #[test]
    fn a_broken_archive_keeps_what_came_before() {
        let mut packed = gzip(&b"{\"a\":1}\n".repeat(100_000));
        packed.truncate(packed.len() / 2);
        let (lines, error) = all(packed, 100);
        assert!(!lines.is_empty());
        let error = error.expect("truncated");
        assert!(error.contains(&format!("after line {}", lines.len())), "{error}");
    }

    #[test]
    fn a_bomb_is_left() {
        let packed = gzip(&vec![b'\n'; 100 << 20]);
        let mut lines = Lines::new(Box::new(io::Cursor::new(packed)), 100).expect("readable");
        let mut line = Vec::new();
        let error = loop {
            match lines.next(&mut line) {
                Ok(Line::End) => panic!("read to the end"),
                Ok(_) => {}
                Err(e) => break e,
            }
        };
        assert!(matches!(error, StreamError::Bomb { .. }), "{error}");
        assert!(lines.bytes() <= RATIO_FREE_BYTES + 1);
    }
}
