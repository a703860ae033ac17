//! The recorded evening's final state: what its story says of who can, and by which lines.
//!
//! Names stand here and in the recording, never in a rule.

use std::collections::BTreeMap;
use std::io::Read;

use access::argocd::rbac::Who;
use access::argocd::window::{App, Why, may_sync};
use access::argocd::{Acting, Caller, Project, Rbac, Request, Settings};
use access::kubernetes::model::Builder;
use access::kubernetes::{self, Cluster, Identity, Names, Predicate, Subject};
use access::origin::Origin;
use flate2::read::GzDecoder;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

fn list(name: &str) -> Value {
    let path =
        format!("{}/../../captures/kubernetes/snapshot/{name}.json.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn config_map(list: &Value, name: &str) -> BTreeMap<String, String> {
    let items = list["items"].as_array().unwrap();
    let map = items.iter().find(|item| item["metadata"]["name"] == name).unwrap();
    serde_json::from_value(map["data"].clone()).unwrap()
}

fn argo() -> Rbac {
    let maps = list("argocd-configmaps");
    let projects = list("appprojects");
    let projects = projects["items"].as_array().unwrap().iter().map(|object| {
        let name = object["metadata"]["name"].as_str().unwrap();
        Project::read(object, Origin::whole(&format!("AppProject {name}")))
    });
    let settings = Settings::read(&config_map(&maps, "argocd-cm"));
    let place = |key: &str| Origin::new(&format!("argocd-rbac-cm {key}"), 1);
    Rbac::new(&config_map(&maps, "argocd-rbac-cm"), place, settings, projects.collect())
}

fn cluster() -> Cluster {
    let mut builder = Builder::default();
    for name in ["rbac", "serviceaccounts", "namespaces"] {
        assert!(builder.add(&list(name), &Origin::whole(name)));
    }
    builder.build()
}

const DAVE: (&str, &[&str]) = ("00u1dokaX", &["bank-engineering", "team-sre"]);
const BOB: (&str, &[&str]) =
    ("00u1blarX", &["bank-engineering", "team-payments", "team-sre-oncall"]);
const ALICE: (&str, &[&str]) = ("00u1aitoX", &["bank-engineering", "team-payments"]);
const CAROL: (&str, &[&str]) = ("00u1cnunX", &["bank-engineering", "team-platform"]);
const FRANK: (&str, &[&str]) = ("00u1fweiX", &["bank-engineering", "team-web"]);

#[test]
fn argo_cd_lets_whom_the_story_says() {
    let rbac = argo();
    assert!(rbac.loads() && rbac.problems().is_empty(), "{:?}", rbac.problems());
    let table = [
        (DAVE, "applications", "sync", "prod/payments-prod", true),
        (DAVE, "applications", "sync", "default/root-prod", false),
        (DAVE, "applications", "get", "default/root-prod", true),
        (BOB, "applications", "sync", "prod/payments-prod", true),
        (ALICE, "applications", "sync", "prod/payments-prod", false),
        (ALICE, "applications", "sync", "dev/payments-dev", true),
        (FRANK, "applications", "sync", "prod/ledger-prod", false),
        (FRANK, "applications", "sync", "web/web-prod", true),
        (FRANK, "applications", "override", "web/web-prod", true),
        (CAROL, "applications", "override", "default/root-prod", true),
        (CAROL, "projects", "update", "prod", true),
        (("proj:prod:deployer", &[][..]), "applications", "sync", "prod/ledger-prod", true),
        (("proj:prod:deployer", &[][..]), "applications", "sync", "default/root-prod", false),
        (("admin", &[][..]), "applications", "sync", "default/root-prod", true),
        (("nobody", &[][..]), "applications", "get", "prod/payments-prod", true),
        (("nobody", &[][..]), "logs", "get", "prod/payments-prod", true),
        (("nobody", &[][..]), "applications", "sync", "prod/payments-prod", false),
    ];
    for ((subject, groups), resource, action, object, expected) in table {
        let request = Request { resource, action, object };
        let decision = rbac.decide(Caller::Subject { subject, groups }, &request);
        assert_eq!(decision.allowed, expected, "{subject} {action} {object}");
    }
}

#[test]
fn a_right_is_told_with_its_lines_and_the_deny_that_did_not_bind() {
    let rbac = argo();
    let request =
        Request { resource: "applications", action: "sync", object: "prod/payments-prod" };
    let decision = rbac.decide(Caller::Subject { subject: BOB.0, groups: BOB.1 }, &request);
    let (acting, grant) = &decision.why[0];
    assert_eq!(*acting, Acting::Group("team-sre-oncall".to_owned()));
    assert_eq!(&*grant.memberships[0].text, "g, team-sre-oncall, role:sre");
    assert_eq!(grant.memberships[0].origin.to_string(), "argocd-rbac-cm policy.csv:17");
    assert_eq!(&*grant.permission.text, "p, role:sre, applications, sync, prod/*, allow");
    assert_eq!(decision.denied_as[0].1.permission.origin.line, 3);

    let holders: Vec<Who> =
        rbac.holders(&request).known.into_iter().map(|holder| holder.who).collect();
    let group = |name: &str| Who::Name { name: name.to_owned(), as_group: true };
    let role = Who::ProjectRole { project: "prod".to_owned(), role: "deployer".to_owned() };
    let expected =
        [group("admin"), role, group("team-platform"), group("team-sre"), group("team-sre-oncall")];
    assert_eq!(holders, expected);

    let found =
        rbac.ineffective_denies(&["prod/payments-prod".to_owned()], &[("applications", "sync")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].binds, ["role:developer", "team-payments", "team-web"]);
}

#[test]
fn everybody_reads_by_the_default_role() {
    let rbac = argo();
    assert_eq!(rbac.default_role(), Some("role:readonly"));
    let request = Request { resource: "applications", action: "get", object: "prod/payments-prod" };
    assert_eq!(rbac.holders(&request).known[0].who, Who::AnyoneSignedIn);
    let account = &rbac.settings().accounts["release-bot"];
    assert!(account.api_key && !account.login && account.enabled);
    assert!(!rbac.settings().anonymous && !rbac.settings().revision_needs_override);
}

#[test]
fn the_freeze_binds_and_says_when_it_ends() {
    let rbac = argo();
    let prod = rbac.projects().find(|project| project.name == "prod").unwrap();
    let app = App {
        name: "payments-prod",
        server: "https://kubernetes.default.svc",
        cluster: "",
        namespace: "payments-prod",
    };
    let zones =
        |name: &str| (name == "Europe/Madrid").then(|| TimeZone::fixed(Offset::constant(1)));
    let ask = |at: &str| may_sync(&prod.windows, &app, at.parse().unwrap(), true, None, &zones);
    let frozen = ask("2026-11-23T21:52:00Z");
    assert!(matches!(frozen.why, Why::Denied(_)));
    assert_eq!(frozen.changes_after, Some("2026-11-23T22:17:00Z".parse().unwrap()));
    assert_eq!(ask("2026-11-23T21:46:59Z").may, Some(true));
    // The freeze of the year's end begins at ten in the evening in Madrid and lasts ten days.
    assert_eq!(ask("2026-12-24T21:00:01Z").may, Some(false));
    assert_eq!(ask("2027-01-03T20:59:59Z").may, Some(false));
    assert_eq!(ask("2026-12-24T20:59:59Z").may, Some(true));
}

fn user(name: &str) -> Subject {
    Subject::User(format!("{name}@bank.example"))
}

#[test]
fn the_cluster_lets_whom_the_story_says_around_argo_cd() {
    let cluster = cluster();
    let frank = user("frank.weiss");
    let by = |predicate, namespace, subject: &Subject| {
        let found = cluster.bypasses(predicate, namespace);
        found.into_iter().find(|one| one.subject == *subject)
    };
    for (predicate, namespace) in [
        (Predicate::WriteWorkloads, "payments-prod"),
        (Predicate::WriteConfig, "ledger-prod"),
        (Predicate::WriteApplications, "argocd"),
        (Predicate::WriteArgoConfig, "argocd"),
    ] {
        let found = by(predicate, namespace, &frank).unwrap();
        assert_eq!(found.grant.role.as_ref().unwrap().name, "prod-debug");
        assert_eq!(found.grant.binding.as_ref().unwrap().name, "prod-debug-fweiss");
    }
    for predicate in
        [Predicate::ReadSecrets, Predicate::Exec, Predicate::WriteRbac, Predicate::WriteProjects]
    {
        assert_eq!(by(predicate, "payments-prod", &frank), None, "{predicate:?}");
    }
    let carol = user("carol.nunez");
    let eso = Subject::ServiceAccount {
        namespace: "external-secrets".to_owned(),
        name: "external-secrets".to_owned(),
    };
    for predicate in Predicate::ALL {
        for subject in [&carol, &eso] {
            let found = by(predicate, "argocd", subject).unwrap();
            assert_eq!(found.grant.role.unwrap().name, "cluster-admin", "{predicate:?}");
        }
    }
    // The SRE may edit one namespace, and view the others.
    let dave = user("dave.okafor");
    assert!(by(Predicate::Exec, "payments-prod", &dave).is_some());
    assert!(by(Predicate::Exec, "ledger-prod", &dave).is_none());
    assert!(by(Predicate::WriteApplications, "argocd", &dave).is_none());
}

#[test]
fn what_follows_from_a_right_is_told_hop_by_hop() {
    let cluster = cluster();
    let frank = Identity::user("frank.weiss@bank.example", &["bank-engineering", "team-web"]);
    let closure = cluster.closure(&frank, 6);
    // Patching Deployments anywhere, he can run a pod as any account, and some are administrators.
    let everything = closure
        .reached
        .iter()
        .find(|one| one.gain == kubernetes::Gain::Everything(String::new()))
        .unwrap();
    assert_eq!(everything.hops.len(), 2);
    assert!(
        everything.hops[0]
            .sentence
            .starts_with("frank.weiss@bank.example can act as service account")
    );
    assert!(everything.hops[0].sentence.contains("ClusterRole prod-debug"));
    let alice = Identity::user("alice.ito@bank.example", &["bank-engineering", "team-payments"]);
    assert!(cluster.closure(&alice, 6).reached.is_empty());
    let read =
        kubernetes::Request::resource("get", "", "secrets", "payments-prod").about(Names::Some);
    assert!(!cluster.decide(&alice, &read).allowed);
}
