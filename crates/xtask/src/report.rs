//! The printed report: every problem, then a table of what was checked.

use std::fmt::Write;

use crate::problem::{Outcome, count};

/// Renders all outcomes; the table comes last, so that it stays on the screen.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let mut problems = outcome.problems.clone();
        problems.sort();
        for problem in &problems {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{problem}");
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let name_width = column(outcomes.iter().map(|o| o.name));
    let checked_width = column(outcomes.iter().map(|o| o.checked.as_str()));
    for Outcome { name, checked, problems } in outcomes {
        let verdict =
            if problems.is_empty() { "ok".to_owned() } else { count(problems.len(), "problem") };
        let _ = writeln!(text, "{name:name_width$}  {checked:checked_width$}  {verdict}");
    }
    let problems: usize = outcomes.iter().map(|o| o.problems.len()).sum();
    let _ = write!(text, "tidy: {}", count(problems, "problem"));
    text
}

fn column<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn problems_come_first_and_the_table_last() {
        let outcomes = [
            Outcome { name: "size", checked: "3 files".into(), problems: vec![] },
            Outcome {
                name: "links",
                checked: "12 links".into(),
                problems: vec![
                    Problem::line("b.md", 2, "no such file", "mend it"),
                    Problem::line("a.md", 9, "no such file", "mend it"),
                ],
            },
        ];
        let expected = "\
a.md:9: no such file
    fix: mend it
b.md:2: no such file
    fix: mend it

size   3 files   ok
links  12 links  2 problems
tidy: 2 problems";
        assert_eq!(render(&outcomes), expected);
    }
}
