//! What `init` wrote, as a tree; what it guessed, with the reasons.

use access::draft::Draft;

use super::{PLAIN, QUIET, RenderOptions, Sheet, TITLE, columns, printable};

/// Columns of the longest name before its words go below it.
const NAME_COLUMNS_MAX: usize = 36;

/// Files as a tree, each with what it is for; the paths are sorted.
pub fn tree(files: &[(&str, &str)], options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    let mut lines: Vec<(usize, String, &str)> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (path, says) in files {
        let mut parts: Vec<&str> = path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        let same = open.iter().zip(&parts).take_while(|(a, b)| a == b).count();
        for (depth, part) in parts.iter().enumerate().skip(same) {
            lines.push((depth, format!("{part}/"), ""));
        }
        lines.push((parts.len(), name.to_owned(), says));
        open = parts;
    }
    let widest = lines.iter().map(|(depth, name, _)| 2 * depth + columns(name)).max().unwrap_or(0);
    let room = widest.min(NAME_COLUMNS_MAX);
    for (depth, name, says) in &lines {
        let (indent, name) = ("  ".repeat(*depth), printable(name));
        if says.is_empty() {
            sheet.entry(&indent, &name, "", PLAIN);
        } else {
            sheet.entry(&format!("{:room$}  ", format!("{indent}{name}")), says, "", QUIET);
        }
    }
    sheet.text
}

/// What a draft says and why, then what it leaves open.
pub fn draft(draft: &Draft, options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    sheet.entry("", "Guessed", "", TITLE);
    let widest = draft.guesses.iter().map(|g| columns(g.what)).max().unwrap_or(0);
    for guess in &draft.guesses {
        sheet.entry(&format!("{:widest$}  ", guess.what), &printable(&guess.value), "", PLAIN);
        let at = guess.at.as_ref().map(|at| format!(": {at}")).unwrap_or_default();
        let why = format!("{}{at}", guess.why);
        sheet.entry(&format!("{:widest$}  ", ""), &printable(&why), "", QUIET);
    }
    sheet.blank();
    sheet.entry("", "Not told", "", TITLE);
    for what in &draft.not_told {
        sheet.entry("  ", &printable(what), "", PLAIN);
    }
    sheet.text
}
