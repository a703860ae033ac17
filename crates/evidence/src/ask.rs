//! Questions asked of a story. Each answer is a model that renderers turn into text or JSON.

pub mod timeline;
