//! Which rules match a path, without trying every rule.
//!
//! A monorepo has thousands of rules such as `/envs/prod/shop/`. Rules are kept in a tree by the
//! plain names that they begin with, so that a path meets only those whose names it has.

use std::collections::HashMap;

use super::pattern::{Matcher, Segment};

/// Rules, found by the names in a path.
#[derive(Debug, Default)]
pub(super) struct Index {
    matchers: Vec<Matcher>,
    /// Patterns from the root.
    anchored: Names,
    /// Patterns that begin with `**/`, from any directory.
    floating: Names,
}

/// A tree of names.
#[derive(Debug, Default)]
struct Names {
    rules: Vec<usize>,
    below: HashMap<Box<str>, Names>,
}

/// Rules that match a path, the last one first.
pub(super) struct Matching<'a> {
    index: &'a Index,
    path: String,
    /// In rising order: taken from the end.
    candidates: Vec<usize>,
}

impl Index {
    pub(super) fn new(matchers: Vec<Matcher>) -> Self {
        let mut index = Self::default();
        for (rule, matcher) in matchers.iter().enumerate() {
            index.insert(rule, matcher);
        }
        index.matchers = matchers;
        index
    }

    fn insert(&mut self, rule: usize, matcher: &Matcher) {
        let pattern = match matcher {
            Matcher::Glob(pattern) => pattern,
            Matcher::Regex { names, .. } => {
                let names = names.iter().cloned();
                let node = names.fold(&mut self.anchored, Names::below);
                return node.rules.push(rule);
            }
            Matcher::NotRegex(_) => return self.anchored.rules.push(rule),
        };
        let (names, segments) = match pattern.segments.split_first() {
            Some((Segment::Directories, rest)) => (&mut self.floating, rest),
            _ => (&mut self.anchored, &pattern.segments[..]),
        };
        let mut node = names;
        for segment in segments {
            let Segment::Literal(name) = segment else { break };
            node = node.below(name.clone());
        }
        node.rules.push(rule);
    }

    /// The rules that match `path`, the last one first.
    pub(super) fn matching(&self, path: &str) -> Matching<'_> {
        let segments: Vec<&str> = path.split('/').collect();
        let mut candidates = Vec::new();
        self.anchored.collect(&segments, &mut candidates);
        candidates.extend(&self.floating.rules);
        for from in 0..segments.len() {
            if let Some(below) = self.floating.below.get(segments[from]) {
                below.collect(&segments[from + 1..], &mut candidates);
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        Matching { index: self, path: path.to_owned(), candidates }
    }
}

impl Names {
    fn below(&mut self, name: Box<str>) -> &mut Self {
        self.below.entry(name).or_default()
    }

    fn collect(&self, segments: &[&str], into: &mut Vec<usize>) {
        into.extend(&self.rules);
        if let Some((first, rest)) = segments.split_first()
            && let Some(below) = self.below.get(*first)
        {
            below.collect(rest, into);
        }
    }
}

impl Iterator for Matching<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let segments: Vec<&str> = self.path.split('/').collect();
        while let Some(rule) = self.candidates.pop() {
            if self.index.matchers[rule].matches(&self.path, &segments) {
                return Some(rule);
            }
        }
        None
    }
}
