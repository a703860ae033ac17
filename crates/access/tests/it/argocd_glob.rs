//! Globs: the table of what fits, and every pattern against a naive matcher.

use access::argocd::glob::{Glob, GlobFault};
use proptest::prelude::*;

#[test]
fn patterns_fit_as_in_argo_cd() {
    let table = [
        ("*", "", true),
        ("*", "a/b/c", true),
        ("**", "a/b", true),
        ("*/*", "prod/app", true),
        ("*/*", "prod/ns/app", true),
        ("*/*", "prod", false),
        ("prod/*", "prod/", true),
        ("prod/*", "prod-eu/app", false),
        ("prod", "production", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "a/c", true),
        ("[abc]x", "bx", true),
        ("[!abc]x", "bx", false),
        ("[!abc]x", "dx", true),
        ("[a-c]x", "cx", true),
        ("[!a-c]x", "cx", false),
        ("[abc-z]", "-", true),
        ("[abc-z]", "d", false),
        ("{dev,staging}/*", "staging/app", true),
        ("{dev,staging}/*", "prod/app", false),
        ("{a,b{c,d}}", "bd", true),
        ("{a,}x", "x", true),
        ("{a,b", "b", true),
        ("a,b", "a,b", true),
        ("a}b", "a}b", true),
        (r"\*", "*", true),
        (r"\*", "x", false),
        ("action/*", "action/apps/Deployment/restart", true),
        ("update/*/Pod/*", "update//Pod/ns/name", true),
        ("", "", true),
        ("", "x", false),
        ("ü*", "über", true),
    ];
    for (pattern, text, expected) in table {
        let glob = Glob::new(pattern).unwrap();
        assert_eq!(glob.matches(text), expected, "{pattern:?} on {text:?}");
    }
}

#[test]
fn separators_stop_one_star_and_not_two() {
    let table = [
        ("https://git/*", "https://git/a", true),
        ("https://git/*", "https://git/a/b", false),
        ("https://git/**", "https://git/a/b", true),
        ("a?b", "a/b", false),
    ];
    for (pattern, text, expected) in table {
        let glob = Glob::with_separators(pattern, &['/']).unwrap();
        assert_eq!(glob.matches(text), expected, "{pattern:?} on {text:?}");
    }
}

#[test]
fn what_is_no_pattern_says_why() {
    let table = [
        ("[ab", GlobFault::UnclosedClass),
        ("[", GlobFault::UnclosedClass),
        ("[]", GlobFault::EmptyClass),
        ("[!]", GlobFault::EmptyClass),
        ("[z-a]", GlobFault::ReversedRange),
        ("[a-", GlobFault::UnclosedClass),
    ];
    for (pattern, fault) in table {
        assert_eq!(Glob::new(pattern).err(), Some(fault), "{pattern:?}");
    }
}

/// Stars and question marks by trying every split.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            naive(&pattern[1..], text) || (!text.is_empty() && naive(pattern, &text[1..]))
        }
        (Some('?'), Some(_)) => naive(&pattern[1..], &text[1..]),
        (Some(want), Some(c)) => want == c && naive(&pattern[1..], &text[1..]),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_glob_is_its_naive_reading(pattern in "[ab/*?]{0,8}", text in "[ab/]{0,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let glob = Glob::new(&pattern).unwrap();
        prop_assert_eq!(glob.matches(&text), naive(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn no_pattern_crashes(pattern in "[ab*?{},!\\\\\\[\\]-]{0,12}", text in "[ab,]{0,6}") {
        if let Ok(glob) = Glob::new(&pattern) {
            glob.matches(&text);
        }
    }
}
