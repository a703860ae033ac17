//! The sources file: what is wrong with it is told with its line, and nothing of a secret.

use crate::support::Bench;

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let bench = Bench::new();
    bench.write("secret", b"0123456789abcdef\n");
    bench.write("empty", b"\n");
    let bearer = BEARER;
    let of_sources: Vec<Wrong<'_>> = vec![
        (String::new(), &[], "names no [[source]]"),
        (source(""), &[], "line 1: missing field `auth`"),
        (source("token = \"hunter2\"\n"), &[], "line 3: unknown field `token`"),
        (source("auth = \"hunter2\"\n"), &[], "line 3: unknown value, expected one of"),
        (source("auth = { bearer = \"hunter2\" }\n"), &[], "line 3: not struct TokenTable"),
        (
            source("auth = { bearer = {} }\n"),
            &[],
            "source \"s\": say where the secret is: token-file",
        ),
        (
            source("auth = { bearer = { token-file = \"nowhere\" } }\n"),
            &[],
            "nowhere: No such file",
        ),
        (source("auth = { bearer = { token-file = \"empty\" } }\n"), &[], "empty is empty"),
        (
            source("auth = { bearer = { token-env = \"COUNTERSIGN_TEST_UNSET\" } }\n"),
            &[],
            "environment variable COUNTERSIGN_TEST_UNSET is not set",
        ),
        (
            source(&format!("channel = \"gossip\"\n{bearer}")),
            &[],
            "line 3: unknown channel \"gossip\"; known are",
        ),
        (
            source(&format!("channel = \"ledger-redaction\"\n{bearer}")),
            &[],
            "only the ledger itself",
        ),
        (
            source("auth = { hmac-sha256 = { secret-file = \"secret\" } }\n"),
            &[],
            "say in which header",
        ),
        (
            source("auth = { hmac-sha256 = { secret-file = \"secret\", header = \"a b\" } }\n"),
            &[],
            "no name of a header",
        ),
        (source("auth = { client-certificate = { dns = \"x.example\" } }\n"), &[], "--client-ca"),
        (source("auth = \"none-loopback-only\"\n"), &["--listen", "0.0.0.0:0"], "not on 0.0.0.0"),
    ];
    wrong(&bench, of_sources);
}

/// A file, options, and the words of the answer.
type Wrong<'a> = (String, &'a [&'a str], &'a str);

fn source(rest: &str) -> String {
    format!("[[source]]\nname = \"s\"\n{rest}")
}

const BEARER: &str = "auth = { bearer = { token-file = \"secret\" } }\n";

#[test]
fn values_that_cannot_be_are_told_where_they_are() {
    let bearer = BEARER;
    let bench = Bench::new();
    bench.write("secret", b"0123456789abcdef\n");
    let table: Vec<Wrong<'_>> = vec![
        (source(&format!("path = \"/metrics\"\n{bearer}")), &[], "answers this path itself"),
        (source(&format!("path = \"/a/{{b}}\"\n{bearer}")), &[], "a path begins with"),
        (source(&format!("rate = {{ per-second = 0, burst = 1 }}\n{bearer}")), &[], "over 0"),
        (source(&format!("rate = {{ per-second = nan, burst = 1 }}\n{bearer}")), &[], "over 0"),
        (source(&format!("body-bytes = 0\n{bearer}")), &[], "must not be 0"),
        (source(&format!("body-bytes = \"big\"\n{bearer}")), &[], "line 3: not usize"),
        (source(bearer).replace("\"s\"", "\"a b\""), &[], "a name has 1 to 64 letters"),
        (format!("{}{}", source(bearer), source(bearer)), &[], "two sources are named \"s\""),
        (
            format!(
                "{}{}",
                source(bearer),
                source(&format!("path = \"/ingest/s\"\n{bearer}")).replace("\"s\"", "\"t\"")
            ),
            &[],
            "two sources have the path /ingest/s",
        ),
        (
            format!("[limits]\nwaiting = 65\n{}", source(bearer)),
            &[],
            "[limits]: waiting must not be over 64",
        ),
        (
            format!("[limits]\nconnections = 0\n{}", source(bearer)),
            &[],
            "[limits]: connections must not be 0",
        ),
        (format!("[limits]\nspeed = 1\n{}", source(bearer)), &[], "line 2: unknown field `speed`"),
        ("[[source\n".to_owned(), &[], "line 1: "),
    ];
    wrong(&bench, table);
}

fn wrong(bench: &Bench, table: Vec<Wrong<'_>>) {
    for (text, options, words) in table {
        let path = bench.write("sources.toml", text.as_bytes());
        let ran = bench.run(&[&["serve", "--sources", &path], options].concat());
        assert_ne!(ran.code, 0, "{words}");
        assert!(ran.err.contains(words), "{words:?} is missing in {} for\n{text}", ran.err);
        assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    }
}

#[test]
fn options_that_need_each_other() {
    let bench = Bench::new();
    let table: &[(&[&str], u8, &str)] = &[
        (&["serve", "--help"], 0, "none-loopback-only"),
        (&["serve"], 2, "--sources"),
        (&["serve", "--sources", "s", "--tls-cert", "c"], 2, "--tls-key"),
        (&["serve", "--sources", "s", "--client-ca", "c"], 2, "--tls-cert"),
        (&["serve", "--sources", "s", "--listen", "nowhere"], 2, "--listen"),
        (&["serve", "--sources", "no/such/file"], 5, "cannot read no/such/file"),
    ];
    for (words, code, message) in table {
        let ran = bench.run(words);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, *code, "{words:?}: {said}");
        assert!(said.contains(message), "{words:?}: {said}");
    }
}

#[test]
fn an_address_in_use_and_a_ledger_in_use_are_told() {
    let bench = Bench::new();
    let server = super::Served::start(&bench, super::SOURCES, &[]);
    let sources = bench.path("sources.toml");
    let sources = sources.to_str().expect("UTF-8");
    let ran = bench.run(&["serve", "--sources", sources, "--listen", "127.0.0.1:0"]);
    assert!(ran.code == 5 && ran.err.contains("another process is writing"), "{}", ran.err);
    let other = Bench::new();
    let ran = other.run(&["serve", "--sources", sources, "--listen", &server.address.to_string()]);
    assert!(ran.code == 5 && ran.err.contains("cannot listen on 127.0.0.1:"), "{}", ran.err);
}
