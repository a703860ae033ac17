//! A repository and a cluster of any size: Applications of many teams, with owners and bindings.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::measure::Outcome;

/// Applications of one team.
const OF_A_TEAM: usize = 20;
const URL: &str = "https://git.example/acme/gitops.git";

/// Writes a repository with so many Applications, and beside it the forge's snapshot, the people map
/// and the objects of a cluster with as many `RoleBinding`s.
pub(crate) fn write(folder: &Path, applications: usize) -> Outcome<u64> {
    let teams = applications.div_ceil(OF_A_TEAM);
    let mut bytes = 0;
    let mut put = |path: String, text: String| -> Outcome {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        bytes += u64::try_from(text.len())?;
        Ok(fs::write(path, text)?)
    };
    for n in 0..applications {
        let (team, name) = (n / OF_A_TEAM, format!("app-{n}-prod"));
        put(format!("repo/apps/prod/{name}.yaml"), application(&name, team))?;
        put(format!("repo/envs/prod/{name}/deployment.yaml"), deployment(&name))?;
        put(format!("repo/envs/prod/{name}/kustomization.yaml"), KUSTOMIZATION.to_owned())?;
    }
    for team in 0..teams {
        put(format!("repo/projects/team-{team}.yaml"), project(team))?;
    }
    put("repo/CODEOWNERS".to_owned(), owners(applications))?;
    put("repo/countersign.yaml".to_owned(), policy())?;
    put("forge.json".to_owned(), forge(teams).to_string())?;
    put("people.json".to_owned(), people(teams).to_string())?;
    put("cluster.json".to_owned(), cluster(applications, teams).to_string())?;
    Ok(bytes)
}

const KUSTOMIZATION: &str = "resources: [deployment.yaml]\n";

fn application(name: &str, team: usize) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  \
         namespace: argocd\nspec:\n  project: team-{team}\n  source:\n    repoURL: {URL}\n    \
         path: envs/prod/{name}\n    targetRevision: main\n  destination:\n    \
         server: https://kubernetes.default.svc\n    namespace: {name}\n"
    )
}

fn deployment(name: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {name}\n\
         spec:\n  replicas: 3\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: main\n        \
         image: registry.example/{name}:1.0.0\n        ports: [{{containerPort: 8080}}]\n"
    )
}

fn project(team: usize) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: team-{team}, \
         namespace: argocd}}\nspec:\n  sourceRepos: [{URL}]\n  destinations:\n  - \
         {{server: https://kubernetes.default.svc, namespace: 'app-*-prod'}}\n"
    )
}

fn owners(applications: usize) -> String {
    let mut text =
        "* @acme/platform\n/apps/ @acme/sre\n/projects/ @acme/platform\n/CODEOWNERS @acme/platform\n\
         /countersign.yaml @acme/platform\n"
            .to_owned();
    for n in 0..applications {
        let _ = writeln!(text, "/envs/prod/app-{n}-prod/ @acme/team-{} @acme/sre", n / OF_A_TEAM);
    }
    text
}

fn policy() -> String {
    format!(
        "version: 1\nrepository:\n  addresses: [{URL}]\n  forge: github\n  name: acme/gitops\n  \
         branch: main\nenvironments:\n- name: prod\n  production: true\n  applications:\n  - \
         {{name: '*-prod', criticality: high}}\ncriticalities:\n- name: high\n"
    )
}

/// Two people of each team, who are its members on the forge and in the identity provider.
fn person(team: usize, of: usize) -> String {
    format!("dev-{team}-{of}")
}

fn people(teams: usize) -> Value {
    let each = (0..teams).flat_map(|team| (0..2).map(move |of| (team, of)));
    let map = each.map(|(team, of)| {
        let id = person(team, of);
        let entry = json!({"github_login": id, "kubernetes_user": format!("{id}@acme.example"),
            "oidc_subject": format!("s-{id}"), "oidc_groups": [format!("team-{team}")]});
        (id, entry)
    });
    Value::Object(map.collect())
}

fn forge(teams: usize) -> Value {
    let team = |team: usize| {
        json!({"slug": format!("team-{team}"), "permission": "push",
            "members": (0..2).map(|of| json!({"login": person(team, of)})).collect::<Vec<_>>()})
    };
    json!({
        "repository": {"full_name": "acme/gitops", "default_branch": "main"},
        "branch_protection": {"main": {
            "required_pull_request_reviews": {"dismiss_stale_reviews": true,
                "require_code_owner_reviews": true, "required_approving_review_count": 1,
                "require_last_push_approval": true},
            "enforce_admins": {"enabled": true}, "allow_force_pushes": {"enabled": false},
            "allow_deletions": {"enabled": false}}},
        "rulesets": [], "collaborators": [],
        "teams": (0..teams).map(team).collect::<Vec<_>>(),
    })
}

fn cluster(bindings: usize, teams: usize) -> Value {
    let mut items = vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "argocd-cm", "namespace": "argocd"},
            "data": {"admin.enabled": "false",
                "application.sync.requireOverridePrivilegeForRevisionSync": "true"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "argocd-rbac-cm", "namespace": "argocd"},
            "data": {"policy.csv": rbac(teams)}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "view"},
            "rules": [{"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}]}),
    ];
    for n in 0..bindings {
        items.push(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "view", "namespace": format!("app-{n}-prod")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "view"},
            "subjects": [{"kind": "Group", "name": format!("team-{}", n / OF_A_TEAM),
                "apiGroup": "rbac.authorization.k8s.io"}]}));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn rbac(teams: usize) -> String {
    let mut text = String::from("p, role:sre, applications, sync, */*, allow\ng, sre, role:sre\n");
    for team in 0..teams {
        let _ = write!(
            text,
            "p, role:team-{team}, applications, get, team-{team}/*, allow\n\
             g, team-{team}, role:team-{team}\n"
        );
    }
    text
}
