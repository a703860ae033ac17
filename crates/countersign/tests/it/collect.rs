//! `collect forge`: which requests are sent, what is kept of the answers, what refusals, limits and
//! broken forges lead to. The payloads are those that the forges document.

use std::fs;

use access::forge::{Protected, Snapshot};
use serde_json::{Value, json};

use self::payloads::{Answers, gitea, github, gitlab};
use self::server::{Reply, Says, Server};
use crate::support::{Bench, Ran};

mod payloads;
mod server;

const TOKEN: &str = "0123456789abcdefTOKEN";

/// What a forge has, by the path of the request; the rest is 404.
fn forge(answers: Answers) -> Says {
    Box::new(move |target, _| {
        let path = target.split('?').next().unwrap_or(target);
        let found = answers.iter().find(|(own, _)| *own == path);
        found.map_or_else(
            || Reply::json(404, &json!({"message": "Not Found"})),
            |(_, body)| Reply::json(200, body),
        )
    })
}

fn collect(bench: &Bench, server: &Server, kind: &str, more: &[&str]) -> Ran {
    let token = bench.write("token", format!("{TOKEN}\n").as_bytes());
    let words = ["collect", "forge", "--forge", kind, "--name", "acme/gitops", "--api"];
    let own = [server.address.as_str(), "--token-file", &token];
    bench.run(&[&words[..], &own, more].concat())
}

#[test]
fn each_forge_is_asked_for_all_that_is_read_of_it() {
    let table = [
        ("github", github(), payloads::GITHUB),
        ("gitlab", gitlab(), payloads::GITLAB),
        ("gitea", gitea(), payloads::GITEA),
    ];
    for (kind, answers, targets) in table {
        let (bench, server) = (Bench::new(), Server::start(forge(answers)));
        let ran = collect(&bench, &server, kind, &["--branch", "next#+1"]);
        assert_eq!(ran.code, 0, "{kind}: {}", ran.err);
        assert_eq!(server.targets(), targets, "{kind}");
        let snapshot = Snapshot::parse(ran.out.as_bytes()).expect("a snapshot");
        assert_eq!(snapshot.branch("main").protected(), Protected::Yes, "{kind}");
        assert_eq!(snapshot.repository(), "acme/gitops");
        assert!(snapshot.taken_at().is_some() && ran.out.lines().count() == 1, "{kind}");
        let accounts = snapshot.accounts().value().map(Vec::len);
        assert_eq!(accounts, Some(1), "{kind}: {:?}", snapshot.accounts());
        for hidden in [TOKEN, "CLONETOKEN", "RUNNERTOKEN", "PASSWORD", "https://x", "starred_url"] {
            assert!(!ran.out.contains(hidden) && !ran.err.contains(hidden), "{kind}: {hidden}");
        }
        assert_eq!(ran.out.contains("prevent_secrets"), kind == "gitlab", "a setting was left out");
        assert!(server.came().iter().all(|came| {
            came.headers.contains(&format!("authorization: bearer {}", TOKEN.to_lowercase()))
        }));
    }
}

#[test]
fn a_snapshot_goes_into_the_ledger_as_it_is() {
    let (bench, server) = (Bench::new(), Server::start(forge(github())));
    let file = bench.path("forge.json");
    let file = file.to_str().expect("UTF-8");
    let ran = collect(&bench, &server, "github", &["--out", file]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err.contains("main: protected; 2 approvals; code owners have to approve"),
        "{}",
        ran.err
    );
    let ran = bench.run(&["ingest", file]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let kept: Vec<Value> = { bench.records().into_iter() }
        .filter_map(|record| serde_json::from_slice(&record.payload).ok())
        .filter(|payload: &Value| payload.get("forge_snapshot").is_some())
        .collect();
    let written: Value = serde_json::from_slice(&fs::read(file).expect("read")).expect("JSON");
    assert_eq!(kept, [written]);
}

/// A page's number and its answer; what the headers say is added.
type Pages = fn(usize, Reply) -> Reply;

/// The forge, the list, items of a page, items of all, how many are known, and what headers say.
type List = (&'static str, &'static str, usize, usize, Option<usize>, Pages);

const NEXT: &str = "<http://evil.example/?page=7>; rel=\"next\"";

/// Items as a forge gives them: with a header that tells of more, with the number of all, or without
/// anything; a list without pages, which answers the same to every page; and lists whose rest does not
/// come, of which nothing is known.
#[test]
fn lists_are_read_to_their_end_and_never_twice() {
    let items = |from: usize, to: usize| -> Value {
        let item = |n| {
            json!({"login": format!("a{n}"), "id": n, "username": format!("a{n}"),
            "permissions": {"pull": true}, "access_level": 30, "permission": "read"})
        };
        (from..to).map(item).collect()
    };
    let table: [List; 11] = [
        ("github", "/collaborators?", 100, 250, Some(250), |page, reply| {
            if page < 3 { reply.with("Link", NEXT) } else { reply }
        }),
        // What a proxy adds says nothing of pages.
        ("github", "/collaborators?", 100, 150, Some(150), |page, reply| {
            let reply = reply.with("Link", "</s.css>; rel=preload");
            if page < 2 { reply.with("Link", NEXT) } else { reply }
        }),
        ("github", "/collaborators?", 100, 150, Some(150), |_, reply| {
            reply.with("Link", "</s.css>; rel=preload")
        }),
        ("github", "/collaborators?", 100, 200, Some(200), |_, reply| reply),
        ("gitlab", "/members/all?", 100, 150, Some(150), |page, reply| {
            reply.with("X-Next-Page", if page < 2 { "2" } else { "" })
        }),
        ("gitea", "/collaborators?", 30, 70, Some(70), |_, reply| {
            reply.with("X-Total-Count", "70")
        }),
        ("gitea", "/collaborators?", 60, 60, Some(60), |_, reply| reply),
        ("gitea", "/collaborators?", 50, 50, Some(50), |_, reply| reply),
        // Seventy are announced, and fifty come.
        ("gitea", "/collaborators?", 30, 50, None, |_, reply| reply.with("X-Total-Count", "70")),
        // Another page is announced, and the first comes again.
        ("github", "/collaborators?", 100, 100, None, |_, reply| reply.with("Link", NEXT)),
        // There is always another one.
        ("github", "/collaborators?", 1, 100_000, None, |_, reply| reply.with("Link", NEXT)),
    ];
    for (kind, list, size, all, known, pages) in table {
        let server = Server::start(Box::new(move |target, _| {
            if target.contains(list) {
                let page = target.rsplit('=').next().and_then(|n| n.parse().ok());
                let page: usize = page.expect("a page");
                // A list without pages is as long as one.
                let from = if size == all { 0 } else { (size * (page - 1)).min(all) };
                return pages(page, Reply::json(200, &items(from, (from + size).min(all))));
            }
            let first = target.ends_with("/gitops") || target.ends_with("%2Fgitops");
            let is_right = target.ends_with("/permission");
            let body = if is_right { json!({"permission": "read"}) } else { json!([]) };
            let object = target.ends_with("/workflow") || !target.contains('?');
            let body = if object && !is_right { json!({"default_branch": "main"}) } else { body };
            Reply::json(200, &if first { json!({"default_branch": "main"}) } else { body })
        }));
        let ran = collect(&Bench::new(), &server, kind, &[]);
        assert_eq!(ran.code, 0, "{kind}: {}", ran.err);
        let snapshot = Snapshot::parse(ran.out.as_bytes()).expect("a snapshot");
        let accounts = snapshot.accounts().value().map(Vec::len);
        assert_eq!(accounts, known, "{kind} {size} of {all}: {}", ran.err);
        assert_eq!(ran.err.contains("cut short"), known.is_none(), "{}", ran.err);
    }
}

/// What is left out of answers changes nothing of what is read of them.
#[test]
fn trimming_takes_nothing_that_is_read() {
    for (kind, answers) in [("github", github()), ("gitlab", gitlab()), ("gitea", gitea())] {
        let server = Server::start(forge(answers.clone()));
        let ran = collect(&Bench::new(), &server, kind, &[]);
        let mut whole: Value = serde_json::from_str(&ran.out).expect("JSON");
        let trimmed = Snapshot::parse(ran.out.as_bytes()).expect("a snapshot");
        for answer in whole["answers"].as_array_mut().expect("answers") {
            let path = answer["path"].as_str().expect("a path");
            let path = path.split('?').next().expect("a path");
            let found = answers.iter().find(|(own, _)| own.ends_with(path));
            if let (Some((_, body)), Some(200)) = (found, answer["status"].as_u64()) {
                answer["body"] = body.clone();
            }
        }
        let raw = Snapshot::parse(whole.to_string().as_bytes()).expect("a snapshot");
        let told = |of: &Snapshot| {
            let main = of.branch("main");
            let can = (of.who_can_merge(&main), of.who_can_push(&main), of.administrators());
            let parts = (of.accounts(), of.teams(), of.workflows(), of.tag_protected("v1"));
            format!("{main:?} {can:?} {parts:?} {:?}", of.shared_group("acme/ops"))
        };
        assert_eq!(told(&trimmed), told(&raw), "{kind}");
    }
}

#[test]
fn what_the_token_may_not_see_is_kept_as_refused() {
    let mut answers = github();
    answers.retain(|(path, _)| !path.ends_with("/protection") && !path.ends_with("/rulesets/7"));
    let (bench, server) = (Bench::new(), Server::start(forge(answers)));
    let ran = collect(&bench, &server, "github", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let snapshot = Snapshot::parse(ran.out.as_bytes()).expect("a snapshot");
    assert_eq!(snapshot.branch("main").protected(), Protected::Unknown);
    for said in ["3 refused", "undetermined", "404  /repos/acme/gitops/branches/main/protection"] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
}

/// An empty answer with a good status is no word on protection.
#[test]
fn nothing_where_protection_should_be_is_not_unprotected() {
    let mut answers = github();
    for (path, body) in &mut answers {
        if path.ends_with("/protection") {
            *body = Value::Null;
        }
    }
    let (bench, server) = (Bench::new(), Server::start(forge(answers)));
    let ran = collect(&bench, &server, "github", &[]);
    let main = Snapshot::parse(ran.out.as_bytes()).expect("a snapshot").branch("main");
    assert!(!main.unknown.is_empty(), "{main:?}");
}

#[test]
fn what_administrators_are_told_of_no_rule_is_an_answer() {
    let says = forge(github());
    let server = Server::start(Box::new(move |target, before| match target {
        "/api/v3/repos/acme/gitops/branches/main/protection" => {
            Reply::json(404, &json!({"message": "Branch not protected"}))
        }
        _ => says(target, before),
    }));
    let ran = collect(&Bench::new(), &server, "github", &[]);
    assert!(
        ran.err.contains("1 refused") && !ran.err.contains("404  /repos/acme/gitops/branches/main"),
        "{}",
        ran.err
    );
}

/// A forge that is in the way: what it answers, and what is said then.
#[test]
fn a_forge_in_the_way_gives_no_snapshot_and_a_reason() {
    let elsewhere = Server::start(Box::new(|_, _| Reply::json(200, &json!({}))));
    let to = elsewhere.address.replace("://", "://someone:QUERY@");
    let to = format!("{to}/repositories/1?access_token=QUERY");
    let table: Vec<(Says, &str)> = vec![
        (
            Box::new(|_, _| Reply::json(404, &json!({"message": "Not Found"}))),
            "answered 404 to /repos/acme/gitops (Not Found): no such repository, the token may not see it,",
        ),
        (
            Box::new(|_, _| Reply::json(401, &json!({"message": "Bad credentials"}))),
            "it does not take the token",
        ),
        (
            Box::new(|_, _| {
                Reply::json(403, &json!({"message": format!("\u{1b}[31m{}", "no ".repeat(999))}))
            }),
            "answered 403 to /repos/acme/gitops ([31mno ",
        ),
        (
            Box::new(|_, _| Reply { body: b"<html>".to_vec(), ..Reply::json(200, &json!({})) }),
            "is no JSON: is that the address of the API?",
        ),
        (Box::new(|_, _| Reply::json(200, &json!([]))), "is not what GitHub answers there"),
        (
            Box::new(|_, _| Reply::json(503, &json!({}))),
            "answered 503 to /repos/acme/gitops: it is out of order",
        ),
        (
            Box::new(move |_, _| Reply::json(301, &json!({})).with("Location", to.clone())),
            "redirects are not followed",
        ),
        (
            Box::new(|_, _| Reply::json(429, &json!({})).with("Retry-After", "3600")),
            "takes no more requests for 3600 s",
        ),
        (
            Box::new(|_, _| {
                Reply::json(403, &json!({}))
                    .with("X-RateLimit-Remaining", "0")
                    .with("Date", "Wed, 25 Nov 2026 10:00:00 GMT")
                    .with("X-RateLimit-Reset", "1795602600")
            }),
            "takes no more requests for 1800 s",
        ),
        (
            Box::new(|_, _| Reply {
                body: vec![b' '; (16 << 20) + 1],
                ..Reply::json(200, &json!({}))
            }),
            "has more than 16 MiB",
        ),
        (Box::new(|_, _| Reply { missing: 9, ..Reply::json(200, &json!({})) }), "gave no answer"),
    ];
    for (says, said) in table {
        let (bench, server) = (Bench::new(), Server::start(says));
        let file = bench.path("forge.json");
        let ran = collect(&bench, &server, "github", &["--out", file.to_str().expect("UTF-8")]);
        assert_eq!(
            (ran.code, ran.out.as_str(), file.exists()),
            (5, "", false),
            "{said}: {}",
            ran.err
        );
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
        assert!(!ran.err.contains(TOKEN) && !ran.err.contains("QUERY"), "{}", ran.err);
        assert!(!ran.err.contains('\u{1b}') && ran.err.len() < 600, "{}", ran.err);
    }
    assert!(elsewhere.came().is_empty(), "{:?}", elsewhere.came());
}

#[test]
fn a_forge_that_was_busy_is_asked_again() {
    let says = forge(github());
    let server = Server::start(Box::new(move |target, before| match (target, before) {
        ("/api/v3/repos/acme/gitops/teams?per_page=100&page=1", 0) => {
            Reply::json(429, &json!({})).with("Retry-After", "0")
        }
        _ => says(target, before),
    }));
    let ran = collect(&Bench::new(), &server, "github", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let snapshot = Snapshot::parse(ran.out.as_bytes()).expect("a snapshot");
    assert_eq!(snapshot.teams().value().map(Vec::len), Some(1));
}

#[test]
fn https_asks_for_a_certificate_that_somebody_trusted_vouches_for() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let key = made.signing_key.serialize_der();
    let server = Server::start_tls(forge(github()), made.cert.der().to_vec(), key);
    let bench = Bench::new();
    let ran = collect(&bench, &server, "github", &[]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains("gave no answer") && ran.err.contains("certificate"), "{}", ran.err);
    assert!(server.came().is_empty(), "a token went to a server that nobody vouched for");
    let ca = bench.write("ca.pem", made.cert.pem().as_bytes());
    let ran = collect(&bench, &server, "github", &["--ca", &ca]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn forge_and_repository_may_come_from_the_policy() {
    let (bench, server) = (Bench::new(), Server::start(forge(github())));
    let token = bench.write("token", TOKEN.as_bytes());
    let repository = "repository: {forge: github, name: acme/gitops, branch: next}";
    let good = format!("version: 1\n{repository}\nenvironments: [{{name: prod}}]\n");
    let policy = bench.write("countersign.yaml", good.as_bytes());
    let words =
        ["collect", "forge", "--policy", &policy, "--api", &server.address, "--token-file", &token];
    let ran = bench.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(server.targets().iter().any(|t| t.ends_with("/branches/next/protection")));
    fs::write(&policy, "version: 9\n").expect("written");
    let ran = bench.run(&words);
    assert!(ran.code == 5 && ran.err.contains("the policy cannot be read"), "{}", ran.err);
}

#[test]
fn what_is_not_said_is_asked_for() {
    let bench = Bench::new();
    let token = bench.write("token", TOKEN.as_bytes());
    let far =
        bench.write("far.yaml", b"version: 1\nrepository: {forge: bitbucket, name: acme/gitops, branch: main}\nenvironments: [{name: prod}]\n");
    let table: [(&[&str], &str); 11] = [
        (&["--policy", &far], "Bitbucket is not asked"),
        (&["--out", "no/such/folder/forge.json"], "--out: there is no folder no/such/folder"),
        (&["--forge", "github", "--name", "a/b", "--api", "u:PASS@git.example"], "cannot be asked"),
        (
            &["--forge", "github", "--name", "a/b", "--api", "ftp://git.example"],
            "neither https nor http",
        ),
        (&["--name", "acme/gitops"], "--forge says which forge"),
        (&["--forge", "github"], "--name says which repository"),
        (&["--forge", "gitea", "--name", "acme/gitops"], "--api says where the forge is"),
        (&["--forge", "github", "--name", "acme"], "\"acme\" is no repository's path"),
        (&["--forge", "github", "--name", "acme/.."], "is no repository's path"),
        (&["--forge", "github", "--name", "a/b", "--api", "http://git.example"], "in the clear"),
        (
            &["--forge", "github", "--name", "a/b", "--api", "https://u:PASS@git.example"],
            "holds an account",
        ),
    ];
    for (more, said) in table {
        let words = ["collect", "forge", "--token-file", &token];
        let none = if more.contains(&"--policy") { &[][..] } else { &["--policy", "none.yaml"] };
        let ran = bench.run(&[&words[..], none, more].concat());
        assert_eq!(ran.code, 5, "{more:?}: {}", ran.err);
        assert!(ran.err.contains(said) && !ran.err.contains("PASS"), "{said}: {}", ran.err);
    }
}
