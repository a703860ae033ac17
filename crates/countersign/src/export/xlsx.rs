//! Working papers as a workbook (`ECMA-376`), written row by row in constant memory.

use std::path::Path;

use evidence::assess::paper::{Cell, Sheet, neutral};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::ExportError;
use crate::ledger::LedgerError;

/// How instants are shown; they are in UTC.
const TIME_FORMAT: &str = "yyyy-mm-dd hh:mm:ss.000";
/// What a workbook says it was made at: a fixed day, so that the same sheets give the same bytes.
const CREATED: (u16, u8, u8) = (2000, 1, 1);

/// Writes the sheets into one workbook.
pub fn write(sheets: &[Sheet], out: &Path) -> Result<(), ExportError> {
    let bytes = workbook(sheets)?;
    Ok(std::fs::write(out, bytes).map_err(LedgerError::file("write", out))?)
}

fn workbook(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::from_ymd(CREATED.0, CREATED.1, CREATED.2)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let (bold, time) = (Format::new().set_bold(), Format::new().set_num_format(TIME_FORMAT));
    for sheet in sheets {
        fill(workbook.add_worksheet_with_constant_memory()?, sheet, &bold, &time)?;
    }
    workbook.save_to_buffer()
}

fn fill(
    page: &mut Worksheet,
    sheet: &Sheet,
    bold: &Format,
    time: &Format,
) -> Result<(), XlsxError> {
    page.set_name(sheet.name)?;
    page.set_freeze_panes(1, 0)?;
    for (column, (title, width)) in (0..).zip(&sheet.columns) {
        page.set_column_width(column, *width)?;
        page.write_string_with_format(0, column, *title, bold)?;
    }
    for (row, cells) in (1..).zip(&sheet.rows) {
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => page.write_string(row, column, neutral(text))?,
                Cell::Number(number) => page.write_number(row, column, exact(*number))?,
                Cell::Time(at) => match excel_time(*at)? {
                    Some(at) => page.write_datetime_with_format(row, column, &at, time)?,
                    None => page.write_string(row, column, at.to_string())?,
                },
            };
        }
    }
    Ok(())
}

/// A spreadsheet's number; entries and counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn exact(number: u64) -> f64 {
    number as f64
}

/// An instant as spreadsheets count it, in UTC and to the millisecond; they begin in 1900.
fn excel_time(at: Timestamp) -> Result<Option<ExcelDateTime>, XlsxError> {
    let civil = at.to_zoned(TimeZone::UTC).datetime();
    let small = |n: i8| u8::try_from(n).unwrap_or(0);
    let Some(year) = u16::try_from(civil.year()).ok().filter(|year| *year >= 1900) else {
        return Ok(None);
    };
    let hour = u16::from(small(civil.hour()));
    let (minute, second) = (small(civil.minute()), small(civil.second()));
    let milli = u16::try_from(civil.millisecond()).unwrap_or(0);
    ExcelDateTime::from_ymd(year, small(civil.month()), small(civil.day()))?
        .and_hms_milli(hour, minute, second, milli)
        .map(Some)
}
