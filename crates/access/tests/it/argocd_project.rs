//! What a project permits.

use access::argocd::project::{Project, Signatures};
use access::origin::Origin;
use serde_json::{Value, json};

fn project(spec: &Value) -> Project {
    Project::read(&json!({"metadata": {"name": "p"}, "spec": spec}), Origin::whole("p"))
}

#[test]
fn sources_are_permitted_by_globs_that_stop_at_slashes() {
    let table: [(&[&str], &str, bool); 9] = [
        (&["*"], "https://git/a/b", true),
        (&[], "https://git/a", false),
        (&["https://git/team/*"], "https://git/team/repo.git", true),
        (&["https://git/team/*"], "https://git/team/deep/repo", false),
        (&["https://git/team/**"], "https://git/team/deep/repo", true),
        (&["*", "!https://git/evil/*"], "https://git/evil/repo", false),
        // Denials alone permit the rest.
        (&["!https://git/evil/*"], "https://git/good/repo", true),
        (&["git@git:team/repo.git"], "ssh://git@git/team/repo", true),
        (&["HTTPS://Git/Team/Repo"], "https://git/team/repo.git", true),
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
