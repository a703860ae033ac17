//! The clock: the only place that asks the system for the time.

/// Now, by the system's clock.
#[expect(clippy::disallowed_methods, reason = "everything else takes the time from here")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
