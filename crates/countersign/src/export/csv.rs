//! Working papers as CSV (RFC 4180): a file for each sheet.

use std::path::{Path, PathBuf};

use evidence::assess::paper::{Cell, Sheet, neutral};

use super::ExportError;

/// Writes the first sheet to `out` and each other beside it, its name before the ending:
/// `paper.csv`, `paper.excluded.csv`. Gives the files.
pub fn write(sheets: &[Sheet], out: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let mut files = Vec::new();
    for (number, sheet) in sheets.iter().enumerate() {
        let path = if number == 0 { out.to_owned() } else { beside(out, sheet.name) };
        let failed = |cause| ExportError::Csv { path: path.clone(), cause };
        let mut writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .from_path(&path)
            .map_err(failed)?;
        writer.write_record(sheet.columns.iter().map(|(title, _)| title)).map_err(failed)?;
        for row in &sheet.rows {
            writer.write_record(row.iter().map(in_words)).map_err(failed)?;
        }
        writer.flush().map_err(|e| failed(e.into()))?;
        files.push(path);
    }
    Ok(files)
}

fn beside(out: &Path, sheet: &str) -> PathBuf {
    out.with_extension(format!("{}.csv", sheet.replace(' ', "-")))
}

fn in_words(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => neutral(text).into_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(at) => at.to_string(),
    }
}
