//! Finds functions and their lengths in masked code.

use super::{after_closing, body_or_end, is_word, line_of, words};

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name, without path.
    pub(crate) name: String,
    /// The line, from 1, of its `fn`.
    pub(crate) line: usize,
    /// Lines from its `fn` to its closing brace.
    pub(crate) lines: usize,
    /// Where its body is, braces included.
    pub(crate) body: std::ops::Range<usize>,
}

/// Every function with a body in masked code, nested ones too.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    words(code, "fn").filter_map(|at| function(code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function> {
    let rest = code[at + 2..].trim_start();
    let is_name = |c| is_word(c) || c == '$' || c == '#';
    let name: String = rest.chars().take_while(|&c| is_name(c)).collect();
    // `fn(u8)` is a type.
    let open = (!name.is_empty()).then(|| body_or_end(code, code.len() - rest.len()))??;
    if code.as_bytes()[open] == b';' {
        return None;
    }
    let end = after_closing(code, open);
    let line = line_of(code, at);
    Some(Function { name, line, lines: line_of(code, end - 1) - line + 1, body: open..end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust::mask;

    fn lengths(source: &str) -> Vec<(String, usize, usize)> {
        functions(&mask(source)).into_iter().map(|f| (f.name, f.line, f.lines)).collect()
    }

    #[test]
    fn lengths_run_from_fn_to_the_closing_brace() {
        let source = "\
/// fn not_me() {
#[test]
pub const fn first(
    a: [u8; { 3 }],
) -> Option<fn(u8)>
where
    u8: Copy,
{
    let brace = \"}\"; // }
    fn nested() {}
    '}';
}

trait T { fn declared(&self); fn r#given(&self) { } }
";
        let expected =
            [("first".to_owned(), 3, 10), ("nested".into(), 10, 1), ("r#given".into(), 14, 1)];
        assert_eq!(lengths(source), expected);
    }

    #[test]
    fn an_unclosed_body_ends_with_the_file() {
        assert_eq!(lengths("fn a() {\n\n"), [("a".to_owned(), 1, 2)]);
    }

    #[test]
    fn a_body_holds_what_is_between_its_braces() {
        let code = "fn a() { 1 } fn b() { 2 }";
        let bodies: Vec<_> = functions(code).into_iter().map(|f| &code[f.body]).collect();
        assert_eq!(bodies, ["{ 1 }", "{ 2 }"]);
    }
}
