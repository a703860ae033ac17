//! Findings in the forms of other programs, and working papers as files: a workbook, or one CSV
//! file a sheet.
//!
//! The same sheets give the same bytes: no clock, no user's name, no locale.

use std::path::PathBuf;

use crate::ledger::LedgerError;

pub mod csv;
pub mod findings;
pub mod sarif;
pub mod xlsx;

/// Why working papers cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The workbook cannot hold them.
    #[error("the workbook cannot be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The rows cannot be written as CSV.
    #[error("{}: {cause}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        cause: ::csv::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] LedgerError),
}
