//! Tests of the shell: the ledger under order, tampering, erasure and bad input; the commands.

mod bad_input;
mod captures;
mod commands;
mod erasure;
mod evening;
mod git;
mod order;
mod rollback;
mod samples;
mod serve;
mod store_story;
mod support;
mod tamper;
