//! GitLab's dialect: sections, defaults, counts and exclusions, with the patterns of Ruby's
//! `File.fnmatch` under `FNM_DOTMATCH | FNM_PATHNAME`.
//!
//! Follows `ee/lib/gitlab/code_owners/{file,section_parser,reference_extractor}.rb` of GitLab 17.11
//! and later, line by line, where the documentation says less.

use std::collections::HashMap;

use super::pattern::{Atom, Matcher, Pattern, Segment, Tail};
use super::{Draft, Owner, OwnerAt, ProblemKind, Role, Rule, Section, column_of};

/// The name of the section of rules before any header (`Section::DEFAULT`).
const DEFAULT: &str = "codeowners";

/// A section's header, as far as it counts.
struct Header {
    section: usize,
    line: u32,
    optional: bool,
    approvals: u32,
    owners: Vec<OwnerAt>,
}

/// Reads the lines of a file.
pub(super) fn read(draft: &mut Draft, bytes: &[u8]) {
    if bytes.contains(&0) {
        return draft.problem(1, 1, ProblemKind::Binary);
    }
    let none = Header { section: 0, line: 0, optional: false, approvals: 0, owners: Vec::new() };
    let mut reader = Reader { draft, header: none, by_key: HashMap::new(), optional: Vec::new() };
    for (number, whole) in reader.draft.lines(bytes) {
        let line = whole.trim_matches(is_space);
        if !line.trim().is_empty() && !line.starts_with('#') {
            reader.line(number, whole, line);
        }
    }
    reader.finish();
}

struct Reader<'d> {
    draft: &'d mut Draft,
    header: Header,
    /// Rules by section and pattern in full: a later one takes the earlier one's seat.
    by_key: HashMap<(usize, String), usize>,
    /// By rule: whether its header was optional, and the approvals it asked for.
    optional: Vec<(bool, u32)>,
}

/// Ruby's `\s`.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// Ruby's `\w`.
const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Reader<'_> {
    fn line(&mut self, number: u32, whole: &str, line: &str) {
        if line.strip_prefix('^').unwrap_or(line).starts_with('[') {
            if !self.read_header(number, whole, line) {
                let column = column_of(whole, line);
                self.draft.problem(number, column, ProblemKind::BadHeader);
            }
        } else {
            self.rule(number, whole, line);
        }
    }

    /// Reads `^[Name][2] @owner`; false if it is no header after all.
    fn read_header(&mut self, number: u32, whole: &str, line: &str) -> bool {
        let (optional, text) = match line.strip_prefix('^') {
            Some(text) => (true, text),
            None => (false, line),
        };
        let Some((name, rest)) = text[1..].split_once(']') else { return false };
        let counted = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
        let counted = counted.filter(|(n, _)| n.chars().all(|c| is_space(c) || c.is_ascii_digit()));
        let (count, rest) = counted.map_or((None, rest), |(count, rest)| (Some(count), rest));
        let end = rest.find(|c| !(is_word(c) || is_space(c) || "@.-/".contains(c)));
        let (owners, left) = rest.split_at(end.unwrap_or(rest.len()));
        let section = self.section(name, number);
        let approvals = count.map_or(0, first_number);
        let odd = odd_header(name, optional, count, owners, left);
        let owners = self.owners(number, whole, owners);
        if let Some((what, reading)) = odd {
            let kind = ProblemKind::OddHeader { what, reading };
            self.draft.problem(number, column_of(whole, line), kind);
        }
        self.header = Header { section, line: number, optional, approvals, owners };
        true
    }

    /// `find_section_name`: while there is only the unnamed section, names are compared exactly.
    fn section(&mut self, name: &str, line: u32) -> usize {
        let sections = &mut self.draft.sections;
        let known = |s: &Section| s.name.as_deref().unwrap_or(DEFAULT).to_lowercase();
        let found = if sections.len() == 1 {
            (name == DEFAULT).then_some(0)
        } else {
            sections.iter().position(|section| known(section) == name.to_lowercase())
        };
        let index = found.unwrap_or(sections.len());
        if found.is_none() {
            let name = Some(name.to_owned());
            sections.push(Section { name, lines: Vec::new(), optional: false });
        }
        sections[index].lines.push(line);
        index
    }

    fn rule(&mut self, number: u32, whole: &str, line: &str) {
        let at = column_of(whole, line);
        let (written, rest) = split_pattern(line);
        let negated = written.starts_with('!');
        let pattern = if negated { &written[1..] } else { written };
        let own = if negated { Vec::new() } else { self.owners(number, whole, rest) };
        // Owners of which none can be read are owners still: they are not replaced by the header's.
        let inherits = rest.is_empty() && !negated && !self.header.owners.is_empty();
        let owners = if inherits { self.header.owners.clone() } else { own };
        self.note_empty(number, at, negated, pattern, owners.is_empty());
        let rule = Rule {
            place: self.draft.place(number, at),
            pattern: pattern.to_owned(),
            negated,
            owners,
            inherited_from: inherits.then_some(self.header.line),
            section: self.header.section,
            required: 0,
        };
        self.seat(rule);
    }

    fn note_empty(&mut self, number: u32, at: usize, negated: bool, pattern: &str, none: bool) {
        if negated && pattern.is_empty() {
            let reading = "it takes every path out of the section";
            let kind = ProblemKind::NotSupported { what: "a lone !", reading };
            self.draft.problem(number, at, kind);
        } else if !negated && none {
            let reading = "it can never be satisfied, so the forge approves it by itself";
            self.draft.problem(number, at, ProblemKind::NoOwners { reading });
        }
    }

    /// Gives a rule its place in the order. Rules are kept by pattern: one with the same pattern
    /// takes the seat of the earlier one, exclusions included.
    fn seat(&mut self, rule: Rule) {
        let key = normalised(&rule.pattern);
        let matcher = Matcher::Glob(compile(&key));
        let header = (self.header.optional, self.header.approvals);
        let line = rule.place.line;
        if let Some(seat) = self.by_key.get(&(rule.section, key.clone())) {
            let earlier = self.draft.rules[*seat].0.place.clone();
            let kind = ProblemKind::Repeated { line };
            self.draft.problems.push(super::Problem { place: earlier, kind });
            self.draft.rules[*seat] = (rule, matcher);
            self.optional[*seat] = header;
        } else {
            self.by_key.insert((rule.section, key), self.draft.rules.len());
            self.draft.rules.push((rule, matcher));
            self.optional.push(header);
        }
    }

    /// The accounts, groups, roles and addresses in a text; anything else in it is ignored, and so
    /// is a `#`.
    fn owners(&mut self, number: u32, whole: &str, text: &str) -> Vec<OwnerAt> {
        let mut owners = Vec::new();
        let mut comment = false;
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            let column = column_of(whole, word);
            if word.starts_with('#') && !comment {
                comment = true;
                self.draft.problem(number, column, ProblemKind::CommentAfterRule);
            }
            let before = owners.len();
            owners.extend(references(word).map(|(owner, at)| OwnerAt::new(owner, column + at)));
            if owners.len() == before && !comment {
                let kind = ProblemKind::IgnoredOwner { owner: word.to_owned() };
                self.draft.problem(number, column, kind);
            }
        }
        owners
    }

    /// A section is optional if all its rules stand under an optional header
    /// (`optional_section?`).
    fn finish(self) {
        for (index, section) in self.draft.sections.iter_mut().enumerate() {
            let rules = self.draft.rules.iter().zip(&self.optional);
            let mut own = rules.filter(|((rule, _), _)| rule.section == index).peekable();
            section.optional = own.peek().is_some() && own.all(|(_, (optional, _))| *optional);
        }
        for ((rule, _), (_, approvals)) in self.draft.rules.iter_mut().zip(&self.optional) {
            let asked = !rule.owners.is_empty() && !self.draft.sections[rule.section].optional;
            rule.required = if asked { (*approvals).max(1) } else { 0 };
        }
    }
}

/// What GitLab itself reports of a header that it reads all the same.
fn odd_header(
    name: &str,
    optional: bool,
    count: Option<&str>,
    owners: &str,
    left: &str,
) -> Option<(&'static str, &'static str)> {
    let number = |text: &str| {
        let digits = text.trim_matches(is_space);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    };
    if name.trim().is_empty() {
        return Some(("no name", "the section has an empty name"));
    }
    match count {
        Some(count) if !number(count) => {
            return Some(("a bad count", "it counts as 1 or as its first number"));
        }
        Some(count) if optional && first_number(count) > 0 => {
            return Some(("a count", "the section is optional, and the count has no effect"));
        }
        _ => {}
    }
    let spaced = count.is_some_and(|count| count.contains(is_space));
    let tight = !owners.is_empty() && !owners.starts_with(is_space);
    if !left.is_empty() || spaced || tight {
        return Some(("more than it can hold", "what does not fit is ignored"));
    }
    None
}

/// Ruby's `to_i`: the number at the start, or 0.
fn first_number(text: &str) -> u32 {
    let digits = text.trim_start_matches(is_space);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(if end == 0 { 0 } else { u32::MAX })
}

/// `line.partition(/(?<!\\)\s+/)`: up to the first space that no backslash stands before.
fn split_pattern(line: &str) -> (&str, &str) {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if at > 0 && is_space(c) && before != '\\' {
            return (&line[..at], line[at..].trim_start_matches(is_space));
        }
        before = c;
    }
    (line, "")
}

/// What a word refers to, each with its offset in characters: an address, or every `@name` in it.
fn references(word: &str) -> impl Iterator<Item = (Owner, usize)> {
    let chars: Vec<char> = word.chars().collect();
    let mut found = Vec::new();
    let first = chars.iter().position(|c| *c == '@');
    let address = first.is_some_and(|at| at > 0 && is_word(chars[at - 1]))
        && chars.iter().filter(|c| **c == '@').count() == 1
        && chars.last().is_some_and(|c| is_word(*c));
    if address {
        found.push((Owner::Email(word.to_owned()), 0));
        return found.into_iter();
    }
    let mut at = 0;
    while at < chars.len() {
        let free = at == 0 || !(is_word(chars[at - 1]) || chars[at - 1] == '@');
        if chars[at] != '@' || !free {
            at += 1;
            continue;
        }
        let role = chars.get(at + 1) == Some(&'@');
        let start = at + 1 + usize::from(role);
        let name = name_at(&chars[start..]);
        let owner = if role { Role::parse(&name).map(Owner::Role) } else { named(&name) };
        at = start.max(start + name.chars().count());
        found.extend(owner.map(|owner| (owner, start - 1 - usize::from(role))));
    }
    found.into_iter()
}

/// A path of a namespace: letters, digits, `_`, `.`, `-`, and `/` between segments.
fn name_at(chars: &[char]) -> String {
    let part = |c: &&char| is_word(**c) || "-./".contains(**c);
    let name: String = chars.iter().take_while(part).collect();
    name.trim_end_matches(['.', '/']).to_owned()
}

fn named(name: &str) -> Option<Owner> {
    if name.is_empty() || name.starts_with(['-', '/']) {
        return None;
    }
    let name = name.to_owned();
    Some(if name.contains('/') { Owner::Group(name) } else { Owner::UserOrGroup(name) })
}

/// `normalize_pattern`: the pattern in full, from the root.
fn normalised(pattern: &str) -> String {
    if pattern == "*" {
        return "/**/*".to_owned();
    }
    let pattern = match pattern.strip_prefix("\\#") {
        Some(rest) => format!("#{rest}"),
        None => pattern.to_owned(),
    };
    let mut full = if pattern.starts_with('/') { String::new() } else { "/**/".to_owned() };
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(|next| is_space(*next)) {
            while chars.next_if(|next| is_space(*next)).is_some() {}
            full.push(' ');
        } else {
            full.push(c);
        }
    }
    if full.ends_with('/') {
        full.push_str("**/*");
    }
    full
}

/// Ruby's `File.fnmatch`: `**/` at the start of a segment is any number of directories; `**`
/// elsewhere is `*`; a bracket that does not close matches nothing.
fn compile(full: &str) -> Pattern {
    let chars: Vec<char> = full.chars().collect();
    let mut segments = Vec::new();
    let mut at = 1;
    loop {
        if chars[at..].starts_with(&['*', '*', '/']) {
            if segments.last() != Some(&Segment::Directories) {
                segments.push(Segment::Directories);
            }
            at += 3;
            continue;
        }
        let (atoms, end) = segment(&chars, at);
        segments.push(Segment::of(atoms));
        if end >= chars.len() {
            return Pattern { segments, tail: Tail::Exact };
        }
        at = end + 1;
    }
}

/// The atoms of a segment, and where its slash stands.
fn segment(chars: &[char], from: usize) -> (Vec<Atom>, usize) {
    let (mut atoms, mut at) = (Vec::new(), from);
    while let Some(c) = chars.get(at) {
        at += 1;
        match c {
            '/' => return (atoms, at - 1),
            '*' => atoms.push(Atom::Run),
            '?' => atoms.push(Atom::One),
            '[' => match class(chars, at) {
                Some((class, end)) => {
                    atoms.push(class);
                    at = end;
                }
                None => atoms.push(Atom::Never),
            },
            '\\' if chars.get(at).is_some_and(|next| *next != '/') => {
                atoms.push(Atom::Char(chars[at]));
                at += 1;
            }
            // Before a slash it is a slash; at the end it stands for itself.
            '\\' if at < chars.len() => {}
            c => atoms.push(Atom::Char(*c)),
        }
    }
    (atoms, at)
}

/// A bracket expression from behind its `[`, and what follows it (`bracket` in Ruby's `dir.c`). An
/// empty one matches nothing, and an empty `[!]` anything.
fn class(chars: &[char], from: usize) -> Option<(Atom, usize)> {
    let mut at = from;
    let negated = matches!(chars.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        if *chars.get(at)? == ']' {
            return Some((Atom::Class { negated, ranges }, at + 1));
        }
        let low = bracketed(chars, &mut at)?;
        let range = chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|c| *c != ']');
        let high = if range {
            at += 1;
            bracketed(chars, &mut at)?
        } else {
            low
        };
        // Both ends match even where the range is the wrong way round.
        ranges.extend([(low, high), (low, low), (high, high)]);
    }
}

fn bracketed(chars: &[char], at: &mut usize) -> Option<char> {
    if chars.get(*at) == Some(&'\\') {
        *at += 1;
    }
    let c = *chars.get(*at)?;
    *at += 1;
    Some(c)
}
