//! Argo CD's decisions, point by point: order, denies, groups, projects, modes, settings.

use std::collections::BTreeMap;

use access::argocd::policy::Fault;
use access::argocd::rbac::{Holder, Undetermined, Who};
use access::argocd::right::Managed;
use access::argocd::{Acting, AppName, Caller, Project, Rbac, Request, Right, Settings};
use access::origin::Origin;
use serde_json::{Value, json};

fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn rbac_with(pairs: &[(&str, &str)], settings: &[(&str, &str)], projects: &[Value]) -> Rbac {
    let projects =
        projects.iter().map(|object| Project::read(object, Origin::whole("AppProject"))).collect();
    let place = |key: &str| Origin::new(&format!("rbac-cm.yaml {key}"), 10);
    Rbac::new(&data(pairs), place, Settings::read(&data(settings)), projects)
}

fn rbac(policy: &str) -> Rbac {
    rbac_with(&[("policy.csv", policy)], &[], &[])
}

fn may(rbac: &Rbac, subject: &str, groups: &[&str], action: &str, object: &str) -> bool {
    let request = Request { resource: "applications", action, object };
    rbac.decide(Caller::Subject { subject, groups }, &request).allowed
}

const DENY: &str = "p, role:dev, applications, sync, */*, allow\n\
                    p, role:dev, applications, sync, prod/*, deny\n\
                    p, role:sre, applications, sync, prod/*, allow\n\
                    g, devs, role:dev\n\
                    g, sres, role:sre\n\
                    g, both, role:dev\n\
                    g, both, role:sre\n";

#[test]
fn a_deny_binds_within_one_subject_alone() {
    let rbac = rbac(DENY);
    let table: [(&str, &[&str], &str, bool); 8] = [
        ("ann", &["devs"], "dev/app", true),
        ("ann", &["devs"], "prod/app", false),
        ("ann", &["sres"], "prod/app", true),
        // The other group goes around the deny, whatever the order of the groups.
        ("ann", &["devs", "sres"], "prod/app", true),
        ("ann", &["sres", "devs"], "prod/app", true),
        // Both roles within one subject: the deny binds.
        ("ann", &["both"], "prod/app", false),
        ("both", &[], "prod/app", false),
        ("ann", &[], "dev/app", false),
    ];
    for (subject, groups, object, expected) in table {
        assert_eq!(may(&rbac, subject, groups, "sync", object), expected, "{groups:?} {object}");
    }
}

#[test]
fn the_default_role_allows_first_and_its_deny_stops_nobody() {
    let policy = "p, role:all, applications, get, */*, allow\n\
                  p, role:all, applications, sync, */*, deny\n\
                  p, ann, applications, get, prod/*, deny\n\
                  p, ann, applications, sync, prod/*, allow\n";
    let rbac = rbac_with(&[("policy.csv", policy), ("policy.default", "role:all")], &[], &[]);
    assert!(may(&rbac, "ann", &[], "get", "prod/app"), "the subject's own deny is gone around");
    assert!(may(&rbac, "ann", &[], "sync", "prod/app"), "the default role's deny stops nobody");
    assert!(may(&rbac, "bob", &[], "get", "prod/app"));
    let request = Request { resource: "applications", action: "get", object: "prod/app" };
    let decision = rbac.decide(Caller::Subject { subject: "ann", groups: &[] }, &request);
    assert_eq!(decision.why[0].0, Acting::DefaultRole("role:all".to_owned()));
    assert_eq!(decision.why[0].1.permission.origin.to_string(), "rbac-cm.yaml policy.csv:10");
    assert_eq!(decision.denied_as[0].1.permission.origin.line, 12);
}

#[test]
fn a_group_counts_only_if_a_membership_names_it() {
    let rbac = rbac("p, team, applications, sync, prod/*, allow\n");
    assert!(!may(&rbac, "ann", &["team"], "sync", "prod/app"));
    assert!(may(&rbac, "team", &[], "sync", "prod/app"), "as a subject it is asked");
}

#[test]
fn memberships_are_followed_ten_deep() {
    let chain = |length: usize| {
        let links = (0..length).map(|at| format!("g, r{at}, r{}\n", at + 1)).collect::<String>();
        rbac(&format!("p, r{length}, applications, sync, prod/*, allow\n{links}"))
    };
    assert!(may(&chain(10), "r0", &[], "sync", "prod/app"));
    assert!(!may(&chain(11), "r0", &[], "sync", "prod/app"));
}

#[test]
fn the_policy_of_argo_cd_is_there_and_the_user_can_add_to_it() {
    let rbac = rbac("g, team, role:admin\np, role:readonly, applications, sync, dev/*, allow\n");
    let table: [(&str, &[&str], &str, &str, bool); 6] = [
        ("admin", &[], "sync", "prod/app", true),
        ("admin", &[], "update/apps/Deployment/ns/x", "prod/app", true),
        ("admin", &[], "update", "prod", false),
        ("ann", &["team"], "override", "prod/app", true),
        ("ann", &["team"], "sync", "dev/app", true),
        ("ann", &[], "get", "prod/app", false),
    ];
    for (subject, groups, action, object, expected) in table {
        assert_eq!(may(&rbac, subject, groups, action, object), expected, "{subject} {action}");
    }
}

#[test]
fn overlays_are_appended_by_name_and_cite_their_own_lines() {
    let rbac = rbac_with(
        &[
            ("policy.b.csv", "p, b, applications, sync, x/*, allow"),
            ("policy.csv", "# comment\n\np, \"a, b\", applications, sync, x/*, allow"),
            ("policy.default", ""),
        ],
        &[],
        &[],
    );
    let request = Request { resource: "applications", action: "sync", object: "x/y" };
    let decision = rbac.decide(Caller::Subject { subject: "a, b", groups: &[] }, &request);
    assert_eq!(decision.why[0].1.permission.origin.line, 12);
    let decision = rbac.decide(Caller::Subject { subject: "b", groups: &[] }, &request);
    assert_eq!(decision.why[0].1.permission.origin.to_string(), "rbac-cm.yaml policy.b.csv:10");
}

#[test]
fn one_line_that_does_not_load_takes_all_with_it() {
    let table: [(&str, Option<Fault>); 8] = [
        ("p, a, applications, sync, x/*", Some(Fault::Fields { found: 5, needed: 6 })),
        ("g, a, b, c", Some(Fault::Fields { found: 4, needed: 3 })),
        ("q, a, b", Some(Fault::Kind("q".to_owned()))),
        ("p, a\"b, applications, sync, x/*, allow", Some(Fault::Quote)),
        ("g, a , b", None),
        ("p, a, applications, [, x/*, allow", None),
        ("p, a, applications, sync, x/*, perhaps", None),
        ("m, anything", None),
    ];
    for (line, stops) in table {
        let rbac = rbac(&format!("p, ann, applications, sync, x/*, allow\n{line}\n"));
        assert_eq!(rbac.loads(), stops.is_none(), "{line}");
        assert_eq!(may(&rbac, "ann", &[], "sync", "x/y"), stops.is_none(), "{line}");
        if let Some(fault) = stops {
            assert_eq!(rbac.problems()[0].fault, fault);
            assert_eq!(rbac.problems()[0].origin.line, 11);
        }
    }
    assert!(matches!(rbac("g, a , b").problems()[0].fault, Fault::Blank(_)));
    let neither = rbac("p, a, applications, sync, x/*, perhaps");
    assert!(!may(&neither, "a", &[], "sync", "x/y"));
    assert_eq!(neither.problems()[0].fault, Fault::Effect("perhaps".to_owned()));
}

#[test]
fn expressions_are_gos_or_undetermined() {
    // The expression, a text, and whether it fits: refused if Go does not compile it, none if the
    // dialects may differ.
    let table = [
        ("^prod/(a|b)-[0-9]{2}$", Ok(Some(true))),
        (r"^prod/a-\d\d$", Ok(Some(true))),
        (r"^\w+/[\w-]+$", Ok(Some(true))),
        (r"^prod\/a", Ok(Some(true))),
        ("(?i)PROD", Ok(Some(true))),
        ("(?:prod|dev)/.*?", Ok(Some(true))),
        ("^dev", Ok(Some(false))),
        // Two stars are one to this engine and an error to Go.
        ("prod/.**", Err(())),
        ("prod/a++", Err(())),
        ("**", Err(())),
        ("prod/(", Err(())),
        // Braces that count nothing are braces to Go; classes in classes and `&&` are not known to it.
        ("prod/{a,b}", Ok(None)),
        ("prod/[a-z&&[^b]]", Ok(None)),
        (r"\Qprod\E", Ok(None)),
        ("(?x) prod", Ok(None)),
        (r"prod/\pL", Ok(None)),
        ("a{1001}", Ok(None)),
    ];
    let mode = ("policy.matchMode", "regex");
    for (expression, expected) in table {
        let policy = format!("p, a, applications, sync, \"{expression}\", allow\n");
        let rbac = rbac_with(&[("policy.csv", &policy), mode], &[], &[]);
        let request = Request { resource: "applications", action: "sync", object: "prod/a-12" };
        let decision = rbac.decide(Caller::Subject { subject: "a", groups: &[] }, &request);
        let holders = rbac.holders(&request);
        assert_eq!(decision.allowed, expected == Ok(Some(true)), "{expression}");
        assert_eq!(decision.undetermined(), expected == Ok(None), "{expression}");
        assert_eq!(decision.broken.is_empty(), expected.is_ok(), "{expression}");
        let doubted =
            holders.undetermined.iter().any(|why| matches!(why, Undetermined::Expression(_)));
        assert_eq!(doubted, expected == Ok(None), "{expression}");
        let told = rbac
            .problems()
            .iter()
            .any(|problem| matches!(problem.fault, Fault::Dialect(_) | Fault::Regex(_)));
        assert_eq!(told, !matches!(expected, Ok(Some(_))), "{expression}");
    }
}

#[test]
fn what_does_not_load_has_no_holders_that_can_be_named() {
    let rbac = rbac("p, ann, applications, sync, x/*, allow\np, too, short\n");
    let request = Request { resource: "applications", action: "sync", object: "x/y" };
    let holders = rbac.holders(&request);
    assert!(holders.known.is_empty());
    assert_eq!(holders.undetermined, [Undetermined::NotLoaded]);
}

#[test]
fn a_role_is_a_name_that_a_group_can_have() {
    let rbac = rbac("p, role:dev, applications, sync, x/*, allow\ng, team, role:dev\n");
    let request = Request { resource: "applications", action: "sync", object: "x/y" };
    let names = |holders: &[Holder]| -> Vec<(String, bool)> {
        let name = |holder: &Holder| match &holder.who {
            Who::Name { name, as_group } => (name.clone(), *as_group),
            other => panic!("{other:?}"),
        };
        holders.iter().map(name).collect()
    };
    let holders = rbac.holders(&request);
    assert_eq!(names(&holders.known), [("admin".to_owned(), true), ("team".to_owned(), true)]);
    // A group is asked only if a `g` line has it as a member, as the built-in policy has `role:admin`.
    let roles = [("role:admin".to_owned(), true), ("role:dev".to_owned(), false)];
    assert_eq!(names(&holders.role_names), roles);
    assert!(may(&rbac, "-", &["role:admin"], "sync", "x/y"));
    assert!(!may(&rbac, "-", &["role:dev"], "sync", "x/y"));
    assert!(may(&rbac, "role:dev", &[], "sync", "x/y"));
}

#[test]
fn expressions_match_anywhere_and_a_broken_one_refuses() {
    let mode = ("policy.matchMode", "regex");
    let policy = "p, a, applications, sync, prod/.*, allow\n\
                  p, b, applications, ^sync$, ^prod/.*$, allow\n\
                  p, c, applications, sync, .*, allow\n\
                  p, c, applications, sync, *, allow\n";
    let rbac = rbac_with(&[("policy.csv", policy), mode], &[], &[]);
    let table = [
        ("a", "sync", "nonprod/app", true),
        ("b", "sync", "nonprod/app", false),
        ("b", "sync", "prod/app", true),
        ("c", "sync", "prod/app", false),
        // The built-in roles are written as globs, which are no expressions.
        ("admin", "sync", "prod/app", false),
    ];
    for (subject, action, object, expected) in table {
        assert_eq!(may(&rbac, subject, &[], action, object), expected, "{subject} {object}");
    }
}

fn project() -> Value {
    json!({
        "metadata": {"name": "prod"},
        "spec": {"roles": [{
            "name": "deployer",
            "groups": ["deployers"],
            "policies": ["p, proj:prod:deployer, applications, sync, prod/*, allow"],
            "jwtTokens": [{"iat": 1}],
        }]},
        "status": {"jwtTokensByRole": {"deployer": {"items": [{"iat": 2, "id": "x"}]}}},
    })
}

#[test]
fn project_roles_hold_within_their_project() {
    type Row = (&'static str, &'static [&'static str], [&'static str; 3], bool);
    let rbac = rbac_with(&[("policy.csv", "")], &[], &[project()]);
    let table: [Row; 8] = [
        ("proj:prod:deployer", &[], ["applications", "sync", "prod/app"], true),
        ("proj:prod:deployer", &[], ["applications", "sync", "prod/ns/app"], true),
        ("proj:prod:deployer", &[], ["applications", "sync", "dev/app"], false),
        ("proj:dev:deployer", &[], ["applications", "sync", "prod/app"], false),
        ("proj:prod:deployer", &[], ["projects", "get", "prod"], true),
        ("ann", &["deployers"], ["applications", "sync", "prod/app"], true),
        ("ann", &["deployers"], ["projects", "get", "prod"], true),
        // A token has no groups.
        ("proj:prod:other", &["deployers"], ["applications", "sync", "prod/app"], false),
    ];
    for (subject, groups, [resource, action, object], expected) in table {
        let request = Request { resource, action, object };
        let decision = rbac.decide(Caller::Subject { subject, groups }, &request);
        assert_eq!(decision.allowed, expected, "{subject} {action} {object}");
    }
    let request = Request { resource: "applications", action: "sync", object: "prod/app" };
    let holders = rbac.holders(&request).known;
    let role = Who::ProjectRole { project: "prod".to_owned(), role: "deployer".to_owned() };
    let holder = holders.iter().find(|holder| holder.who == role).unwrap();
    assert_eq!(
        holder.grants[0].permission.origin.to_string(),
        "AppProject spec.roles[0].policies[0]"
    );
    let tokens = rbac.projects().next().unwrap().roles[0].tokens.len();
    assert_eq!(tokens, 2);
}

#[test]
fn a_project_written_past_validation_binds_and_is_reported() {
    let mut object = project();
    object["spec"]["roles"][0]["policies"] =
        json!(["p, role:readonly, applications, sync, *, allow"]);
    let rbac = rbac_with(&[("policy.default", "role:readonly")], &[], &[object]);
    assert!(may(&rbac, "ann", &[], "sync", "prod/app"));
    assert!(!may(&rbac, "ann", &[], "sync", "dev/app"));
    assert!(matches!(rbac.problems()[0].fault, Fault::Foreign(_)));
    let mut broken = project();
    broken["spec"]["roles"][0]["policies"] = json!(["p, too, short"]);
    let rbac = rbac_with(&[], &[], &[broken]);
    assert!(!may(&rbac, "proj:prod:deployer", &[], "sync", "prod/app"));
    assert!(
        may(&rbac, "admin", &[], "sync", "prod/app"),
        "only the project's policies are ignored"
    );
}

#[test]
fn nobody_signed_in_has_the_default_role_if_that_is_on() {
    for (setting, expected) in [("true", true), ("false", false), ("yes", false)] {
        let rbac = rbac_with(
            &[("policy.default", "role:readonly")],
            &[("users.anonymous.enabled", setting)],
            &[],
        );
        let request = Request { resource: "applications", action: "get", object: "prod/app" };
        assert_eq!(rbac.decide(Caller::Anonymous, &request).allowed, expected, "{setting}");
        let who = if expected { Who::Anyone } else { Who::AnyoneSignedIn };
        assert_eq!(rbac.holders(&request).known[0].who, who);
    }
}

#[test]
fn accounts_and_switches_are_read_as_argo_cd_reads_them() {
    let settings = Settings::read(&data(&[
        ("accounts.bot", "apiKey"),
        ("accounts.ann", "login, apiKey"),
        ("accounts.ann.enabled", "false"),
        ("accounts.x.y.z", "login"),
        ("admin.enabled", "false"),
        ("server.rbac.rollback.enforce.enable", "maybe"),
    ]));
    let usable: Vec<_> = settings
        .accounts
        .iter()
        .map(|(name, account)| (name.as_str(), account.is_usable()))
        .collect();
    assert_eq!(usable, [("admin", false), ("ann", false), ("bot", true)]);
    assert!(settings.inheritance_disabled && !settings.revision_needs_override);
    // The account's own switch overrides the one of the admin.
    for (own, enabled) in [("true", true), ("false", false)] {
        let pairs = [("admin.enabled", "false"), ("accounts.admin.enabled", own)];
        assert_eq!(Settings::read(&data(&pairs)).accounts["admin"].enabled, enabled, "{own}");
    }
    assert!(settings.unreadable.contains("server.rbac.rollback.enforce.enable"));
}

#[test]
fn operations_ask_for_what_they_ask_for() {
    type Row = (Right, &'static [(&'static str, &'static str)], &'static str);
    let app = AppName::new("prod", "argocd", "app", "argocd");
    let other = AppName::new("prod", "team", "app", "argocd");
    assert_eq!((app.object(), other.object()), ("prod/app".into(), "prod/team/app".into()));
    let pod = Managed {
        group: String::new(),
        kind: "Pod".to_owned(),
        namespace: "ns".to_owned(),
        name: "x".to_owned(),
    };
    let table: [Row; 9] = [
        (Right::Sync, &[], "get+sync"),
        (Right::SyncRevision, &[], "get+sync"),
        (
            Right::SyncRevision,
            &[("application.sync.requireOverridePrivilegeForRevisionSync", "true")],
            "get+sync+override",
        ),
        (Right::SyncLocal, &[], "get+sync+override"),
        (Right::Rollback, &[], "sync"),
        (Right::Rollback, &[("server.rbac.rollback.enforce.enable", "true")], "rollback"),
        (Right::PatchResource(pod.clone()), &[], "update//Pod/ns/x"),
        (
            Right::DeleteResource(pod),
            &[("server.rbac.disableApplicationFineGrainedRBACInheritance", "false")],
            "delete | delete//Pod/ns/x",
        ),
        (Right::Exec, &[], "get+create"),
    ];
    for (right, settings, expected) in table {
        let ways = right.ways(&app, &Settings::read(&data(settings)));
        let words: Vec<String> = ways
            .iter()
            .map(|way| way.iter().map(|check| check.action.as_str()).collect::<Vec<_>>().join("+"))
            .collect();
        assert_eq!(words.join(" | "), expected, "{right:?}");
    }
}

#[test]
fn a_deny_that_others_go_around_is_found() {
    let rbac = rbac(DENY);
    let objects = ["dev/app".to_owned(), "prod/app".to_owned()];
    let found =
        rbac.ineffective_denies(&objects, &[("applications", "get"), ("applications", "sync")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].deny.origin.line, 11);
    assert_eq!((found[0].action.as_str(), found[0].object.as_str()), ("sync", "prod/app"));
    assert!(found[0].binds.contains(&"devs".to_owned()));
    let names: Vec<_> = found[0].around.iter().map(|holder| format!("{:?}", holder.who)).collect();
    assert!(names.iter().any(|who| who.contains("sres")), "{names:?}");
    assert!(!names.iter().any(|who| who.contains("both") || who.contains("devs")), "{names:?}");
    assert!(
        rbac.ineffective_denies(&["dev/app".to_owned()], &[("applications", "sync")]).is_empty()
    );
}

#[test]
fn scopes_are_the_groups_unless_said_otherwise() {
    let scopes = |text: &str| rbac_with(&[("scopes", text)], &[], &[]).scopes().join(" ");
    assert_eq!(scopes(""), "groups");
    assert_eq!(scopes("[groups, 'email']"), "groups email");
    assert_eq!(scopes("- cognito:groups\n- email"), "cognito:groups email");
}
