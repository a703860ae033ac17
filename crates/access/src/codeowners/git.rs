//! GitHub's dialect, which Bitbucket shares: gitignore's patterns without some of them.

use std::collections::HashMap;

use super::owner::is_email;
use super::pattern::{Atom, Matcher, Pattern, Segment, Tail};
use super::{Dialect, Draft, Owner, OwnerAt, ProblemKind, Rule, column_of};

/// Reads the lines of a file. A line with a fault is skipped, and the others count.
pub(super) fn read(draft: &mut Draft, dialect: Dialect, bytes: &[u8]) {
    for (number, whole) in draft.lines(bytes) {
        let line = whole.trim_matches([' ', '\t', '\r']);
        if !line.is_empty() && !line.starts_with('#') {
            read_rule(draft, dialect, number, whole, line);
        }
    }
    note_repeated(draft);
}

fn read_rule(draft: &mut Draft, dialect: Dialect, number: u32, whole: &str, line: &str) {
    let at = column_of(whole, line);
    let (pattern, rest) = split_pattern(line);
    if dialect == Dialect::Bitbucket && is_of_the_app(pattern) {
        let reading = "it belongs to an app of the marketplace, and the line is skipped";
        let kind = ProblemKind::NotSupported { what: "this line", reading };
        return draft.problem(number, at, kind);
    }
    let compiled = match compile(pattern) {
        Ok(compiled) => compiled,
        Err(why) => {
            let kind = ProblemKind::InvalidPattern { pattern: pattern.to_owned(), why };
            return draft.problem(number, at, kind);
        }
    };
    let Some(owners) = read_owners(draft, dialect, number, whole, rest) else { return };
    if pattern.contains(['[', ']']) {
        let kind = ProblemKind::NotSupported {
            what: "a range in [ ]",
            reading: "the brackets are read as they stand",
        };
        draft.problem(number, at, kind);
    }
    if compiled.matches_nothing() {
        let kind = ProblemKind::NotSupported { what: "a lone /", reading: "it matches nothing" };
        draft.problem(number, at, kind);
    }
    let required = u32::from(dialect == Dialect::GitHub && !owners.is_empty());
    let rule = Rule {
        place: draft.place(number, at),
        pattern: pattern.to_owned(),
        negated: false,
        owners,
        inherited_from: None,
        section: 0,
        required,
    };
    draft.rules.push((rule, Matcher::Glob(compiled)));
}

/// A pattern ends at the first space or tab that no backslash stands before.
fn split_pattern(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ' ' | '\t' => return line.split_at(at),
            _ => {}
        }
    }
    (line, "")
}

/// Groups, settings and merge checks of "Code Owners for Bitbucket".
fn is_of_the_app(pattern: &str) -> bool {
    pattern.starts_with("@@@")
        || pattern.starts_with("CODEOWNERS.")
        || pattern.starts_with("Check(")
}

/// The owners, up to a comment; `None` if one of them spoils the line.
fn read_owners(
    draft: &mut Draft,
    dialect: Dialect,
    number: u32,
    whole: &str,
    rest: &str,
) -> Option<Vec<OwnerAt>> {
    let mut owners = Vec::new();
    for word in rest.split([' ', '\t']).filter(|word| !word.is_empty()) {
        if word.starts_with('#') {
            break;
        }
        let column = column_of(whole, word);
        match (owner(dialect, word), dialect) {
            (Some(owner), _) => owners.push(OwnerAt::new(owner, column)),
            (None, Dialect::Bitbucket) => {
                draft.problem(number, column, ProblemKind::IgnoredOwner { owner: word.to_owned() });
            }
            (None, _) => {
                draft.problem(number, column, ProblemKind::InvalidOwner { owner: word.to_owned() });
                return None;
            }
        }
    }
    Some(owners)
}

fn owner(dialect: Dialect, word: &str) -> Option<Owner> {
    // Bitbucket can pick some of a group: `@workspace/group:random(2)`, `:least_busy(2)`.
    let word = match (dialect, word.split_once(':')) {
        (Dialect::Bitbucket, Some((name, _))) => name,
        _ => word,
    };
    let Some(name) = word.strip_prefix('@') else {
        return is_email(word).then(|| Owner::Email(word.to_owned()));
    };
    let plain = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let more = if dialect == Dialect::Bitbucket { "-_." } else { "-_" };
    match name.split_once('/') {
        None => plain(name, more).then(|| Owner::User(name.to_owned())),
        Some((organisation, team)) => (plain(organisation, more) && plain(team, more))
            .then(|| Owner::Team { organisation: organisation.to_owned(), team: team.to_owned() }),
    }
}

/// A gitignore pattern as these forges read it, or why it is none.
///
/// A pattern with a slash at its start or within it is one from the root; another one matches at
/// any depth. A last `*` of its own stops at direct children, which gitignore's does not.
fn compile(pattern: &str) -> Result<Pattern, String> {
    if pattern.starts_with('!') {
        return Err("! does not negate".to_owned());
    }
    if pattern.starts_with("\\#") {
        return Err("a # at the start cannot be escaped".to_owned());
    }
    if pattern.contains("***") {
        return Err("three asterisks in a row".to_owned());
    }
    let mut names = split_segments(pattern)?;
    let directory = names.len() > 1 && names.last().is_some_and(Vec::is_empty);
    if directory {
        names.pop();
    }
    let rooted = names.first().is_some_and(Vec::is_empty);
    if rooted {
        names.remove(0);
    }
    let mut segments = Vec::new();
    if !rooted && names.len() == 1 && !is_directories(&names[0]) {
        segments.push(Segment::Directories);
    }
    let Some(last) = names.pop() else {
        return Ok(Pattern { segments: vec![never()], tail: Tail::Exact });
    };
    for name in names {
        let any = is_directories(&name);
        segments.push(if any { Segment::Directories } else { Segment::of(name) });
    }
    let tail = match (is_directories(&last), directory) {
        (true, false) => Tail::Beneath,
        (true, true) => {
            segments.extend([Segment::Directories, Segment::Any]);
            Tail::Beneath
        }
        (false, directory) => {
            let alone = last == [Atom::Run];
            segments.push(Segment::of(last));
            match (directory, alone) {
                (true, _) => Tail::Beneath,
                (false, true) => Tail::Exact,
                (false, false) => Tail::SelfOrBeneath,
            }
        }
    };
    Ok(Pattern { segments, tail })
}

fn never() -> Segment {
    Segment::Glob(Box::new([Atom::Never]))
}

fn is_directories(name: &[Atom]) -> bool {
    name == [Atom::Run, Atom::Run]
}

impl Pattern {
    fn matches_nothing(&self) -> bool {
        self.segments == [never()]
    }
}

fn split_segments(pattern: &str) -> Result<Vec<Vec<Atom>>, String> {
    let mut names = vec![Vec::new()];
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let atom = match c {
            '/' => {
                names.push(Vec::new());
                continue;
            }
            '*' => Atom::Run,
            '?' => Atom::One,
            '\\' => Atom::Char(chars.next().ok_or("a backslash at the end")?),
            c => Atom::Char(c),
        };
        if let Some(name) = names.last_mut() {
            name.push(atom);
        }
    }
    Ok(names)
}

/// Notes rules whose pattern stands again further down: only the last one's owners count.
fn note_repeated(draft: &mut Draft) {
    let mut later: HashMap<&str, u32> = HashMap::new();
    let mut repeated = Vec::new();
    for (rule, _) in draft.rules.iter().rev() {
        match later.get(rule.pattern.as_str()) {
            Some(line) => repeated.push((rule.place.clone(), *line)),
            None => {
                later.insert(&rule.pattern, rule.place.line);
            }
        }
    }
    for (place, line) in repeated {
        draft.problems.push(super::Problem { place, kind: ProblemKind::Repeated { line } });
    }
}
