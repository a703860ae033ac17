//! Records, facts and stories: what was recorded, and what follows from it.
//!
//! ```text
//! line ──intake──► record ──parse──► facts ──► story ──ask──► answers
//!        cut, seal  sealed            claims    operations,   timeline,
//!        and key    entry             per key   voices, gaps  who started it
//! ```
//!
//! **In scope**: how a record is sealed and identified, how each channel is parsed, how the story
//! follows from the records, and the questions asked of it. **Out of scope**: where records come
//! from and where they are kept; nothing here reads a file, a database, a clock or randomness.

pub mod ask;
pub mod assess;
pub mod channel;
pub mod control;
pub mod intake;
pub mod pack;
pub mod parse;
pub mod past;
pub mod people;
pub mod receipt;
pub mod record;
pub mod story;
pub mod time;
