//! The answer about the recorded evening, as people read it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use evidence::ask::timeline::{Query, timeline};
use evidence::channel::Channel;
use evidence::people::People;
use evidence::record::{Cite, Record, RecordId};
use evidence::story::{Story, derive};
use flate2::read::GzDecoder;
use jiff::tz::TimeZone;

use crate::render::RenderOptions;
use crate::render::timeline::render;

const WATCH: (Channel, &str) =
    (Channel::ArgocdApplicationWatch, "kubernetes/watch/applications.jsonl.gz");
const EVENTS: (Channel, &str) = (Channel::KubernetesEventWatch, "kubernetes/watch/events.jsonl.gz");
const AUDIT: (Channel, &str) = (Channel::KubernetesAudit, "kubernetes/audit.jsonl.gz");

/// The story of some recorded files; a record's id is its line, counted from one.
fn story(files: &[(Channel, &str)]) -> Story {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let mut records = Vec::new();
    for (channel, file) in files {
        let mut text = String::new();
        let packed = File::open(captures.join(file)).unwrap();
        GzDecoder::new(packed).read_to_string(&mut text).unwrap();
        records.extend(text.lines().zip(1..).map(|(line, number)| {
            let id = RecordId::new(i32::to_string(&number)).unwrap();
            Record { cite: Cite { channel: *channel, id }, payload: line.as_bytes().to_vec() }
        }));
    }
    let people = std::fs::read(captures.join("people.json")).unwrap();
    derive(records, &People::from_json(&people).unwrap())
}

fn answer(story: &Story, window: [&str; 2], app: Option<&str>, colour: bool) -> String {
    let [from, to] = window.map(|time| format!("2026-11-23T{time}Z").parse().unwrap());
    let query = Query { from, to, app: app.map(str::to_owned), namespace: None, environment: None };
    let entry_of = |cite: &Cite| cite.id.as_str().parse().ok();
    let options = RenderOptions {
        width: 80,
        colour,
        tz: TimeZone::UTC,
        checkpoint: Some(99),
        entry_of: &entry_of,
    };
    render(&timeline(story, &query), &options)
}

const WINDOW: [&str; 2] = ["21:47:41", "21:47:52"];

#[test]
fn the_contradicted_operation_reads_as_an_answer() {
    let story = story(&[WATCH, EVENTS, AUDIT]);
    let text = answer(&story, WINDOW, Some("payments-prod"), false);
    let expected = "\
payments-prod · prod · critical            Mon 2026-11-23, 21:47:41–21:47:52 UTC
!! INITIATOR CONTRADICTED: payments-prod, operation of 21:47:42

21:47:42 write   Application/payments-prod .operation, kubectl patch       #2289
           as    frank.weiss@bank.example, client certificate e6492e4e…
           via   ClusterRoleBinding prod-debug-fweiss → ClusterRole prod-debug
           set   revision 6524e328, initiatedBy dave.okafor@bank.example
21:47:42 sync    full to 6524e328, Succeeded 21:47:43, initiator           #0596
                 contradicted, see below, Argo CD history id 5
           did   ConfigMap/payments-config LOG_LEVEL info → debug; 5 unchanged
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("Who held the certificate key: not"), "{text}");
    let not_found =
        "  not found                OperationStarted of argocd-server at that version\n";
    assert!(text.contains(not_found), "{text}");
}

#[test]
fn no_line_is_too_wide_and_no_word_says_too_much() {
    for files in [&[WATCH, EVENTS, AUDIT][..], &[WATCH], &[AUDIT], &[]] {
        let text = answer(&story(files), ["21:40:00", "21:53:00"], None, false);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(!text.contains('\u{1b}'), "styles only when asked for");
        for word in ["forged", "proves", "proof", "compliant", "immutable", "approved"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}

#[test]
fn without_the_audit_log_nobody_is_contradicted_and_the_gap_is_told() {
    let text = answer(&story(&[WATCH, EVENTS]), WINDOW, Some("payments-prod"), false);
    assert!(!text.contains("CONTRADICTED") && !text.contains("frank"), "{text}");
    assert!(text.contains("Result: undetermined"), "{text}");
    assert!(text.contains("no record of kubernetes-audit"), "{text}");
}

#[test]
fn colour_adds_styles_and_no_words() {
    let story = story(&[WATCH, EVENTS, AUDIT]);
    let plain = answer(&story, WINDOW, None, false);
    let styled = answer(&story, WINDOW, None, true);
    assert!(styled.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&styled).to_string(), plain);
}
