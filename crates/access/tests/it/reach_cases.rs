//! What the oracle found in `who-can`, each in the smallest world that shows it.

use std::collections::BTreeMap;

use access::reach::{Answer, Need, Part, Path, Question, Verb, World as In};
use serde_json::{Value, json};

use crate::kubernetes_rules::{binding, role};
use crate::reach_oracle::{Missing, ask};
use crate::reach_worlds::{ARGO, App, Held, Revision, SPACES, Shape, World};

const RBAC: &str = "rbac.authorization.k8s.io";

fn app(name: &'static str) -> App {
    App {
        name,
        namespace: ARGO,
        project: "pay",
        automated: false,
        shape: Shape::Folder,
        revision: Revision::Main,
        into: Some("shop-a"),
        names: None,
        held: Held::Both,
    }
}

/// One Application and its root, alice in the group pay, and nobody with any right.
fn world() -> World {
    let project = |name: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
               "metadata": {"name": name, "namespace": ARGO},
               "spec": {"roles": [{"name": "ci", "policies": []}]}})
    };
    World {
        apps: vec![app("a-prod"), App { project: "web", into: Some(ARGO), ..app("root") }],
        forge: json!({
            "repository": {"full_name": "platform/gitops", "default_branch": "main"},
            "branch_protection": {"main": null, "release": null},
            "rulesets": [], "collaborators": [], "teams": [],
        }),
        rules: BTreeMap::new(),
        settings: BTreeMap::new(),
        projects: vec![project("pay"), project("web")],
        rights: SPACES
            .iter()
            .map(
                |name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
            )
            .collect(),
        people: json!({
            "alice": {"github_login": "alice", "oidc_subject": "sub-a", "argocd_username": "alice@x",
                      "kubernetes_user": "alice@x", "oidc_groups": ["pay"]},
            "carol": {"oidc_groups": ["pay"]},
            "dave": {"kubernetes_user": "dave@x"},
        }),
        code_owners: String::new(),
        wide: false,
    }
}

impl World {
    fn policy_csv(mut self, lines: &str) -> Self {
        self.rules.insert("policy.csv".to_owned(), lines.to_owned());
        self
    }

    fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Binds a role of one rule: verb, group, resource, names.
    fn bind(
        mut self,
        space: &str,
        to: &Value,
        (verb, group, of): (&str, &str, &str),
        names: &[&str],
    ) -> Self {
        let name = format!("r{}", self.rights.len());
        let rule = json!([{"verbs": [verb], "apiGroups": [group], "resources": [of], "resourceNames": names}]);
        self.add(role("ClusterRole", "", &name, &rule));
        self.add(binding(space, &name, ("ClusterRole", &name), &json!([to])));
        self
    }

    fn add(&mut self, mut right: Value) {
        right["apiVersion"] = format!("{RBAC}/v1").into();
        self.rights.push(right);
    }

    fn ask(&self, verb: Verb) -> Answer {
        ask(self, &Question { verb, environment: None, application: None }, Missing::Nothing)
    }
}

fn user(name: &str) -> Value {
    json!({"kind": "User", "name": name})
}

fn group(name: &str) -> Value {
    json!({"kind": "Group", "name": name})
}

/// A person's paths of one part.
fn paths<'a>(answer: &'a Answer, id: &str, world: In, part: Part) -> Vec<&'a Path> {
    let own = answer.people.iter().filter(|person| person.id == id).flat_map(|p| &p.paths);
    own.filter(|path| path.world == world && path.part == part).collect()
}

fn reaches(answer: &Answer, id: &str, world: In, part: Part, app: &str) -> bool {
    paths(answer, id, world, part).iter().any(|path| path.applications.iter().any(|own| own == app))
}

fn is_alone(answer: &Answer, id: &str) -> bool {
    answer.people.iter().any(|person| person.id == id && person.alone.is_some())
}

fn gap(answer: &Answer, what: &str) -> bool {
    answer.undetermined.iter().any(|gap| gap.what == what)
}

fn writer(world: &mut World, level: &str) {
    world.forge["collaborators"] =
        json!([{"login": "alice", "type": "User", "permissions": {level: true}}]);
}

#[test]
fn values_beside_a_chart_decide_by_their_own_branch() {
    for (shape, revision) in
        [(Shape::Chart, Revision::Release), (Shape::TwoBranches, Revision::Main)]
    {
        let mut world = world();
        writer(&mut world, "push");
        world.apps[0] = App { shape, revision, ..app("a-prod") };
        // Nobody may push to main.
        world.forge["branch_protection"]["main"] = json!({
            "enforce_admins": {"enabled": true},
            "restrictions": {"users": [], "teams": [], "apps": []},
        });
        let answer = world.ask(Verb::Merge);
        assert!(reaches(&answer, "alice", In::Forge, Part::Push, "a-prod"), "{shape:?}");
        assert!(!reaches(&answer, "alice", In::Forge, Part::Push, "root"), "{shape:?}");
    }
}

#[test]
fn what_is_held_at_a_commit_needs_a_new_one_and_not_only_a_sync() {
    let lines =
        "p, sub-a, applications, get, pay/*, allow\np, sub-a, applications, sync, pay/*, allow";
    let mut world = world()
        .policy_csv(lines)
        .set("application.sync.requireOverridePrivilegeForRevisionSync", "true");
    writer(&mut world, "push");
    assert!(is_alone(&world.ask(Verb::Deploy), "alice"), "a merge and a sync");
    world.apps[0].revision = Revision::Commit;
    let answer = world.ask(Verb::Deploy);
    assert!(!is_alone(&answer, "alice"), "the root brings the commit, and alice may not sync it");
    let merges = paths(&answer, "alice", In::Forge, Part::Merge);
    let own = merges.iter().find(|path| path.applications.iter().any(|a| a == "a-prod")).unwrap();
    assert_eq!(own.needs, [Need::Pin, Need::Sync]);
}

#[test]
fn a_name_may_be_taken_in_each_namespace() {
    let mut world = world().policy_csv(
        "p, sub-a, applications, get, pay/team/*, allow\np, sub-a, applications, sync, pay/team/*, allow",
    );
    world.apps.insert(1, App { namespace: "team", held: Held::Cluster, ..app("a-prod") });
    let answer = world.ask(Verb::Sync);
    assert!(reaches(&answer, "alice", In::ArgoCd, Part::Sync, "a-prod"));
    assert_eq!(answer.applications.len(), 3);
}

#[test]
fn an_application_runs_where_its_manifests_say() {
    let mut world = world().bind("shop-b", &user("alice@x"), ("create", "", "pods/exec"), &[]);
    assert!(world.ask(Verb::Exec).people.is_empty());
    world.apps[0] = App { into: None, names: Some("shop-b"), ..app("a-prod") };
    assert!(reaches(&world.ask(Verb::Exec), "alice", In::Cluster, Part::Exec, "a-prod"));
    // Where nothing says it, a right everywhere counts, and the rest is undetermined.
    world.apps[0].names = None;
    let world = world.bind("", &user("dave@x"), ("create", "", "pods/exec"), &[]);
    let answer = world.ask(Verb::Exec);
    assert!(reaches(&answer, "dave", In::Cluster, Part::Exec, "a-prod"));
    assert!(gap(&answer, "rights in the namespace of a-prod"), "{:#?}", answer.undetermined);
}

#[test]
fn a_rollback_is_a_sync_that_brings_nothing_new() {
    let mut world = world().policy_csv("p, sub-a, applications, sync, pay/*, allow");
    writer(&mut world, "push");
    let answer = world.ask(Verb::Deploy);
    let syncs = paths(&answer, "alice", In::ArgoCd, Part::Sync);
    assert_eq!(syncs.iter().map(|p| &p.needs[..]).collect::<Vec<_>>(), [[Need::Earlier]]);
    assert!(!is_alone(&answer, "alice"), "what she merges, a rollback does not deploy");
}

#[test]
fn every_name_that_argo_cd_shows_is_a_subject_unless_it_is_a_local_account() {
    let lines = "p, second, applications, *, pay/*, allow\np, bot, applications, *, pay/*, allow";
    let mut world = world().policy_csv(lines);
    world.people["bob"] = json!({"argocd_username": ["first", "second"]});
    world.people["erin"] = json!({"argocd_username": ["bot"]});
    assert!(reaches(&world.ask(Verb::Sync), "bob", In::ArgoCd, Part::Sync, "a-prod"));
    let world = world.set("accounts.bot", "login");
    assert!(reaches(&world.ask(Verb::Sync), "erin", In::ArgoCd, Part::Sync, "a-prod"));
    let world = world.set("accounts.bot.enabled", "false");
    assert!(!reaches(&world.ask(Verb::Sync), "erin", In::ArgoCd, Part::Sync, "a-prod"));
}

#[test]
fn what_everybody_has_may_lack_the_reading_that_some_have() {
    let mut world =
        world().policy_csv("p, role:all, applications, sync, */*, allow\ng, away, role:readonly");
    world.rules.insert("policy.default".to_owned(), "role:all".to_owned());
    let answer = world.ask(Verb::Sync);
    let away = answer.unmapped.iter().find(|h| h.account == "Argo CD group or subject away");
    assert!(away.is_some_and(|h| h.paths.iter().any(|p| p.needs == [Need::Commit])));
    let world = world.policy_csv("p, \"\", applications, update, pay/*, allow");
    let answer = world.ask(Verb::Override);
    assert!(reaches(&answer, "alice", In::ArgoCd, Part::Override, "a-prod"), "the empty name");
    let words = "anybody who can sign in to Argo CD";
    assert!(answer.unmapped.iter().any(|h| h.account == words), "{answer:#?}");
}

#[test]
fn a_project_role_without_a_token_is_nobody() {
    let mut world = world();
    world.projects[0]["spec"]["roles"][0]["policies"] =
        json!(["p, proj:pay:ci, applications, *, pay/*, allow"]);
    assert!(world.ask(Verb::Sync).machines.is_empty());
    world.projects[0]["status"] = json!({"jwtTokensByRole": {"ci": {"items": [{"iat": 1}]}}});
    assert_eq!(world.ask(Verb::Sync).machines[0].account, "project role proj:pay:ci");
}

#[test]
fn whom_the_cluster_knows_is_everybody_with_an_account() {
    let patch = ("patch", "apps", "deployments");
    let world = world().bind("shop-a", &group("system:authenticated"), patch, &[]);
    let answer = world.ask(Verb::Deploy);
    for id in ["alice", "dave"] {
        assert!(reaches(&answer, id, In::Cluster, Part::Bypass, "a-prod"), "{id}");
    }
    let words = "anybody whom the cluster knows";
    assert!(answer.unmapped.iter().any(|h| h.account == words), "{answer:#?}");
}

#[test]
fn who_is_in_a_group_that_may_is_told_or_undetermined() {
    let world = world()
        .policy_csv("p, role:x, applications, *, pay/*, allow\ng, pay, role:x")
        .bind("shop-a", &group("pay"), ("patch", "apps", "deployments"), &[]);
    let answer = world.ask(Verb::Deploy);
    assert!(reaches(&answer, "alice", In::Cluster, Part::Bypass, "a-prod"));
    // Carol is in the group and has no account; of dave no groups are known.
    for what in [
        "rights in the cluster of carol",
        "rights in Argo CD of carol",
        "rights in the cluster of dave",
    ] {
        assert!(gap(&answer, what), "{what}: {:#?}", answer.undetermined);
    }
}

#[test]
fn a_binding_of_a_namespace_gives_nothing_of_the_cluster() {
    for (verb, of) in [("impersonate", "users"), ("escalate", "clusterroles")] {
        let of_group = if verb == "escalate" { RBAC } else { "" };
        let inside = world().bind("shop-a", &user("alice@x"), (verb, of_group, of), &[]);
        assert!(inside.ask(Verb::Deploy).people.is_empty(), "{verb}");
        let everywhere = world().bind("", &user("alice@x"), (verb, of_group, of), &[]);
        assert!(
            reaches(&everywhere.ask(Verb::Deploy), "alice", In::Cluster, Part::Bypass, "root"),
            "{verb}"
        );
    }
}

#[test]
fn what_is_gained_on_the_way_counts_without_being_everything() {
    let bot = json!({"kind": "ServiceAccount", "name": "bot", "namespace": "ci"});
    let mut by_pod = world().bind("ci", &user("alice@x"), ("create", "", "pods"), &[]).bind(
        "shop-a",
        &bot,
        ("create", "", "pods/exec"),
        &[],
    );
    by_pod.rights.push(json!({"apiVersion": "v1", "kind": "ServiceAccount",
                              "metadata": {"name": "bot", "namespace": "ci"}}));
    let exec = json!([{"verbs": ["create"], "apiGroups": [""], "resources": ["pods/exec"]}]);
    let mut by_role = world()
        .bind("shop-a", &user("alice@x"), ("create", RBAC, "rolebindings"), &[])
        .bind("shop-a", &user("alice@x"), ("bind", RBAC, "clusterroles"), &["shell"]);
    by_role.add(role("ClusterRole", "", "shell", &exec));
    for world in [by_pod, by_role] {
        let answer = world.ask(Verb::Exec);
        assert!(reaches(&answer, "alice", In::Cluster, Part::Escalation, "a-prod"), "{answer:#?}");
    }
}

/// The root runs in a known namespace, the other Application in none.
#[test]
fn a_role_gained_for_the_cluster_reaches_what_runs_nowhere_and_the_rest() {
    let mut world = world()
        .bind("", &user("alice@x"), ("create", RBAC, "clusterrolebindings"), &[])
        .bind("", &user("alice@x"), ("bind", RBAC, "clusterroles"), &["beyond"]);
    let rule = json!([{"verbs": ["escalate"], "apiGroups": [RBAC], "resources": ["clusterroles"]}]);
    world.add(role("ClusterRole", "", "beyond", &rule));
    world.apps[0].into = None;
    let answer = world.ask(Verb::Deploy);
    for app in ["a-prod", "root"] {
        let by = [Part::Bypass, Part::Escalation];
        let reached = by.iter().any(|part| reaches(&answer, "alice", In::Cluster, *part, app));
        assert!(reached, "{app}: {answer:#?}");
    }
}
