//! `sod-cluster-bypass`: met by the base, broken by one change, undetermined without its source.

use evidence::control::{Outcome, Verdict};

use super::{Case, base, judged};

#[test]
fn one_change_breaks_it_and_no_other_control() {
    Case::of("sod-cluster-bypass").breaks_alone();
}

#[test]
fn without_its_source_it_is_undetermined() {
    Case::of("sod-cluster-bypass").is_undetermined_without_its_source();
}

#[test]
fn each_further_case_is_judged() {
    Case::of("sod-cluster-bypass").judges_each_further_case();
}

/// A role in the namespace of production for the one person who has an account in the cluster.
const BINDING: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: fix, namespace: shop-prod}
rules: [{apiGroups: [apps], resources: [deployments], verbs: [patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: fix, namespace: shop-prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: fix}
subjects: [{kind: User, name: ben@acme.example}]
";

#[test]
fn a_binding_that_no_application_brings_to_the_cluster_accuses_nobody() {
    for (path, expected) in
        [("envs/prod/shop/rbac.yaml", Verdict::NotMet), ("other/rbac.yaml", Verdict::Undetermined)]
    {
        let mut files = base();
        files.remove("cluster.json");
        files.insert(path.to_owned(), BINDING.to_owned());
        let judged = judged(&files);
        let of = |o: &&Outcome| o.control == "sod-cluster-bypass" && o.subject == "ben";
        let ben = judged.iter().find(of).unwrap_or_else(|| panic!("{path}: {judged:#?}"));
        assert_eq!(ben.verdict, expected, "{path}: {}", ben.reason);
    }
}
