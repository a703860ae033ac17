//! Findings in the forms of other programs.

pub mod findings;
pub mod sarif;
