//! The draft of a policy: of the recorded evening's repository, and of small ones of other shapes.

use std::collections::BTreeMap;

use access::draft::{Draft, Told, draft};
use access::policy::{Forge, Policy};
use access::repository::File;
use proptest::prelude::*;

use crate::reach::files;

const CAPTURED: &str = "tests/fixtures/bank/draft.yaml";

fn drafted(files: &BTreeMap<String, Vec<u8>>, told: &Told) -> Option<Draft> {
    let files: Vec<_> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    draft(&files, told)
}

fn read(draft: &Draft) -> Policy {
    let reading = Policy::read("countersign.yaml", draft.text.as_bytes());
    assert_eq!(reading.problems, [], "{}", draft.text);
    reading.policy.unwrap()
}

/// `name label path project` a line, or `-` where there is none.
fn applications(text: &str) -> BTreeMap<String, Vec<u8>> {
    let one = |line: &str| {
        let [file, name, label, path, project] = line.split_whitespace().collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let label =
            if label == "-" { String::new() } else { format!(", labels: {{env: {label}}}") };
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}{label}}}\nspec:\n  project: {project}\n  source: {{repoURL: https://gitlab.example/a/b.git, path: {path}, targetRevision: main}}\n  destination: {{namespace: x}}\n"
        );
        (file.to_owned(), text.into_bytes())
    };
    let mut files: BTreeMap<String, Vec<u8>> = text.trim().lines().map(one).collect();
    let folders: Vec<&str> =
        text.trim().lines().map(|l| l.split_whitespace().nth(3).unwrap()).collect();
    for folder in folders {
        let text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n".to_vec();
        files.insert(format!("{folder}/x.yaml"), text);
    }
    files
}

/// Each environment with the Applications of these files that the draft gives to it.
fn assigned(policy: &Policy, files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: Vec<String> = files
        .values()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .filter(|text| text.contains("kind: Application\n"))
        .map(|text| {
            let after = text.split("name: ").nth(1).unwrap();
            after.split([',', '}', '\n']).next().unwrap().to_owned()
        })
        .collect();
    let own = |environment: &str| -> Vec<&str> {
        let is_own = |name: &&String| {
            policy.environment_of(name).is_some_and(|(e, _)| e.name.value == environment)
        };
        names.iter().filter(is_own).map(String::as_str).collect()
    };
    policy
        .environments
        .iter()
        .map(|e| {
            let mark = if e.is_production { "!" } else { "" };
            format!("{}{mark}: {}", e.name.value, own(&e.name.value).join(" "))
        })
        .collect()
}

#[test]
fn the_captured_repository_is_drafted_as_it_is_kept() {
    let files = files();
    let draft = drafted(&files, &Told::default()).unwrap();
    let path = format!("{}/{CAPTURED}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &draft.text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(draft.text, kept, "UPDATE_PAGES=1 writes {CAPTURED} again");
    assert_eq!(Some(&draft), drafted(&files, &Told::default()).as_ref());

    let policy = read(&draft);
    assert_eq!(
        assigned(&policy, &files),
        [
            "dev: ledger-dev payments-dev web-dev",
            "staging: ledger-staging payments-staging web-staging",
            "prod!: ledger-prod payments-prod web-prod",
        ]
    );
    // It agrees with the policy that was written by hand for it, in what both can say.
    let by_hand = include_bytes!("../fixtures/bank/countersign.yaml");
    let by_hand = Policy::read("countersign.yaml", by_hand).policy.unwrap();
    assert_eq!(policy.repository.addresses[0].value, by_hand.repository.addresses[0].value);
    assert_eq!(
        policy.repository.name.as_ref().map(|n| &n.value),
        by_hand.repository.name.as_ref().map(|n| &n.value)
    );
    for (drafted, written) in policy.environments.iter().zip(&by_hand.environments) {
        let keys = |e: &access::policy::Environment| -> Vec<String> {
            e.secret_stores
                .iter()
                .flatten()
                .flat_map(|s| &s.keys)
                .map(|k| k.value.clone())
                .collect()
        };
        assert_eq!(keys(drafted), keys(written));
        for name in ["web", "payments", "ledger"] {
            let name = format!("{name}-{}", written.name.value);
            assert_eq!(
                policy.environment_of(&name).map(|e| e.1),
                by_hand.environment_of(&name).map(|e| e.1)
            );
        }
    }
    for text in ["@blarsen", "@cnunez"] {
        assert!(draft.not_told.iter().any(|n| n.contains(text)), "{:?}", draft.not_told);
    }
}

#[test]
fn environments_are_told_by_what_is_there_and_ordered() {
    let table: [(&str, &[&str]); 6] = [
        (
            "a.yaml shop-prod - envs/prod/shop default\nb.yaml shop-test - envs/test/shop default\nc.yaml shop-uat - envs/uat/shop default",
            &["test: shop-test", "uat: shop-uat", "prod!: shop-prod"],
        ),
        (
            "clusters/live/a.yaml web live clusters/live/web default\nclusters/qa/a.yaml web-qa - clusters/qa/web default",
            &["qa: web-qa", "live!: web"],
        ),
        // A name that is no usual one stands before production, and a label counts over a folder.
        (
            "a.yaml ab blue overlays/dev/ab default\nb.yaml cd - overlays/prod/cd default",
            &["blue: ab", "prod!: cd"],
        ),
        (
            "a.yaml pay-eu - deploy/eu prod-eu\nb.yaml pay-us - deploy/us prod-us\nc.yaml pay-d - deploy/d dev",
            &["dev: pay-d", "prod-eu!: pay-eu", "prod-us!: pay-us"],
        ),
        // What nothing tells apart is production as a whole.
        ("a.yaml ab - k8s/ab default\nb.yaml cd - k8s/cd default", &["prod!: ab cd"]),
        // What belongs nowhere is told, and a glob that would take it along is not used.
        (
            "a.yaml pay-prod prod k/p default\nb.yaml tool-prod - envs/dev/t default",
            &["dev: tool-prod", "prod!: pay-prod"],
        ),
    ];
    for (text, expected) in table {
        let files = applications(text);
        let draft = drafted(&files, &Told::default()).unwrap();
        assert_eq!(assigned(&read(&draft), &files), expected, "{}", draft.text);
    }
}

#[test]
fn what_is_told_is_not_guessed() {
    let files = applications("a.yaml pay-a - k/a default\nb.yaml pay-b - k/b default");
    let told = Told {
        forge: Some(Forge::Gitea),
        name: Some("x/y".to_owned()),
        address: None,
        branch: Some("trunk".to_owned()),
        environments: vec!["b".to_owned(), "a".to_owned()],
    };
    let draft = drafted(&files, &told).unwrap();
    let policy = read(&draft);
    assert_eq!(assigned(&policy, &files), ["b: pay-b", "a!: pay-a"]);
    assert_eq!(policy.repository.forge.unwrap().value, Forge::Gitea);
    assert_eq!(policy.repository.branch.value, "trunk");
    assert!(drafted(&BTreeMap::new(), &told).is_none());
}

#[test]
fn a_forge_is_known_by_its_files_or_its_host() {
    let mut files = applications("a.yaml pay-prod - k/a default");
    let forge = |files: &BTreeMap<String, Vec<u8>>| {
        read(&drafted(files, &Told::default()).unwrap()).repository.forge.map(|f| f.value)
    };
    assert_eq!(forge(&files), Some(Forge::Gitlab));
    files.insert(".gitea/CODEOWNERS".to_owned(), b".* @a/t @u\n".to_vec());
    assert_eq!(forge(&files), Some(Forge::Gitea));
    let policy = read(&drafted(&files, &Told::default()).unwrap());
    assert_eq!(policy.teams[0].forge_teams[0].value, "a/t");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Names and folders of any characters that YAML can hold end up as text, in no other place.
    #[test]
    fn any_repository_gives_a_policy_that_can_be_read(
        names in proptest::collection::vec("[ -~\u{a0}-\u{17f}\u{2028}]{1,12}", 1..5),
        folder in "[a-z#:'\" \n-]{1,8}",
    ) {
        let files: BTreeMap<String, Vec<u8>> = names.iter().enumerate().map(|(at, name)| {
            let name = serde_json::to_string(name).unwrap();
            let text = format!(
                "{{\"apiVersion\": \"argoproj.io/v1alpha1\", \"kind\": \"Application\", \"metadata\": {{\"name\": {name}, \"labels\": {{\"env\": {name}, \"tier\": {name}}}}}, \"spec\": {{\"source\": {{\"repoURL\": {name}, \"path\": {name}, \"targetRevision\": {name}}}}}}}"
            );
            (format!("{folder}/{at}.json"), text.into_bytes())
        }).collect();
        let told = Told { branch: Some(folder.clone()), name: Some(folder), ..Told::default() };
        if let Some(draft) = drafted(&files, &told) {
            read(&draft);
            prop_assert_eq!(Some(draft), drafted(&files, &told));
        }
    }
}
