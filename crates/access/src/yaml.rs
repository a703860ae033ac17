//! YAML as a tree in which every value knows where it stands.
//!
//! The schema is the one by which Kubernetes' own tools read manifests (`sigs.k8s.io/yaml`, a fork
//! of go-yaml v2), because what they read is what runs:
//!
//! - Plain scalars: `null`, `~` and nothing are null; `true`, `yes`, `on`, `y` and their opposites,
//!   in lower, upper and title case, are booleans; `0x1f`, `0b1`, `0o17`, `017` and `1_000` are
//!   whole numbers; `.inf` and `.nan` have no JSON form and stay text, as do dates.
//! - Quoted and block scalars are text. `!!str`, `!!int`, `!!float`, `!!bool`, `!!null` decide;
//!   any other tag leaves text.
//! - Keys become text as in JSON: the key `on` is `true`. That is what the tools make of it.
//! - `<<` merges; what stands in the mapping itself wins, then the first of several sources.
//! - Aliases are expanded, up to [`Limits::nodes`].
//! - Of two equal keys the later counts, and [`Fault::DuplicateKey`] tells of it.
//! - Some forms that the grammar of YAML 1.2 refuses are read, because go-yaml reads them: a bracket
//!   that closes at its key's margin, quoted lines at the margin, a comment right behind a quote.
//! - A stream is split at lines of `---` first, as the tools do, so that one broken document does
//!   not hide the others.
//!
//! What is wrong with a file is a [`Problem`], never an error. A text with template marks that is no
//! YAML yet is a [`Fault::Template`]: nothing is wrong with it, but it cannot be assessed unrendered.

use std::sync::Arc;

use crate::place::{FilePlace, Place, Span};

mod build;
mod node;
mod repair;
mod scalar;
mod split;

pub use self::node::{Entry, Key, Node, Value};

/// What is read at most of one file.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a file; the largest manifests that people commit, bundles of CRDs, have a few MB.
    pub bytes: usize,
    /// Mappings and sequences within one another.
    pub depth: usize,
    /// Values of a file, aliases expanded.
    pub nodes: usize,
    /// Documents of a file.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, depth: 100, nodes: 1_000_000, documents: 50_000 }
    }
}

/// What came of a file.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The documents that could be read and hold something, in order.
    pub documents: Vec<Node>,
    /// What is wrong, in order.
    pub problems: Vec<Problem>,
}

impl Parsed {
    /// Whether some part of the file is missing in the documents.
    pub fn is_incomplete(&self) -> bool {
        self.problems.iter().any(|problem| problem.fault.hides())
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// What can be wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are no UTF-8.
    #[error("is not UTF-8 text")]
    NotText,
    /// The document is no YAML.
    #[error("is not YAML: {0}")]
    Syntax(String),
    /// The document has to be rendered before it is YAML.
    #[error("is a template, which has to be rendered before it can be read")]
    Template,
    /// A key stands twice in a mapping.
    #[error(
        "has the key {0:?} twice; readers take the later one, and stricter readers refuse the file"
    )]
    DuplicateKey(String),
    /// A key is a mapping or a sequence.
    #[error("has a key that is no text")]
    ComplexKey,
    /// `<<` stands before something that is no mapping.
    #[error("merges something that is no mapping")]
    MergeOfNoMapping,
    /// The file is larger than [`Limits::bytes`].
    #[error("has {bytes} bytes, more than the {limit} that are read")]
    TooLarge {
        /// The size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The document is deeper than [`Limits::depth`].
    #[error("is nested more than {0} levels deep")]
    TooDeep(usize),
    /// There are more values than [`Limits::nodes`], aliases expanded.
    #[error("has more than {0} values when its aliases are expanded")]
    TooManyNodes(usize),
    /// There are more documents than [`Limits::documents`].
    #[error("has more than {0} documents")]
    TooManyDocuments(usize),
}

impl Fault {
    /// Whether something of the file could not be read because of it.
    pub fn hides(&self) -> bool {
        !matches!(self, Self::DuplicateKey(_))
    }
}

/// Reads a file of any number of documents.
pub fn parse(file: &str, bytes: &[u8], limits: &Limits) -> Parsed {
    let file: Arc<str> = file.into();
    let whole = |fault| {
        let place = Place::File(FilePlace { file: Arc::clone(&file), span: Span::default() });
        Parsed { documents: Vec::new(), problems: vec![Problem { place, fault }] }
    };
    if bytes.len() > limits.bytes {
        return whole(Fault::TooLarge { bytes: bytes.len(), limit: limits.bytes });
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return whole(Fault::NotText);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parsed = Parsed::default();
    let mut nodes = limits.nodes;
    for (number, part) in split::documents(text).enumerate() {
        if number >= limits.documents {
            let place = part.place(&file);
            let fault = Fault::TooManyDocuments(limits.documents);
            parsed.problems.push(Problem { place, fault });
            break;
        }
        build::document(&file, &part, limits, &mut nodes, &mut parsed);
    }
    parsed
}

/// The texts of the documents of a stream; the line of `---` belongs to the one that follows.
pub(crate) fn documents(text: &str) -> impl Iterator<Item = &str> {
    split::documents(text).map(|part| part.text)
}

/// Reads a text that stands within a file, such as an inline patch; every value gets the place of
/// that text, because characters of a block scalar cannot be counted back to the file.
pub fn parse_inline(place: &Place, text: &str, limits: &Limits) -> Parsed {
    let mut parsed = parse("", text.as_bytes(), limits);
    for document in &mut parsed.documents {
        document.move_to(place);
    }
    for problem in &mut parsed.problems {
        problem.place = place.clone();
    }
    parsed
}
