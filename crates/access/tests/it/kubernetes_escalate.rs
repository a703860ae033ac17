//! What one can make of a right: each way alone, and the closure against a naive fixpoint.

use std::collections::BTreeSet;

use access::kubernetes::escalate::Actor;
use access::kubernetes::{Gain, Identity, Names, Request, Via};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kubernetes_oracle::{allowed_subjects, keys, rule_allows, worlds};
use crate::kubernetes_rules::{binding, cluster, role};

const RBAC: &str = "rbac.authorization.k8s.io";

fn world(rules: &Value) -> Vec<Value> {
    let all = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    vec![
        json!({"kind": "ServiceAccount", "metadata": {"name": "bot", "namespace": "ci"}}),
        json!({"kind": "Namespace", "metadata": {"name": "ci"}}),
        role("ClusterRole", "", "all", &all),
        role("ClusterRole", "", "mine", rules),
        binding("", "boss", ("ClusterRole", "all"), &json!([{"kind": "User", "name": "boss"}])),
        binding("", "mine", ("ClusterRole", "mine"), &json!([{"kind": "User", "name": "ann"}])),
    ]
}

#[test]
fn each_way_up_is_found_and_half_of_it_is_none() {
    let rule = |group: &str, resource: &str, verb: &str, names: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": names});
    let bot = Gain::Acting("system:serviceaccount:ci:bot".to_owned());
    let boss = Gain::Acting("boss".to_owned());
    let everything = Gain::Everything(String::new());
    let csr = "certificates.k8s.io";
    let table = [
        (
            json!([rule("", "serviceaccounts/token", "create", &[])]),
            Some((Via::Token, bot.clone())),
        ),
        (json!([rule("", "serviceaccounts/token", "create", &["other"])]), None),
        (json!([rule("", "pods", "create", &[])]), Some((Via::Pod, bot.clone()))),
        (json!([rule("", "pods", "patch", &[])]), None),
        (json!([rule("apps", "deployments", "patch", &["x"])]), Some((Via::Pod, bot.clone()))),
        (
            json!([rule("", "serviceaccounts", "impersonate", &["bot"])]),
            Some((Via::Impersonate, bot)),
        ),
        (
            json!([rule("", "users", "impersonate", &["boss"])]),
            Some((Via::Impersonate, boss.clone())),
        ),
        (json!([rule("", "groups", "impersonate", &[])]), None),
        (
            json!([
                rule("", "groups", "impersonate", &[]),
                rule("", "users", "impersonate", &["x"])
            ]),
            Some((Via::Impersonate, everything.clone())),
        ),
        (json!([rule(RBAC, "clusterrolebindings", "create", &[])]), None),
        (
            json!([
                rule(RBAC, "clusterrolebindings", "create", &[]),
                rule(RBAC, "clusterroles", "bind", &[])
            ]),
            Some((Via::Bind, everything.clone())),
        ),
        (json!([rule(RBAC, "clusterroles", "patch", &[])]), None),
        (
            json!([
                rule(RBAC, "clusterroles", "patch", &[]),
                rule(RBAC, "clusterroles", "escalate", &["mine"])
            ]),
            Some((Via::Escalate, everything)),
        ),
        (
            json!([
                rule(csr, "certificatesigningrequests", "create", &[]),
                rule(csr, "certificatesigningrequests/approval", "update", &[]),
                rule(csr, "signers", "approve", &["kubernetes.io/kube-apiserver-client"]),
            ]),
            Some((Via::Certificate, boss)),
        ),
    ];
    each_is(&table);
}

#[test]
fn what_stands_in_for_a_user_a_name_and_a_signer() {
    let rule = |group: &str, resource: &str, verb: &str, names: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": names});
    let csr = "certificates.k8s.io";
    let table = [
        // A service account does for the user that a group must come with, and need not exist.
        (
            json!([
                rule("", "groups", "impersonate", &["system:masters"]),
                rule("", "serviceaccounts", "impersonate", &["none"])
            ]),
            Some((Via::Impersonate, Gain::Everything(String::new()))),
        ),
        // A star among names is a name.
        (
            json!([
                rule(RBAC, "clusterrolebindings", "create", &[]),
                rule(RBAC, "clusterroles", "bind", &["*"])
            ]),
            None,
        ),
        // A signer is also asked for by its domain.
        (
            json!([
                rule(csr, "certificatesigningrequests", "create", &[]),
                rule(csr, "certificatesigningrequests/approval", "update", &[]),
                rule(csr, "signers", "approve", &["kubernetes.io/*"]),
            ]),
            Some((Via::Certificate, Gain::Acting("boss".to_owned()))),
        ),
    ];
    each_is(&table);
}

/// The first hop of ann, if she has these rules.
fn each_is(table: &[(Value, Option<(Via, Gain)>)]) {
    for (rules, expected) in table {
        let cluster = cluster(&world(rules));
        let closure = cluster.closure(&Identity::user("ann", &[]), 1);
        let found = closure.reached.iter().map(|one| (one.hops[0].via, one.gain.clone())).next();
        assert_eq!(found, *expected, "{rules}");
        if let Some(reached) = closure.reached.first() {
            assert!(reached.hops[0].sentence.contains("ClusterRoleBinding mine"), "{reached:?}");
        }
    }
}

#[test]
fn the_bound_is_told_when_it_is_met() {
    let rules = json!([{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}]);
    let cluster = cluster(&world(&rules));
    let one = cluster.closure(&Identity::user("ann", &[]), 1);
    assert!(one.bounded);
    let more = cluster.closure(&Identity::user("ann", &[]), 5);
    assert!(!more.bounded);
    assert!(more.reached.iter().any(|reached| reached.gain == Gain::Everything(String::new())));
}

/// A naive actor: an identity and the roles it gave itself.
type Who = (String, BTreeSet<(String, String, String)>);

fn naive_may(world: &[Value], (user, roles): &Who, request: &Request<'_>) -> bool {
    let identity = Identity::user(user, &[]);
    let by_binding = allowed_subjects(world, request);
    if keys(&identity).iter().any(|key| by_binding.contains(key)) {
        return true;
    }
    let Request::Resource { namespace, .. } = request else { return false };
    roles.iter().any(|(kind, name, scope)| {
        (scope.is_empty() || scope == namespace)
            && world
                .iter()
                .filter(|object| object["kind"] == *kind && object["metadata"]["name"] == *name)
                .any(|role| {
                    role["rules"].as_array().unwrap().iter().any(|rule| rule_allows(rule, request))
                })
    })
}

fn named<'a>(
    verb: &'a str,
    group: &'a str,
    of: &'a str,
    space: &'a str,
    name: &'a str,
) -> Request<'a> {
    Request::resource(verb, group, of, space).about(Names::Named(name))
}

/// Roles that a naive actor is bound to, with the namespace in which.
fn bound(world: &[Value], (user, roles): &Who) -> BTreeSet<(String, String, String)> {
    let own = keys(&Identity::user(user, &[]));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut held = roles.clone();
    for binding in world.iter().filter(|object| text(&object["kind"]).ends_with("Binding")) {
        let fits = binding["subjects"].as_array().unwrap().iter().any(|subject| {
            own.contains(&format!("{}:{}", text(&subject["kind"]), text(&subject["name"])))
        });
        let (kind, name) = (text(&binding["roleRef"]["kind"]), text(&binding["roleRef"]["name"]));
        let space = text(&binding["metadata"]["namespace"]);
        let exists = world.iter().any(|object| {
            object["kind"] == kind.as_str()
                && object["metadata"]["name"] == name.as_str()
                && (kind == "ClusterRole" || object["metadata"]["namespace"] == space.as_str())
        });
        if fits && exists {
            held.insert((kind, name, space));
        }
    }
    held
}

/// Whether a pod of the actor's making can be had in namespace `a`, as any account of it.
fn naive_pod(world: &[Value], who: &Who) -> bool {
    let may = |request: Request<'_>| naive_may(world, who, &request);
    let any =
        |verb, group, of, space| may(Request::resource(verb, group, of, space).about(Names::Some));
    may(Request::resource("create", "", "pods", "a"))
        || ["create", "patch", "update"].iter().any(|verb| match *verb {
            "create" => [
                ("apps", "deployments"),
                ("batch", "jobs"),
                ("", "replicationcontrollers"),
                ("argoproj.io", "rollouts"),
            ]
            .iter()
            .any(|(group, of)| may(Request::resource(verb, group, of, "a"))),
            _ => [
                ("apps", "deployments"),
                ("batch", "cronjobs"),
                ("", "replicationcontrollers"),
                ("argoproj.io", "rollouts"),
            ]
            .iter()
            .any(|(group, of)| any(verb, group, of, "a")),
        })
}

fn naive_gains(world: &[Value], who: &Who) -> BTreeSet<String> {
    let may = |request: Request<'_>| naive_may(world, who, &request);
    let any =
        |verb, group, of, space| may(Request::resource(verb, group, of, space).about(Names::Some));
    let mut gains = BTreeSet::new();
    let all = |space: &str| format!("all {space}");
    let anybody = any("impersonate", "", "users", "")
        || ["a", "b"].iter().any(|space| any("impersonate", "", "serviceaccounts", space));
    if anybody && may(named("impersonate", "", "groups", "", "system:masters")) {
        gains.insert(all(""));
    }
    for (kind, name, scope) in bound(world, who) {
        let (of, own) =
            if kind == "Role" { ("roles", scope.as_str()) } else { ("clusterroles", "") };
        let writes = ["patch", "update"].iter().any(|verb| may(named(verb, RBAC, of, own, &name)));
        if writes && may(named("escalate", RBAC, of, own, &name)) {
            gains.insert(all(&scope));
        }
    }
    for space in ["", "a", "b"] {
        let of = if space.is_empty() { "clusterrolebindings" } else { "rolebindings" };
        if !may(Request::resource("create", RBAC, of, space)) {
            continue;
        }
        if may(named("bind", RBAC, "clusterroles", space, "no such name")) {
            gains.insert(all(space));
            continue;
        }
        for role in world.iter().filter(|object| object["rules"].is_array()) {
            let name = role["metadata"]["name"].as_str().unwrap();
            let wide = role["kind"] == "ClusterRole";
            let of = if wide { "clusterroles" } else { "roles" };
            if (wide || space == "a") && may(named("bind", RBAC, of, space, name)) {
                gains.insert(format!("role {} {name} {space}", role["kind"].as_str().unwrap()));
            }
        }
    }
    if gains.contains("all ") {
        return BTreeSet::from([all("")]);
    }
    for user in ["u0", "u1"] {
        let known = world.iter().any(|object| {
            object["subjects"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|subject| subject["name"] == user)
        });
        if known && may(named("impersonate", "", "users", "", user)) {
            gains.insert(format!("as {user}"));
        }
    }
    if naive_pod(world, who)
        || may(named("impersonate", "", "serviceaccounts", "a", "sa"))
        || may(named("create", "", "serviceaccounts/token", "a", "sa"))
    {
        gains.insert("as system:serviceaccount:a:sa".to_owned());
    }
    gains.remove(&format!("as {}", who.0));
    gains
}

fn naive_closure(world: &[Value], start: Who) -> BTreeSet<String> {
    let mut gains = BTreeSet::new();
    let mut todo = vec![start.clone()];
    let mut seen = BTreeSet::from([start]);
    while let Some(who) = todo.pop() {
        for gain in naive_gains(world, &who) {
            let words: Vec<&str> = gain.split(' ').collect();
            let next = match words[..] {
                ["as", user] => Some((user.to_owned(), BTreeSet::new())),
                ["role", kind, name, space] => {
                    let mut next = who.clone();
                    next.1.insert((kind.to_owned(), name.to_owned(), space.to_owned()));
                    Some(next)
                }
                _ => None,
            };
            if let Some(next) = next.filter(|next| seen.insert(next.clone())) {
                todo.push(next);
            }
            gains.insert(gain);
        }
    }
    gains
}

fn words(gain: &Gain) -> String {
    match gain {
        Gain::Acting(user) => format!("as {user}"),
        Gain::Role(role, space) => format!("role {} {} {space}", role.kind, role.name),
        Gain::Everything(space) => format!("all {space}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_closure_is_the_naive_fixpoint_and_every_hop_can_be_made(world in worlds()) {
        let cluster = cluster(&world);
        let start = Identity::user("u0", &[]);
        let closure = cluster.closure(&start, 40);
        for reached in &closure.reached {
            let mut actor = Actor { identity: start.clone(), roles: BTreeSet::new() };
            for hop in &reached.hops {
                for asked in &hop.asked {
                    prop_assert!(cluster.may(&actor, &asked.request()), "{:?}", hop);
                }
                match &hop.gain {
                    Gain::Acting(user) => {
                        actor = Actor { identity: Identity::user(user, &[]), roles: BTreeSet::new() };
                    }
                    Gain::Role(role, space) => {
                        actor.roles.insert((role.clone(), space.clone()));
                    }
                    Gain::Everything(_) => {}
                }
            }
        }
        let found: BTreeSet<String> = closure.reached.iter().map(|one| words(&one.gain)).collect();
        let mut expected = naive_closure(&world, ("u0".to_owned(), BTreeSet::new()));
        expected.remove("as u0");
        prop_assert_eq!(found, expected);
    }
}
