//! Go's regular expressions, written for the `regex` crate.
//!
//! Both come from RE2 and are nearly one language. What differs is spelt out here: Go's `\w`, `\d`,
//! `\s` and `\b` know ASCII alone; it has no set operations, no nested classes, no `x` flag; a
//! brace that is no count stands for itself; a count on a count is an error
//! (Go, `regexp/syntax`).

/// Go's largest count in braces.
const COUNT_MAX: u32 = 1000;

/// Writes an expression of Go for the `regex` crate, or says why Go would not take it.
pub(super) fn translate(go: &str) -> Result<String, String> {
    let chars: Vec<char> = go.chars().collect();
    let mut writer = Writer { chars: &chars, at: 0, out: String::new(), repeated: false };
    while let Some(c) = writer.next() {
        writer.one(c)?;
    }
    Ok(writer.out)
}

struct Writer<'a> {
    chars: &'a [char],
    at: usize,
    out: String,
    /// Whether a count stands right before.
    repeated: bool,
}

impl<'a> Writer<'a> {
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn rest(&self) -> &'a [char] {
        &self.chars[self.at..]
    }

    fn one(&mut self, c: char) -> Result<(), String> {
        let count = if c == '{' { self.count()? } else { None };
        if matches!(c, '*' | '+' | '?') || count.is_some() {
            if self.repeated {
                return Err("a count on a count".to_owned());
            }
            self.out.push(c);
            self.out.push_str(&count.unwrap_or_default());
            if self.peek() == Some('?') {
                self.at += 1;
                self.out.push('?');
            }
            self.repeated = true;
            return Ok(());
        }
        self.repeated = false;
        match c {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.group(),
            '.' | '|' | ')' | '^' | '$' => {
                self.out.push(c);
                Ok(())
            }
            c => {
                self.literal(c);
                Ok(())
            }
        }
    }

    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() || c == '/' || c == '_' {
            self.out.push(c);
        } else {
            self.numbered(u32::from(c));
        }
    }

    /// A character by its number, which is never anything but itself.
    fn numbered(&mut self, number: u32) {
        self.out.extend(["\\x{", &format!("{number:X}"), "}"]);
    }

    /// What follows a brace if it is a count: `2}`, `2,}`, `2,5}`.
    fn count(&mut self) -> Result<Option<String>, String> {
        let Some(end) = self.rest().iter().position(|c| *c == '}') else { return Ok(None) };
        let inside: String = self.rest()[..end].iter().collect();
        let (low, high) = inside.split_once(',').unwrap_or((&inside, &inside));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
        };
        let (Some(least), most) = (number(low), number(high)) else { return Ok(None) };
        if most.is_none() && !high.is_empty() {
            return Ok(None);
        }
        if least > COUNT_MAX || most.is_some_and(|most| most > COUNT_MAX || most < least) {
            return Err(format!("the count {{{inside}}}"));
        }
        self.at += end + 1;
        Ok(Some(format!("{inside}}}")))
    }

    fn escape(&mut self) -> Result<(), String> {
        let c = self.next().ok_or("a backslash at the end")?;
        let written = match c {
            'Q' => {
                self.quoted();
                return Ok(());
            }
            'b' => "(?-u:\\b)",
            'B' => "(?-u:\\B)",
            'A' => "\\A",
            'z' => "\\z",
            c => match perl_class(c) {
                Some(class) => class,
                None => return self.character(c),
            },
        };
        self.out.push_str(written);
        Ok(())
    }

    /// `\Q…\E`: as it stands.
    fn quoted(&mut self) {
        while let Some(c) = self.next() {
            if c == '\\' && self.peek() == Some('E') {
                self.at += 1;
                return;
            }
            self.literal(c);
        }
    }

    /// An escaped character, inside of a class and outside alike.
    fn character(&mut self, c: char) -> Result<(), String> {
        match c {
            'a' | 'f' | 't' | 'n' | 'r' | 'v' => self.out.extend(['\\', c]),
            'p' | 'P' | 'x' => {
                self.out.extend(['\\', c]);
                let braced = self.peek() == Some('{');
                let plain = if c == 'x' { 2 } else { 1 };
                let end = self.rest().iter().position(|c| *c == '}').map(|at| at + 1);
                let length = if braced { end.ok_or("a brace that does not close")? } else { plain };
                let text = self.rest().get(..length).ok_or("an escape that ends too early")?;
                self.out.extend(text.iter());
                self.at += length;
            }
            '0'..='7' => return self.octal(c),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => self.literal(c),
            c => return Err(format!("the escape \\{c}")),
        }
        Ok(())
    }

    /// An octal number. A digit that none follows is a reference to a group, which Go does not have.
    fn octal(&mut self, first: char) -> Result<(), String> {
        let mut value = first.to_digit(8).unwrap_or_default();
        let mut more = 0;
        while more < 2
            && let Some(digit) = self.peek().and_then(|c| c.to_digit(8))
        {
            (value, more, self.at) = (value * 8 + digit, more + 1, self.at + 1);
        }
        if first != '0' && more == 0 {
            return Err(format!("the reference \\{first}"));
        }
        self.numbered(value);
        Ok(())
    }

    /// `(`, and the flags or name behind `(?`.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.peek() != Some('?') {
            return Ok(());
        }
        self.at += 1;
        self.out.push('?');
        if matches!(self.peek(), Some('P' | '<')) {
            self.copy_through('>');
            return Ok(());
        }
        while let Some(c) = self.next() {
            self.out.push(c);
            match c {
                ':' | ')' => return Ok(()),
                'i' | 'm' | 's' | 'U' | '-' => {}
                c => return Err(format!("the group (?{c}")),
            }
        }
        Err("a group that does not close".to_owned())
    }

    fn copy_through(&mut self, last: char) {
        while let Some(c) = self.next() {
            self.out.push(c);
            if c == last {
                break;
            }
        }
    }

    /// A class. Its members are written as numbers, so that no set operation comes about.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.next().ok_or("a class that does not close")?;
            match c {
                ']' if !first => break,
                '[' if self.peek() == Some(':') => {
                    self.out.push('[');
                    self.copy_through(']');
                }
                '\\' if self.peek().and_then(perl_class).is_some() => {
                    let class = self.next().and_then(perl_class).unwrap_or_default();
                    self.out.push_str(class);
                }
                c => self.member(c)?,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn member(&mut self, c: char) -> Result<(), String> {
        self.bound(c)?;
        if self.peek() == Some('-') && self.rest().get(1).is_some_and(|c| *c != ']') {
            self.at += 1;
            self.out.push('-');
            let high = self.next().ok_or("a class that does not close")?;
            self.bound(high)?;
        }
        Ok(())
    }

    fn bound(&mut self, c: char) -> Result<(), String> {
        if c == '\\' {
            let c = self.next().ok_or("a backslash at the end")?;
            return self.character(c);
        }
        self.literal(c);
        Ok(())
    }
}

/// Go's Perl classes, which know ASCII alone.
fn perl_class(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[\\t\\n\\x0C\\r\\x20]",
        'S' => "[^\\t\\n\\x0C\\r\\x20]",
        _ => return None,
    })
}
