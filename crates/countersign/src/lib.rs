//! Countersign's shell: sources, the ledger, its stores, the command line.
//!
//! ```text
//! sources ──► ledger ──► store          cli, /v1 ──► ask ──► evidence::story ──► render
//! files, HTTP append,    SQLite         terminal,    words,  (pure, held by       text, JSON
//!             publish                   HTTP         answers index while serving)
//! ```
//!
//! What records mean is decided in `evidence`, which is pure; what is in this crate touches files,
//! clocks and databases.

pub mod ask;
pub mod cli;
pub mod clock;
pub mod controls;
pub mod entropy;
pub mod export;
pub mod index;
pub mod ledger;
pub mod render;
pub mod schema;
pub mod sources;
pub mod store;
