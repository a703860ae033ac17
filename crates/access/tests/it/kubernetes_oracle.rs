//! Kubernetes RBAC on random worlds, against an evaluator that reads the objects afresh each time.

use std::collections::BTreeSet;

use access::kubernetes::{Identity, Names, Request, Subject};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kubernetes_rules::{binding, cluster, role};

const SPACES: [&str; 2] = ["a", "b"];

pub(crate) fn rule() -> impl Strategy<Value = Value> {
    let verbs = prop::sample::select(
        &["get", "create", "patch", "*", "impersonate", "bind", "escalate"][..],
    );
    let groups = prop::sample::select(&["", "apps", "rbac.authorization.k8s.io", "*"][..]);
    let resources = prop::sample::select(
        &[
            "pods",
            "pods/exec",
            "deployments",
            "*/exec",
            "*",
            "serviceaccounts",
            "serviceaccounts/token",
            "users",
            "groups",
            "clusterroles",
            "roles",
            "rolebindings",
            "clusterrolebindings",
        ][..],
    );
    let names = prop::sample::subsequence(&["one", "u0", "r0", "sa"][..], 0..2);
    (prop::collection::vec(verbs, 1..4), groups, prop::collection::vec(resources, 1..3), names).prop_map(
        |(verbs, group, resources, names)| {
            json!({"verbs": verbs, "apiGroups": [group], "resources": resources, "resourceNames": names})
        },
    )
}

fn subject() -> impl Strategy<Value = Value> {
    prop::sample::select(
        &["u0", "u1", "g0", "system:authenticated", "system:serviceaccounts:a", "sa"][..],
    )
    .prop_map(|name| match name {
        "u0" | "u1" => json!({"kind": "User", "name": name}),
        "sa" => json!({"kind": "ServiceAccount", "name": "sa", "namespace": "a"}),
        _ => json!({"kind": "Group", "name": name}),
    })
}

/// Roles `r0` to `r3` of the cluster and of namespace `a`, and bindings to them or to none.
pub(crate) fn worlds() -> impl Strategy<Value = Vec<Value>> {
    let some_rules = || prop::collection::vec(rule(), 1..3);
    let roles = prop::collection::vec((some_rules(), any::<bool>()), 1..5);
    let bindings = prop::collection::vec(
        (
            0usize..5,
            any::<bool>(),
            prop::sample::select(&["", "a", "b"][..]),
            prop::collection::vec(subject(), 1..3),
        ),
        0..5,
    );
    (roles, bindings).prop_map(|(roles, bindings)| {
        let accounts =
            [json!({"kind": "ServiceAccount", "metadata": {"name": "sa", "namespace": "a"}})];
        let spaces =
            SPACES.iter().map(|name| json!({"kind": "Namespace", "metadata": {"name": name}}));
        let roles = roles.into_iter().enumerate().map(|(at, (rules, wide))| {
            let kind = if wide { "ClusterRole" } else { "Role" };
            role(kind, if wide { "" } else { "a" }, &format!("r{at}"), &json!(rules))
        });
        let bindings = bindings.into_iter().enumerate().map(|(at, (of, wide, space, subjects))| {
            let kind = if wide { "ClusterRole" } else { "Role" };
            binding(space, &format!("b{at}"), (kind, &format!("r{of}")), &json!(subjects))
        });
        accounts.into_iter().chain(spaces).chain(roles).chain(bindings).collect()
    })
}

fn has(list: &Value, word: &str) -> bool {
    list.as_array().unwrap().iter().any(|item| item == word || item == "*")
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn rule_allows(rule: &Value, request: &Request<'_>) -> bool {
    let Request::Resource { verb, group, resource, subresource, names, .. } = request else {
        return false;
    };
    let full = if subresource.is_empty() {
        (*resource).to_owned()
    } else {
        format!("{resource}/{subresource}")
    };
    let resources = rule["resources"].as_array().unwrap();
    let covered = resources.iter().any(|item| {
        item == "*"
            || *item == full
            || (!subresource.is_empty() && *item == format!("*/{subresource}"))
    });
    let listed = rule["resourceNames"].as_array().unwrap();
    let named = listed.is_empty()
        || match names {
            Names::Named(name) => listed.iter().any(|item| item == name),
            Names::Unnamed => false,
            Names::Some => true,
            Names::Like(parts) => {
                let texts = listed.iter().filter_map(Value::as_str);
                texts.into_iter().any(|item| parts.iter().any(|part| item.contains(part)))
            }
        };
    has(&rule["verbs"], verb) && has(&rule["apiGroups"], group) && covered && named
}

/// The subjects of bindings through which a request is allowed, by walking all objects.
pub(crate) fn allowed_subjects(world: &[Value], request: &Request<'_>) -> BTreeSet<String> {
    let Request::Resource { namespace, .. } = request else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for binding in world.iter().filter(|object| text(object, "/kind").ends_with("Binding")) {
        let space = text(binding, "/metadata/namespace");
        if !space.is_empty() && space != *namespace {
            continue;
        }
        for role in world.iter().filter(|object| object["kind"] == binding["roleRef"]["kind"]) {
            let same_space =
                role["kind"] == "ClusterRole" || text(role, "/metadata/namespace") == space;
            if !same_space || role["metadata"]["name"] != binding["roleRef"]["name"] {
                continue;
            }
            if role["rules"].as_array().unwrap().iter().any(|rule| rule_allows(rule, request)) {
                let subjects = binding["subjects"].as_array().unwrap();
                found.extend(subjects.iter().map(|subject| {
                    format!("{}:{}", text(subject, "/kind"), text(subject, "/name"))
                }));
            }
        }
    }
    found
}

pub(crate) fn keys(identity: &Identity) -> Vec<String> {
    let user = match identity.user.strip_prefix("system:serviceaccount:a:") {
        Some(name) => format!("ServiceAccount:{name}"),
        None => format!("User:{}", identity.user),
    };
    std::iter::once(user)
        .chain(identity.groups.iter().map(|group| format!("Group:{group}")))
        .collect()
}

fn requests() -> Vec<Request<'static>> {
    let mut requests = Vec::new();
    for verb in ["get", "create", "patch"] {
        for (group, resource) in [
            ("", "pods"),
            ("", "pods/exec"),
            ("apps", "deployments"),
            ("", "serviceaccounts/token"),
        ] {
            for space in ["", "a", "b"] {
                let request = Request::resource(verb, group, resource, space);
                requests.extend([
                    request,
                    request.about(Names::Some),
                    request.about(Names::Named("one")),
                ]);
            }
        }
    }
    requests
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn who_can_is_what_brute_force_finds(world in worlds()) {
        let cluster = cluster(&world);
        let identities = [
            Identity::user("u0", &[]),
            Identity::user("u1", &["g0"]),
            Identity::user("system:anonymous", &[]),
            Identity::service_account("a", "sa"),
            Identity::service_account("a", "other"),
        ];
        for request in requests() {
            let expected = allowed_subjects(&world, &request);
            let mut found = BTreeSet::new();
            for path in cluster.who_can(&request).into_iter().skip(1) {
                prop_assert!(cluster.decide(&Identity::of(&path.subject), &request).allowed);
                found.insert(match path.subject {
                    Subject::User(name) => format!("User:{name}"),
                    Subject::Group(name) => format!("Group:{name}"),
                    Subject::ServiceAccount { name, .. } => format!("ServiceAccount:{name}"),
                });
            }
            prop_assert_eq!(&found, &expected, "{:?}", request);
            for identity in &identities {
                let allowed = keys(identity).iter().any(|key| expected.contains(key));
                let decision = cluster.decide(identity, &request);
                prop_assert_eq!(decision.allowed, allowed, "{:?} {:?}", identity, request);
            }
        }
    }

    #[test]
    fn what_one_can_is_what_one_is_allowed(world in worlds()) {
        let cluster = cluster(&world);
        let identity = Identity::user("u1", &["g0"]);
        let held = cluster.what_can(&identity);
        for request in requests() {
            let Request::Resource { namespace, .. } = request else { continue };
            let by_rules = held.iter().any(|one| {
                one.namespace.is_none_or(|space| space == namespace) && one.rule.allows(&request)
            });
            prop_assert_eq!(by_rules, cluster.decide(&identity, &request).allowed);
        }
    }
}

/// Many namespaces, each with its binding: every question finds its own team and nobody else's.
#[test]
fn two_thousand_bindings_answer_for_their_own_namespace() {
    let write = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}]);
    let mut world = vec![role("ClusterRole", "", "writer", &write)];
    for at in 0..2_000 {
        let subjects = json!([{"kind": "Group", "name": format!("team-{at}")}]);
        world.push(binding(&format!("ns-{at}"), "b", ("ClusterRole", "writer"), &subjects));
    }
    let cluster = cluster(&world);
    for at in 0..2_000 {
        let space = format!("ns-{at}");
        let found = cluster.bypasses(access::kubernetes::Predicate::WriteWorkloads, &space);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].subject, Subject::Group(format!("team-{at}")));
    }
}
