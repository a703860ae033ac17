//! Countersign's shell: sources, the ledger, its stores, the command line.
//!
//! ```text
//! sources ──► ledger ──► store          cli ──► evidence::story ──► render
//! files       append,    SQLite                 (pure)              terminal, JSON
//!             publish
//! ```
//!
//! What records mean is decided in `evidence`, which is pure; what is in this crate touches files,
//! clocks and databases.

pub mod cli;
pub mod clock;
pub mod controls;
pub mod entropy;
pub mod export;
pub mod ledger;
pub mod render;
pub mod sources;
pub mod store;
