//! Tests of the shell: the ledger under order, tampering, erasure and bad input; the commands.

mod assess;
mod bad_input;
mod captures;
mod check;
mod checkout;
mod commands;
mod controls;
mod erasure;
mod evening;
mod explain;
mod findings;
mod git;
mod init;
mod order;
mod pack;
mod paper;
mod people;
mod receipt;
mod rollback;
mod samples;
mod schema;
mod serve;
mod store_story;
mod support;
mod tamper;
mod who_can;
