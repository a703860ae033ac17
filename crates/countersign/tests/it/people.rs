//! `people propose` on the recorded evening, with an identity provider's export made for it.

use serde_json::Value;

use crate::support::{Bench, Ran, captures};

/// What the bank's identity provider would export. It knows nobody's private address.
fn idp() -> String {
    let map = std::fs::read(captures().join("people.json")).expect("a people map");
    let people: Value = serde_json::from_slice(&map).expect("JSON");
    let rows = people.as_object().expect("an object").values().map(|p| {
        let text = |key: &str| p[key].as_str().unwrap_or_default().to_owned();
        let email = text("email");
        let login = email.split('@').next().unwrap_or_default().to_owned();
        let groups = p["oidc_groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let groups: Vec<&str> = groups.collect();
        format!("{},{email},{login},{},{}\n", text("oidc_subject"), text("name"), groups.join(";"))
    });
    format!("subject,email,login,name,groups\n{}", rows.collect::<String>())
}

fn proposed(bench: &Bench, more: &[&str]) -> (Ran, Value, Value) {
    let idp = bench.write("idp.csv", idp().as_bytes());
    let out = bench.path("people.json");
    let out = out.to_str().expect("UTF-8");
    let words = ["--format", "json", "people", "propose", "--idp", &idp, "--out", out];
    let ran = bench.run(&[&words, more].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.err));
    let map = serde_json::from_slice(&std::fs::read(out).expect("written")).expect("JSON");
    (ran, report, map)
}

#[test]
fn a_private_address_is_a_question_and_never_a_link() {
    let bench = Bench::new();
    for name in [
        "git/gitops.bundle",
        "forge/github-webhooks.jsonl.gz",
        "tickets/jira-webhooks.jsonl.gz",
        "kubernetes/audit.jsonl.gz",
        "kubernetes/watch/events.jsonl.gz",
        "openbao/audit.jsonl.gz",
    ] {
        bench.run(&["ingest", captures().join(name).to_str().expect("UTF-8")]);
    }
    let snapshot = captures().join("forge/github-snapshot.json");
    let (ran, report, map) = proposed(&bench, &["--forge", snapshot.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 3, "questions are left: {}", ran.err);
    let links = report["links"].as_array().expect("links");
    let link = |account: &str| links.iter().find(|l| l["account"] == account);
    // The same address, the same subject, the login at the identity provider.
    assert_eq!(link("alice.ito@bank.example").expect("linked")["person"], "alice.ito");
    assert_eq!(link("carol.nunez").expect("linked")["confidence"], "likely");
    let private = "bob@larsen.example";
    assert!(link(private).is_none(), "{private} is linked");
    let questions = report["questions"].as_array().expect("questions");
    let asked = |account: &str| questions.iter().find(|q| q["account"] == account);
    assert_eq!(asked(private).expect("asked")["candidates"][0][0], "bob.larsen");
    // The forge names the address of whoever pushed.
    let login = link("blarsen").expect("linked");
    assert_eq!((&login["person"], &login["rule"]), (&"bob.larsen".into(), &"source".into()));
    assert!(!map.to_string().contains(private));
    let bots = report["bots"].as_array().expect("bots");
    let service = "system:serviceaccount:argocd:argocd-application-controller";
    assert!(bots.iter().any(|b| b["account"] == service), "{bots:?}");
    assert!(!map.to_string().contains("system:"));
    // What nobody owns is named.
    assert!(report["unmatched"].to_string().contains("platform-root"));
    // The map is what --people reads, and is not overwritten.
    let out = bench.path("people.json");
    let out = out.to_str().expect("UTF-8");
    bench.run(&["--people", out, "change", "list"]).done();
    let again = bench.run(&["people", "propose", "--out", out]);
    assert_eq!(again.code, 5, "{}", again.err);
}

#[test]
fn the_report_is_text_too() {
    let bench = Bench::new();
    let idp = bench.write("idp.csv", idp().as_bytes());
    let out = bench.path("map.json");
    let out = out.to_str().expect("UTF-8");
    let snapshot = captures().join("forge/github-snapshot.json");
    let snapshot = snapshot.to_str().expect("UTF-8");
    let ran = bench.run(&["people", "propose", "--idp", &idp, "--forge", snapshot, "--out", out]);
    // Without a push, a login of initial and surname is a hint and no more.
    assert!(ran.out.contains("To answer") && ran.out.contains("bob.larsen?"), "{}", ran.out);
}
