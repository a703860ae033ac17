//! Patterns: a path against gitignore's or Ruby's wildcards, segment by segment.

use regex::bytes::Regex;

/// What decides whether a rule is about a path.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Glob(Pattern),
    Regex {
        regex: Box<Regex>,
        /// Names that every path it matches begins with.
        names: Vec<Box<str>>,
    },
    /// Every path that the expression does not match.
    NotRegex(Box<Regex>),
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) segments: Vec<Segment>,
    pub(super) tail: Tail,
}

/// What one segment of a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**/`: any number of directories, none included.
    Directories,
    /// `*`: one segment, whatever it is.
    Any,
    /// A name.
    Literal(Box<str>),
    /// A name with wildcards.
    Glob(Box<[Atom]>),
}

/// What may follow behind the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Exact,
    /// Nothing, or anything beneath it: a file or a directory of that name.
    SelfOrBeneath,
    /// Something beneath it: a directory.
    Beneath,
}

/// A part of a name with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Char(char),
    /// `?`.
    One,
    /// `*`.
    Run,
    /// `[a-z]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// What can never match, such as a bracket that does not close.
    Never,
}

impl Segment {
    /// The simplest segment for these atoms.
    pub(super) fn of(atoms: Vec<Atom>) -> Self {
        if !atoms.is_empty() && atoms.iter().all(|atom| *atom == Atom::Run) {
            return Self::Any;
        }
        let literal = atoms.iter().map(|atom| match atom {
            Atom::Char(c) => Some(*c),
            _ => None,
        });
        match literal.collect::<Option<String>>() {
            Some(name) => Self::Literal(name.into()),
            None => Self::Glob(atoms.into()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Directories => false,
            Self::Any => !name.is_empty(),
            Self::Literal(literal) => **literal == *name,
            Self::Glob(atoms) => glob(atoms, name),
        }
    }
}

impl Matcher {
    /// Whether it matches a path, given whole and in segments.
    pub(super) fn matches(&self, path: &str, segments: &[&str]) -> bool {
        match self {
            Self::Glob(pattern) => pattern.matches(segments),
            Self::Regex { regex, .. } => regex.is_match(path.as_bytes()),
            Self::NotRegex(regex) => !regex.is_match(path.as_bytes()),
        }
    }
}

impl Pattern {
    /// Whether the pattern matches a path. Only the last `**/` is tried again: an earlier one that
    /// took as little as it could leaves the most to what follows.
    fn matches(&self, path: &[&str]) -> bool {
        let (mut at, mut seen) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.segments.get(at) {
                Some(Segment::Directories) => {
                    at += 1;
                    retry = Some((at, seen));
                    continue;
                }
                Some(segment) if path.get(seen).is_some_and(|name| segment.matches(name)) => {
                    (at, seen) = (at + 1, seen + 1);
                    continue;
                }
                None if self.tail_fits(path.len() - seen) => return true,
                _ => {}
            }
            match retry {
                Some((again, from)) if from < path.len() => {
                    retry = Some((again, from + 1));
                    (at, seen) = (again, from + 1);
                }
                _ => return false,
            }
        }
    }

    fn tail_fits(&self, left: usize) -> bool {
        match self.tail {
            Tail::Exact => left == 0,
            Tail::SelfOrBeneath => true,
            Tail::Beneath => left > 0,
        }
    }
}

/// Whether a name matches; only the last `*` is tried again.
fn glob(atoms: &[Atom], name: &str) -> bool {
    let (mut at, mut rest) = (0, name);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let mut chars = rest.chars();
        let next = chars.next();
        match (atoms.get(at), next) {
            (None, None) => return true,
            (Some(Atom::Run), _) => {
                at += 1;
                retry = Some((at, rest));
                continue;
            }
            (Some(atom), Some(c)) if atom.matches(c) => {
                (at, rest) = (at + 1, chars.as_str());
                continue;
            }
            _ => {}
        }
        let Some((again, from)) = retry else { return false };
        let mut chars = from.chars();
        if chars.next().is_none() {
            return false;
        }
        retry = Some((again, chars.as_str()));
        (at, rest) = (again, chars.as_str());
    }
}

impl Atom {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One => true,
            Self::Run | Self::Never => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}
