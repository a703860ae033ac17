//! Globs of names and paths: `*` is anything but `/`, `**` anything, `?` one character but `/`,
//! `{a,b}` either.
//!
//! The time is bounded by the product of both lengths; a hostile pattern is no more than slow.

/// Alternatives that a pattern is expanded to at most; the rest of a longer list matches nothing.
const ALTERNATIVES_MAX: usize = 64;

/// Whether a pattern matches the whole text.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '{']) {
        return pattern == text;
    }
    let mut alternatives = vec![pattern.to_owned()];
    let mut at = 0;
    while at < alternatives.len() && alternatives.len() <= ALTERNATIVES_MAX {
        match expand(&alternatives[at]) {
            Some(expanded) => {
                alternatives.splice(at..=at, expanded);
            }
            None => at += 1,
        }
    }
    alternatives.iter().any(|pattern| one(pattern.as_bytes(), text.as_bytes()))
}

/// The pattern with its first innermost braces replaced by each alternative.
fn expand(pattern: &str) -> Option<Vec<String>> {
    let close = pattern.find('}')?;
    let open = pattern[..close].rfind('{')?;
    let (before, inside, after) =
        (&pattern[..open], &pattern[open + 1..close], &pattern[close + 1..]);
    Some(inside.split(',').map(|choice| format!("{before}{choice}{after}")).collect())
}

fn one(pattern: &[u8], text: &[u8]) -> bool {
    // reachable[i]: the pattern so far matches the first i bytes of the text.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    let mut rest = pattern;
    while let Some(first) = rest.first() {
        let is_deep = rest.starts_with(b"**");
        if *first == b'*' {
            for i in 0..text.len() {
                if reachable[i] && (is_deep || text[i] != b'/') {
                    reachable[i + 1] = true;
                }
            }
        } else {
            for i in (0..text.len()).rev() {
                let fits = *first == text[i] || (*first == b'?' && text[i] != b'/');
                reachable[i + 1] = reachable[i] && fits;
            }
            reachable[0] = false;
        }
        rest = &rest[if is_deep { 2 } else { 1 }..];
    }
    reachable[text.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_texts() {
        let table = [
            ("payments-prod", "payments-prod", true),
            ("payments-*", "payments-prod", true),
            ("*-prod", "payments-prod", true),
            ("*-prod", "payments-prod-2", false),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("apps/**/x.yaml", "apps/a/b/x.yaml", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("{*.yml,*.yaml}", "a.yaml", true),
            ("{*.yml,*.yaml}", "a.json", false),
            ("{a,b{c,d}}", "bd", true),
            ("", "", true),
            ("", "a", false),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
