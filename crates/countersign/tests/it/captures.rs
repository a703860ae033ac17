//! The recorded evening through the whole program.

use crate::support::{Bench, captures, holds, recorded};

/// Takes in everything that was recorded, whatever its channel.
fn everything() -> Bench {
    let bench = Bench::new();
    let people = captures().join("people.json");
    let words = ["--people", people.to_str().expect("UTF-8"), "ingest"];
    let folder = captures();
    let ran = bench.run(&[&words[..], &[folder.to_str().expect("UTF-8")]].concat());
    assert_eq!(ran.code, 1, "what is no record is refused: {}{}", ran.out, ran.err);
    assert!(ran.err.contains("expected.jsonl:1: refused: not recognised"), "{}", ran.err);
    bench
}

#[test]
fn no_secret_of_the_recording_is_in_any_file_of_the_ledger() {
    let bench = everything();
    let secrets = ["recorded-bearer-token", "eyJhbGciOi", "hvs.", "PRIVATE KEY"];
    let raw: Vec<String> =
        ["kubernetes/watch/partial-secrets.jsonl.gz", "argocd/notifications.jsonl.gz"]
            .iter()
            .flat_map(|f| recorded(f))
            .collect();
    assert!(raw.iter().any(|line| line.contains(secrets[0])), "the recording holds a secret");
    for (path, bytes) in bench.files() {
        if path.file_name().is_some_and(|n| n == "signing.key" || n == "content.key") {
            continue;
        }
        for secret in secrets {
            assert!(!holds(&bytes, secret.as_bytes()), "{secret} stands in {}", path.display());
        }
    }
}

#[test]
fn planted_secrets_never_reach_a_file() {
    let bench = Bench::new();
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.cGxhbnRlZC1zaWduYXR1cmU";
    let object = |kind: &str, body: &str| {
        format!(
            r#"{{"type":"ADDED","object":{{"kind":"{kind}","apiVersion":"v1","metadata":{{"uid":"u-{kind}","resourceVersion":"5"}},{body}}}}}"#
        )
    };
    let lines = [
        object(
            "Secret",
            r#""data":{"tls.key":"UExBTlRFRC1EQVRB"},"stringData":{"k":"planted-string"}"#,
        ),
        object("Pod", r#""spec":{"env":[{"name":"DB_PASSWORD","value":"planted-env"}]}"#),
        object("Job", &format!(r#""note":"used {jwt} once""#)),
        object("Helm", r#""parameters":[{"value":"planted-helm","name":"global.apiToken"}]"#),
        object("Repo", r#""url":"https://bot:planted-userinfo@git.example/x.git""#),
        object(
            "App",
            r#""operation":{"sync":{"manifests":["{\"kind\":\"Secret\",\"data\":{\"a\":\"planted-manifest\"}}"]}}"#,
        ),
        crate::support::audit_line(
            "a-1",
            "d@shop.example",
            r#","requestObject":{"headers":{"Authorization":["Bearer planted-header"]}},"sourceIPs":["203.0.113.77"]"#,
        ),
    ];
    bench.ingest("planted.jsonl", &lines).done();
    let gone = [
        jwt,
        "UExBTlRFRC1EQVRB",
        "planted-string",
        "planted-env",
        "planted-helm",
        "planted-userinfo",
        "planted-manifest",
        "planted-header",
        "203.0.113.77",
    ];
    for (path, bytes) in bench.files() {
        for secret in gone {
            assert!(!holds(&bytes, secret.as_bytes()), "{secret} stands in {}", path.display());
        }
    }
    bench.run(&["ledger", "fsck"]).done();
}

#[test]
fn the_claimed_initiator_is_told_as_what_it_is() {
    let bench = Bench::new();
    let people = captures().join("people.json");
    let people = people.to_str().expect("UTF-8");
    let watch = captures().join("kubernetes/watch");
    let audit = captures().join("kubernetes/audit.jsonl.gz");
    let paths = [watch.to_str().expect("UTF-8"), audit.to_str().expect("UTF-8")];
    bench.run(&["--people", people, "ingest", paths[0], paths[1]]).done();
    let question = [
        "timeline",
        "--at",
        "mon 21:47:42",
        "--now",
        "2026-11-24T08:00:00Z",
        "--app",
        "payments-prod",
    ];
    let answer = bench.run(&[&["--people", people][..], &question].concat());
    assert_eq!(answer.code, 1, "a contradiction is to be reported: {}", answer.err);
    for shown in [
        "!! INITIATOR CONTRADICTED",
        "frank.weiss@bank.example",
        "client certificate e6492e4e",
        "ClusterRoleBinding prod-debug-fweiss",
        "OperationStarted of argocd-server",
        "Who held the certificate key: not determined",
        "#",
    ] {
        // Lines are wrapped at 80 columns; the words are what counts.
        let words = answer.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(shown), "{shown:?} is missing in\n{}", answer.out);
    }
    for word in ["forged", "proves", "compliant", "immutable"] {
        assert!(!answer.out.contains(word), "{word:?} is no word for an answer");
    }
    assert!(answer.out.lines().all(|line| line.chars().count() <= 80), "{}", answer.out);
}
