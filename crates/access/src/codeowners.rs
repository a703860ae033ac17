//! CODEOWNERS: who has to look at a path, by the rules of each forge.
//!
//! ```text
//! bytes ──► read by dialect ──► rules (line, pattern, owners) ──► index ──► owners of a path
//!                  └──► problems (line, column): data, never an error
//! ```
//!
//! Four dialects that look alike and decide differently:
//!
//! | dialect | pattern | which rule counts | a rule without owners |
//! |---|---|---|---|
//! | GitHub | gitignore without `!`, `[ ]`, `\#` | the last that matches | explicitly unowned |
//! | GitLab | Ruby's `File.fnmatch` | the last of each section; an exclusion ends its section | satisfied by itself |
//! | Bitbucket | as GitHub | the last that matches; suggests only | nobody is suggested |
//! | Gitea, Forgejo | Go regexp, whole path | every one that matches; requests only | skipped |
//!
//! Sources: `github/docs` "About code owners"; GitLab's "Syntax of `CODEOWNERS` file", "Advanced
//! `CODEOWNERS` configuration" and `ee/lib/gitlab/code_owners/`; Atlassian's "Set up and use code
//! owners"; `go-gitea/gitea` `models/issues/pull.go`. Whether an owner exists and may write is known
//! to the forge alone: [`crate::forge`] has what a snapshot says of it.

mod dialect;
mod git;
mod gitea;
mod gitlab;
mod goregexp;
mod index;
mod owner;
mod pattern;
mod problem;

pub use self::dialect::{Dialect, Force};
pub use self::owner::{Owner, OwnerAt, Role};
pub use self::problem::{Place, Problem, ProblemKind};

use self::index::Index;

/// A CODEOWNERS file as its forge reads it.
#[derive(Debug)]
pub struct CodeOwners {
    file: String,
    dialect: Dialect,
    sections: Vec<Section>,
    rules: Vec<Rule>,
    problems: Vec<Problem>,
    loaded: bool,
    index: Index,
}

/// A group of rules that is judged by itself. Only GitLab has several; elsewhere there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, in the case of its first header; `None` for rules before any header.
    pub name: Option<String>,
    /// Lines of its headers, from 1.
    pub lines: Vec<u32>,
    /// Whether every rule of it stands under an optional header (`^[Name]`): it asks for nothing.
    pub optional: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where its pattern stands.
    pub place: Place,
    /// The pattern as written, without GitLab's `!` of an exclusion.
    pub pattern: String,
    /// `!`: on GitLab it takes paths out of the section, on Gitea it matches every other path.
    pub negated: bool,
    /// Its owners, those inherited from the section's header included.
    pub owners: Vec<OwnerAt>,
    /// The line of the header that its owners were inherited from.
    pub inherited_from: Option<u32>,
    /// Its section, as an index into [`CodeOwners::sections`].
    pub section: usize,
    /// Approvals that the file asks for, where the forge enforces code owners; 0 where it does not
    /// or where they are optional.
    pub required: u32,
}

/// Who owns a path. Unowned by a rule and matched by none are different answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership<'a> {
    /// At least one rule that counts has owners.
    Owned {
        /// The rules that count and have owners: on GitLab one a section, on Gitea all.
        by: Vec<Part<'a>>,
        /// Sections of GitLab that ask nobody for this path.
        waived: Vec<Part<'a>>,
    },
    /// A rule counts and names nobody, on purpose or not.
    Unowned {
        /// Those rules.
        by: Vec<Part<'a>>,
    },
    /// No rule matches, or the forge does not load the file.
    Unmatched,
}

/// A rule that counts for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Its section.
    pub section: &'a Section,
    /// What it says.
    pub standing: Standing,
}

/// What a rule that counts says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It names owners; any one of them satisfies it, or [`Rule::required`] of them.
    Owned,
    /// It names nobody that the forge could understand: no approval is asked for.
    NoOwners,
    /// It takes the path out of its section (GitLab's `!`).
    Excluded,
}

impl CodeOwners {
    /// Reads a file as `dialect` does. `file` is its path in the repository, for the places of
    /// rules and problems.
    pub fn parse(file: &str, dialect: Dialect, bytes: &[u8]) -> Self {
        let mut draft = Draft::new(file);
        let bytes = draft.within_limit(dialect, bytes);
        if draft.loaded {
            match dialect {
                Dialect::GitHub | Dialect::Bitbucket => git::read(&mut draft, dialect, bytes),
                Dialect::GitLab => gitlab::read(&mut draft, bytes),
                Dialect::Gitea | Dialect::Forgejo => gitea::read(&mut draft, bytes),
            }
        }
        draft.finish(dialect)
    }

    /// The file's path in the repository.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The dialect that it was read in.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The rules that have effect, in the order in which the forge weighs them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The sections; the first is that of rules before any header.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// What the forge skips or reads otherwise than the author may think, by line and column.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether the forge loads the file at all. If not, nobody is asked, and a rule that asks for
    /// the review of code owners asks for nothing.
    pub const fn loaded(&self) -> bool {
        self.loaded
    }

    /// Who owns `path`, a file's path from the root of the repository, with or without a leading
    /// slash.
    pub fn owners_of(&self, path: &str) -> Ownership<'_> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let matching = self.index.matching(path);
        let counting = match self.dialect {
            Dialect::GitHub | Dialect::Bitbucket => self.last(matching),
            Dialect::GitLab => self.last_of_sections(matching),
            Dialect::Gitea | Dialect::Forgejo => self.every(matching),
        };
        Ownership::of(counting)
    }

    fn part(&self, rule: usize, standing: Standing) -> Part<'_> {
        let rule = &self.rules[rule];
        Part { rule, section: &self.sections[rule.section], standing }
    }

    fn plain(&self, rule: usize) -> Part<'_> {
        let none = self.rules[rule].owners.is_empty();
        self.part(rule, if none { Standing::NoOwners } else { Standing::Owned })
    }

    fn last(&self, mut matching: index::Matching<'_>) -> Vec<Part<'_>> {
        matching.next().map(|rule| self.plain(rule)).into_iter().collect()
    }

    /// The last rule of each section, unless any matching rule of the section is an exclusion
    /// (`ee/lib/gitlab/code_owners/file.rb`, `entries_for_path`).
    fn last_of_sections(&self, matching: index::Matching<'_>) -> Vec<Part<'_>> {
        let mut sections: Vec<Option<Part<'_>>> = vec![None; self.sections.len()];
        for rule in matching {
            let seat = &mut sections[self.rules[rule].section];
            if self.rules[rule].negated {
                if seat.is_none_or(|part| part.standing != Standing::Excluded) {
                    *seat = Some(self.part(rule, Standing::Excluded));
                }
            } else if seat.is_none() {
                *seat = Some(self.plain(rule));
            }
        }
        sections.into_iter().flatten().collect()
    }

    fn every(&self, matching: index::Matching<'_>) -> Vec<Part<'_>> {
        let mut parts: Vec<Part<'_>> = matching.map(|rule| self.plain(rule)).collect();
        parts.reverse();
        parts
    }
}

impl<'a> Ownership<'a> {
    fn of(parts: Vec<Part<'a>>) -> Self {
        if parts.is_empty() {
            return Self::Unmatched;
        }
        let (by, waived): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.standing == Standing::Owned);
        if by.is_empty() { Self::Unowned { by: waived } } else { Self::Owned { by, waived } }
    }

    /// The rules that count, those that ask nobody included.
    pub fn parts(&self) -> impl Iterator<Item = &Part<'a>> {
        let (first, second): (&[Part<'a>], &[Part<'a>]) = match self {
            Self::Owned { by, waived } => (by, waived),
            Self::Unowned { by } => (by, &[]),
            Self::Unmatched => (&[], &[]),
        };
        first.iter().chain(second)
    }
}

/// A file while it is being read.
struct Draft {
    file: String,
    sections: Vec<Section>,
    rules: Vec<(Rule, pattern::Matcher)>,
    problems: Vec<Problem>,
    loaded: bool,
}

impl Draft {
    fn new(file: &str) -> Self {
        let first = Section { name: None, lines: Vec::new(), optional: false };
        Self {
            file: file.to_owned(),
            sections: vec![first],
            rules: Vec::new(),
            problems: Vec::new(),
            loaded: true,
        }
    }

    fn place(&self, line: u32, column: usize) -> Place {
        Place { file: self.file.clone(), line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    fn problem(&mut self, line: u32, column: usize, kind: ProblemKind) {
        let place = self.place(line, column);
        self.problems.push(Problem { place, kind });
    }

    /// What of the file the forge reads, by its size.
    fn within_limit<'b>(&mut self, dialect: Dialect, bytes: &'b [u8]) -> &'b [u8] {
        match dialect.size() {
            dialect::Size::NotLoadedFrom { surely, perhaps } => {
                if bytes.len() >= surely {
                    self.loaded = false;
                    self.problem(1, 1, ProblemKind::TooLarge { bytes: bytes.len() });
                } else if bytes.len() >= perhaps {
                    self.problem(1, 1, ProblemKind::PerhapsTooLarge { bytes: bytes.len() });
                }
            }
            dialect::Size::ReadUpTo(read) if bytes.len() > read => {
                self.problem(1, 1, ProblemKind::CutOff { bytes: bytes.len(), read });
                return &bytes[..read];
            }
            dialect::Size::Unlimited | dialect::Size::ReadUpTo(_) => {}
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            self.problem(1, 1, ProblemKind::ByteOrderMark);
        }
        bytes
    }

    /// Lines from 1 that are text; a line that is not UTF-8 is a problem and is skipped.
    fn lines<'b>(&mut self, bytes: &'b [u8]) -> Vec<(u32, &'b str)> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            match std::str::from_utf8(line) {
                Ok(line) => lines.push((number, line)),
                Err(error) => {
                    self.problem(number, error.valid_up_to() + 1, ProblemKind::NotText);
                }
            }
        }
        lines
    }

    fn finish(mut self, dialect: Dialect) -> CodeOwners {
        self.problems.sort_by_key(|p| (p.place.line, p.place.column));
        let (rules, matchers): (Vec<_>, Vec<_>) = self.rules.into_iter().unzip();
        CodeOwners {
            file: self.file,
            dialect,
            sections: self.sections,
            rules,
            problems: self.problems,
            loaded: self.loaded,
            index: Index::new(matchers),
        }
    }
}

/// The column, from 1 and in characters, of a part of a line.
fn column_of(line: &str, part: &str) -> usize {
    let start = part.as_ptr().addr().saturating_sub(line.as_ptr().addr()).min(line.len());
    line.get(..start).map_or(start, |before| before.chars().count()) + 1
}
