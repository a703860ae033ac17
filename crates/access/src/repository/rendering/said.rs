//! What a tool said when it failed, so that it may be shown.
//!
//! Errors of templates and of YAML quote what they stumble over, and a template may put any value
//! into one. So a word is shown if it is a path of the commit, or of letters alone, as words of a
//! sentence are, and in no value; all else is `…`.

use std::collections::BTreeSet;

/// Characters that are shown at most.
const SHOWN_MAX: usize = 240;

/// The first line of an error as it may be shown: `folder` is where the tool worked, `is_path` knows
/// the paths of the commit, and words of `values` are never shown.
pub fn said(error: &str, folder: &str, is_path: &dyn Fn(&str) -> bool, values: &[&str]) -> String {
    let withheld = words(values);
    let mut lines = error.lines().filter(|line| !line.trim().is_empty());
    let first = lines.clone().find(|line| line.starts_with("Error: ")).or_else(|| lines.next());
    let line = first.unwrap_or("it gave no reason").trim_start_matches("Error: ");
    let folder = format!("{}/", folder.trim_end_matches('/'));
    let line = located(&line.replace(&folder, ""));
    let mut out = String::new();
    for word in line.split_inclusive(is_border) {
        let border = word.chars().next_back().filter(|c| is_border(*c));
        let word = border.map_or(word, |c| &word[..word.len() - c.len_utf8()]);
        out.push_str(if is_shown(word, is_path, &withheld) { word } else { "…" });
        out.extend(border.map(|c| if c.is_control() { ' ' } else { c }));
        if out.chars().count() > SHOWN_MAX {
            let cut: String = out.chars().take(SHOWN_MAX).collect();
            return format!("{cut}…");
        }
    }
    out
}

/// Of an error that a template itself words (`fail`, `required`) only where it stands: its words may
/// be any value, put together as the template likes.
fn located(line: &str) -> String {
    const AT: &str = "execution error at (";
    if let Some((_, rest)) = line.split_once(AT) {
        let place = rest.split_once(')').map_or("", |(place, _)| place);
        return format!("{AT}{place}): …");
    }
    let own = ["execution error", "error calling fail", "error calling required"];
    let end = own.iter().filter_map(|own| Some(line.find(own)? + own.len())).min();
    end.map_or_else(|| line.to_owned(), |end| format!("{}: …", &line[..end]))
}

/// What parts words.
fn is_border(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "'\"`<>()[]{}=,;:".contains(c)
}

fn is_shown(word: &str, is_path: &dyn Fn(&str) -> bool, withheld: &BTreeSet<String>) -> bool {
    let is_number = word.len() <= 5 && word.bytes().all(|b| b.is_ascii_digit());
    // The full stop of a sentence, and the dash of an option.
    let plain = word.trim_end_matches('.');
    let is_word = is_plain(plain);
    // Helm names a template by the chart's name and its path in the chart.
    let below = word.split_once('/').is_some_and(|(_, below)| is_path(below));
    let is_known = is_path(word) || below;
    is_known || ((is_number || is_word) && !withheld.contains(&plain.to_lowercase()))
}

/// Whether a word is written as those of a sentence are: base64 is not.
fn is_plain(word: &str) -> bool {
    let (is_lower, is_upper) = (|b: u8| b.is_ascii_lowercase(), |b: u8| b.is_ascii_uppercase());
    let rest = word.get(1..).unwrap_or_default();
    word.bytes().all(|b| b.is_ascii_alphabetic())
        && ((rest.bytes().all(is_lower) && word.len() <= 24)
            || (word.bytes().all(is_upper) && word.len() <= 6))
}

/// The words of values, in lower case.
fn words(values: &[&str]) -> BTreeSet<String> {
    let all = values.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
    all.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_without_what_may_be_a_value() {
        let values = ["password: hunter\n", "token: 'correct horse'"];
        let table = [
            (
                "WARNING: x\nError: accumulating resources: accumulation err='accumulating resources \
                 from '/t/r/base/a.yaml': read /t/r/base/a.yaml: is a directory'\nmore",
                "accumulating resources: accumulation err='accumulating resources from \
                 'base/a.yaml': read base/a.yaml: is a directory'",
            ),
            (
                "Error: execution error at (web/templates/x.yaml:3:4): bad hunter of correct horse",
                "execution error at (web/templates/x.yaml:3:4): …",
            ),
            ("Error: got aHVudGVyMg== and s3cr3t\u{1b}[31m", "got …== and … […"),
            ("Error: cannot unmarshal !!str `Hunter` into int", "cannot unmarshal … `…` into int"),
            ("", "it gave no reason"),
        ];
        let is_path = |path: &str| ["base/a.yaml", "templates/x.yaml"].contains(&path);
        for (error, expected) in table {
            assert_eq!(said(error, "/t/r", &is_path, &values), expected, "{error}");
        }
        let long = said(&"word ".repeat(1000), "/t", &is_path, &[]);
        assert!(long.ends_with('…') && long.chars().count() == SHOWN_MAX + 1);
    }
}
