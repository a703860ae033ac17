//! Tests of the crate, one module a subject.

mod policy;
mod repository;
mod schema;
mod yaml;
