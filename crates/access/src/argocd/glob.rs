//! Globs as Argo CD reads them, which is as the Go library gobwas/glob reads them.
//!
//! `*` and `**` are any text, `?` one character, `[abc]` `[!abc]` `[a-z]` one of a class, `{a,b}` one
//! of several patterns, `\` takes the next character as it is. With separators, `*` and `?` stop at
//! them and `**` does not; RBAC and sync windows use none. A pattern matches the whole text. That Argo CD
//! uses gobwas/glob 0.2.3, and takes a pattern that does not compile as no match, is in
//! argoproj/argo-cd at `37ee009`, `go.mod` and `util/glob/glob.go`. Of gobwas/glob at `v0.2.3`,
//! `syntax/lexer/lexer.go` and `syntax/ast/parser.go` were read; its matchers were not, and a mistake of
//! theirs is not repeated here.

use thiserror::Error;

/// Why a text is no pattern. Argo CD logs it, and the pattern matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GlobFault {
    /// A `[` whose `]` does not follow where it has to.
    #[error("a character class is not closed: write the closing bracket or escape the opening one")]
    UnclosedClass,
    /// `[]` or `[!]`.
    #[error("a character class is empty: name a character in it or escape the opening bracket")]
    EmptyClass,
    /// `[z-a]`.
    #[error("a character range runs backwards: write its lower end first")]
    ReversedRange,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Glob {
    program: Program,
    separators: Vec<char>,
}

#[derive(Debug, Clone)]
enum Program {
    Everything,
    Literal(String),
    Prefix(String),
    Steps(Vec<Step>),
}

#[derive(Debug, Clone)]
enum Node {
    Char(char),
    One,
    Any,
    Super,
    Class { not: bool, set: Vec<(char, char)> },
    OneOf(Vec<Vec<Node>>),
}

#[derive(Debug, Clone)]
enum Step {
    Char(char),
    One,
    Any,
    Super,
    Class { not: bool, set: Vec<(char, char)> },
    Split(Vec<usize>),
    Jump(usize),
}

impl Glob {
    /// Compiles a pattern in which `*` crosses everything, as in RBAC and sync windows.
    pub fn new(pattern: &str) -> Result<Self, GlobFault> {
        Self::with_separators(pattern, &[])
    }

    /// Compiles a pattern in which `*` and `?` stop at the separators.
    pub fn with_separators(pattern: &str, separators: &[char]) -> Result<Self, GlobFault> {
        let chars: Vec<char> = pattern.chars().collect();
        let nodes = Parser { chars: &chars, at: 0 }.sequence(0)?;
        Ok(Self { program: program(&nodes, separators), separators: separators.to_vec() })
    }

    /// Whether the whole text fits the pattern.
    pub fn matches(&self, text: &str) -> bool {
        match &self.program {
            Program::Everything => true,
            Program::Literal(literal) => text == literal,
            Program::Prefix(prefix) => text.starts_with(prefix),
            Program::Steps(steps) => run(steps, &self.separators, text),
        }
    }
}

/// The text that every match begins with, and whether the pattern is nothing but that text.
pub(crate) fn literal_start(pattern: &str) -> (&str, bool) {
    match pattern.find(['*', '?', '[', '{', '\\']) {
        Some(end) => (&pattern[..end], false),
        None => (pattern, true),
    }
}

fn program(nodes: &[Node], separators: &[char]) -> Program {
    let literal: String = nodes
        .iter()
        .map_while(|node| if let Node::Char(c) = node { Some(*c) } else { None })
        .collect();
    let rest = &nodes[literal.chars().count()..];
    let any = |node: &Node| {
        matches!(node, Node::Super) || (separators.is_empty() && matches!(node, Node::Any))
    };
    match rest {
        [] => Program::Literal(literal),
        [one] if any(one) && literal.is_empty() => Program::Everything,
        [one] if any(one) => Program::Prefix(literal),
        _ => {
            let mut steps = Vec::new();
            emit(nodes, &mut steps);
            Program::Steps(steps)
        }
    }
}

fn emit(nodes: &[Node], steps: &mut Vec<Step>) {
    for node in nodes {
        match node {
            Node::Char(c) => steps.push(Step::Char(*c)),
            Node::One => steps.push(Step::One),
            Node::Any => steps.push(Step::Any),
            Node::Super => steps.push(Step::Super),
            Node::Class { not, set } => steps.push(Step::Class { not: *not, set: set.clone() }),
            Node::OneOf(branches) => emit_branches(branches, steps),
        }
    }
}

fn emit_branches(branches: &[Vec<Node>], steps: &mut Vec<Step>) {
    let split = steps.len();
    steps.push(Step::Split(Vec::new()));
    let (mut starts, mut jumps) = (Vec::new(), Vec::new());
    for branch in branches {
        starts.push(steps.len());
        emit(branch, steps);
        jumps.push(steps.len());
        steps.push(Step::Jump(0));
    }
    let end = steps.len();
    for jump in jumps {
        steps[jump] = Step::Jump(end);
    }
    steps[split] = Step::Split(starts);
}

/// Runs all alternatives side by side, so that no pattern costs more than steps times characters.
fn run(steps: &[Step], separators: &[char], text: &str) -> bool {
    let mut now = States::new(steps.len());
    now.enter(steps, 0);
    for c in text.chars() {
        let mut next = States::new(steps.len());
        let plain = !separators.contains(&c);
        for &at in &now.list {
            let Some(step) = steps.get(at) else { continue };
            match step {
                Step::Char(want) if *want == c => next.enter(steps, at + 1),
                Step::One if plain => next.enter(steps, at + 1),
                Step::Any if plain => next.enter(steps, at),
                Step::Super => next.enter(steps, at),
                Step::Class { not, set } if *not != in_set(set, c) => next.enter(steps, at + 1),
                _ => {}
            }
        }
        now = next;
        if now.list.is_empty() {
            return false;
        }
    }
    now.seen[steps.len()]
}

fn in_set(set: &[(char, char)], c: char) -> bool {
    set.iter().any(|(low, high)| (*low..=*high).contains(&c))
}

struct States {
    list: Vec<usize>,
    seen: Vec<bool>,
}

impl States {
    fn new(steps: usize) -> Self {
        Self { list: Vec::new(), seen: vec![false; steps + 1] }
    }

    fn enter(&mut self, steps: &[Step], at: usize) {
        if self.seen[at] {
            return;
        }
        self.seen[at] = true;
        match steps.get(at) {
            Some(Step::Split(starts)) => starts.iter().for_each(|start| self.enter(steps, *start)),
            Some(Step::Jump(to)) => self.enter(steps, *to),
            Some(Step::Any | Step::Super) => {
                self.list.push(at);
                self.enter(steps, at + 1);
            }
            _ => self.list.push(at),
        }
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Up to the end, or within braces up to the next comma or brace, which is left standing.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, GlobFault> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            if depth > 0 && (c == ',' || c == '}') {
                break;
            }
            self.at += 1;
            match c {
                '*' if self.peek() == Some('*') => {
                    self.at += 1;
                    nodes.push(Node::Super);
                }
                '*' => nodes.push(Node::Any),
                '?' => nodes.push(Node::One),
                '[' => nodes.push(self.class()?),
                '{' => nodes.push(self.one_of(depth)?),
                // A lone escape at the end escapes nothing and is dropped.
                '\\' => nodes.extend(self.next().map(Node::Char)),
                _ => nodes.push(Node::Char(c)),
            }
        }
        Ok(nodes)
    }

    /// Braces that are never closed end with the pattern.
    fn one_of(&mut self, depth: usize) -> Result<Node, GlobFault> {
        let mut branches = vec![self.sequence(depth + 1)?];
        while self.next() == Some(',') {
            branches.push(self.sequence(depth + 1)?);
        }
        Ok(Node::OneOf(branches))
    }

    /// `[a-z]` is a range; anything else is a list, in which a later hyphen is a hyphen.
    fn class(&mut self) -> Result<Node, GlobFault> {
        let mut not = false;
        loop {
            let c = self.next().ok_or(GlobFault::UnclosedClass)?;
            if c == '!' && !not {
                not = true;
                continue;
            }
            if self.peek() == Some('-') {
                return self.range(not, c);
            }
            self.at -= 1;
            return self.list(not);
        }
    }

    fn range(&mut self, not: bool, low: char) -> Result<Node, GlobFault> {
        self.at += 1;
        let high = self.next().ok_or(GlobFault::UnclosedClass)?;
        match self.next() {
            Some(']') if low <= high => Ok(Node::Class { not, set: vec![(low, high)] }),
            Some(']') => Err(GlobFault::ReversedRange),
            _ => Err(GlobFault::UnclosedClass),
        }
    }

    fn list(&mut self, not: bool) -> Result<Node, GlobFault> {
        let mut set = Vec::new();
        loop {
            match self.next() {
                None => return Err(GlobFault::UnclosedClass),
                Some(']') if set.is_empty() => return Err(GlobFault::EmptyClass),
                Some(']') => return Ok(Node::Class { not, set }),
                Some('\\') => set.extend(self.next().map(|c| (c, c))),
                Some(c) => set.push((c, c)),
            }
        }
    }
}
