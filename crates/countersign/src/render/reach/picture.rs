//! The picture: people on the left, the rights that they use in the middle, Applications on the right.
//!
//! Drawn by hand as one SVG without script, font or outside reference. It has a title and a description
//! for who cannot see it, and follows the viewer's light or dark scheme.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use access::reach::{Answer, Path};

use super::{is_component, title};
use crate::render::printable;

/// Pixels.
const WIDTH: usize = 1100;
const ROW: usize = 34;
const BOX: usize = 26;
const TOP: usize = 70;
/// Left edge and width of each column.
const COLUMNS: [(usize, usize); 3] = [(20, 270), (410, 330), (860, 220)];
/// Characters that fit into a box of each column.
const CHARS: [usize; 3] = [36, 45, 29];

/// Who is drawn how.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Person,
    Unmapped,
    Machine,
    Right,
    Application,
}

/// A graph in three columns.
#[derive(Default)]
struct Graph {
    columns: [Vec<(String, Kind)>; 3],
    /// From a column's row to a row of the next one.
    edges: [BTreeSet<(usize, usize)>; 2],
}

/// The picture of an answer.
pub fn picture(answer: &Answer) -> String {
    let graph = graph(answer);
    let rows = graph.columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let height = TOP + rows * ROW + 30;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">{}</title>\n\
         <desc id=\"d\">{}</desc>\n{STYLE}\n<rect class=\"page\" width=\"{WIDTH}\" \
         height=\"{height}\"/>\n<text class=\"title\" x=\"20\" y=\"30\">{}</text>\n",
        escaped(&title(answer)),
        escaped(&description(answer)),
        escaped(&title(answer)),
    );
    let headings = ["Who", "By which right", "What it reaches"];
    for (heading, (x, _)) in headings.iter().zip(COLUMNS) {
        let _infallible = writeln!(svg, "<text class=\"head\" x=\"{x}\" y=\"56\">{heading}</text>");
    }
    for (column, edges) in graph.edges.iter().enumerate() {
        for (from, to) in edges {
            edge(&mut svg, column, *from, *to);
        }
    }
    for (column, nodes) in graph.columns.iter().enumerate() {
        for (row, (label, kind)) in nodes.iter().enumerate() {
            node(&mut svg, column, row, label, *kind);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

const STYLE: &str = "<style>\
svg{font:13px system-ui,sans-serif;color-scheme:light dark}\
.page{fill:#fff}text{fill:#1b1f24}.title{font-size:17px;font-weight:600}.head{fill:#57606a}\
rect.node{fill:#f6f8fa;stroke:#57606a}.person{stroke-width:2}\
.machine{stroke-dasharray:5 3}.unmapped{stroke:#9a3412;stroke-dasharray:2 2}\
path{fill:none;stroke:#8c959f}\
@media (prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.head{fill:#9da7b3}\
rect.node{fill:#161b22;stroke:#9da7b3}.unmapped{stroke:#fdba74}path{stroke:#6e7681}}\
</style>";

fn graph(answer: &Answer) -> Graph {
    let mut graph = Graph::default();
    let mut rights: BTreeMap<String, usize> = BTreeMap::new();
    let names: Vec<&str> = answer.applications.iter().map(|a| a.name.as_str()).collect();
    graph.columns[2] = names.iter().map(|n| ((*n).to_owned(), Kind::Application)).collect();
    for person in &answer.people {
        let name = person.name.as_deref().unwrap_or(&person.id);
        let alone = if person.alone.is_some() { " (alone)" } else { "" };
        graph.add(&format!("{name}{alone}"), Kind::Person, &person.paths, &names, &mut rights);
    }
    let unmapped = answer.unmapped.iter().map(|h| (h, Kind::Unmapped));
    let machines = answer.machines.iter().map(|h| (h, Kind::Machine));
    for (holder, kind) in unmapped.chain(machines).filter(|(h, _)| !is_component(h)) {
        graph.add(&holder.account, kind, &holder.paths, &names, &mut rights);
    }
    graph
}

impl Graph {
    fn add(
        &mut self,
        label: &str,
        kind: Kind,
        paths: &[Path],
        names: &[&str],
        rights: &mut BTreeMap<String, usize>,
    ) {
        let row = self.columns[0].len();
        self.columns[0].push((label.to_owned(), kind));
        for path in paths {
            let (world, part) = (path.world.word(), path.part.word());
            let right = format!("{world} {part}: {}", path.by);
            let at = *rights.entry(right.clone()).or_insert_with(|| {
                self.columns[1].push((right, Kind::Right));
                self.columns[1].len() - 1
            });
            self.edges[0].insert((row, at));
            let reached = path.applications.iter();
            let reached = reached.filter_map(|a| names.iter().position(|name| name == a));
            self.edges[1].extend(reached.map(|to| (at, to)));
        }
    }
}

/// The picture in words: one sentence for each line of the first column.
fn description(answer: &Answer) -> String {
    let parts = |paths: &[Path]| {
        let all: BTreeSet<&str> = paths.iter().map(|path| path.part.word()).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    let people = answer.people.iter().map(|person| {
        let name = person.name.as_deref().unwrap_or(&person.id);
        let alone = if person.alone.is_some() { ", needing nobody else" } else { "" };
        format!("{name} by {}{alone}.", parts(&person.paths))
    });
    let others = answer.unmapped.iter().chain(&answer.machines).filter(|h| !is_component(h));
    let others = others.map(|holder| format!("{} by {}.", holder.account, parts(&holder.paths)));
    let gaps = match answer.undetermined.len() {
        0 => String::new(),
        n => format!(" {n} things are undetermined."),
    };
    format!("{}{gaps}", people.chain(others).collect::<Vec<_>>().join(" "))
}

fn middle(row: usize) -> usize {
    TOP + row * ROW + BOX / 2
}

fn edge(svg: &mut String, column: usize, from: usize, to: usize) {
    let (left, width) = COLUMNS[column];
    let (x1, x2) = (left + width, COLUMNS[column + 1].0);
    let (y1, y2, half) = (middle(from), middle(to), usize::midpoint(x1, x2));
    let _infallible = writeln!(svg, "<path d=\"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}\"/>");
}

fn node(svg: &mut String, column: usize, row: usize, label: &str, kind: Kind) {
    let ((x, width), y) = (COLUMNS[column], TOP + row * ROW);
    let class = match kind {
        Kind::Person => "person",
        Kind::Unmapped => "unmapped",
        Kind::Machine => "machine",
        Kind::Right => "right",
        Kind::Application => "application",
    };
    let shown = printable(label);
    let short: String = if shown.chars().count() > CHARS[column] {
        shown.chars().take(CHARS[column] - 1).chain(['…']).collect()
    } else {
        shown.clone()
    };
    let _infallible = writeln!(
        svg,
        "<g><title>{}</title><rect class=\"node {class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" \
         height=\"{BOX}\" rx=\"5\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
        escaped(&shown),
        x + 10,
        y + 18,
        escaped(&short),
    );
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
