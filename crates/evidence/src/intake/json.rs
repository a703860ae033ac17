//! A strict JSON scanner that tells where every string stands.
//!
//! Sealing cuts byte ranges out of a record as it came, so it needs positions that a
//! deserialiser does not give; and it must refuse what two readers could read differently. Grammar:
//! RFC 8259, with duplicate keys refused (RFC 8259 section 4 leaves them undefined).

use std::borrow::Cow;
use std::ops::Range;

/// How deep arrays and objects may nest. Kubernetes objects stay under 20; `serde_json`, which the
/// parsers use later, gives up at 128.
pub const MAX_DEPTH: usize = 64;

/// Why a text is not JSON that everybody reads alike, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text ends inside a value.
    #[error("truncated: the text ends inside a value at byte {0}")]
    Truncated(usize),
    /// A byte that cannot stand where it stands.
    #[error("not JSON: unexpected byte {byte:#04x} at byte {at}")]
    Unexpected {
        /// Offset of the byte.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// The text is not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// An object has the same key twice.
    ///
    /// The key itself is not told: it may be somebody's name, and a refusal is kept.
    #[error("duplicate key at byte {0}: readers disagree on which one counts")]
    DuplicateKey(usize),
    /// Arrays and objects nest deeper than [`MAX_DEPTH`].
    #[error("nested deeper than 64 levels at byte {0}")]
    TooDeep(usize),
    /// Something follows the value.
    #[error("something follows the JSON value at byte {0}")]
    Trailing(usize),
}

/// What [`scan`] found, and where.
#[derive(Debug)]
pub struct Found<'s, 'a> {
    /// The keys of the objects around it, outermost first; array positions leave no trace, so an
    /// element's last key is that of its array. For a key, the keys above it.
    pub path: &'s [Cow<'a, str>],
    /// Where its raw bytes stand; of a string, without the quotes.
    pub raw: Range<usize>,
    /// Offset of the innermost object around it; tells siblings.
    pub object: usize,
    /// What it is.
    pub what: What,
    /// Whether the raw bytes contain an escape.
    pub escaped: bool,
}

/// What [`scan`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An object's key.
    Key,
    /// A string value.
    Text,
    /// A number, `true` or `false`.
    Number,
}

/// Checks that `bytes` are one JSON value and calls `visit` for every key, string, number and truth
/// value in it, in order.
pub fn scan<'a>(bytes: &'a [u8], visit: &mut dyn FnMut(&Found<'_, 'a>)) -> Result<(), JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|e| JsonError::NotUtf8(e.valid_up_to()))?;
    let mut scanner = Scanner { text, at: 0, depth: 0, path: Vec::new(), keys: Vec::new(), visit };
    scanner.space();
    scanner.value(0)?;
    scanner.space();
    if scanner.at == bytes.len() { Ok(()) } else { Err(JsonError::Trailing(scanner.at)) }
}

/// Reads the raw inside of a JSON string. `None` where an escape is not valid.
pub fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    serde_json::from_str::<String>(&format!("\"{raw}\"")).ok().map(Cow::Owned)
}

struct Scanner<'a, 'v> {
    text: &'a str,
    at: usize,
    depth: usize,
    path: Vec<Cow<'a, str>>,
    /// Keys of the objects that are open, with their offsets; each object owns a tail of it.
    keys: Vec<(Cow<'a, str>, usize)>,
    visit: &'v mut dyn FnMut(&Found<'_, 'a>),
}

impl<'a> Scanner<'a, '_> {
    fn value(&mut self, object: usize) -> Result<(), JsonError> {
        match self.peek()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(|s| s.array(object)),
            b'"' => {
                let (raw, escaped) = self.string()?;
                self.report(raw, object, What::Text, escaped);
                Ok(())
            }
            b't' => self.scalar(object, |s| s.literal(b"true")),
            b'f' => self.scalar(object, |s| s.literal(b"false")),
            b'n' => self.literal(b"null"),
            _ => self.scalar(object, Self::number),
        }
    }

    fn scalar(
        &mut self,
        object: usize,
        read: impl FnOnce(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        let start = self.at;
        read(self)?;
        self.report(start..self.at, object, What::Number, false);
        Ok(())
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(JsonError::TooDeep(self.at));
        }
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), JsonError> {
        let (object, first_key) = (self.at, self.keys.len());
        self.at += 1;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.member(object)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(self.unexpected()),
            }
            self.space();
        }
        self.at += 1;
        self.no_duplicates(first_key)
    }

    fn member(&mut self, object: usize) -> Result<(), JsonError> {
        let key_at = self.at;
        if self.peek()? != b'"' {
            return Err(self.unexpected());
        }
        let (raw, escaped) = self.string()?;
        self.report(raw.clone(), object, What::Key, escaped);
        let text = self.text;
        let key = unescape(&text[raw]).ok_or(JsonError::Unexpected { at: key_at, byte: b'\\' })?;
        self.space();
        if self.peek()? != b':' {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.space();
        self.keys.push((key.clone(), key_at));
        self.path.push(key);
        self.value(object)?;
        self.path.pop();
        Ok(())
    }

    /// Sorts this object's keys to find twins: an object with a million keys costs no square.
    fn no_duplicates(&mut self, first_key: usize) -> Result<(), JsonError> {
        let own = &mut self.keys[first_key..];
        own.sort_unstable();
        if let Some(twins) = own.windows(2).find(|w| w[0].0 == w[1].0) {
            return Err(JsonError::DuplicateKey(twins[1].1));
        }
        self.keys.truncate(first_key);
        Ok(())
    }

    fn array(&mut self, object: usize) -> Result<(), JsonError> {
        self.at += 1;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(object)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(self.unexpected()),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over a string and says where its inside stands and whether it has an escape.
    fn string(&mut self) -> Result<(Range<usize>, bool), JsonError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0..0x20 => return Err(self.unexpected()),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok((start..self.at - 1, escaped))
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let unit = self.hex4()?;
                // A surrogate stands for half a character: a lone one is text to nobody.
                match unit {
                    0xd800..0xdc00 => {
                        self.expect(b'\\')?;
                        if self.peek()? != b'u' || !(0xdc00..0xe000).contains(&self.hex4()?) {
                            return Err(self.unexpected_back());
                        }
                    }
                    0xdc00..0xe000 => return Err(self.unexpected_back()),
                    _ => {}
                }
            }
            _ => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// Reads `uXXXX`, standing on the `u`.
    fn hex4(&mut self) -> Result<u16, JsonError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16).ok_or_else(|| self.unexpected())?;
            unit = unit * 16 + u16::try_from(digit).unwrap_or_default();
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek_is(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if self.peek_is(b'e') || self.peek_is(b'E') {
            self.at += 1;
            if self.peek_is(b'+') || self.peek_is(b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.unexpected());
        }
        while self.bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        word.iter().try_for_each(|b| self.expect(*b))
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek()? != byte {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn report(&mut self, raw: Range<usize>, object: usize, what: What, escaped: bool) {
        (self.visit)(&Found { path: &self.path, raw, object, what, escaped });
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn peek(&self) -> Result<u8, JsonError> {
        self.bytes().get(self.at).copied().ok_or(JsonError::Truncated(self.at))
    }

    fn peek_is(&self, byte: u8) -> bool {
        self.bytes().get(self.at) == Some(&byte)
    }

    fn space(&mut self) {
        while matches!(self.bytes().get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> JsonError {
        JsonError::Unexpected { at: self.at, byte: self.bytes().get(self.at).copied().unwrap_or(0) }
    }

    /// Names the byte just read.
    fn unexpected_back(&self) -> JsonError {
        let at = self.at.saturating_sub(1);
        JsonError::Unexpected { at, byte: self.bytes().get(at).copied().unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests;
