//! A token bucket: so many on the average, so many at once.

use std::time::{Duration, Instant};

use super::settings::Rate;

/// What a source may still send.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    left: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left: f64::from(rate.burst), at: now }
    }

    /// Takes one, or says how long until there is one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.rate.per_second;
        self.left = (self.left + gained).min(f64::from(self.rate.burst));
        self.at = now;
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - self.left) / self.rate.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Rate { per_second: 2.0, burst: 3 }, start);
        let at = |millis| start + Duration::from_millis(millis);
        // Milliseconds from the start; what is to be waited.
        let table = [
            (0, None),
            (0, None),
            (0, None),
            (0, Some(500)),
            (400, Some(100)),
            (500, None),
            (500, Some(500)),
            (60_000, None),
            (60_000, None),
            (60_000, None),
            (60_000, Some(500)),
            // A clock that does not move on gives nothing.
            (59_000, Some(500)),
        ];
        for (millis, wait) in table {
            let taken = bucket.take(at(millis)).err().map(|w| w.as_millis());
            assert_eq!(taken, wait, "at {millis} ms");
        }
    }
}
