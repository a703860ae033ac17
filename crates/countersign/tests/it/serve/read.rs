//! `/v1`: the answers of the command line over HTTP, and who gets them.

use serde_json::Value;

use super::client::{self, Answer, SOURCES, Served, TOKEN, bearer};
use crate::schema;
use crate::support::{Bench, audit_line, captures};

const READER: &str = "reader's token of the test";

/// Sources, and a reader with a token of its own.
fn sources(rate: &str) -> String {
    format!(
        "{SOURCES}\n[[reader]]\nname = \"cab\"\nauth = {{ bearer = {{ token-file = \"reader\" }} }}\n{rate}"
    )
}

fn people() -> String {
    captures().join("people.json").to_str().expect("UTF-8").to_owned()
}

/// The recorded evening in a ledger.
fn evening() -> Bench {
    let bench = Bench::new();
    let folder = captures();
    let ran = bench.run(&["--people", &people(), "ingest", folder.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    bench
}

fn start(bench: &Bench, rate: &str) -> Served {
    let file = bench.write("reader", READER.as_bytes());
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("set");
    Served::start(bench, &sources(rate), &["--people", &people()])
}

fn ask(server: &Served, path: &str) -> Answer {
    let header = format!("authorization: Bearer {READER}");
    let request = client::request("GET", path, &[header], b"");
    client::exchange(client::connect(server.address), &request).expect("an answer")
}

/// Asks until the first story is there.
fn ready(server: &Served) -> Answer {
    loop {
        let answer = ask(server, "/v1/drift");
        if answer.status != 503 {
            assert_eq!(answer.status, 200, "{answer:?}");
            return answer;
        }
    }
}

#[test]
fn answers_are_those_of_the_command_line_and_fit_their_schemas() {
    let bench = evening();
    let server = start(&bench, "");
    ready(&server);
    let now = "now=2026-11-24T08:00:00Z";
    let table: [(&str, &str, &[&str]); 9] = [
        (
            "/v1/timeline?at=mon+21:47:42&app=payments-prod&now=2026-11-24T08:00:00Z",
            "timeline",
            &[
                "timeline",
                "--at",
                "mon 21:47:42",
                "--app",
                "payments-prod",
                "--now",
                "2026-11-24T08:00:00Z",
            ],
        ),
        (
            "/v1/timeline?at=mon%2022:46&window=30m&env=prod&tz=Europe/Madrid&now=2026-11-24T08:00:00Z",
            "timeline",
            &[
                "timeline",
                "--at",
                "mon 22:46",
                "--window",
                "30m",
                "--env",
                "prod",
                "--tz",
                "Europe/Madrid",
                "--now",
                "2026-11-24T08:00:00Z",
            ],
        ),
        ("/v1/timeline?whole=true", "timeline", &["timeline", "--whole"]),
        ("/v1/changes?env=prod", "change_list", &["change", "list", "--env", "prod"]),
        ("/v1/changes/pr:103", "change_view", &["change", "show", "pr:103"]),
        ("/v1/changes/CHG-2041", "change_view", &["change", "show", "CHG-2041"]),
        ("/v1/changes/6524e328", "transition_view", &["change", "show", "6524e328"]),
        (
            "/v1/running?at=mon+21:44&now=2026-11-24T08:00:00Z",
            "running",
            &["running", "--at", "mon 21:44", "--now", "2026-11-24T08:00:00Z"],
        ),
        ("/v1/drift?env=prod", "drift_list", &["drift", "list", "--env", "prod"]),
    ];
    let map = people();
    for (path, schema, words) in table {
        let answer = ask(&server, path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let told = bench.run(&[&["--people", &map, "--format", "json"], words].concat());
        assert!(answer.body == told.out, "{path} is not what {words:?} says: {}", told.err);
        schema::fits(&answer.json(), schema);
    }
    // The same by the entry that a record stands in.
    let entry = ask(&server, "/v1/changes/entry:999999999");
    assert_eq!((entry.status, entry.json()["status"].as_u64()), (400, Some(400)), "{entry:?}");
    let status = ask(&server, &format!("/v1/coverage?{now}"));
    assert_eq!(status.status, 400, "a parameter of another question: {status:?}");
    let status = ask(&server, "/v1/coverage").json();
    schema::fits(&status, "status");
    let silent = status["silent"].as_array().expect("a list");
    assert_eq!(silent.len(), 1, "gitlab is a source and nothing came: {silent:?}");
    let note = ask(&server, "/v1/checkpoint");
    assert_eq!(note.body, bench.checkpoint());
    assert_eq!(status["derived"]["checkpoint"], note.body.as_str());
}

#[test]
fn whoever_may_not_read_is_told_what_to_do() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let closed = server.get("/v1/timeline?at=10:00");
    assert_eq!(closed.status, 403);
    assert!(closed.body.contains("[[reader]]"), "{closed:?}");
    server.stop();
    let server = start(&bench, "");
    let get = |headers: &[String]| {
        let request = client::request("GET", "/v1/drift", headers, b"");
        client::exchange(client::connect(server.address), &request).expect("an answer")
    };
    let table = [
        (vec![], "Authorization: Bearer … is missing"),
        // A sender's token is no reader's.
        (vec![bearer()], "another token than expected"),
        (vec![format!("authorization: Bearer {READER}"), bearer()], "more than once"),
    ];
    for (headers, words) in table {
        let answer = get(&headers);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
        assert!(answer.body.contains(words), "{words}: {answer:?}");
    }
    let sent = server.post("/v1/drift", &[format!("authorization: Bearer {READER}")], b"{}");
    assert_eq!((sent.status, sent.header("allow")), (405, Some("GET,HEAD")), "{sent:?}");
    // And a reader is no sender.
    let line = audit_line("a", "p@x.example", "");
    let reader = format!("authorization: Bearer {READER}");
    assert_eq!(server.post("/ingest/audit", &[reader], line.as_bytes()).status, 401);
    ready(&server);
    let (_, said) = server.stop();
    for secret in [READER, TOKEN] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[test]
fn a_question_that_cannot_be_understood_is_told_which_part() {
    let bench = Bench::new();
    let server = start(&bench, "");
    ready(&server);
    let table = [
        ("/v1/timeline", 400, "at: nothing says when"),
        ("/v1/timeline?at=noonish", 400, "at: \"noonish\" is no moment"),
        ("/v1/timeline?at=10:00&tz=Mars/Base", 400, "tz: \"Mars/Base\" is no time zone"),
        ("/v1/timeline?at=10:00&window=wide", 400, "window: \"wide\" is no length of time"),
        ("/v1/timeline?at=10:00&now=then", 400, "now: \"then\" is no moment"),
        ("/v1/timeline?at=10:00&whole=true", 400, "at: say at (with window), or from and to"),
        ("/v1/timeline?from=10:00&to=09:00", 400, "to: the period ends before it begins"),
        ("/v1/timeline?at=10:00&apps=x", 400, "apps: no parameter of this question; it has at,"),
        ("/v1/timeline?at=10:00&at=11:00", 400, "at: stands more than once"),
        ("/v1/running", 400, "at: say when"),
        ("/v1/drift?min_size=many", 400, "min_size: \"many\" is no whole number"),
        ("/v1/drift?min_size=5", 409, "min_size=5: the ledger has 0 entries"),
        ("/v1/changes/nonsense", 400, "selector: \"nonsense\" names no change"),
        ("/v1/changes/pr:7", 404, "no change is in the first 0 entries under \"pr:7\""),
        ("/v1/changes/%zz", 400, "selector: not percent-encoded"),
        ("/v1/gossip", 404, "/v1/openapi.json lists those"),
        ("/v1", 404, "/v1/openapi.json lists those"),
    ];
    for (path, status, words) in table {
        let answer = ask(&server, path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(words), "{path}: {words:?} is missing in {detail}");
    }
    let metrics = server.get("/metrics").body;
    let counted =
        r#"countersign_read_requests_total{reader="cab",path="/v1/drift",status="409"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn what_was_acknowledged_is_in_the_answer_that_asks_for_it() {
    let bench = Bench::new();
    let server = start(&bench, "");
    let empty = ready(&server).json();
    assert_eq!(empty["derived"]["entries"], 0, "{empty}");
    for n in 0..5 {
        let line = audit_line(&format!("a{n}"), "p@x.example", "");
        let sent = server.post("/ingest/audit", &[bearer()], line.as_bytes());
        assert_eq!(sent.counts(), [1, 0, 0, 0]);
        let size = sent.json()["entries"][1].as_u64().expect("an index") + 1;
        let answer = ask(&server, &format!("/v1/timeline?whole=true&min_size={size}")).json();
        assert!(answer["derived"]["entries"].as_u64() >= Some(size), "{answer}");
        assert_eq!(answer["rows"].as_array().expect("rows").len() as u64, size);
    }
    // A refusal without a record weakens the answer too, though n stays.
    let refused = server.post("/ingest/audit", &[bearer()], b"{");
    assert_eq!(refused.status, 400);
    loop {
        let answer = ask(&server, "/v1/timeline?whole=true").json();
        assert_eq!(answer["derived"]["entries"], 5);
        if answer["sources"][0]["incomplete"].to_string().contains("refused at intake") {
            break;
        }
    }
    let (status, said) = server.stop();
    assert!(status.success() && said.contains("ledger closed"), "{said}");
    assert_eq!(client::check(&bench), 5);
    let seal = bench.run(&["ledger", "status"]).out;
    assert!(seal.contains("Page seal   whole"), "no reader was left open: {seal}");
}

#[test]
fn a_reader_has_its_own_rate() {
    let bench = Bench::new();
    let server = start(&bench, "rate = { per-second = 0.001, burst = 3 }\n");
    let statuses: Vec<u16> = (0..4).map(|_| ask(&server, "/v1/openapi.json").status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert!(ask(&server, "/v1/drift").header("retry-after").is_some());
}

#[test]
fn the_description_names_every_parameter_and_no_other() {
    let bench = Bench::new();
    let server = start(&bench, "");
    ready(&server);
    let answer = ask(&server, "/v1/openapi.json");
    let shipped = std::fs::read_to_string(schema::folder().join("openapi.json")).expect("read");
    assert_eq!(answer.body, shipped);
    let paths = answer.json()["paths"].as_object().expect("paths").clone();
    for (path, of) in paths.iter().filter(|(path, _)| path.starts_with("/v1/")) {
        let path = path.replace("{selector}", "pr:1").replace("{name}", "timeline.json");
        let parameters = of["get"]["parameters"].as_array().expect("a list");
        let named: Vec<&str> = parameters
            .iter()
            .filter(|p| p["in"] == "query")
            .map(|p| p["name"].as_str().expect("a name"))
            .collect();
        let refused = ask(&server, &format!("{path}?nosuch=1"));
        assert_eq!(refused.status, 400, "{path}: {refused:?}");
        let known = refused.json()["detail"].as_str().expect("a detail").to_owned();
        let known =
            known.split_once("it has ").map_or(Vec::new(), |(_, k)| k.split(", ").collect());
        assert_eq!(known, named, "{path}");
    }
    let document: Value = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    for name in ["timeline", "change_view", "change_list", "running", "drift_list", "status"] {
        let schema = ask(&server, &format!("/v1/schema/{name}.json"));
        assert_eq!((schema.status, &schema.json()["title"]), (200, &Value::from(name)));
    }
}
