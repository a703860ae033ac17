//! Sources: where records come from. Each has its own authentication and its own idea of position.

pub mod checkout;
pub mod files;
pub mod forge;
pub mod git;
pub mod http;
pub mod lines;
pub mod people;
pub mod render;
pub(crate) mod secret;
