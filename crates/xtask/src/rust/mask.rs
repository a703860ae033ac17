//! Masks comments and literals, so that what is left can be searched as code.

/// The source with every comment blanked and every literal's content replaced by underscores.
///
/// Length and line breaks stay as they are, so a position in the mask is one in the source.
pub(crate) fn mask(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut masked = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (end, filler) = match piece(source, at) {
            Piece::Code(end) => (end, None),
            Piece::Comment(end) => (end, Some(b' ')),
            Piece::Literal(end) => (end, Some(b'_')),
        };
        for &byte in &bytes[at..end] {
            masked.push(if byte == b'\n' { byte } else { filler.unwrap_or(byte) });
        }
        at = end;
    }
    String::from_utf8(masked).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// What starts at a position, with the position after it.
enum Piece {
    Code(usize),
    Comment(usize),
    Literal(usize),
}

fn piece(source: &str, at: usize) -> Piece {
    let rest = &source[at..];
    if rest.starts_with("//") {
        return Piece::Comment(at + rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Piece::Comment(at + block_comment(rest));
    }
    let in_word = source[..at].chars().next_back().is_some_and(super::is_word);
    if !in_word && let Some(len) = raw_string(rest) {
        return Piece::Literal(at + len);
    }
    match rest.chars().next() {
        Some('"') => Piece::Literal(at + quoted(rest)),
        Some('\'') => character(rest).map_or(Piece::Code(at + 1), |len| Piece::Literal(at + len)),
        other => Piece::Code(at + other.map_or(1, char::len_utf8)),
    }
}

/// Length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..bytes.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// Length of a raw string such as `r"…"`, `br#"…"#`, `cr"…"`, if one starts here.
fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let body = body[hashes..].strip_prefix('"')?;
    let start = rest.len() - body.len();
    let closing = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&closing).map_or(rest.len(), |at| start + at + closing.len()))
}

/// Length of a quoted string; a backslash escapes whatever follows it.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of a character literal, or `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next();
        return chars.find(|&(_, c)| c == '\'').map(|(at, _)| at + 1);
    }
    chars.next().filter(|&(_, c)| c == '\'').map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn comments_and_literals_disappear() {
        let table = [
            ("a // {\nb", "a     \nb"),
            ("a /* { /* } */ { */ b", "a                   b"),
            ("f(\"{\\\"}\")", "f(______)"),
            ("f(r#\"\"{\"#)", "f(_______)"),
            ("f(br\"\\\")", "f(_____)"),
            ("'{' '\\'' '\\u{7d}'", "___ ____ ________"),
            ("b'{' b\"{\"", "b___ b___"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("r#fn {}", "r#fn {}"),
            ("for\"{\"", "for___"),
            ("\"a\n{\"", "__\n__"),
            ("'é' é", "____ é"),
            ("\"open {", "_______"),
            ("/* open {", "         "),
        ];
        for (source, expected) in table {
            assert_eq!(mask(source), expected, "of {source:?}");
        }
    }

    #[test]
    fn positions_stay() {
        let source = include_str!("mask.rs");
        let masked = mask(source);
        assert_eq!(masked.len(), source.len());
        assert_eq!(masked.lines().count(), source.lines().count());
        assert_eq!(masked.matches('{').count(), masked.matches('}').count());
    }
}
