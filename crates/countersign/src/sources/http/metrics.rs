//! Counters of the server, in the text form that Prometheus reads.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The media type of what [`Metrics::text`] gives.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a quarter of a millisecond, which a disk may need, to over eight seconds.
const ACKNOWLEDGED_SECONDS: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024,
    2.048, 4.096, 8.192,
];

type Labels<const N: usize> = [(&'static str, String); N];

/// What is known of the held story.
#[derive(Clone, Debug, Default)]
pub(super) struct StoryGauges {
    entries: Gauge,
    derivation: Gauge<f64, AtomicU64>,
}

impl StoryGauges {
    /// A story was derived, up to so many entries.
    pub(super) fn derived(&self, entries: u64, took: Duration) {
        self.entries.set(i64::try_from(entries).unwrap_or(i64::MAX));
        self.derivation.set(took.as_secs_f64());
    }
}

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels<2>, Counter>,
    records: Family<Labels<3>, Counter>,
    body_bytes: Family<Labels<1>, Counter>,
    acknowledged: Family<Labels<1>, Histogram, fn() -> Histogram>,
    skew: Family<Labels<1>, Gauge<f64, AtomicU64>>,
    skewed: Family<Labels<1>, Counter>,
    questions: Family<Labels<3>, Counter>,
    answered: Family<Labels<1>, Histogram, fn() -> Histogram>,
    story: StoryGauges,
    /// Deliveries that wait for the ledger.
    pub(super) queue: Gauge,
    /// Open connections.
    pub(super) connections: Gauge,
    /// Entries under the newest checkpoint.
    pub(super) entries: Gauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let acknowledged: fn() -> Histogram = || Histogram::new(ACKNOWLEDGED_SECONDS);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            records: Family::default(),
            body_bytes: Family::default(),
            acknowledged: Family::new_with_constructor(acknowledged),
            skew: Family::default(),
            skewed: Family::default(),
            questions: Family::default(),
            answered: Family::new_with_constructor(acknowledged),
            story: StoryGauges::default(),
            queue: Gauge::default(),
            connections: Gauge::default(),
            entries: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let ingest = self.registry.sub_registry_with_prefix("countersign_ingest");
        ingest.register("requests", "Requests by source and status", self.requests.clone());
        ingest.register(
            "records",
            "Records by source, channel and what became of them",
            self.records.clone(),
        );
        let help = "Bytes of accepted bodies, as they came over the wire";
        ingest.register_with_unit("body", help, Unit::Bytes, self.body_bytes.clone());
        let help = "From the first byte of a request's body wanted to the durable acknowledgement";
        ingest.register_with_unit(
            "acknowledgement",
            help,
            Unit::Seconds,
            self.acknowledged.clone(),
        );
        let help = "How far the newest delivery's own time was ahead of our clock";
        ingest.register_with_unit("clock_skew", help, Unit::Seconds, self.skew.clone());
        let help = "Deliveries whose own time was off by more than the limit; they were accepted";
        ingest.register("clock_skewed", help, self.skewed.clone());
        ingest.register("queue_depth", "Deliveries that wait for the ledger", self.queue.clone());
        ingest.register("connections", "Open connections", self.connections.clone());
        let ledger = self.registry.sub_registry_with_prefix("countersign_ledger");
        let help = "Entries under the newest checkpoint, from the first append of this server on";
        ledger.register("entries", help, self.entries.clone());
        self.register_reading();
    }

    fn register_reading(&mut self) {
        let read = self.registry.sub_registry_with_prefix("countersign_read");
        let help = "Questions by reader, path and status";
        read.register("requests", help, self.questions.clone());
        let help = "From a question to its answer, by path";
        read.register_with_unit("answer", help, Unit::Seconds, self.answered.clone());
        let story = self.registry.sub_registry_with_prefix("countersign_story");
        let help = "Entries that the held story was derived from";
        story.register("entries", help, self.story.entries.clone());
        let help = "How long the newest derivation took";
        story.register_with_unit("derivation", help, Unit::Seconds, self.story.derivation.clone());
    }

    /// A question was answered or refused.
    pub(super) fn question(&self, reader: &str, path: &str, status: u16, took: Duration) {
        let path = path.to_owned();
        let labels =
            [("reader", reader.to_owned()), ("path", path.clone()), ("status", status.to_string())];
        self.questions.get_or_create(&labels).inc();
        self.answered.get_or_create(&[("path", path)]).observe(took.as_secs_f64());
    }

    /// What the keeper sets.
    pub(super) fn story(&self) -> StoryGauges {
        self.story.clone()
    }

    /// A request was answered.
    pub(super) fn request(&self, source: &str, status: u16) {
        let labels = [("source", source.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
    }

    /// So many records met this end.
    pub(super) fn records(&self, source: &str, channel: &'static str, end: &'static str, n: u64) {
        let (channel, end) = (channel.to_owned(), end.to_owned());
        let labels = [("source", source.to_owned()), ("channel", channel), ("outcome", end)];
        self.records.get_or_create(&labels).inc_by(n);
    }

    /// A body was made durable.
    pub(super) fn acknowledged(&self, source: &str, bytes: usize, took: Duration) {
        let labels = [("source", source.to_owned())];
        self.body_bytes.get_or_create(&labels).inc_by(bytes as u64);
        self.acknowledged.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A sender's own time was so many seconds ahead of ours.
    pub(super) fn skew(&self, source: &str, seconds: f64, limit: u32) {
        let labels = [("source", source.to_owned())];
        self.skew.get_or_create(&labels).set(seconds);
        if seconds.abs() > f64::from(limit) {
            self.skewed.get_or_create(&labels).inc();
        }
    }

    /// All of it as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let written = encode(&mut text, &self.registry);
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.request("forge", 200);
        metrics.records("forge", "github-webhook", "accepted", 3);
        metrics.acknowledged("forge", 100, Duration::from_micros(700));
        metrics.skew("forge", -400.5, 300);
        metrics.skew("forge", 1.0, 300);
        metrics.queue.inc();
        metrics.question("cab", "/v1/drift", 200, Duration::from_millis(3));
        metrics.story().derived(7, Duration::from_millis(1_500));
        let text = metrics.text();
        for line in [
            "countersign_ingest_requests_total{source=\"forge\",status=\"200\"} 1",
            "countersign_ingest_records_total{source=\"forge\",channel=\"github-webhook\",outcome=\"accepted\"} 3",
            "countersign_ingest_body_bytes_total{source=\"forge\"} 100",
            "countersign_ingest_acknowledgement_seconds_bucket{le=\"0.001\",source=\"forge\"} 1",
            "countersign_ingest_clock_skew_seconds{source=\"forge\"} 1.0",
            "countersign_ingest_clock_skewed_total{source=\"forge\"} 1",
            "countersign_ingest_queue_depth 1",
            "countersign_ingest_connections 0",
            "countersign_ledger_entries 0",
            "countersign_read_requests_total{reader=\"cab\",path=\"/v1/drift\",status=\"200\"} 1",
            "countersign_read_answer_seconds_count{path=\"/v1/drift\"} 1",
            "countersign_story_entries 7",
            "countersign_story_derivation_seconds 1.5",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }
}
