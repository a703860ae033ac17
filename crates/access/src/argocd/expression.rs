//! Regular expressions of policies: Go's dialect (RE2), read here by another engine.
//!
//! The dialects differ where a policy can be meant to allow: Go refuses `a**`, knows `\d`, `\s` and `\w` for
//! ASCII alone, takes a `{` that is no repetition as it is, and has no operations on classes. What both
//! read alike is run, what Go refuses is refused, and the rest is undetermined. That casbin panics on
//! what does not compile is in casbin/casbin at `v2.135.0`, `util/builtin_operators.go`
//! (`RegexMatch`); that Go refuses to stack repetitions is in golang/go, `src/regexp/syntax/parse.go`
//! (`repeat`, a stored copy at `08459da00e99`). The rest of that file was not read again, so only
//! plain expressions are taken to mean the same.

use regex::Regex;

/// An expression as Go would take it.
#[derive(Debug)]
pub(crate) enum Expression {
    /// It means the same here.
    Valid(Regex),
    /// Go refuses it.
    Invalid,
    /// It may mean something else in Go, or nothing.
    Unknown,
}

/// Counts of repetitions above this are undetermined: Go bounds how they nest.
const COUNT_MAX: u32 = 30;

/// Reads an expression.
pub(crate) fn compile(text: &str) -> Expression {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader { chars: &chars, at: 0, out: String::new(), last: Last::Start };
    match reader.read() {
        Err(Stop::Invalid) => Expression::Invalid,
        Err(Stop::Unknown) => Expression::Unknown,
        Ok(()) => match Regex::new(&reader.out) {
            Ok(regex) => Expression::Valid(regex),
            Err(regex::Error::CompiledTooBig(_)) => Expression::Unknown,
            Err(_) => Expression::Invalid,
        },
    }
}

enum Stop {
    Invalid,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing that could be repeated.
    Start,
    /// A group of flags, after which the dialects repeat different things.
    Flags,
    Atom,
    Repeat,
    Lazy,
}

struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    out: String,
    last: Last,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Stop> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '|' => self.put("|", Last::Start),
                '*' | '+' | '?' => self.repeat(&c.to_string())?,
                '{' => self.counted()?,
                _ => self.put(&c.to_string(), Last::Atom),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn rest_starts(&self, with: &str) -> bool {
        self.chars[self.at..].iter().copied().take(with.len()).eq(with.chars())
    }

    fn put(&mut self, text: &str, last: Last) {
        self.out.push_str(text);
        self.last = last;
    }

    fn escape(&mut self) -> Result<(), Stop> {
        let c = self.next().ok_or(Stop::Invalid)?;
        match (ascii_class(c), c) {
            (Some((not, set)), _) => self.put(&format!("[{not}{set}]"), Last::Atom),
            (None, 'b') => self.put(r"(?-u:\b)", Last::Atom),
            (None, 'A' | 'z' | 'n' | 't' | 'r' | 'f' | 'v' | 'a') => {
                self.put(&format!("\\{c}"), Last::Atom);
            }
            _ if is_plain(c) => self.put(&format!("\\{c}"), Last::Atom),
            _ => return Err(Stop::Unknown),
        }
        Ok(())
    }

    fn group(&mut self) -> Result<(), Stop> {
        for (start, last) in [("?:", Last::Start), ("?i)", Last::Flags)] {
            if self.rest_starts(start) {
                self.at += start.len();
                self.put(&format!("({start}"), last);
                return Ok(());
            }
        }
        if self.rest_starts("?") {
            return Err(Stop::Unknown);
        }
        self.put("(", Last::Start);
        Ok(())
    }

    fn repeat(&mut self, operator: &str) -> Result<(), Stop> {
        let last = match (self.last, operator) {
            (Last::Flags, _) => return Err(Stop::Unknown),
            (Last::Atom, _) => Last::Repeat,
            (Last::Repeat, "?") => Last::Lazy,
            // Go refuses a repetition of nothing and of a repetition, `a**` among them.
            (Last::Start | Last::Repeat | Last::Lazy, _) => return Err(Stop::Invalid),
        };
        self.put(operator, last);
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,3}`; in Go any other brace is a brace.
    fn counted(&mut self) -> Result<(), Stop> {
        let rest = &self.chars[self.at..];
        let end = rest.iter().position(|c| *c == '}').ok_or(Stop::Unknown)?;
        let inner: String = rest[..end].iter().collect();
        let (low, high) = inner.split_once(',').unwrap_or((&inner, &inner));
        let count = |digits: &str| {
            let plain = digits == "0" || !digits.starts_with(['0', '+']);
            digits.parse::<u32>().ok().filter(|count| plain && *count <= COUNT_MAX)
        };
        let low = count(low).ok_or(Stop::Unknown)?;
        let high = if high.is_empty() { None } else { Some(count(high).ok_or(Stop::Unknown)?) };
        if high.is_some_and(|high| high < low) {
            return Err(Stop::Invalid);
        }
        self.at += end + 1;
        self.repeat(&format!("{{{inner}}}"))
    }

    /// A class of single characters and ranges; anything cleverer is undetermined.
    fn class(&mut self) -> Result<(), Stop> {
        let mut inner = String::new();
        let mut hyphens = 0;
        if self.rest_starts("^") {
            self.at += 1;
            inner.push('^');
        }
        if self.rest_starts("]") {
            return Err(Stop::Unknown);
        }
        loop {
            match self.next().ok_or(Stop::Invalid)? {
                ']' => break,
                '[' | '&' | '~' => return Err(Stop::Unknown),
                '\\' => inner.push_str(&self.escape_in_class()?),
                c => {
                    hyphens += usize::from(c == '-');
                    inner.push(c);
                }
            }
        }
        if hyphens > 1 {
            return Err(Stop::Unknown);
        }
        self.put(&format!("[{inner}]"), Last::Atom);
        Ok(())
    }

    fn escape_in_class(&mut self) -> Result<String, Stop> {
        let c = self.next().ok_or(Stop::Invalid)?;
        match ascii_class(c) {
            Some(("", set)) if !self.rest_starts("-") || self.rest_starts("-]") => {
                Ok(set.to_owned())
            }
            None if is_plain(c) => Ok(format!("\\{c}")),
            _ => Err(Stop::Unknown),
        }
    }
}

/// Punctuation that may be escaped in both dialects; `\<` and `\>` are boundaries here.
fn is_plain(c: char) -> bool {
    c.is_ascii_punctuation() && c != '<' && c != '>'
}

fn ascii_class(c: char) -> Option<(&'static str, &'static str)> {
    Some(match c {
        'd' => ("", "0-9"),
        'D' => ("^", "0-9"),
        'w' => ("", "0-9A-Za-z_"),
        'W' => ("^", "0-9A-Za-z_"),
        's' => ("", r"\t\n\f\r "),
        'S' => ("^", r"\t\n\f\r "),
        _ => return None,
    })
}
