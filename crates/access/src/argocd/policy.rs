//! The policy: lines of CSV, each a permission (`p`) or a membership (`g`).
//!
//! Read as `util/rbac` of Argo CD reads it: a line is trimmed, blank lines and `#` are skipped, blanks
//! before a field are dropped and those after it kept, and a field may be quoted. One line that does
//! not load takes the whole policy with it. Read in argoproj/argo-cd at `37ee009`,
//! `util/rbac/rbac.go` (`loadPolicyLine`, `PolicyCSV`) and in golang/go, `src/encoding/csv/reader.go`
//! (a stored copy at `0b3b5113c0bb`).

use std::sync::Arc;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::expression::{self, Expression};
use super::glob::{Glob, GlobFault};
use crate::origin::Origin;

/// What a permission says when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// `allow`.
    Allow,
    /// `deny`.
    Deny,
    /// Any other word: the line neither allows nor denies.
    Neither,
}

/// How the fields of a permission are matched: `policy.matchMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchMode {
    /// Whole-text globs, the default, also for any unknown word.
    #[default]
    Glob,
    /// Regular expressions that may match anywhere in the text.
    Regex,
}

/// What a line states.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Statement {
    /// `p, subject, resource, action, object, effect`.
    Permission {
        /// A user, group or role, compared as a whole.
        subject: String,
        /// A pattern for the resource.
        resource: String,
        /// A pattern for the action.
        action: String,
        /// A pattern for the object.
        object: String,
        /// What follows when all match.
        effect: Effect,
    },
    /// `g, member, role`: the member has what the role has.
    Membership {
        /// A user, a group or another role.
        member: String,
        /// The role.
        role: String,
    },
}

/// One line of a policy that loads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Line {
    /// Where it stands.
    pub origin: Origin,
    /// The line, trimmed.
    #[serde(serialize_with = "as_text")]
    pub text: Arc<str>,
    /// What it states.
    #[serde(skip)]
    pub statement: Arc<Statement>,
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// Something that is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// What it is.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The quoting is broken.
    #[error("a quote stands where none may: quote the whole field, and double a quote inside it")]
    Quote,
    /// A `p` line has six fields, a `g` line three.
    #[error("the line has {found} fields and needs {needed}: Argo CD refuses the whole policy")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// The first field is neither `p` nor `g`.
    #[error("the line begins with {0:?}: begin it with p or g; Argo CD refuses the whole policy")]
    Kind(String),
    /// A field ends in a blank, which Argo CD keeps, so it hardly ever matches.
    #[error("the field {0:?} ends in a blank that counts: remove it")]
    Blank(String),
    /// The effect is neither `allow` nor `deny`; this is the word that stands there.
    #[error("the effect {0:?} is neither allow nor deny: the line has none")]
    Effect(String),
    /// A glob that does not compile, so it matches nothing.
    #[error("the pattern {0:?} matches nothing: {1}")]
    Glob(String, GlobFault),
    /// A regular expression that does not compile: whoever reaches the line is refused.
    #[error("the expression {0:?} is not valid: every request that reaches it is refused")]
    Regex(String),
    /// A regular expression that Go may read otherwise: what reaches the line is undetermined.
    #[error("the expression {0:?} is not weighed, its dialect is Go's own: write it more simply")]
    Dialect(String),
    /// A line of a project role that Argo CD's own validation would refuse; the object was written
    /// past it, and the line binds all the same.
    #[error(
        "the line names {0:?}, which is not the project role it stands in; it binds nevertheless"
    )]
    Foreign(String),
}

impl Fault {
    /// Whether Argo CD loads nothing of a policy that has this.
    pub fn stops_loading(&self) -> bool {
        matches!(self, Self::Quote | Self::Fields { .. } | Self::Kind(_))
    }
}

/// A policy text, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The lines that state something, in order.
    pub lines: Vec<Line>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Policy {
    /// Reads a policy. `first` is the place of its first line.
    pub fn parse(text: &str, first: &Origin, mode: MatchMode) -> Self {
        let mut policy = Self::default();
        for (number, line) in text.split('\n').enumerate() {
            policy.read(line.trim(), &first.down(number), mode);
        }
        policy
    }

    /// Appends another policy, as Argo CD appends overlays and project policies.
    pub fn extend(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.problems.extend(other.problems);
    }

    /// Whether Argo CD loads it at all.
    pub fn loads(&self) -> bool {
        !self.problems.iter().any(|problem| problem.fault.stops_loading())
    }

    pub(crate) fn read(&mut self, line: &str, origin: &Origin, mode: MatchMode) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        match statement(line) {
            Ok(Some(statement)) => {
                self.examine(&statement, line, origin, mode);
                self.lines.push(Line {
                    origin: origin.clone(),
                    text: Arc::from(line),
                    statement: Arc::new(statement),
                });
            }
            Ok(None) => {}
            Err(fault) => self.report(origin, fault),
        }
    }

    fn examine(&mut self, statement: &Statement, line: &str, origin: &Origin, mode: MatchMode) {
        match statement {
            Statement::Permission { subject, resource, action, object, effect } => {
                for field in [subject, resource, action, object] {
                    self.blank(field, origin);
                }
                for field in [resource, action, object] {
                    self.pattern(field, origin, mode);
                }
                if *effect == Effect::Neither {
                    let word = fields(line).ok().and_then(|mut fields| fields.pop());
                    self.report(origin, Fault::Effect(word.unwrap_or_default()));
                }
            }
            Statement::Membership { member, role } => {
                self.blank(member, origin);
                self.blank(role, origin);
            }
        }
    }

    fn blank(&mut self, field: &str, origin: &Origin) {
        if field.trim_end() != field {
            self.report(origin, Fault::Blank(field.to_owned()));
        }
    }

    fn pattern(&mut self, field: &str, origin: &Origin, mode: MatchMode) {
        let fault = match mode {
            MatchMode::Glob => Glob::new(field).err().map(|why| Fault::Glob(field.to_owned(), why)),
            MatchMode::Regex => match expression::compile(field) {
                Expression::Valid(_) => None,
                Expression::Invalid => Some(Fault::Regex(field.to_owned())),
                Expression::Unknown => Some(Fault::Dialect(field.to_owned())),
            },
        };
        if let Some(fault) = fault {
            self.report(origin, fault);
        }
    }

    pub(crate) fn report(&mut self, origin: &Origin, fault: Fault) {
        self.problems.push(Problem { origin: origin.clone(), fault });
    }
}

fn statement(line: &str) -> Result<Option<Statement>, Fault> {
    let fields = fields(line)?;
    let found = fields.len();
    match fields.first().map(String::as_str) {
        Some("p") => match <[String; 6]>::try_from(fields) {
            Ok([_, subject, resource, action, object, effect]) => {
                let effect = effect_of(&effect);
                Ok(Some(Statement::Permission { subject, resource, action, object, effect }))
            }
            Err(_) => Err(Fault::Fields { found, needed: 6 }),
        },
        Some("g") => match <[String; 3]>::try_from(fields) {
            Ok([_, member, role]) => Ok(Some(Statement::Membership { member, role })),
            Err(_) => Err(Fault::Fields { found, needed: 3 }),
        },
        // The other sections of the model load and mean nothing.
        Some("r" | "e" | "m") => Ok(None),
        other => Err(Fault::Kind(other.unwrap_or_default().to_owned())),
    }
}

fn effect_of(word: &str) -> Effect {
    match word {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        _ => Effect::Neither,
    }
}

/// One record of CSV in the dialect of Go's reader with `TrimLeadingSpace`.
fn fields(line: &str) -> Result<Vec<String>, Fault> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted)?;
            fields.push(field);
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(fields),
                None => return Err(Fault::Quote),
            }
        } else {
            let (field, more) = rest.split_once(',').map_or((rest, None), |(a, b)| (a, Some(b)));
            if field.contains('"') {
                return Err(Fault::Quote);
            }
            fields.push(field.to_owned());
            match more {
                Some(more) => rest = more,
                None => return Ok(fields),
            }
        }
    }
}

fn quoted_field(text: &str) -> Result<(String, &str), Fault> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(Fault::Quote)?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, after)),
        }
    }
}
