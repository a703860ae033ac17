//! What a project permits.

use access::argocd::project::{Project, Signatures};
use access::origin::Origin;
use serde_json::{Value, json};

fn project(spec: &Value) -> Project {
    Project::read(&json!({"metadata": {"name": "p"}, "spec": spec}), Origin::whole("p"))
}

#[test]
fn sources_are_permitted_by_globs_that_stop_at_slashes() {
    let table: [(&[&str], &str, Option<bool>); 20] = [
        (&["*"], "https://git/a/b", Some(true)),
        (&[], "https://git/a", Some(false)),
        (&["https://git/team/*"], "https://git/team/repo.git", Some(true)),
        (&["https://git/team/*"], "https://git/team/deep/repo", Some(false)),
        (&["https://git/team/**"], "https://git/team/deep/repo", Some(true)),
        (&["*", "!https://git/evil/*"], "https://git/evil/repo", Some(false)),
        // Denials alone permit the rest.
        (&["!https://git/evil/*"], "https://git/good/repo", Some(true)),
        (&["git@git:team/repo.git"], "ssh://git@git/team/repo", Some(true)),
        (&["HTTPS://Git/Team/Repo"], "https://git/team/repo.git", Some(true)),
        (&["git@git:team/*"], "git@git:team/repo.git", Some(true)),
        (&["ssh://git@git:22/team/*"], "ssh://git@git:22/team/repo", Some(true)),
        // A lone star permits everything, and denies only what has no slash.
        (&["!*"], "https://git/a", Some(true)),
        (&["https://git/[a-c]/*"], "https://git/b/repo", Some(true)),
        // Go's reading of addresses rewrites braces, and refuses a star for a port.
        (&["https://git/{a,b}/repo"], "https://git/a/repo", None),
        (&["https://git/{a,b}/repo", "*"], "https://git/a/repo", Some(true)),
        (&["*", "!https://git/{a,b}/repo"], "https://git/a/repo", None),
        (&["*", "!https://git/a/*", "!https://git/{a,b}/repo"], "https://git/a/x", Some(false)),
        (&["https://git:*/a"], "https://git:8443/a", None),
        (&["*"], "https://git/a b", None),
        (&["10.0.0.1:5000/charts"], "10.0.0.1:5000/charts", None),
    ];
    for (repositories, url, expected) in table {
        let project = project(&json!({"sourceRepos": repositories}));
        assert_eq!(project.permits_source(url), expected, "{repositories:?} {url}");
    }
}

#[test]
fn destinations_are_permitted_by_address_or_name_and_namespace() {
    let any = json!({"server": "*", "namespace": "*"});
    let table = [
        (json!([any]), "https://k", "", "prod", true),
        (json!([{"server": "https://k", "namespace": "*-dev"}]), "https://k", "", "a-dev", true),
        (json!([{"server": "https://k", "namespace": "*-dev"}]), "https://k", "", "a-prod", false),
        (json!([{"name": "in-cluster", "namespace": "*"}]), "https://k", "in-cluster", "x", true),
        (
            json!([any, {"server": "*", "namespace": "!kube-system"}]),
            "https://k",
            "",
            "kube-system",
            false,
        ),
        (json!([any, {"server": "*", "namespace": "!kube-system"}]), "https://k", "", "app", true),
        (json!([any, {"server": "!https://k", "namespace": "*"}]), "https://k", "", "app", false),
        (
            json!([any, {"server": "!https://k", "namespace": "*"}]),
            "https://other",
            "",
            "app",
            true,
        ),
    ];
    for (destinations, server, name, namespace, expected) in table {
        let project = project(&json!({"destinations": destinations}));
        let permitted = project.permits_destination(server, name, namespace);
        assert_eq!(permitted, expected, "{destinations} {server} {namespace}");
    }
}

#[test]
fn kinds_of_the_cluster_need_a_list_and_those_of_namespaces_do_not() {
    let table = [
        (json!({}), "", "Namespace", false, false),
        (json!({}), "apps", "Deployment", true, true),
        (
            json!({"clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}),
            "",
            "Node",
            false,
            true,
        ),
        (
            json!({"clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                   "clusterResourceBlacklist": [{"group": "", "kind": "N*"}]}),
            "",
            "Node",
            false,
            false,
        ),
        (
            json!({"clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "a-*"}]}),
            "",
            "Namespace",
            false,
            true,
        ),
        (json!({"namespaceResourceWhitelist": []}), "apps", "Deployment", true, false),
        // Go's `filepath.Match`: no braces, and a caret where other globs have a mark.
        (
            json!({"namespaceResourceBlacklist": [{"group": "", "kind": "{Secret,Pod}"}]}),
            "",
            "Secret",
            true,
            true,
        ),
        (
            json!({"namespaceResourceBlacklist": [{"group": "", "kind": "[^A-R]*t"}]}),
            "",
            "Secret",
            true,
            false,
        ),
        (
            json!({"namespaceResourceBlacklist": [{"group": "*.io", "kind": "?ecre\\t*"}]}),
            "x.io",
            "Secret",
            true,
            false,
        ),
        (
            json!({"namespaceResourceBlacklist": [{"group": "", "kind": "Secret[]"}]}),
            "",
            "Secret",
            true,
            true,
        ),
        (
            json!({"namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}]}),
            "",
            "Secret",
            true,
            false,
        ),
    ];
    for (spec, group, kind, namespaced, expected) in table {
        let permitted = project(&spec).permits_kind(group, kind, "a-x", namespaced);
        assert_eq!(permitted, expected, "{spec} {kind}");
    }
}

#[test]
fn signatures_are_asked_for_in_two_ways() {
    assert_eq!(project(&json!({})).signatures, Signatures::NotAsked);
    let keys = json!({"signatureKeys": [{"keyID": "1"}]});
    assert_eq!(project(&keys).signatures, Signatures::Keys(1));
    let policies = json!({"sourceIntegrity": {"git": {"policies": [{}, {}]}}});
    assert_eq!(project(&policies).signatures, Signatures::Policies(2));
}
