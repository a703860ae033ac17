//! Rust sources as text: enough of the grammar to count and to find, no more.

mod function;
mod mask;
mod test_code;

pub(crate) use function::functions;
pub(crate) use mask::mask;
pub(crate) use test_code::{is_test_file, test_code};

/// Every place of `word` in `code` that is not part of a longer identifier.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !(before.is_some_and(is_word) || word.ends_with(is_word) && after.is_some_and(is_word))
    })
}

/// Whether a character may stand inside an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The line, from 1, that byte `at` is on.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The position after the bracket that closes the one at `open`, or the end of the code.
pub(crate) fn after_closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Where the body or the end of the item that `from` stands in is: the first `{` or `;` that no
/// parenthesis or bracket encloses.
pub(crate) fn body_or_end(code: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while at < code.len() {
        match code.as_bytes()[at] {
            b'(' | b'[' => at = after_closing(code, at),
            b'{' | b';' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        let code = "fn fnord() { a_fn(fn_a); fn }";
        assert_eq!(words(code, "fn").collect::<Vec<_>>(), [0, 25]);
        assert_eq!(words("sleep(1); oversleep(2)", "sleep(").collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn brackets_close_by_depth() {
        assert_eq!(after_closing("a{b(c){d}}e", 1), 10);
        assert_eq!(after_closing("a{b", 1), 3);
    }

    #[test]
    fn a_body_is_not_a_brace_in_a_type() {
        assert_eq!(body_or_end("f() -> [u8; { N }] { }", 0), Some(19));
        assert_eq!(body_or_end("f(a: [u8; 3]);", 0), Some(13));
        assert_eq!(body_or_end("f()", 0), None);
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_of("a\nb\nc", 0), 1);
        assert_eq!(line_of("a\nb\nc", 4), 3);
    }
}
