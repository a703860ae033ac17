//! Gitea's dialect, which Forgejo shares: Go's regular expressions, and every rule counts.
//!
//! Follows `models/issues/pull.go` (`GetCodeOwnersFromContent`): one level of backslashes goes when
//! a line is cut into words, and the expression is put between `^` and `$` as it is, so `a|b` is
//! *begins with a, or ends with b*.

use regex::bytes::RegexBuilder;

use super::pattern::Matcher;
use super::{Draft, Owner, OwnerAt, ProblemKind, Rule, goregexp};

/// Memory that one expression may take when it is compiled.
const COMPILED_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A word of a line, without its backslashes.
struct Word {
    text: String,
    column: usize,
}

/// Reads the lines of a file. A line that cannot be read is skipped.
pub(super) fn read(draft: &mut Draft, bytes: &[u8]) {
    for (number, line) in draft.lines(bytes) {
        let words = words(line);
        if let [pattern, owners @ ..] = &words[..] {
            read_rule(draft, number, pattern, owners);
        }
    }
}

fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word { text: String::new(), column: 1 };
    let mut escaped = false;
    let end = line.trim_end().len();
    for (at, (offset, c)) in line.char_indices().enumerate() {
        let c = if c == '\t' { ' ' } else { c };
        if offset >= end || (c == '#' && !escaped) {
            break;
        }
        if word.text.is_empty() && !escaped {
            word.column = at + 1;
        }
        match c {
            _ if escaped => {
                word.text.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            ' ' if !word.text.is_empty() => {
                words.push(std::mem::replace(&mut word, Word { text: String::new(), column: at }));
            }
            c if word.text.is_empty() && words.is_empty() && c.is_whitespace() => {}
            ' ' => {}
            c => word.text.push(c),
        }
    }
    if !word.text.is_empty() {
        words.push(word);
    }
    words
}

fn read_rule(draft: &mut Draft, number: u32, pattern: &Word, words: &[Word]) {
    if words.is_empty() {
        let reading = "the line is skipped";
        return draft.problem(number, pattern.column, ProblemKind::NoOwners { reading });
    }
    let (negated, expression) = match pattern.text.strip_prefix('!') {
        Some(expression) => (true, expression),
        None => (false, pattern.text.as_str()),
    };
    let matcher = match compile(expression) {
        Ok(regex) if negated => Matcher::NotRegex(regex),
        Ok(regex) => Matcher::Regex { regex, names: names(expression) },
        Err(why) => {
            let kind = ProblemKind::InvalidPattern { pattern: expression.to_owned(), why };
            return draft.problem(number, pattern.column, kind);
        }
    };
    let mut owners = Vec::new();
    for word in words {
        if let Some(owner) = owner(&word.text) {
            owners.push(OwnerAt::new(owner, word.column));
        } else {
            let kind = ProblemKind::IgnoredOwner { owner: word.text.clone() };
            draft.problem(number, word.column, kind);
        }
    }
    if owners.is_empty() {
        let reading = "the line is skipped";
        return draft.problem(number, pattern.column, ProblemKind::NoOwners { reading });
    }
    let rule = Rule {
        place: draft.place(number, pattern.column),
        pattern: expression.to_owned(),
        negated,
        owners,
        inherited_from: None,
        section: 0,
        required: 0,
    };
    draft.rules.push((rule, matcher));
}

fn compile(expression: &str) -> Result<Box<regex::bytes::Regex>, String> {
    let translated = goregexp::translate(&format!("^{expression}$"))?;
    let built = RegexBuilder::new(&translated).size_limit(COMPILED_BYTES_MAX).build();
    built.map(Box::new).map_err(|error| match error {
        regex::Error::CompiledTooBig(bytes) => format!("it takes more than {bytes} bytes"),
        _ => "no regular expression of Go".to_owned(),
    })
}

/// The plain names that every match begins with, so that thousands of rules need not be tried. None
/// where an alternative or a group with `?`, which may be a flag, could make the beginning another.
fn names(expression: &str) -> Vec<Box<str>> {
    if expression.contains('|') || expression.contains("(?") {
        return Vec::new();
    }
    let plain = |c: char| c.is_alphanumeric() || "/_-".contains(c);
    let end = expression.find(|c| !plain(c)).unwrap_or(expression.len());
    // What stands behind the last slash is not whole, or a count makes less of it.
    let slash = expression[..end].rfind('/');
    let counted = slash.is_some_and(|at| expression[at + 1..].starts_with(['*', '?', '{']));
    match (slash, counted) {
        (Some(at), false) => expression[..at].split('/').map(Into::into).collect(),
        (Some(at), true) => {
            let before = expression[..at].rfind('/').map_or("", |end| &expression[..end]);
            before.split('/').filter(|name| !name.is_empty()).map(Into::into).collect()
        }
        (None, _) => Vec::new(),
    }
}

/// An account, with or without `@`, or `organisation/team`.
fn owner(word: &str) -> Option<Owner> {
    let name = word.strip_prefix('@').unwrap_or(word);
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    match name.split_once('/') {
        None => plain(name).then(|| Owner::User(name.to_owned())),
        Some((organisation, team)) => {
            let one = plain(organisation) && !team.is_empty() && !team.contains('/');
            let (organisation, team) = (organisation.to_owned(), team.to_owned());
            one.then_some(Owner::Team { organisation, team })
        }
    }
}
