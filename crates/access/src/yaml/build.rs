//! From the parser's events to the tree: anchors, aliases, merges, limits.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScanError, Span as EventSpan};

use super::node::{Entry, Key, Node, Value};
use super::repair::Repairs;
use super::split::Part;
use super::{Fault, Limits, Parsed, Problem, scalar};
use crate::place::{FilePlace, Place, Span};

/// Reads one document and adds what came of it.
pub(super) fn document(
    file: &Arc<str>,
    part: &Part<'_>,
    limits: &Limits,
    nodes: &mut usize,
    parsed: &mut Parsed,
) {
    let mut repairs = Repairs::default();
    let mut text = Cow::Borrowed(part.text);
    loop {
        let before = *nodes;
        let mut builder = Builder {
            file,
            lines_before: part.lines_before,
            limits,
            nodes: &mut *nodes,
            repairs: &repairs,
            anchors: HashMap::new(),
            stack: Vec::new(),
            root: None,
            problems: Vec::new(),
        };
        let outcome = builder.run(&text);
        let Builder { root, mut problems, .. } = builder;
        let is_complex = problems.iter().any(|problem| problem.fault == Fault::ComplexKey);
        if is_template(part.text) && (is_complex || matches!(&outcome, Err(Stop::Syntax(_)))) {
            let place = part.place(file);
            return parsed.problems.push(Problem { place, fault: Fault::Template });
        }
        match outcome {
            Ok(()) => parsed.documents.extend(root.filter(|node| !node.is_null())),
            Err(Stop::Limit(problem)) => problems.push(problem),
            Err(Stop::Syntax(e)) => {
                if let Some(repaired) = repairs.repair(&text, e.info(), e.marker().line()) {
                    text = Cow::Owned(repaired);
                    *nodes = before;
                    continue;
                }
                let line = u32::try_from(e.marker().line() + part.lines_before);
                let place = Place::line(file, line.unwrap_or(u32::MAX));
                problems.push(Problem { place, fault: Fault::Syntax(e.info().to_owned()) });
            }
        }
        parsed.problems.append(&mut problems);
        return;
    }
}

/// Why a document was not read to its end.
enum Stop {
    Syntax(ScanError),
    Limit(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Limit(problem)
    }
}

/// Whether a text bears the marks of a template language: Go's, Helm's, Jinja's.
fn is_template(text: &str) -> bool {
    (text.contains("{{") && text.contains("}}")) || (text.contains("{%") && text.contains("%}"))
}

struct Builder<'a> {
    file: &'a Arc<str>,
    lines_before: usize,
    limits: &'a Limits,
    repairs: &'a Repairs,
    /// How many values may still come.
    nodes: &'a mut usize,
    /// Anchored values with their sizes.
    anchors: HashMap<usize, (Node, usize)>,
    stack: Vec<Frame>,
    root: Option<Node>,
    problems: Vec<Problem>,
}

/// A mapping or a sequence that is not complete yet.
struct Frame {
    anchor: usize,
    place: Place,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Node>),
    Mapping { entries: Entries, merges: Vec<Node>, key: Option<PendingKey> },
}

enum PendingKey {
    Text(Key),
    /// `<<`.
    Merge,
    /// A mapping or a sequence; its value is dropped.
    Complex,
}

impl Builder<'_> {
    fn run(&mut self, text: &str) -> Result<(), Stop> {
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(Stop::Syntax)?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: EventSpan) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_merge = &*text == "<<" && tag.is_none() && self.expects_key();
                let value = scalar::resolve(&text, style, tag.as_ref());
                let node = Node { value, place: self.place(span) };
                self.spend(1, &node.place)?;
                if is_merge {
                    self.set_key(PendingKey::Merge);
                    return Ok(());
                }
                self.complete(node, anchor);
            }
            Event::Alias(id) => {
                let place = self.place(span);
                let Some((_, count)) = self.anchors.get(&id) else {
                    let fault = Fault::Syntax("the alias stands within its own anchor".to_owned());
                    return Err(Problem { place, fault });
                };
                self.spend(*count, &place)?;
                let node = self.anchors[&id].0.clone();
                self.complete(node, 0);
            }
            Event::SequenceStart(anchor, _) => {
                self.open(anchor, span, Kind::Sequence(Vec::new()))?;
            }
            Event::MappingStart(anchor, _) => {
                let (entries, merges) = (Entries::default(), Vec::new());
                self.open(anchor, span, Kind::Mapping { entries, merges, key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            _ => {}
        }
        Ok(())
    }

    fn place(&self, span: EventSpan) -> Place {
        let line = |n: usize| u32::try_from(n + self.lines_before).unwrap_or(u32::MAX);
        let column = |at: Marker| {
            let column = self.repairs.original(at.line(), at.col());
            u32::try_from(column + 1).unwrap_or(u32::MAX)
        };
        let span = Span {
            line: line(span.start.line()),
            column: column(span.start),
            end_line: line(span.end.line()),
            end_column: column(span.end),
        };
        Place::File(FilePlace { file: Arc::clone(self.file), span })
    }

    fn spend(&mut self, count: usize, place: &Place) -> Result<(), Problem> {
        let Some(rest) = self.nodes.checked_sub(count) else {
            let fault = Fault::TooManyNodes(self.limits.nodes);
            return Err(Problem { place: place.clone(), fault });
        };
        *self.nodes = rest;
        Ok(())
    }

    fn open(&mut self, anchor: usize, span: EventSpan, kind: Kind) -> Result<(), Problem> {
        // The end is not known yet; it is set when the last part is.
        let place = self.place(EventSpan::empty(span.start));
        if self.stack.len() >= self.limits.depth {
            return Err(Problem { place, fault: Fault::TooDeep(self.limits.depth) });
        }
        self.spend(1, &place)?;
        self.stack.push(Frame { anchor, place, kind });
        Ok(())
    }

    fn close(&mut self, span: EventSpan) {
        let Some(Frame { anchor, place, kind }) = self.stack.pop() else { return };
        let value = match kind {
            Kind::Sequence(items) => Value::Sequence(items),
            Kind::Mapping { entries, merges, .. } => self.mapping(entries, merges),
        };
        let mut node = Node { value, place };
        let (mut end_line, mut end_column) = node.end();
        let end = self.place(span).span().unwrap_or_default();
        // Braces and brackets have an end of their own; a block ends with its last part.
        if span.start.index() < span.end.index() {
            (end_line, end_column) = (end.end_line, end.end_column);
        }
        if let Place::File(at) = &mut node.place {
            (at.span.end_line, at.span.end_column) = (end_line, end_column);
        }
        self.complete(node, anchor);
    }

    fn mapping(&mut self, mut entries: Entries, merges: Vec<Node>) -> Value {
        for merge in merges {
            let Node { value, place } = merge;
            let sources = match value {
                Value::Mapping(_) => vec![Node { value, place }],
                Value::Sequence(items) => items,
                _ => {
                    self.problems.push(Problem { place, fault: Fault::MergeOfNoMapping });
                    continue;
                }
            };
            for source in sources {
                let Value::Mapping(brought) = source.value else {
                    let fault = Fault::MergeOfNoMapping;
                    self.problems.push(Problem { place: source.place, fault });
                    continue;
                };
                for entry in brought {
                    if entries.position(&entry.key.text).is_none() {
                        entries.put(entry);
                    }
                }
            }
        }
        Value::Mapping(entries.list)
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: Kind::Mapping { key: None, .. }, .. }))
    }

    fn set_key(&mut self, pending: PendingKey) {
        if let Some(Frame { kind: Kind::Mapping { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(pending);
        }
    }

    /// Puts a complete value where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            let count = node.count();
            self.anchors.insert(anchor, (node.clone(), count));
        }
        if self.expects_key() {
            let key = self.key(node);
            self.set_key(key);
            return;
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut frame.kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping { entries, merges, key } => match key.take() {
                Some(PendingKey::Text(key)) => {
                    let entry = Entry { key, value: node };
                    if let Some(old) = entries.put(entry) {
                        let fault = Fault::DuplicateKey(old.text.into());
                        self.problems.push(Problem { place: old.place, fault });
                    }
                }
                Some(PendingKey::Merge) => merges.push(node),
                Some(PendingKey::Complex) | None => {}
            },
        }
    }

    fn key(&mut self, node: Node) -> PendingKey {
        let Node { value, place } = node;
        let text = match value {
            Value::Text(text) => text,
            Value::Null => "null".into(),
            Value::Bool(value) => value.to_string().into(),
            Value::Number(number, _) => number.to_string().into(),
            Value::Sequence(_) | Value::Mapping(_) => {
                self.problems.push(Problem { place, fault: Fault::ComplexKey });
                return PendingKey::Complex;
            }
        };
        PendingKey::Text(Key { text, place })
    }
}

/// The entries of a mapping; a long one has an index, so that many keys cost no more than few.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    index: HashMap<Box<str>, usize>,
}

impl Entries {
    /// Mappings up to this size are searched from the front.
    const SHORT: usize = 32;

    fn position(&self, key: &str) -> Option<usize> {
        if self.list.len() <= Self::SHORT {
            self.list.iter().position(|entry| &*entry.key.text == key)
        } else {
            self.index.get(key).copied()
        }
    }

    /// Adds an entry. If the key is there already, the new value counts, and the new key is
    /// returned.
    fn put(&mut self, entry: Entry) -> Option<Key> {
        if let Some(at) = self.position(&entry.key.text) {
            let key = entry.key.clone();
            self.list[at] = entry;
            return Some(key);
        }
        self.list.push(entry);
        let first = match self.list.len() {
            len if len <= Self::SHORT => return None,
            len if len == Self::SHORT + 1 => 0,
            len => len - 1,
        };
        for (at, entry) in self.list.iter().enumerate().skip(first) {
            self.index.insert(entry.key.text.clone(), at);
        }
        None
    }
}
