//! Tests of the crate, one module a subject.

mod yaml;
