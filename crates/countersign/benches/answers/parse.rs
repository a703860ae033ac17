//! How fast each channel's records are parsed, beside reading the same bytes as JSON and keeping
//! nothing, and copying them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use countersign::entropy::SystemSalts;
use evidence::channel::Channel;
use evidence::parse;
use evidence::record::payload::Payload;

use crate::evenings;
use crate::measure::{Call, Outcome, Runs, number, per_second, table};

/// Channels that come as lines of a log: counted in lines.
const LOGS: [Channel; 4] = [
    Channel::ArgocdControllerLog,
    Channel::ArgocdServerLog,
    Channel::KubernetesAudit,
    Channel::OpenbaoAudit,
];
const GOAL_MEGABYTES: f64 = 50.0;
const GOAL_LINES: f64 = 100_000.0;

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let mut rows = Vec::new();
    for (channel, payloads) in payloads()? {
        rows.push(measured(call, channel, &payloads));
    }
    let head = [
        "channel",
        "records",
        "MB/s",
        "records/s",
        "JSON, nothing kept, MB/s",
        "ratio",
        "copied, MB/s",
        "goal",
    ];
    table(
        out,
        "Parsers, one core: records of the recorded evening, median of the runs",
        &head,
        &rows,
    )
}

/// The payloads of the recording, by channel, as a derivation reads them.
fn payloads() -> Outcome<BTreeMap<Channel, Vec<Vec<u8>>>> {
    let terms = (evenings::terms(None)?, evenings::terms(Some(Channel::GitCommit))?);
    let taken =
        evenings::evening(&evenings::sources()?, (&terms.0, &terms.1), 0, &mut SystemSalts::new());
    let mut by: BTreeMap<Channel, Vec<Vec<u8>>> = BTreeMap::new();
    for entry in taken.iter().flat_map(|batch| &batch.entries) {
        let channel = entry.cite.channel;
        let payload = Payload::decode(&entry.payload)?.record();
        by.entry(channel).or_default().push(payload);
    }
    Ok(by)
}

fn measured(call: &Call, channel: Channel, payloads: &[Vec<u8>]) -> Vec<String> {
    let bytes: usize = payloads.iter().map(Vec::len).sum();
    // Each run reads at least so much: small channels are read over and over.
    let rounds = (call.amount(32 << 20, 1 << 20) / bytes.max(1)).max(1);
    let [mut ours, mut json, mut copied]: [Runs; 3] = Default::default();
    let timed = |runs: &mut Runs, work: &mut dyn FnMut(&[u8])| {
        let start = Instant::now();
        for _ in 0..rounds {
            for payload in payloads {
                work(black_box(payload));
            }
        }
        runs.0.push(per_second(bytes * rounds, start.elapsed()) / 1e6);
    };
    for _ in 0..call.amount(7, 2) {
        timed(&mut ours, &mut |payload| {
            black_box(parsed(channel, payload));
        });
        timed(&mut json, &mut |payload| {
            black_box(serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_ok());
        });
        timed(&mut copied, &mut |payload| drop(black_box(payload.to_vec())));
    }
    let megabytes = ours.median();
    let size = per_second(bytes, Duration::from_secs(1))
        / per_second(payloads.len(), Duration::from_secs(1));
    let lines = megabytes * 1e6 / size;
    let goal = if LOGS.contains(&channel) {
        format!("≥ 100 000 lines/s: {}", met(lines >= GOAL_LINES))
    } else {
        format!("≥ 50 MB/s: {}", met(megabytes >= GOAL_MEGABYTES))
    };
    vec![
        channel.id().to_owned(),
        payloads.len().to_string(),
        number(megabytes),
        number(lines),
        number(json.median()),
        format!("{:.2}", megabytes / json.median()),
        number(copied.median()),
        goal,
    ]
}

const fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

/// Parses a record by its channel; whether it was understood.
fn parsed(channel: Channel, payload: &[u8]) -> bool {
    match channel {
        Channel::AlertmanagerWebhook => parse::alertmanager_webhook::parse(payload).is_ok(),
        Channel::ArgocdApplicationWatch => parse::argocd_application_watch::parse(payload).is_ok(),
        Channel::ArgocdControllerLog => parse::argocd_controller_log::parse(payload).is_ok(),
        Channel::ArgocdNotification => parse::argocd_notification::parse(payload).is_ok(),
        Channel::ArgocdServerLog => parse::argocd_server_log::parse(payload).is_ok(),
        Channel::ArgocdStream => parse::argocd_stream::parse(payload).is_ok(),
        Channel::Cloudevent => parse::cloudevent::parse(payload).is_ok(),
        Channel::ForgeSnapshot => parse::forge_snapshot::parse(payload).is_ok(),
        Channel::GitCommit => parse::git_commit::parse(payload).is_ok(),
        Channel::GithubWebhook => parse::github_webhook::parse(payload).is_ok(),
        Channel::GitlabWebhook => parse::gitlab_webhook::parse(payload).is_ok(),
        Channel::JiraWebhook => parse::jira_webhook::parse(payload).is_ok(),
        Channel::KubernetesAudit => parse::kubernetes_audit::parse(payload).is_ok(),
        Channel::KubernetesEventWatch => parse::kubernetes_event_watch::parse(payload).is_ok(),
        Channel::KubernetesObjectWatch => parse::kubernetes_object_watch::parse(payload).is_ok(),
        Channel::LedgerAssessment => parse::ledger_assessment::parse(payload).is_ok(),
        Channel::LedgerRedaction => parse::ledger_redaction::parse(payload).is_ok(),
        Channel::OpenbaoAudit => parse::openbao_audit::parse(payload).is_ok(),
        Channel::PrometheusRange => parse::prometheus_range::parse(payload).is_ok(),
    }
}
