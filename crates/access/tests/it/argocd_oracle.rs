//! Argo CD's decisions on random worlds, against an evaluator that reads the lines afresh each time.

use std::collections::{BTreeMap, BTreeSet};

use access::argocd::policy::Statement;
use access::argocd::rbac::Who;
use access::argocd::{Caller, Grant, Project, Rbac, Request, Settings};
use access::origin::Origin;
use proptest::prelude::*;
use serde_json::json;

const NAMES: [&str; 6] = ["ann", "bob", "team-a", "team-b", "role:x", "role:y"];
const ROLES: [&str; 4] = ["role:x", "role:y", "team-b", "role:readonly"];
const RESOURCES: [&str; 3] = ["applications", "exec", "projects"];
const ACTIONS: [&str; 4] = ["get", "sync", "override", "create"];
const OBJECTS: [&str; 5] = ["prod/pay", "prod/ns/pay", "dev/pay", "prod", "dev"];

#[derive(Debug, Clone)]
struct World {
    user: Vec<String>,
    project: Vec<String>,
    default: Option<&'static str>,
}

fn permission(subjects: &'static [&'static str]) -> impl Strategy<Value = String> {
    (
        prop::sample::select(subjects),
        prop::sample::select(&["applications", "exec", "*", "projects"][..]),
        prop::sample::select(&["get", "sync", "*", "s*", "override"][..]),
        prop::sample::select(
            &["*", "*/*", "prod/*", "prod/pay", "dev/*", "*/pay", "prod", "p*"][..],
        ),
        prop::sample::select(&["allow", "allow", "allow", "deny"][..]),
    )
        .prop_map(|(subject, resource, action, object, effect)| {
            format!("p, {subject}, {resource}, {action}, {object}, {effect}")
        })
}

fn membership() -> impl Strategy<Value = String> {
    (prop::sample::select(&NAMES[..]), prop::sample::select(&ROLES[..]))
        .prop_map(|(member, role)| format!("g, {member}, {role}"))
}

fn worlds() -> impl Strategy<Value = World> {
    let line = || prop_oneof![2 => permission(&NAMES), 1 => membership()];
    let own = prop_oneof![
        permission(&["proj:prod:r"]),
        Just("g, team-a, proj:prod:r".to_owned()),
        Just("g, role:readonly, proj:prod:r".to_owned()),
        permission(&["role:x"]),
    ];
    (
        prop::collection::vec(line(), 0..10),
        prop::collection::vec(own, 0..4),
        prop::option::of(prop::sample::select(&["role:x", "role:readonly"][..])),
    )
        .prop_map(|(user, project, default)| World { user, project, default })
}

impl World {
    fn rbac(&self) -> Rbac {
        let mut data = BTreeMap::from([("policy.csv".to_owned(), self.user.join("\n"))]);
        data.extend(self.default.map(|role| ("policy.default".to_owned(), role.to_owned())));
        let project = json!({
            "metadata": {"name": "prod"},
            "spec": {"roles": [{"name": "r", "policies": self.project}]},
        });
        let project = Project::read(&project, Origin::whole("prod"));
        Rbac::new(&data, |key| Origin::new(key, 1), Settings::default(), vec![project])
    }

    fn lines(&self, project: bool) -> Vec<Vec<String>> {
        let built_in = [
            "p, role:readonly, applications, get, */*, allow",
            "p, role:readonly, projects, get, *, allow",
            "p, role:admin, applications, create, */*, allow",
            "p, role:admin, applications, sync, */*, allow",
            "p, role:admin, applications, override, */*, allow",
            "p, role:admin, projects, create, *, allow",
            "p, role:admin, exec, create, */*, allow",
            "g, role:admin, role:readonly",
            "g, admin, role:admin",
        ];
        let own = "p, proj:prod:r, projects, get, prod, allow".to_owned();
        let own = project.then(|| std::iter::once(&own).chain(&self.project).cloned().collect());
        built_in
            .iter()
            .map(|line| (*line).to_owned())
            .chain(self.user.iter().cloned())
            .chain(own.unwrap_or_else(Vec::new))
            .map(|line| line.split(", ").map(str::to_owned).collect())
            .collect()
    }

    /// One enforcement: walk all memberships, then all lines.
    fn enforce(&self, project: bool, subject: &str, request: &Request<'_>) -> bool {
        let lines = self.lines(project);
        let mut roles = BTreeSet::from([subject.to_owned()]);
        for _ in 0..4 {
            for line in lines.iter().filter(|line| line[0] == "g") {
                if roles.contains(&line[1]) {
                    roles.insert(line[2].clone());
                }
            }
        }
        let effects: Vec<&str> = lines
            .iter()
            .filter(|line| {
                line[0] == "p"
                    && roles.contains(&line[1])
                    && star(&line[2], request.resource)
                    && star(&line[3], request.action)
                    && star(&line[4], request.object)
            })
            .map(|line| line[5].as_str())
            .collect();
        effects.contains(&"allow") && !effects.contains(&"deny")
    }

    fn decide(&self, subject: &str, groups: &[&str], request: &Request<'_>) -> bool {
        let joins = joins(request);
        if self.default.is_some_and(|role| self.enforce(false, role, request)) {
            return true;
        }
        if self.default.is_some_and(|role| self.enforce(joins, role, request)) {
            return true;
        }
        if self.enforce(joins, subject, request) {
            return true;
        }
        let lines = self.lines(joins);
        let token = subject.starts_with("proj:") && joins;
        groups.iter().filter(|_| !token).any(|group| {
            lines.iter().any(|line| line[0] == "g" && line[1] == *group)
                && self.enforce(joins, group, request)
        })
    }
}

/// Whether the policies of the project `prod` join in.
fn joins(request: &Request<'_>) -> bool {
    let project = match request.resource {
        "projects" => Some(request.object),
        _ => request.object.split_once('/').map(|(first, _)| first),
    };
    project == Some("prod")
}

/// A pattern of stars, by trying every split.
fn star(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| star(after, &rest[at..]))),
    }
}

fn requests() -> Vec<Request<'static>> {
    let mut requests = Vec::new();
    for resource in RESOURCES {
        for action in ACTIONS {
            for object in OBJECTS {
                requests.push(Request { resource, action, object });
            }
        }
    }
    requests
}

/// Each line of a chain leads to the next, and the last one names the permission's subject.
fn is_chain(from: &str, grant: &Grant, request: &Request<'_>) -> bool {
    let mut at = from.to_owned();
    for line in &grant.memberships {
        let Statement::Membership { member, role } = line.statement.as_ref() else { return false };
        if *member != at {
            return false;
        }
        at.clone_from(role);
    }
    let Statement::Permission { subject, resource, action, object, .. } =
        grant.permission.statement.as_ref()
    else {
        return false;
    };
    *subject == at
        && star(resource, request.resource)
        && star(action, request.action)
        && star(object, request.object)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn decisions_are_those_of_the_naive_evaluator(world in worlds()) {
        let rbac = world.rbac();
        let callers: [(&str, &[&str]); 6] = [
            ("ann", &[]),
            ("bob", &["team-a"]),
            ("cid", &["team-b", "team-a"]),
            ("proj:prod:r", &["team-a"]),
            ("admin", &[]),
            ("dan", &["ann", "nobody"]),
        ];
        for request in requests() {
            for (subject, groups) in callers {
                let decision = rbac.decide(Caller::Subject { subject, groups }, &request);
                let expected = world.decide(subject, groups, &request);
                prop_assert_eq!(decision.allowed, expected, "{} {:?} {:?}", subject, groups, request);
                prop_assert_eq!(decision.allowed, !decision.why.is_empty());
            }
        }
    }

    #[test]
    fn no_holder_is_missing_and_each_can_do_it(world in worlds()) {
        let rbac = world.rbac();
        for request in requests() {
            let mut named = BTreeSet::new();
            let mut everybody = false;
            for holder in rbac.holders(&request).known {
                let name = match &holder.who {
                    Who::Name { name, as_group } => {
                        let as_subject = Caller::Subject { subject: name, groups: &[] };
                        prop_assert!(rbac.decide(as_subject, &request).allowed);
                        let groups = [name.as_str()];
                        let as_member = Caller::Subject { subject: "-", groups: &groups };
                        prop_assert!(!as_group || rbac.decide(as_member, &request).allowed);
                        name.clone()
                    }
                    Who::ProjectRole { project, role } => format!("proj:{project}:{role}"),
                    _ => {
                        everybody = true;
                        continue;
                    }
                };
                prop_assert!(holder.grants.iter().all(|grant| is_chain(&name, grant, &request)));
                named.insert(name);
            }
            prop_assert_eq!(everybody, world.decide("-", &[], &request), "{:?}", request);
            let joins = joins(&request);
            for name in ["ann", "bob", "team-a", "team-b", "admin", "proj:prod:r"] {
                let expected = world.enforce(joins, name, &request);
                prop_assert_eq!(named.contains(name), expected, "{} {:?}", name, request);
            }
        }
    }
}

/// Many projects, each with its role, group and Applications: every Application has its one team.
#[test]
fn two_thousand_applications_find_their_holders() {
    let projects = 500;
    let policy: String = (0..projects)
        .map(|at| {
            format!(
                "p, role:r{at}, applications, sync, p{at}/*, allow\n\
                 p, role:all, applications, sync, p{at}/x*, deny\n\
                 g, team-{at}, role:r{at}\n"
            )
        })
        .collect();
    let data = BTreeMap::from([("policy.csv".to_owned(), policy)]);
    let projects: Vec<Project> = (0..projects)
        .map(|at| json!({"metadata": {"name": format!("p{at}")}, "spec": {}}))
        .map(|object| Project::read(&object, Origin::whole("p")))
        .collect();
    let rbac = Rbac::new(&data, |key| Origin::new(key, 1), Settings::default(), projects);
    let objects: Vec<String> = (0..2_000).map(|at| format!("p{}/app{at}", at % 500)).collect();
    for (at, object) in objects.iter().enumerate() {
        let holders =
            rbac.holders(&Request { resource: "applications", action: "sync", object }).known;
        let team = Who::Name { name: format!("team-{}", at % 500), as_group: true };
        assert_eq!(holders.len(), 2, "the team, and admin");
        assert_eq!(holders[1].who, team);
    }
    assert!(rbac.ineffective_denies(&objects, &[("applications", "sync")]).is_empty());
}
