//! What is too large, too slow or too much, and what becomes of it.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::client::{SOURCES, Served, bearer, connect, exchange, read_answer, request};
use super::{check, wait_until};
use crate::support::{Bench, audit_line};

/// Bodies of a hundred megabytes.
const HUGE: usize = 100 << 20;

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let huge = vec![b' '; HUGE];
    let announced = server.post("/ingest/alerts", &[bearer()], &huge);
    assert_eq!(announced.status, 413, "{announced:?}");
    assert!(announced.body.contains("over the limit of 2097152 bytes"), "{announced:?}");
    assert_eq!(announced.header("connection"), Some("close"));
    // Without a length, it is refused where it goes over.
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    let chunked = [bearer(), "transfer-encoding: chunked".to_owned()];
    let mut bytes = request("POST", "/ingest/alerts", &chunked, b"");
    bytes.extend(chunk.repeat(HUGE >> 20));
    bytes.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange(connect(server.address), &bytes).expect("an answer");
    assert_eq!(answer.status, 413, "{answer:?}");
    // Who only announces it, and asks first, sends nothing of it.
    let head = format!(
        "POST /ingest/alerts HTTP/1.1\r\nhost: t\r\n{}\r\ncontent-length: {HUGE}\r\nexpect: 100-continue\r\n\r\n",
        bearer()
    );
    let answer = exchange(connect(server.address), head.as_bytes()).expect("an answer");
    assert_eq!(answer.status, 413, "{answer:?}");
    // Nobody who is not authenticated is told of limits.
    assert_eq!(server.post("/ingest/alerts", &[], &huge).status, 401);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_gzip_bomb_is_left_where_it_goes_over_the_limit() {
    let bench = Bench::new();
    let server = Served::start(&bench, SOURCES, &[]);
    let pack = |bytes: &[u8]| {
        let best = flate2::Compression::best();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), best);
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    };
    let headers = [bearer(), "content-encoding: gzip".to_owned()];
    let bomb = pack(&vec![b' '; HUGE]);
    assert!(bomb.len() < 200_000);
    let answer = server.post("/ingest/alerts", &headers, &bomb);
    assert_eq!(answer.status, 413, "{answer:?}");
    let line = audit_line("a", "p@x.example", "");
    let answer = server.post("/ingest/audit", &headers, &pack(line.as_bytes()));
    assert_eq!(answer.counts(), [1, 0, 0, 0]);
}

/// Limits so short that a test can wait for them.
fn short(limits: &str) -> String {
    format!("[limits]\n{limits}\n{SOURCES}")
}

#[test]
fn slow_senders_are_given_up() {
    let bench = Bench::new();
    let sources = short("header-for-ms = 300\nbody-for-ms = 300\nstop-for-ms = 1000");
    let server = Served::start(&bench, &sources, &[]);
    let line = audit_line("a", "p@x.example", "");
    let whole = request("POST", "/ingest/local", &[], line.as_bytes());
    let head = whole.len() - line.len();
    // Where each stops: within the headers, before the body, within the body.
    for (from, to) in [(10, 40), (head - 4, head - 1), (head, head), (head + 50, head + 60)] {
        let start = Instant::now();
        let mut stream = connect(server.address);
        stream.write_all(&whole[..from]).expect("sent");
        for byte in &whole[from..to] {
            // Drips, so that something always seems to come.
            // tidy: sleep because the time between two bytes is what is tested.
            std::thread::sleep(Duration::from_millis(15));
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
        }
        let answer = read_answer(stream).expect("an answer");
        assert_eq!(answer.status, 408, "{from}: {answer:?}");
        let (least, most) = (Duration::from_millis(280), Duration::from_secs(5));
        assert!((least..most).contains(&start.elapsed()), "{from}: {:?}", start.elapsed());
    }
    // One that never begins is closed in silence.
    assert!(read_answer(connect(server.address)).is_none());
    // Meanwhile the others are served.
    let answer = exchange(connect(server.address), &whole).expect("an answer");
    assert_eq!(answer.counts(), [1, 0, 0, 0]);
    let (status, said) = server.stop();
    assert!(status.success() && said.contains("the headers took longer than 0.3 s"), "{said}");
    assert_eq!(check(&bench), 1);
}

#[test]
fn connections_are_counted_and_a_place_is_given_back() {
    let bench = Bench::new();
    let sources = short("connections = 2\nheader-for-ms = 400");
    let server = Served::start(&bench, &sources, &["--admin-listen", "127.0.0.1:0"]);
    let mut hold: Vec<_> = (0..2).map(|_| connect(server.address)).collect();
    for stream in &mut hold {
        stream.write_all(b"POST /").expect("sent");
    }
    let admin = server.admin.expect("an address");
    let metrics = || {
        let request = request("GET", "/metrics", &[], b"");
        exchange(connect(admin), &request).expect("an answer").body
    };
    // The third is the one that asks.
    wait_until(|| metrics().contains("countersign_ingest_connections 3"));
    // It waits until one of the others is given up.
    let line = audit_line("a", "p@x.example", "");
    assert_eq!(server.post("/ingest/local", &[], line.as_bytes()).counts(), [1, 0, 0, 0]);
}

#[test]
fn a_source_that_sends_too_much_is_told_when_to_come_again() {
    let bench = Bench::new();
    let sources = format!("{SOURCES}rate = {{ per-second = 0.1, burst = 2 }}\n");
    let server = Served::start(&bench, &sources, &[]);
    let post =
        |id: &str| server.post("/ingest/local", &[], audit_line(id, "p@x.example", "").as_bytes());
    assert_eq!((post("a").status, post("b").status), (200, 200));
    let third = post("c");
    assert_eq!(third.status, 429, "{third:?}");
    let after: u64 = third.header("retry-after").expect("said").parse().expect("seconds");
    assert!((1..=10).contains(&after), "{after}");
    // Another source has its own allowance.
    let other = audit_line("c", "p@x.example", "");
    assert_eq!(server.post("/ingest/audit", &[bearer()], other.as_bytes()).status, 200);
}

#[test]
fn without_a_place_in_the_queue_the_sender_waits_or_comes_again() {
    let bench = Bench::new();
    let sources = short("waiting = 1\nwaiting-for-ms = 0");
    let server = Served::start(&bench, &sources, &[]);
    let mut answered = [0_u64; 2];
    std::thread::scope(|scope| {
        let server = &server;
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                scope.spawn(move || {
                    let mut answered = [0_u64; 2];
                    for n in 0..50 {
                        let line = audit_line(&format!("{sender}-{n}"), "p@x.example", "");
                        let answer = server.post("/ingest/local", &[], line.as_bytes());
                        match answer.status {
                            200 => answered[0] += 1,
                            503 => {
                                assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
                                answered[1] += 1;
                            }
                            other => panic!("{other}: {answer:?}"),
                        }
                    }
                    answered
                })
            })
            .collect();
        for sender in senders {
            let each = sender.join().expect("ended");
            answered.iter_mut().zip(each).for_each(|(sum, n)| *sum += n);
        }
    });
    assert!(answered[0] > 0 && answered[1] > 0, "{answered:?}");
    let (status, said) = server.stop();
    assert!(status.success(), "{said}");
    assert!(said.contains("more lines left out"), "refusals are summed up: {said}");
    assert_eq!(check(&bench), answered[0], "what was refused is not there");
}

#[test]
fn bodies_take_no_more_memory_than_the_server_has_for_them() {
    let bench = Bench::new();
    let server = Served::start(&bench, &short("body-memory-bytes = 20000"), &[]);
    let long = audit_line("a", "p@x.example", &format!(r#","pad":"{}""#, "x".repeat(30_000)));
    let answer = server.post("/ingest/local", &[], long.as_bytes());
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    let line = audit_line("b", "p@x.example", "");
    assert_eq!(server.post("/ingest/local", &[], line.as_bytes()).status, 200);
}
