//! Rules, bindings and aggregation, point by point.

use access::kubernetes::model::Builder;
use access::kubernetes::{Cluster, Identity, Names, Predicate, Request, Rule, Subject};
use access::origin::Origin;
use serde_json::{Value, json};

pub(crate) fn cluster(objects: &[Value]) -> Cluster {
    let mut builder = Builder::default();
    for (at, object) in objects.iter().enumerate() {
        builder.add(object, &Origin::new("rbac.yaml", u32::try_from(at).unwrap() + 1));
    }
    builder.build()
}

pub(crate) fn role(kind: &str, namespace: &str, name: &str, rules: &Value) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "rules": rules})
}

pub(crate) fn binding(namespace: &str, name: &str, role: (&str, &str), subjects: &Value) -> Value {
    let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    json!({
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"kind": role.0, "name": role.1},
        "subjects": subjects,
    })
}

#[test]
fn rules_fit_as_in_kubernetes() {
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]| {
        Rule::read(
            &json!({"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names}),
        )
    };
    let table = [
        (rule(&[""], &["pods"], &["get"], &[]), ("get", "", "pods", None), true),
        (rule(&[""], &["pods"], &["get"], &[]), ("get", "", "pods/log", None), false),
        (
            rule(&[""], &["pods/exec"], &["create"], &[]),
            ("create", "", "pods/exec", Some("x")),
            true,
        ),
        (rule(&[""], &["pods/exec"], &["create"], &[]), ("create", "", "pods", None), false),
        (rule(&["*"], &["*"], &["*"], &[]), ("create", "", "pods/exec", Some("x")), true),
        (
            rule(&["apps"], &["*/scale"], &["patch"], &[]),
            ("patch", "apps", "deployments/scale", Some("x")),
            true,
        ),
        (
            rule(&["apps"], &["*/scale"], &["patch"], &[]),
            ("patch", "apps", "deployments", Some("x")),
            false,
        ),
        (
            rule(&["apps"], &["deployments/*"], &["patch"], &[]),
            ("patch", "apps", "deployments/scale", Some("x")),
            false,
        ),
        (
            rule(&["apps"], &["deployments"], &["*"], &[]),
            ("patch", "batch", "deployments", Some("x")),
            false,
        ),
        (rule(&[""], &["secrets"], &["get"], &["a"]), ("get", "", "secrets", Some("a")), true),
        (rule(&[""], &["secrets"], &["get"], &["a"]), ("get", "", "secrets", Some("b")), false),
        // Named rules fit no list of everything and no creation; a list by field selector is named.
        (
            rule(&[""], &["secrets"], &["list", "create"], &["a"]),
            ("list", "", "secrets", None),
            false,
        ),
        (
            rule(&[""], &["secrets"], &["list", "create"], &["a"]),
            ("create", "", "secrets", None),
            false,
        ),
        (
            rule(&[""], &["secrets"], &["list", "create"], &["a"]),
            ("list", "", "secrets", Some("a")),
            true,
        ),
        (
            rule(&[""], &["secrets"], &["deletecollection"], &["a"]),
            ("deletecollection", "", "secrets", None),
            false,
        ),
    ];
    for (rule, (verb, group, resource, name), expected) in table {
        let names = name.map_or(Names::Unnamed, Names::Named);
        let request = Request::resource(verb, group, resource, "ns").about(names);
        assert_eq!(rule.allows(&request), expected, "{rule:?} {request:?}");
    }
    let paths = Rule::read(&json!({"nonResourceURLs": ["/healthz", "/apis/*"], "verbs": ["get"]}));
    for (path, expected) in [("/healthz", true), ("/healthz/x", false), ("/apis/apps", true)] {
        assert_eq!(paths.allows(&Request::Path { verb: "get", path }), expected, "{path}");
    }
}

#[test]
fn stars_and_empty_words_among_names_stand_for_themselves() {
    let rule = |resource: &str, names: &[&str]| {
        Rule::read(&json!({
            "apiGroups": [""], "resources": [resource], "verbs": ["*"], "resourceNames": names,
        }))
    };
    let table = [
        // An empty name is the name of a request that names nothing.
        (rule("secrets", &["a", ""]), "secrets", Names::Unnamed, true),
        (rule("secrets", &["*"]), "secrets", Names::Named("a"), false),
        (rule("*/*", &[]), "pods/log", Names::Named("a"), false),
    ];
    for (rule, resource, names, expected) in table {
        let request = Request::resource("get", "", resource, "ns").about(names);
        assert_eq!(rule.allows(&request), expected, "{rule:?} {request:?}");
    }
}

#[test]
fn bindings_hold_where_they_stand() {
    let write = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}]);
    let cluster = cluster(&[
        role("ClusterRole", "", "writer", &write),
        role("Role", "a", "local", &write),
        binding("a", "one", ("ClusterRole", "writer"), &json!([{"kind": "User", "name": "ann"}])),
        binding("b", "two", ("Role", "local"), &json!([{"kind": "User", "name": "bob"}])),
        binding("a", "three", ("Role", "local"), &json!([{"kind": "Group", "name": "team"}])),
        binding("", "four", ("Role", "local"), &json!([{"kind": "User", "name": "cid"}])),
        binding(
            "",
            "five",
            ("ClusterRole", "writer"),
            &json!([
                {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"},
                {"kind": "ServiceAccount", "name": "lost"},
            ]),
        ),
        binding(
            "a",
            "six",
            ("ClusterRole", "writer"),
            &json!([
                {"kind": "ServiceAccount", "name": "here"},
                {"kind": "User", "name": "system:serviceaccount:x:y"},
                {"kind": "Group", "name": "system:serviceaccounts:z"},
            ]),
        ),
    ]);
    let table = [
        (Identity::user("ann", &[]), "a", true),
        (Identity::user("ann", &[]), "b", false),
        (Identity::user("bob", &[]), "b", false),
        (Identity::user("dan", &["team"]), "a", true),
        (Identity::user("cid", &[]), "a", false),
        (Identity::service_account("ci", "bot"), "anywhere", true),
        (Identity::service_account("a", "here"), "a", true),
        (Identity::service_account("x", "y"), "a", true),
        (Identity::service_account("z", "any"), "a", true),
        (Identity::service_account("q", "any"), "a", false),
        (Identity::user("eve", &["system:masters"]), "a", true),
    ];
    for (identity, namespace, expected) in table {
        let request =
            Request::resource("patch", "apps", "deployments", namespace).about(Names::Named("x"));
        assert_eq!(
            cluster.decide(&identity, &request).allowed,
            expected,
            "{identity:?} {namespace}"
        );
    }
    assert_eq!(cluster.dangling().count(), 2);
}

#[test]
fn what_only_looks_like_rbac_is_not_taken() {
    let subjects = json!([{"kind": "User", "name": "ann"}]);
    let bind = |space: &str| {
        let mut value = binding(space, "b", ("ClusterRole", "r"), &subjects);
        value["kind"] = json!("RoleBinding");
        value
    };
    let mut other = role("ClusterRole", "", "r", &json!([]));
    other["apiVersion"] = json!("authorization.openshift.io/v1");
    let mut own = other.clone();
    own["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
    let mut nothing = bind("a");
    nothing["roleRef"]["kind"] = json!("Group");
    let table = [
        (bind("a"), true),
        // Without a namespace it would hold everywhere, which it does nowhere.
        (bind(""), false),
        (role("Role", "", "r", &json!([])), false),
        (other.clone(), false),
        (json!({"kind": "List", "apiVersion": "v1", "items": [own.clone()]}), true),
        (
            json!({"kind": "ClusterRoleList", "apiVersion": other["apiVersion"], "items": [{}]}),
            false,
        ),
        (own, true),
        (nothing, false),
    ];
    for (object, taken) in table {
        let mut builder = Builder::default();
        assert_eq!(builder.add(&object, &Origin::whole("x")), taken, "{object}");
    }
}

#[test]
fn groups_are_implied_unless_they_say_otherwise() {
    let table = [
        (Identity::user("ann", &[]), "system:authenticated", true),
        (Identity::user("ann", &["system:unauthenticated"]), "system:authenticated", false),
        (Identity::user("system:anonymous", &[]), "system:unauthenticated", true),
        (Identity::user("system:anonymous", &[]), "system:authenticated", false),
        (Identity::service_account("a", "b"), "system:serviceaccounts:a", true),
    ];
    for (identity, group, expected) in table {
        assert_eq!(identity.groups.contains(group), expected, "{identity:?} {group}");
    }
}

/// The rules in the object stay if nothing is selected, and where two ways lead to the same part the
/// second brings nothing of its own.
#[test]
fn rules_of_a_role_that_aggregates_count_only_if_it_selects_none() {
    let rules =
        |resource: &str| json!([{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}]);
    let made = |name: &str, to: &str, selects: Option<&str>| {
        let mut value = role("ClusterRole", "", name, &rules(name));
        value["metadata"]["labels"] = json!({ to: "yes" });
        if let Some(label) = selects {
            value["aggregationRule"] =
                json!({"clusterRoleSelectors": [{"matchLabels": {label: "yes"}}]});
        }
        value
    };
    let subjects = json!([{"kind": "User", "name": "ann"}]);
    let cluster = cluster(&[
        made("part", "middle", None),
        made("left", "top", Some("middle")),
        made("right", "top", Some("middle")),
        made("alone", "top", Some("nowhere")),
        made("top", "none", Some("top")),
        binding("", "b", ("ClusterRole", "top"), &subjects),
    ]);
    for (resource, expected) in
        [("part", true), ("alone", true), ("left", false), ("right", false), ("top", false)]
    {
        let request = Request::resource("get", "", resource, "ns").about(Names::Named("x"));
        let decision = cluster.decide(&Identity::user("ann", &[]), &request);
        assert_eq!(decision.allowed, expected, "{resource}");
    }
}

#[test]
fn roles_aggregate_by_labels_through_each_other() {
    let rules =
        |resource: &str| json!([{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}]);
    let mut part = role("ClusterRole", "", "part", &rules("pods"));
    part["metadata"]["labels"] = json!({"to": "middle"});
    let mut middle = role("ClusterRole", "", "middle", &rules("stale"));
    middle["metadata"]["labels"] = json!({"to": "top"});
    middle["aggregationRule"] =
        json!({"clusterRoleSelectors": [{"matchLabels": {"to": "middle"}}]});
    let mut top = role("ClusterRole", "", "top", &json!([]));
    top["aggregationRule"] = json!({"clusterRoleSelectors": [
        {"matchExpressions": [{"key": "to", "operator": "In", "values": ["top"]}]},
    ]});
    let subjects = json!([{"kind": "User", "name": "ann"}]);
    let cluster =
        cluster(&[top, middle, part, binding("", "b", ("ClusterRole", "top"), &subjects)]);
    let request = Request::resource("get", "", "pods", "ns").about(Names::Named("x"));
    let decision = cluster.decide(&Identity::user("ann", &[]), &request);
    assert!(decision.allowed);
    assert_eq!(decision.grants[0].aggregated_from.as_ref().unwrap().name, "part");
    assert!(decision.grants[0].sentence().contains("ClusterRoleBinding b to user ann"));
    let stale = Request::resource("get", "", "stale", "ns").about(Names::Named("x"));
    assert!(!cluster.decide(&Identity::user("ann", &[]), &stale).allowed);
}

#[test]
fn each_predicate_is_set_off_by_its_own_rights_alone() {
    for predicate in Predicate::ALL {
        for request in predicate.requests("ns") {
            let Request::Resource { verb, group, resource, subresource, .. } = request else {
                panic!("a predicate asks for resources")
            };
            let full = if subresource.is_empty() {
                resource.to_owned()
            } else {
                format!("{resource}/{subresource}")
            };
            let rules = json!([{"apiGroups": [group], "resources": [full], "verbs": [verb]}]);
            let cluster = cluster(&[
                role("ClusterRole", "", "r", &rules),
                binding("", "b", ("ClusterRole", "r"), &json!([{"kind": "User", "name": "ann"}])),
            ]);
            let found = cluster.bypasses(predicate, "ns");
            assert!(!found.is_empty(), "{predicate:?} {verb} {full}");
            assert!(found.iter().all(|one| one.subject == Subject::User("ann".to_owned())));
        }
        let harmless = json!([{"apiGroups": ["*"], "resources": ["events"], "verbs": ["*"]}]);
        let cluster = cluster(&[
            role("ClusterRole", "", "r", &harmless),
            binding("", "b", ("ClusterRole", "r"), &json!([{"kind": "User", "name": "ann"}])),
        ]);
        assert!(cluster.bypasses(predicate, "ns").is_empty(), "{predicate:?}");
    }
}

#[test]
fn named_rules_of_argo_cds_configuration_count() {
    let named = |name: &str| {
        let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"], "resourceNames": [name]}]);
        cluster(&[
            role("Role", "argocd", "r", &rules),
            binding("argocd", "b", ("Role", "r"), &json!([{"kind": "Group", "name": "team"}])),
        ])
        .bypasses(Predicate::WriteArgoConfig, "argocd")
        .len()
    };
    assert_eq!((named("argocd-rbac-cm"), named("dashboards")), (1, 0));
}
