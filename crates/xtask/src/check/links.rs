//! Links: every relative link of every page leads to a file, and its anchor to a heading.

use crate::problem::{Outcome, Problem, count};
use crate::tree::{Tree, has_extension};

/// Checks every Markdown page of the checkout.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let (mut pages, mut links, mut problems) = (0, 0, Vec::new());
    for (path, text) in tree.texts().filter(|(path, _)| has_extension(path, "md")) {
        pages += 1;
        for (line, target) in targets(text) {
            links += 1;
            if let Some(what) = broken(tree, path, &target) {
                let fix = "correct the link, or write the page";
                problems.push(Problem::line(path, line, what, fix));
            }
        }
    }
    let checked = format!("{} on {}", count(links, "link"), count(pages, "page"));
    Outcome { name: "links", checked, problems }
}

/// The relative targets of `[text](target)` and `[name]: target`, each with its line.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        let named = prose.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        let all = inline.chain(named.map(|(_, target)| target.trim()));
        let relative = all.filter(|t| !t.contains("://") && !t.starts_with("mailto:"));
        found.extend(relative.map(|target| (number, target.to_owned())));
    }
    found
}

fn broken(tree: &Tree, page: &str, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(page, file) else {
        return Some(format!("the link {target} leaves the checkout"));
    };
    if !tree.holds(&path) {
        return Some(format!("the link {target} leads nowhere: there is no {path}"));
    }
    let headings = tree.text(&path).filter(|_| has_extension(&path, "md") && !anchor.is_empty())?;
    let known = headings.lines().filter(|l| l.starts_with('#')).any(|l| slug(l) == anchor);
    (!known).then(|| format!("{path} has no heading for #{anchor}"))
}

/// The path from the root of a link on a page; `None` if it leaves the checkout.
fn resolve(page: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if file.starts_with('/') {
        parts.clear();
    }
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchor that forges give a heading.
fn slug(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_outside_code() {
        let text = "\
See [a](a.md) and [b](../b.md#top \"title\"), not `[c](c.md)` nor <https://x>.
```
[d](d.md)
```
[e]: e.md
[far](https://example.com/x.md) [mail](mailto:a@b)
";
        let expected = [(1, "a.md"), (1, "../b.md#top"), (5, "e.md")];
        let found = targets(text);
        let found: Vec<_> = found.iter().map(|(line, target)| (*line, target.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn broken_links_are_told_from_good_ones() {
        let files = [
            ("docs/a.md", "# What is *this*?\n"),
            ("README.md", "## One `word`, two-words\n"),
            ("crates/x/src/lib.rs", ""),
        ];
        let tree = Tree::of("/x", &files);
        let table = [
            ("../README.md", None),
            ("../README.md#one-word-two-words", None),
            ("#what-is-this", None),
            ("../crates/x", None),
            ("/README.md", None),
            ("b.md", Some("there is no docs/b.md")),
            ("../../README.md", Some("leaves the checkout")),
            ("a.md#that", Some("no heading for #that")),
        ];
        for (target, expected) in table {
            let found = broken(&tree, "docs/a.md", target);
            match expected {
                None => assert_eq!(found, None, "{target}"),
                Some(part) => assert!(found.expect(target).contains(part), "{target}"),
            }
        }
    }
}
