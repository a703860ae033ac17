//! Tests of the crate, one module a subject.

mod repository;
mod yaml;
