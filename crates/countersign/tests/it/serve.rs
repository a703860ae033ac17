//! `countersign serve`, as its senders and its operator meet it.

mod client;
mod limits;
mod read;
mod settings;
mod tls;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use evidence::record::envelope::Auth;

use self::client::{
    Answer, SECRET, SOURCES, Served, TOKEN, bearer, check, envelopes, github, signed,
};
use crate::support::{Bench, audit_line, recorded};

/// Posts each delivery of a recorded file with its own headers, and adds up the counts.
fn post_recorded(server: &Served, file: &str, path: impl Fn(&str) -> String) -> [u64; 4] {
    let mut sum = [0; 4];
    for line in recorded(file) {
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let recorded = line["headers"].as_object().expect("headers");
        // Length and connection are those of this request, not of the recorded one.
        let own = ["host", "content-length", "accept-encoding"];
        let mut headers: Vec<String> = recorded
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.as_str().expect("a text")))
            .collect();
        if !recorded.contains_key("authorization") && !file.contains("webhooks") {
            headers.push(bearer());
        }
        let body = line["body"].as_str().expect("a body");
        let path = path(line["path"].as_str().unwrap_or_default());
        let counts = server.post(&path, &headers, body.as_bytes()).counts();
        sum.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
    sum
}

#[test]
fn recorded_deliveries_are_accepted_once_and_known_the_second_time() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let argocd = |path: &str| {
        let once = path.ends_with("-once");
        if once { "/ingest/events" } else { "/ingest/argocd" }.to_owned()
    };
    let to = |path: &'static str| move |_: &str| path.to_owned();
    let all: [Sent<'_>; 5] = [
        ("forge/github-webhooks.jsonl.gz", &to("/ingest/forge")),
        ("tickets/jira-webhooks.jsonl.gz", &to("/ingest/tickets")),
        ("argocd/notifications.jsonl.gz", &argocd),
        ("alertmanager/webhook.jsonl.gz", &to("/ingest/alerts")),
        ("kubernetes/audit-webhook-sample.jsonl.gz", &to("/ingest/audit?timeout=30s")),
    ];
    let mut first = Vec::new();
    for (file, path) in all {
        let [accepted, known, dropped, refused] = post_recorded(&server, file, path);
        assert_eq!(refused, 0, "{file}");
        first.push((file, accepted, known, dropped));
    }
    for ((file, path), (_, accepted, known, dropped)) in all.into_iter().zip(&first) {
        let again = post_recorded(&server, file, path);
        assert_eq!(again, [0, accepted + known, *dropped, 0], "{file}");
    }
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    // The same files, read from disk, hold the same records: all of them are known.
    let accepted: u64 = first.iter().map(|(_, accepted, ..)| accepted).sum();
    assert_eq!(check(&bench), accepted);
    assert_eq!(ingested(&bench, &all.map(|(file, _)| file)), (0, 0), "{first:?}");
    // What the recording itself counts: a line is a delivery, but for batches and repetitions.
    let lines = |file: &str| recorded(file).len() as u64;
    for (file, accepted, known, _) in &first[..2] {
        assert_eq!((*accepted, *known), (lines(file), 0), "{file}");
    }
    let auths = envelopes(&bench.ledger()).into_iter().fold(BTreeMap::new(), |mut by, e| {
        *by.entry((e.cite.channel.id(), e.auth.id())).or_insert(0_u64) += 1;
        by
    });
    assert_eq!(auths[&("github-webhook", Auth::Hmac.id())], 79);
    assert_eq!(auths[&("jira-webhook", Auth::Hmac.id())], 5);
    assert!(auths.keys().all(|(_, auth)| ["hmac", "bearer"].contains(auth)), "{auths:?}");
}

/// Reads recorded files from disk: how many records were new, and how many were refused.
fn ingested(bench: &Bench, files: &[&str]) -> (u64, u64) {
    let files: Vec<String> = files
        .iter()
        .map(|f| crate::support::captures().join(f).to_str().expect("UTF-8").to_owned())
        .collect();
    let words: Vec<&str> = ["--format", "json", "ingest"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let read: serde_json::Value = serde_json::from_str(&bench.run(&words).out).expect("JSON");
    let new = read["new"].as_object().expect("counts");
    let new = new.values().filter_map(serde_json::Value::as_u64).sum();
    (new, read["refused"].as_u64().expect("a count"))
}

/// A recorded file, and the path that each of its deliveries goes to.
type Sent<'a> = (&'a str, &'a dyn Fn(&str) -> String);

/// Path, headers, body; status and words of the answer.
type Refused<'a> = (&'a str, Vec<String>, &'a [u8], u16, &'a str);

fn refused(server: &Served, table: &[Refused<'_>]) {
    for (path, headers, body, status, words) in table {
        let answer = server.post(path, headers, body);
        assert_eq!(answer.status, *status, "{path} {words}: {answer:?}");
        let problem = answer.json();
        assert_eq!(problem["status"], *status);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(words), "{words:?} is missing in {detail}");
        assert_eq!(answer.header("www-authenticate").is_some(), *status == 401, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[test]
fn every_body_that_cannot_be_taken_says_what_to_do() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let token = || vec![bearer()];
    let json = |text: &'static str| text.as_bytes();
    let alert = json(r#"{"groupKey":"g","alerts":[]}"#);
    let long = format!("{{\"groupKey\":\"{}\"}}", "x".repeat((2 << 20) - 20));
    let table: Vec<Refused<'_>> = vec![
        (
            "/ingest/alerts",
            token(),
            b"{\"groupKey\":",
            400,
            "truncated: the text ends inside a value",
        ),
        ("/ingest/alerts", token(), b"", 400, "the body is empty"),
        ("/ingest/alerts", token(), b"{\"groupKey\":1,\"groupKey\":2}", 400, "duplicate key"),
        ("/ingest/alerts", token(), b"\xff\xfe", 400, "send the"),
        (
            "/ingest/alerts",
            token(),
            json(r#"{"kind":"Application","apiVersion":"argoproj.io/v1alpha1"}"#),
            422,
            "a record of channel argocd-notification, where this source sends alertmanager-webhook",
        ),
        ("/ingest/any", token(), json("{}"), 422, "not recognised as a record of any channel"),
        (
            "/ingest/any",
            [token(), vec!["content-type: application/x-ndjson".to_owned()]].concat(),
            json("{}\n{}\n"),
            422,
            "all 2 records were refused",
        ),
        (
            "/ingest/alerts",
            [token(), vec!["content-type: application/x-www-form-urlencoded".to_owned()]].concat(),
            b"payload=%7B%7D",
            415,
            "application/json",
        ),
        (
            "/ingest/alerts",
            [token(), vec!["content-encoding: br".to_owned()]].concat(),
            alert,
            415,
            "send gzip",
        ),
        (
            "/ingest/alerts",
            [token(), vec!["content-encoding: gzip".to_owned()]].concat(),
            alert,
            400,
            "no whole gzip stream",
        ),
        ("/ingest/alerts", token(), long.as_bytes(), 413, "raise record-bytes"),
    ];
    refused(&server, &table);
}

#[test]
fn every_refusal_has_its_status_and_says_what_to_do() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let body = br#"{"ref":"refs/heads/main"}"#;
    let good = github("g-1", body);
    let with = |header: &str| {
        let mut headers = good[..3].to_vec();
        headers.push(header.to_owned());
        headers
    };
    let token = || vec![bearer()];
    let json = |text: &'static str| text.as_bytes();
    let alert = json(r#"{"groupKey":"g","alerts":[]}"#);
    let table: Vec<Refused<'_>> = vec![
        ("/ingest/forge", good[..3].to_vec(), body, 401, "x-hub-signature-256 is missing"),
        (
            "/ingest/forge",
            with(&signed("x-hub-signature-256", "wrong", body)),
            body,
            401,
            "is not the HMAC-SHA-256 of this body",
        ),
        ("/ingest/forge", with("x-hub-signature-256: sha256=zz"), body, 401, "is not the HMAC"),
        ("/ingest/forge", good.clone(), b"{\"ref\":\"refs/heads/mail\"}", 401, "is not the HMAC"),
        ("/ingest/tickets", good.clone(), body, 401, "header x-hub-signature is missing"),
        ("/ingest/alerts", vec![], alert, 401, "Authorization: Bearer … is missing"),
        (
            "/ingest/alerts",
            vec!["authorization: Bearer nonsense".to_owned()],
            alert,
            401,
            "compare the token",
        ),
        ("/ingest/alerts", vec![bearer(), bearer()], alert, 401, "more than once"),
        ("/hooks/gitlab", token(), body, 401, "X-Gitlab-Token is missing"),
        ("/ingest/nobody", token(), alert, 404, "no source has this path"),
        ("/", token(), alert, 404, "no source has this path"),
    ];
    refused(&server, &table);
    let method = server.get("/ingest/forge");
    assert_eq!((method.status, method.header("allow")), (405, Some("POST")), "{method:?}");
    // Nothing of this was kept, and the good one still is.
    assert_eq!(server.post("/ingest/forge", &good, body).counts(), [1, 0, 0, 0]);
    let (_, said) = server.stop();
    assert_eq!(check(&bench), 1);
    for secret in [SECRET, TOKEN, "nonsense", "refs/heads"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    assert!(said.contains("source forge: 401 to 127.0.0.1:"), "{said}");
}

#[test]
fn an_answer_says_where_the_records_are() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let lines = [audit_line("a", "p@x.example", ""), audit_line("b", "p@x.example", "")].join("\n");
    let ndjson = vec!["content-type: application/x-ndjson".to_owned()];
    let answer = server.post("/ingest/local", &ndjson, format!("{lines}\n\n{{\n").as_bytes());
    let json = answer.json();
    assert_eq!(answer.counts(), [2, 0, 0, 1], "{answer:?}");
    assert_eq!(json["entries"], serde_json::json!([0, 1]));
    assert_eq!(json["refusals"][0]["record"], 3);
    // A batch of the API server, whose items leave out what the list says for all of them.
    let item = |id: &str, more: &str| {
        let line = audit_line(id, "p@x.example", more);
        line.replace(r#""kind":"Event","apiVersion":"audit.k8s.io/v1","#, "")
    };
    let read = item("c", "").replace("\"patch\"", "\"get\"");
    let items = [item("b", ""), item("d", ""), read, item("e", "")].join(",");
    let list =
        format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{items}]}}"#);
    let other_order =
        format!(r#"{{"items":[{items}],"apiVersion":"audit.k8s.io/v1","kind":"EventList"}}"#);
    let answer = server.post("/ingest/audit", &[bearer()], list.as_bytes());
    assert_eq!(answer.counts(), [2, 1, 1, 0], "{answer:?}");
    assert_eq!(answer.json()["entries"], serde_json::json!([1, 3]));
    let again = server.post("/ingest/audit", &[bearer()], other_order.as_bytes());
    assert_eq!(again.counts(), [0, 3, 1, 0], "{again:?}");
    let empty = r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}"#;
    let empty = server.post("/ingest/audit", &[bearer()], empty.as_bytes());
    assert_eq!((empty.counts(), &empty.json()["entries"]), ([0; 4], &serde_json::Value::Null));
    let one = audit_line("f", "p@x.example", "");
    assert_eq!(server.post("/ingest/any", &[bearer()], one.as_bytes()).counts(), [1, 0, 0, 0]);
    assert_eq!(server.post("/ingest/audit", &[bearer()], one.as_bytes()).counts(), [0, 1, 0, 0]);
    server.stop();
    let auths: Vec<_> = envelopes(&bench.ledger()).iter().map(|e| e.auth).collect();
    assert_eq!(auths, [Auth::Loopback, Auth::Loopback, Auth::Bearer, Auth::Bearer, Auth::Bearer]);
}

#[test]
fn some_refused_of_a_batch_do_not_hold_up_the_others() {
    let bench = Bench::new();
    let sources = format!("{SOURCES}record-bytes = 1000\n");
    let server = Served::start(&bench, &sources, &[]);
    let long = audit_line("long", "p@x.example", &format!(r#","pad":"{}""#, "x".repeat(1000)));
    let items = [audit_line("a", "p@x.example", ""), long, audit_line("b", "p@x.example", "")];
    let items = items.join(",");
    let list =
        format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{items}]}}"#);
    let answer = server.post("/ingest/local", &[], list.as_bytes());
    assert_eq!(answer.counts(), [2, 0, 0, 1], "{answer:?}");
    assert_eq!(answer.json()["refusals"][0]["record"], 2);
    let metrics = server.get("/metrics").body;
    let refused =
        r#"countersign_ingest_records_total{source="local",channel="-",outcome="refused"} 1"#;
    assert!(metrics.contains(refused), "{metrics}");
    server.stop();
    // The refusal outlives the server: a live source is not read again.
    let server = Served::start(&bench, SOURCES, &[]);
    let more = audit_line("c", "p@x.example", "");
    assert_eq!(server.post("/ingest/local", &[], more.as_bytes()).counts(), [1, 0, 0, 0]);
    server.stop();
    let answer = bench.run(&["timeline", "--whole"]);
    let words = answer.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("1 refused at intake of its sources"), "{}", answer.out);
}

#[test]
fn readers_work_while_two_sources_send() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &["--admin-listen", "127.0.0.1:0"]);
    let acknowledged = AtomicU64::new(0);
    let send = |source: &str, headers: &[String]| {
        for n in 0..100 {
            let line = audit_line(&format!("{source}{n}"), "p@x.example", "");
            let answer = server.post(&format!("/ingest/{source}"), headers, line.as_bytes());
            assert_eq!(answer.counts(), [1, 0, 0, 0]);
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| send("audit", &[bearer()]));
        scope.spawn(|| send("local", &[]));
        while acknowledged.load(Ordering::SeqCst) < 200 {
            let before = acknowledged.load(Ordering::SeqCst);
            let status = bench.run(&["--format", "json", "ledger", "status"]).done().out;
            let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
            assert!(status["derived"]["entries"].as_u64().expect("a count") >= before, "{status}");
            let answer = bench.run(&["timeline", "--whole"]);
            assert!([0, 1, 3].contains(&answer.code), "{}{}", answer.out, answer.err);
        }
    });
    let admin = server.admin.expect("an address");
    let get = |path| {
        let request = client::request("GET", path, &[], b"");
        client::exchange(client::connect(admin), &request).expect("an answer")
    };
    assert_eq!((get("/healthz").status, get("/readyz").status), (200, 200));
    let metrics = get("/metrics").body;
    let counted = r#"countersign_ingest_requests_total{source="audit",status="200"} 100"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("countersign_ledger_entries 200"), "{metrics}");
    assert_eq!(server.get("/metrics").status, 404, "health and metrics moved to the other address");
    let busy = bench.run(&["ingest", "-"]);
    assert!(busy.err.contains("another process is writing"), "{}", busy.err);
    let (status, said) = server.stop();
    assert!(status.success() && said.contains("ledger closed"), "{said}");
    assert_eq!(check(&bench), 200);
    let status = bench.run(&["ledger", "status"]).done().out;
    assert!(status.contains("http:audit") && status.contains("Page seal   whole"), "{status}");
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let bench = Bench::new();
    let mut sent = 0;
    for round in 0..5 {
        let mut server = Served::start(&bench, SOURCES, &[]);
        let acknowledged = std::sync::Mutex::new(Vec::new());
        let address = server.address;
        std::thread::scope(|scope| {
            let post = |sender: usize| {
                for n in 0.. {
                    let id = format!("k{round}-{sender}-{n}");
                    let line = audit_line(&id, "p@x.example", "");
                    let request = client::request("POST", "/ingest/local", &[], line.as_bytes());
                    let Ok(stream) = std::net::TcpStream::connect(address) else { return };
                    match client::exchange(stream, &request) {
                        Some(Answer { status: 200, .. }) => {
                            acknowledged.lock().expect("a list").push(id);
                        }
                        _ => return,
                    }
                }
            };
            for sender in 0..4 {
                scope.spawn(move || post(sender));
            }
            while acknowledged.lock().expect("a list").len() < 40 + 13 * round {
                std::thread::yield_now();
            }
            server.kill();
        });
        let acknowledged = acknowledged.into_inner().expect("a list");
        sent += acknowledged.len();
        // The next start publishes what was committed but not published.
        bench.run(&["ingest", &bench.write("empty.jsonl", b"")]).done();
        let found: std::collections::BTreeSet<String> =
            envelopes(&bench.ledger()).iter().map(|e| e.cite.id.to_string()).collect();
        for id in &acknowledged {
            let prefix = format!("{id}/");
            assert!(found.iter().any(|f| f.starts_with(&prefix)), "{id} was acknowledged");
        }
    }
    assert!(check(&bench) >= sent as u64);
}

#[test]
fn a_clock_that_is_off_is_counted_and_no_reason_to_refuse() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let event = |id: &str, time: &str| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"t","time":"{time}"}}"#)
    };
    let post = |event: String| server.post("/ingest/events", &[bearer()], event.as_bytes());
    assert_eq!(post(event("1", "1999-01-01T00:00:00Z")).counts(), [1, 0, 0, 0]);
    assert_eq!(post(event("2", "2099-01-01T00:00:00Z")).counts(), [1, 0, 0, 0]);
    // The same again is known, whatever it says of its time.
    assert_eq!(post(event("2", "2099-01-01T00:00:01Z")).counts(), [0, 1, 0, 0]);
    let metrics = server.get("/metrics").body;
    assert!(
        metrics.contains("countersign_ingest_clock_skewed_total{source=\"events\"} 3"),
        "{metrics}"
    );
    let skew = metrics.lines().find(|l| l.starts_with("countersign_ingest_clock_skew_seconds{"));
    let skew: f64 =
        skew.expect("shown").rsplit_once(' ').expect("a value").1.parse().expect("a number");
    assert!(skew > 1e8, "the newest is ahead: {skew}");
}

#[test]
fn a_request_under_way_is_finished_before_the_server_stops() {
    use std::io::Write as _;
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let line = audit_line("slow", "p@x.example", "");
    let request = client::request("POST", "/ingest/local", &[], line.as_bytes());
    let (begin, rest) = request.split_at(request.len() - 10);
    let mut stream = client::connect(server.address);
    stream.write_all(begin).expect("sent");
    let mut idle = client::connect(server.address);
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n").expect("sent");
    wait_until(|| server.get("/metrics").body.contains("countersign_ingest_connections 3"));
    server.terminate();
    wait_until(|| std::net::TcpStream::connect(server.address).is_err());
    stream.write_all(rest).expect("sent");
    let answer = client::read_answer(stream).expect("an answer");
    assert_eq!(answer.counts(), [1, 0, 0, 0]);
    let (status, said) = server.stop();
    assert!(status.success() && said.contains("ledger closed"), "{said}");
    assert_eq!(check(&bench), 1);
}

/// Waits for something that another process brings about.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed().as_secs() < 30, "waited too long");
        std::thread::yield_now();
    }
}
