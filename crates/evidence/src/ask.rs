//! Questions asked of a story. Each answer is a model that renderers turn into text or JSON.

pub mod change;
pub mod drift;
pub mod part;
pub mod people;
pub mod running;
pub mod timeline;
