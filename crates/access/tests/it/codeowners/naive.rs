//! Against a slow reader: every rule tried on every path, by recursion over characters.

use access::codeowners::{CodeOwners, Dialect, Ownership, Standing};
use proptest::prelude::*;

/// gitignore's patterns as GitHub documents them, straight from the sentences.
fn github(pattern: &str, path: &str) -> bool {
    let inner = pattern.trim_end_matches('/').trim_start_matches('/');
    let anchored = pattern.starts_with('/') || inner.contains('/');
    let starts: Vec<&str> = if anchored {
        vec![path]
    } else {
        let later = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        std::iter::once(path).chain(later).collect()
    };
    let mut body = inner.to_owned();
    let direct = body == "*" || body.ends_with("/*");
    if pattern.ends_with('/') {
        body.push_str("/**");
    }
    starts.into_iter().any(|start| {
        let beneath = start.match_indices('/').map(|(at, _)| &start[..at]);
        wild(&body, start)
            || !direct && !pattern.ends_with('/') && beneath.into_iter().any(|dir| wild(&body, dir))
    })
}

/// `**/` is any directories, a last `/**` everything beneath, `*` and `?` stay within a segment.
fn wild(pattern: &str, text: &str) -> bool {
    if pattern.is_empty() {
        return text.is_empty();
    }
    if pattern == "**" {
        return !text.is_empty();
    }
    if let Some(rest) = pattern.strip_prefix("**/") {
        let later = text.match_indices('/').map(|(at, _)| &text[at + 1..]);
        return std::iter::once(text).chain(later).any(|from| wild(rest, from));
    }
    let (c, rest) = pattern.split_at(pattern.chars().next().map_or(0, char::len_utf8));
    let tail = |n: usize| text.char_indices().nth(n).map_or("", |(at, _)| &text[at..]);
    let first = text.chars().next();
    match c {
        "*" => {
            let run = text.find('/').unwrap_or(text.len());
            // A segment that is a lone asterisk has at least one character to match.
            (0..=run).any(|n| text.is_char_boundary(n) && wild_in(rest, &text[n..]))
        }
        "?" => first.is_some_and(|f| f != '/') && wild_in(rest, tail(1)),
        c => text
            .strip_prefix(c)
            .is_some_and(|left| if c == "/" { wild(rest, left) } else { wild_in(rest, left) }),
    }
}

/// Within a segment, two asterisks are one.
fn wild_in(pattern: &str, text: &str) -> bool {
    match pattern.strip_prefix("**") {
        Some(rest) => wild_in(&format!("*{rest}"), text),
        None => wild(pattern, text),
    }
}

/// `normalize_pattern` and `File.fnmatch`, where `**/` alone crosses directories.
fn gitlab(pattern: &str, path: &str) -> bool {
    ruby(&in_full(pattern)[1..], path)
}

fn in_full(pattern: &str) -> String {
    let start = if pattern.starts_with('/') { "" } else { "/**/" };
    let end = if pattern.ends_with('/') { "**/*" } else { "" };
    format!("{start}{pattern}{end}")
}

fn ruby(pattern: &str, text: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**/") {
        let later = text.match_indices('/').map(|(at, _)| &text[at + 1..]);
        return std::iter::once(text).chain(later).any(|from| ruby(rest, from));
    }
    let (segment, rest) = pattern.split_once('/').map_or((pattern, None), |(s, r)| (s, Some(r)));
    let (name, left) = text.split_once('/').map_or((text, None), |(n, l)| (n, Some(l)));
    wild_in(&segment.replace("**", "*"), name)
        && match (rest, left) {
            (Some(rest), Some(left)) => ruby(rest, left),
            (None, None) => true,
            _ => false,
        }
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab]{1,2}".prop_map(String::from),
        1 => Just("*".to_owned()),
        1 => Just("**".to_owned()),
        1 => "[ab]?[*?][ab]?".prop_map(String::from),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(segment(), 1..4);
    (any::<bool>(), segments, any::<bool>()).prop_map(|(rooted, segments, directory)| {
        let (start, end) = (if rooted { "/" } else { "" }, if directory { "/" } else { "" });
        format!("{start}{}{end}", segments.join("/"))
    })
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]{1,2}", 1..5).prop_map(|names| names.join("/"))
}

/// Forms whose meaning the documentation leaves open: `**/` before the end.
fn is_open(pattern: &str) -> bool {
    pattern.ends_with("**/")
}

proptest! {
    #[test]
    fn github_agrees(patterns in prop::collection::vec(pattern(), 1..8), path in path()) {
        let patterns: Vec<String> = patterns.into_iter().filter(|p| !is_open(p)).collect();
        let file: String = patterns.iter().map(|p| format!("{p} @o\n")).collect();
        let owners = CodeOwners::parse("CODEOWNERS", Dialect::GitHub, file.as_bytes());
        let slow = patterns.iter().rposition(|p| github(p, &path)).map(|at| at + 1);
        let fast = owners.owners_of(&path).parts().next().map(|p| p.rule.place.line as usize);
        prop_assert_eq!(fast, slow, "{} on {}", file, path);
    }

    #[test]
    fn gitlab_agrees(patterns in prop::collection::vec((any::<bool>(), pattern()), 1..8), path in path()) {
        // Two spellings of one pattern are one rule: `**/` and `/**/**/`.
        let mut seen = std::collections::BTreeSet::new();
        prop_assume!(patterns.iter().all(|(_, p)| seen.insert(in_full(p))));
        let line = |(out, p): &(bool, String)| if *out { format!("!{p}\n") } else { format!("{p} @o\n") };
        let file: String = patterns.iter().map(line).collect();
        let owners = CodeOwners::parse("CODEOWNERS", Dialect::GitLab, file.as_bytes());
        let hits: Vec<usize> = (0..patterns.len()).filter(|at| gitlab(&patterns[*at].1, &path)).collect();
        let out = hits.iter().any(|at| patterns[*at].0);
        match (owners.owners_of(&path), hits.last()) {
            (Ownership::Unmatched, last) => prop_assert_eq!(last, None, "{} on {}", file, path),
            (said, Some(last)) => {
                let part = *said.parts().next().unwrap();
                prop_assert_eq!(part.standing == Standing::Excluded, out, "{} on {}", &file, &path);
                prop_assert!(out || part.rule.place.line as usize == last + 1, "{} on {}", file, path);
            }
            (_, None) => prop_assert!(false, "{} on {}", file, path),
        }
    }

    /// A group of nothing means nothing, but keeps the reader from looking at how a rule begins.
    #[test]
    fn gitea_agrees_with_itself(rules in prop::collection::vec("[ab/]{0,4}([.*?{2}|(^$)]|[ab/]){0,4}", 1..8), path in path()) {
        // Alone on its line, an owner would be the pattern; and a count on nothing is an error.
        let reads = |rule: &String| !rule.is_empty() && !rule.starts_with(['*', '?', '{', '^']);
        let rules: Vec<String> = rules.into_iter().filter(reads).collect();
        let file = |start: &str| rules.iter().map(|rule| format!("{start}{rule} @o\n")).collect::<String>();
        let lines = |text: String| -> Vec<u32> {
            let owners = CodeOwners::parse("CODEOWNERS", Dialect::Gitea, text.as_bytes());
            owners.owners_of(&path).parts().map(|part| part.rule.place.line).collect()
        };
        prop_assert_eq!(lines(file("")), lines(file("(?:)")), "{}", file(""));
    }

    #[test]
    fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..200), path in "[ -~]{0,20}") {
        for dialect in Dialect::ALL {
            let owners = CodeOwners::parse("CODEOWNERS", dialect, &bytes);
            let _ = owners.owners_of(&path);
        }
    }

    #[test]
    fn no_text_brings_it_down(text in r"([\[\]^!*?/\\#@ab.{}()|+$2,: \n-]|\\[a-zQ0-9]){0,60}", path in "[a-b/]{0,9}") {
        for dialect in Dialect::ALL {
            let owners = CodeOwners::parse("CODEOWNERS", dialect, text.as_bytes());
            let _ = owners.owners_of(&path);
        }
    }
}
