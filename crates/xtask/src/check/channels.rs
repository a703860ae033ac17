//! Channels: one id names a channel everywhere, so each has a parser, a page and a test of its name.
//!
//! A channel whose records no module of its own reads says so in `parse.rs`, on one line:
//! `tidy: <id> has no module because <reason>`.

use std::collections::BTreeSet;

use crate::problem::{Outcome, Problem, count};
use crate::rust::{functions, line_of, mask};
use crate::tree::Tree;

const CHANNELS: &str = "crates/evidence/src/channel.rs";
const PAGES: &str = "docs/channels/";
const PARSERS: &str = "crates/evidence/src/parse";
const TESTS: &str = "crates/evidence/tests/it";

/// Checks every channel of `channel.rs`, and that no page speaks of another.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let channels = literals(tree.text(CHANNELS).unwrap_or_default(), "id");
    let mut problems = Vec::new();
    if channels.is_empty() {
        let fix = "keep the kebab-case ids as literals in `fn id`, or teach tidy the new form";
        problems.push(Problem::file(CHANNELS, "no channel found", fix));
    }
    for (id, line) in &channels {
        problems.extend(missing(tree, id, *line));
    }
    let known: BTreeSet<&str> = channels.iter().map(|(id, _)| id.as_str()).collect();
    for (path, _) in tree.texts() {
        let id = path.strip_prefix(PAGES).and_then(|name| name.strip_suffix(".md"));
        if id.is_some_and(|id| id != "README" && !known.contains(id)) {
            let fix = format!("rename it to a channel of {CHANNELS}, or remove it");
            problems.push(Problem::file(path, "page of no channel", fix));
        }
    }
    Outcome { name: "channels", checked: count(channels.len(), "channel"), problems }
}

/// The kebab-case literals in the body of a function, each with its line.
pub(super) fn literals(source: &str, function: &str) -> Vec<(String, usize)> {
    let Some(function) = functions(&mask(source)).into_iter().find(|f| f.name == function) else {
        return Vec::new();
    };
    let body = &source[function.body.clone()];
    let quoted = body.split('"').skip(1).step_by(2);
    let is_kebab = |text: &&str| {
        !text.is_empty()
            && text.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    quoted
        .filter(is_kebab)
        .map(|id| {
            let at = id.as_ptr().addr() - body.as_ptr().addr();
            (id.to_owned(), line_of(source, function.body.start + at))
        })
        .collect()
}

fn missing(tree: &Tree, id: &str, line: usize) -> Vec<Problem> {
    let module = id.replace('-', "_");
    let page = format!("{PAGES}{id}.md");
    let test = format!("{TESTS}/{module}.rs");
    let parser = format!("{PARSERS}/{module}.rs");
    let mut problems = Vec::new();
    let mut lacks = |what: String, fix: String| {
        problems.push(Problem::line(CHANNELS, line, format!("{id} has no {what}"), fix));
    };
    if !tree.text(&page).is_some_and(|text| text.contains(id)) {
        lacks(format!("page {page}"), "say what it records, its key and what is cut".to_owned());
    }
    let holds_test = |text: &str| text.contains("#[test]") || text.contains("proptest!");
    if !tree.text(&test).is_some_and(holds_test) {
        lacks(format!("test {test}"), "write one test of its parser on a fixture".to_owned());
    }
    if !tree.holds(&parser)
        && !tree.holds(&format!("{PARSERS}/{module}/mod.rs"))
        && !excused(tree, id)
    {
        let fix = format!("write it, or `tidy: {id} has no module because …` in {PARSERS}.rs");
        lacks(format!("parser {parser}"), fix);
    }
    problems
}

/// Whether the parsers' parent module says why a channel has none of its own.
fn excused(tree: &Tree, id: &str) -> bool {
    let marker = format!("tidy: {id} has no module because ");
    [format!("{PARSERS}.rs"), format!("{PARSERS}/mod.rs")]
        .iter()
        .filter_map(|path| tree.text(path))
        .flat_map(str::lines)
        .any(|line| line.split_once(&marker).is_some_and(|(_, why)| !why.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
impl Channel {
    /// The \"id\".
    const fn id(self) -> &'static str {
        match self {
            Self::KubernetesAudit => \"kubernetes-audit\",
            Self::FluxEvent => \"flux-event\",
        }
    }
    fn other() -> &'static str { \"not-this\" }
}
";

    #[test]
    fn ids_are_the_literals_of_fn_id() {
        let expected = [("kubernetes-audit".to_owned(), 5), ("flux-event".to_owned(), 6)];
        assert_eq!(literals(SOURCE, "id"), expected);
    }

    #[test]
    fn a_complete_channel_passes() {
        let reason = "//! tidy: flux-event has no module because kubernetes_audit reads both.\n";
        let tree = Tree::of(
            "/x",
            &[
                (CHANNELS, SOURCE),
                ("docs/channels/kubernetes-audit.md", "# kubernetes-audit\n"),
                ("docs/channels/flux-event.md", "# flux-event\n"),
                ("docs/channels/README.md", ""),
                ("crates/evidence/src/parse.rs", reason),
                ("crates/evidence/src/parse/kubernetes_audit.rs", ""),
                ("crates/evidence/tests/it/kubernetes_audit.rs", "#[test]\nfn t() {}\n"),
                ("crates/evidence/tests/it/flux_event.rs", "proptest! {}\n"),
            ],
        );
        assert_eq!(check(&tree).problems, []);
    }

    #[test]
    fn everything_missing_is_named_at_the_id() {
        let tree = Tree::of("/x", &[(CHANNELS, SOURCE), ("docs/channels/old.md", "")]);
        let found: Vec<_> = check(&tree).problems.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 7);
        assert!(found[0].contains("channel.rs:5: kubernetes-audit has no page"));
        assert!(found[1].contains("has no test crates/evidence/tests/it/kubernetes_audit.rs"));
        assert!(found[5].contains("channel.rs:6: flux-event has no parser"));
        assert!(found[6].contains("docs/channels/old.md: page of no channel"));
    }

    #[test]
    fn an_empty_page_and_a_test_file_without_a_test_do_not_count() {
        let files = [
            (CHANNELS, SOURCE),
            ("docs/channels/flux-event.md", "to be written"),
            ("crates/evidence/tests/it/flux_event.rs", "// later"),
        ];
        assert_eq!(missing(&Tree::of("/x", &files), "flux-event", 6).len(), 3);
    }

    #[test]
    fn no_channel_at_all_is_a_problem() {
        assert_eq!(check(&Tree::of("/x", &[(CHANNELS, "struct Channel;")])).problems.len(), 1);
    }
}
