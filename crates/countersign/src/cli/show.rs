//! Numbers, sizes and tables as people read them.

use comfy_table::TableStyle;
use comfy_table::{CellAlignment, Table};

use crate::sources::render::Used;

/// A count with thousands separated: `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size: `1.4 MB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

/// A count and its noun: `1 record`, `2 records`.
pub(crate) fn of(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// The tools that rendered, each with its version and what it made.
pub(super) fn rendered(used: &[Used]) -> String {
    let one = |used: &Used| match &used.version {
        Some(version) => {
            let all = used.made + used.not_made;
            format!(
                "{} {version}, {} of {} made",
                used.tool,
                count(used.made as u64),
                count(all as u64)
            )
        }
        None => format!("{} is not on the PATH", used.tool),
    };
    used.iter().map(one).collect::<Vec<_>>().join(" · ")
}

/// So many a second, whole.
#[expect(clippy::cast_precision_loss, reason = "a rate for people, not for reckoning")]
#[expect(clippy::cast_possible_truncation, reason = "a rate is far below 2^64")]
#[expect(clippy::cast_sign_loss, reason = "neither counts nor times are negative")]
pub(super) fn rate(n: u64, seconds: f64) -> u64 {
    (n as f64 / seconds.max(1e-6)) as u64
}

/// A table without lines, its columns after the first `left` aligned right.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], left: usize) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(header.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if i >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        let table = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (n, expected) in table {
            assert_eq!(count(n), expected);
        }
        assert_eq!(
            (of(1, "line", "lines"), of(2, "line", "lines")),
            ("1 line".into(), "2 lines".into())
        );
    }
}
