//! Small random worlds for the oracle of `who-can`: a repository, the objects of a cluster, a forge
//! snapshot, a policy and a people map, which have accounts, groups and namespaces in common.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::kubernetes_rules::{binding, role};

pub(crate) const ADDRESS: &str = "https://git.example/platform/gitops.git";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const ARGO: &str = "argocd";
pub(crate) const SPACES: [&str; 5] = ["argocd", "team", "shop-a", "shop-b", "ci"];
const GROUPS: [&str; 2] = ["pay", "ops"];
const LOGINS: [&str; 6] = ["alice", "Bob", "bob-admin", "carol", "mallory", "builder"];

/// A world.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The last one is the root: it deploys every Application that git holds.
    pub(crate) apps: Vec<App>,
    pub(crate) forge: Value,
    /// The `data` of `argocd-rbac-cm` and of `argocd-cm`.
    pub(crate) rules: BTreeMap<String, String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) projects: Vec<Value>,
    /// Roles, bindings and service accounts.
    pub(crate) rights: Vec<Value>,
    pub(crate) people: Value,
    pub(crate) code_owners: String,
    /// Whether the policy counts `shop-*` to production.
    pub(crate) wide: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) project: &'static str,
    pub(crate) automated: bool,
    pub(crate) shape: Shape,
    pub(crate) revision: Revision,
    /// The namespace of its destination, and the one that its manifest names.
    pub(crate) into: Option<&'static str>,
    pub(crate) names: Option<&'static str>,
    pub(crate) held: Held,
}

/// From what an Application takes its manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A folder of the repository.
    Folder,
    /// A chart from elsewhere, with values of the repository.
    Chart,
    /// A folder, and another one at the branch `release`.
    TwoBranches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revision {
    Head,
    Main,
    Release,
    Commit,
}

/// Where an Application is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Git,
    Cluster,
    Both,
    /// In both, and git has another project and another sync policy.
    Drifted,
}

impl Revision {
    fn text(self) -> Option<&'static str> {
        match self {
            Self::Head => None,
            Self::Main => Some("main"),
            Self::Release => Some("release"),
            Self::Commit => Some(COMMIT),
        }
    }
}

impl App {
    pub(crate) fn is_root(&self) -> bool {
        self.name == "root"
    }

    pub(crate) fn in_git(&self) -> bool {
        self.held != Held::Cluster
    }

    fn folder(&self) -> String {
        if self.is_root() { "apps".to_owned() } else { format!("envs/{}", self.key()) }
    }

    fn key(&self) -> String {
        format!("{}-{}", self.namespace, self.name)
    }

    fn manifest(&self, project: &str, automated: bool) -> Value {
        let own = |path: &str, revision: Option<&str>| {
            let mut source = json!({"repoURL": ADDRESS, "path": path});
            if let Some(revision) = revision {
                source["targetRevision"] = revision.into();
            }
            source
        };
        let revision = self.revision.text();
        let mut spec = match self.shape {
            Shape::Folder => json!({"source": own(&self.folder(), revision)}),
            Shape::TwoBranches => json!({"sources": [
                own(&self.folder(), revision),
                own(&format!("more/{}", self.key()), Some("release")),
            ]}),
            Shape::Chart => {
                let values = format!("$values/{}/x.yaml", self.folder());
                let mut from = json!({"repoURL": ADDRESS, "ref": "values"});
                if let Some(revision) = revision {
                    from["targetRevision"] = revision.into();
                }
                json!({"sources": [
                    {"repoURL": "https://charts.example", "chart": "shop",
                     "targetRevision": "1.2.3", "helm": {"valueFiles": [values]}},
                    from,
                ]})
            }
        };
        spec["project"] = project.into();
        spec["destination"] = json!({"server": "https://kubernetes.default.svc"});
        if let Some(namespace) = self.into {
            spec["destination"]["namespace"] = namespace.into();
        }
        if automated {
            spec["syncPolicy"] = json!({"automated": {}});
        }
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": self.name, "namespace": self.namespace}, "spec": spec,
        })
    }
}

impl World {
    /// The files of the commit.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let config = |namespace: Option<&str>| {
            let mut map =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
            if let Some(namespace) = namespace {
                map["metadata"]["namespace"] = namespace.into();
            }
            map.to_string().into_bytes()
        };
        let mut files = BTreeMap::from([
            ("CODEOWNERS".to_owned(), self.code_owners.clone().into_bytes()),
            ("apps/keep.yaml".to_owned(), config(Some(ARGO))),
        ]);
        for app in &self.apps {
            if app.in_git() {
                let (mut project, mut automated) = (app.project, app.automated);
                if app.held == Held::Drifted {
                    project = if project == "pay" { "web" } else { "pay" };
                    automated = !automated;
                }
                let folder = if app.is_root() { "root" } else { "apps" };
                let text = app.manifest(project, automated).to_string();
                files.insert(format!("{folder}/{}.yaml", app.key()), text.into_bytes());
            }
            if !app.is_root() {
                files.insert(format!("{}/x.yaml", app.folder()), config(app.names));
                files.insert(format!("more/{}/x.yaml", app.key()), config(None));
            }
        }
        files
    }

    /// What the cluster's API lists.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let map = |name: &str, data: &BTreeMap<String, String>| {
            json!({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": name, "namespace": ARGO}, "data": data})
        };
        let live = self.apps.iter().filter(|app| app.held != Held::Git);
        let mut all: Vec<Value> =
            live.map(|app| app.manifest(app.project, app.automated)).collect();
        all.extend([map("argocd-rbac-cm", &self.rules), map("argocd-cm", &self.settings)]);
        all.extend(self.projects.clone());
        all.extend(self.rights.clone());
        all
    }

    pub(crate) fn policy(&self) -> String {
        let namespaces = if self.wide { "  namespaces: ['shop-*']\n" } else { "" };
        format!(
            "version: 1\nrepository: {{branch: main}}\ncriticalities: [{{name: high}}]\n\
             teams: [{{name: sre, people: [bob]}}]\nenvironments:\n- name: prod\n  production: true\n  \
             applications: [{{name: '*-prod', criticality: high}}]\n{namespaces}"
        )
    }
}

pub(crate) fn worlds() -> impl Strategy<Value = World> {
    let argo = (rules(), settings(), projects());
    let rest = (forge(), rights(), people(), code_owners(), any::<bool>());
    (apps(), argo, rest).prop_map(
        |(apps, (rules, settings, projects), (forge, rights, people, code_owners, wide))| World {
            apps,
            forge,
            rules,
            settings,
            projects,
            rights,
            people,
            code_owners,
            wide,
        },
    )
}

fn app() -> impl Strategy<Value = App> {
    let names = select(&["a-prod", "b-prod", "c-dev"][..]);
    let place = (names, select(&[ARGO, "team"][..]), select(&["pay", "web"][..]));
    let shape = prop_oneof![
        4 => Just(Shape::Folder), 1 => Just(Shape::Chart), 1 => Just(Shape::TwoBranches)
    ];
    let revision =
        select(&[Revision::Head, Revision::Main, Revision::Release, Revision::Commit][..]);
    let into = select(&[None, Some("shop-a"), Some("shop-b"), Some("shop-a")][..]);
    let names = select(&[None, None, Some("shop-b")][..]);
    let held = select(&[Held::Git, Held::Cluster, Held::Both, Held::Drifted][..]);
    (place, any::<bool>(), shape, revision, into, names, held).prop_map(
        |((name, namespace, project), automated, shape, revision, into, names, held)| App {
            name,
            namespace,
            project,
            automated,
            shape,
            revision,
            into,
            names,
            held,
        },
    )
}

fn apps() -> impl Strategy<Value = Vec<App>> {
    let held = select(&[Held::Cluster, Held::Both][..]);
    (prop::collection::vec(app(), 1..4), any::<bool>(), held).prop_map(
        |(mut apps, automated, held)| {
            let mut seen = std::collections::BTreeSet::new();
            apps.retain(|app| seen.insert((app.namespace, app.name)));
            apps.push(App {
                name: "root",
                namespace: ARGO,
                project: "web",
                automated,
                shape: Shape::Folder,
                revision: Revision::Head,
                into: Some(ARGO),
                names: None,
                held,
            });
            apps
        },
    )
}

fn permission(subjects: &'static [&'static str]) -> impl Strategy<Value = String> {
    (
        select(subjects),
        select(&["applications", "applications", "applications", "exec", "projects", "*"][..]),
        select(
            &["get", "sync", "override", "update", "create", "rollback", "*", "*", "s*", "[gs]*"][..],
        ),
        select(
            &["*", "*/*", "pay/*", "web/*", "*/a-prod", "*/team/*", "pay/b-prod", "pay", "web"][..],
        ),
        select(&["allow", "allow", "allow", "allow", "deny"][..]),
    )
        .prop_map(|(subject, resource, action, object, effect)| {
            format!("p, {subject}, {resource}, {action}, {object}, {effect}")
        })
}

const SUBJECTS: [&str; 12] = [
    "sub-a", "bob@x", "pay", "ops", "mallory", "bot", "role:x", "role:y", "alice@x", "away",
    "role:x", "\"\"",
];

fn line() -> impl Strategy<Value = String> {
    let members = select(&SUBJECTS[..11]);
    let roles = select(&["role:x", "role:y", "role:readonly", "role:admin", "ops"][..]);
    prop_oneof![
        5 => permission(&SUBJECTS),
        3 => (members, roles).prop_map(|(member, role)| format!("g, {member}, {role}")),
    ]
}

fn rules() -> impl Strategy<Value = BTreeMap<String, String>> {
    let default = select(&["", "", "role:x", "role:readonly"][..]);
    let scopes = select(&["", "", "[groups, email]", "[email]"][..]);
    (prop::collection::vec(line(), 0..9), default, scopes).prop_map(|(lines, default, scopes)| {
        let mut data = BTreeMap::from([("policy.csv".to_owned(), lines.join("\n"))]);
        for (key, value) in [("policy.default", default), ("scopes", scopes)] {
            if !value.is_empty() {
                data.insert(key.to_owned(), value.to_owned());
            }
        }
        data
    })
}

fn settings() -> impl Strategy<Value = BTreeMap<String, String>> {
    let flag = || select(&["", "true", "false"][..]);
    let bot = select(&["", "apiKey", "login", "login, apiKey"][..]);
    (flag(), flag(), flag(), flag(), flag(), bot).prop_map(
        |(anonymous, admin, revision, rollback, enabled, bot)| {
            let all = [
                ("users.anonymous.enabled", anonymous),
                ("admin.enabled", admin),
                ("application.sync.requireOverridePrivilegeForRevisionSync", revision),
                ("server.rbac.rollback.enforce.enable", rollback),
                ("accounts.bot", bot),
                ("accounts.bot.enabled", enabled),
            ];
            let set = all.into_iter().filter(|(_, value)| !value.is_empty());
            set.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        },
    )
}

fn projects() -> impl Strategy<Value = Vec<Value>> {
    let pay = (permission(&["proj:pay:ci"]), subsequence(&GROUPS[..], 0..2), any::<bool>());
    let web = (permission(&["proj:web:ci"]), subsequence(&GROUPS[..], 0..2), any::<bool>());
    let project = |name: &str, (line, groups, token): (String, Vec<&str>, bool)| {
        let tokens = if token { json!([{"iat": 1}]) } else { json!([]) };
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": name, "namespace": ARGO},
            "spec": {"roles": [
                {"name": "ci", "groups": groups, "policies": [line], "jwtTokens": tokens}
            ]},
        })
    };
    (pay, web).prop_map(move |(pay, web)| vec![project("pay", pay), project("web", web)])
}

fn protection() -> impl Strategy<Value = Value> {
    let some = || (subsequence(&LOGINS[..], 0..3), subsequence(&GROUPS[..], 0..2));
    let actors = |(users, teams): (Vec<&str>, Vec<&str>)| {
        let users: Vec<Value> = users.iter().map(|login| json!({"login": login})).collect();
        let teams: Vec<Value> = teams.iter().map(|slug| json!({"slug": slug})).collect();
        json!({"users": users, "teams": teams, "apps": [{"slug": "robot"}]})
    };
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (flags, 0..3u32, prop::option::of(some()), prop::option::of(some())).prop_map(
        move |((reviewed, owners, bound), approvals, pushers, exempt)| {
            let mut body = json!({"enforce_admins": {"enabled": bound}});
            if reviewed {
                let review = json!({
                    "required_approving_review_count": approvals,
                    "require_code_owner_reviews": owners,
                });
                body["required_pull_request_reviews"] = review;
                if let Some(exempt) = exempt {
                    body["required_pull_request_reviews"]["bypass_pull_request_allowances"] =
                        actors(exempt);
                }
            }
            if let Some(pushers) = pushers {
                body["restrictions"] = actors(pushers);
            }
            body
        },
    )
}

fn rulesets() -> impl Strategy<Value = Value> {
    let one =
        (select(&["active", "evaluate"][..]), select(&["always", "pull_request"][..]), 0..3u32);
    prop::option::of(one).prop_map(|one| {
        let ruleset = one.map(|(enforcement, mode, approvals)| {
            json!({
                "id": 1, "name": "reviewed", "target": "branch", "enforcement": enforcement,
                "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
                "bypass_actors": [
                    {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": mode}
                ],
                "rules": [{"type": "pull_request", "parameters": {
                    "required_approving_review_count": approvals,
                    "require_code_owner_review": false,
                }}],
            })
        });
        json!(ruleset.into_iter().collect::<Vec<_>>())
    })
}

fn forge() -> impl Strategy<Value = Value> {
    // Absent is not asked, null is asked and not protected.
    let branch = || prop_oneof![1 => Just(None), 2 => Just(Some(json!(null))), 5 => protection().prop_map(Some)];
    let levels =
        prop::collection::vec(select(&["none", "pull", "push", "maintain", "admin"][..]), 6);
    let team = || (select(&["pull", "push", "admin"][..]), subsequence(&LOGINS[..], 0..3));
    (branch(), branch(), rulesets(), levels, team(), team()).prop_map(
        |(main, release, rulesets, levels, pay, ops)| {
            let mut protection = serde_json::Map::new();
            protection.extend(main.map(|body| ("main".to_owned(), body)));
            protection.extend(release.map(|body| ("release".to_owned(), body)));
            let collaborators = LOGINS.iter().zip(&levels).filter(|(_, level)| **level != "none");
            let collaborators = collaborators.map(|(login, level)| {
                let kind = if *login == "builder" { "Bot" } else { "User" };
                json!({"login": login, "type": kind, "permissions": {*level: true}})
            });
            let team = |slug: &str, (permission, members): (&str, Vec<&str>)| {
                let members: Vec<Value> =
                    members.iter().map(|login| json!({"login": login})).collect();
                json!({"slug": slug, "permission": permission, "members": members})
            };
            json!({
                "repository": {"full_name": "platform/gitops", "default_branch": "main"},
                "branch_protection": protection,
                "rulesets": rulesets,
                "collaborators": collaborators.collect::<Vec<_>>(),
                "teams": [team("pay", pay), team("ops", ops)],
            })
        },
    )
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn rule() -> impl Strategy<Value = Value> {
    let what = select(
        &[
            ("apps", "deployments", "patch"),
            ("", "pods", "create"),
            ("", "configmaps", "patch"),
            ("", "secrets", "get"),
            ("", "secrets", "create"),
            ("", "pods/exec", "create"),
            ("argoproj.io", "applications", "update"),
            ("argoproj.io", "appprojects", "patch"),
            ("argoproj.io", "applicationsets", "create"),
            (RBAC, "clusterroles", "bind"),
            (RBAC, "clusterroles", "escalate"),
            (RBAC, "clusterroles", "patch"),
            (RBAC, "rolebindings", "create"),
            ("", "users", "impersonate"),
            ("", "serviceaccounts", "impersonate"),
            ("", "serviceaccounts/token", "create"),
            ("", "nodes/proxy", "get"),
            ("", "persistentvolumes", "create"),
            ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "delete"),
            ("*", "*", "*"),
        ][..],
    );
    let only = select(&[None, None, None, Some("argocd-cm"), Some("bot"), Some("r0")][..]);
    (what, only).prop_map(|((group, resource, verb), name)| {
        let names: Vec<&str> = name.into_iter().filter(|_| resource != "*").collect();
        json!({"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": names})
    })
}

fn subject() -> impl Strategy<Value = Value> {
    let user = select(&["alice@x", "bob@x", "bob-admin", "mallory@x", "system:kube-thing"][..]);
    let group = select(
        &[
            "pay",
            "ops",
            "away",
            "system:authenticated",
            "system:serviceaccounts:ci",
            "system:nodes",
        ][..],
    );
    let account = select(&[("ci", "bot"), ("shop-a", "bot"), (ARGO, "controller")][..]);
    prop_oneof![
        3 => user.prop_map(|name| json!({"kind": "User", "name": name})),
        3 => group.prop_map(|name| json!({"kind": "Group", "name": name})),
        2 => account.prop_map(|(namespace, name)| {
            json!({"kind": "ServiceAccount", "name": name, "namespace": namespace})
        }),
    ]
}

/// Two rights that come to something only together: to become the account `ci/bot`, which may, or to
/// bind a role that may. Single rules hardly ever meet so by chance.
fn chain() -> impl Strategy<Value = Vec<Value>> {
    let who = select(&["alice@x", "bob@x", "bob-admin"][..]);
    let space = select(&["", "shop-a", "shop-b", ARGO][..]);
    (who, space, any::<bool>(), rule()).prop_map(|(who, space, by_account, last)| {
        let person = json!([{"kind": "User", "name": who}]);
        let bot = json!([{"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}]);
        let rule = |verb: &str, group: &str, of: &str, names: &[&str]| {
            json!([{"verbs": [verb], "apiGroups": [group], "resources": [of], "resourceNames": names}])
        };
        let given = |name: &str, rules: &Value| role("ClusterRole", "", name, rules);
        let bound = |space: &str, name: &str, to: &Value| {
            binding(space, name, ("ClusterRole", name), to)
        };
        let mut all = vec![given("last", &json!([last]))];
        if by_account {
            all.push(given("first", &rule("create", "", "pods", &[])));
            all.extend([bound("ci", "first", &person), bound(space, "last", &bot)]);
        } else {
            let made = if space.is_empty() { "clusterrolebindings" } else { "rolebindings" };
            all.push(given("first", &rule("create", RBAC, made, &[])));
            all.push(given("second", &rule("bind", RBAC, "clusterroles", &["last"])));
            all.extend([bound(space, "first", &person), bound(space, "second", &person)]);
        }
        all
    })
}

/// Roles `r0` to `r3`, each of the cluster or of the namespace that its binding needs.
fn rights() -> impl Strategy<Value = Vec<Value>> {
    let roles = prop::collection::vec(prop::collection::vec(rule(), 1..4), 1..5);
    let spaces = select(&["", "", "shop-a", "shop-b", ARGO, "ci", "team"][..]);
    let subjects = prop::collection::vec(subject(), 1..3);
    let bindings = prop::collection::vec((0usize..4, any::<bool>(), spaces, subjects), 0..6);
    (roles, bindings, prop::option::of(chain())).prop_map(|(roles, bindings, chain)| {
        let spaces =
            SPACES.iter().map(|name| json!({"kind": "Namespace", "metadata": {"name": name}}));
        let accounts = [("ci", "bot"), ("shop-a", "bot"), (ARGO, "controller")];
        let accounts = accounts.iter().map(|(namespace, name)| {
            json!({"kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})
        });
        let mut all: Vec<Value> = spaces.chain(accounts).collect();
        for (at, rules) in roles.iter().enumerate() {
            all.push(role("ClusterRole", "", &format!("r{at}"), &json!(rules)));
            for space in ["shop-a", ARGO] {
                all.push(role("Role", space, &format!("r{at}"), &json!(rules)));
            }
        }
        for (at, (of, own, space, subjects)) in bindings.into_iter().enumerate() {
            let kind = if own && !space.is_empty() { "Role" } else { "ClusterRole" };
            all.push(binding(
                space,
                &format!("b{at}"),
                (kind, &format!("r{of}")),
                &json!(subjects),
            ));
        }
        all.extend(chain.into_iter().flatten());
        for object in &mut all {
            let kind = object["kind"].as_str().unwrap_or_default();
            let core = kind == "Namespace" || kind == "ServiceAccount";
            object["apiVersion"] = if core { "v1".into() } else { format!("{RBAC}/v1").into() };
        }
        all
    })
}

/// Alice and bob, whose accounts all systems know, bob twice; and carol, of whom parts are missing.
fn people() -> impl Strategy<Value = Value> {
    let groups = || prop::option::of(subsequence(&GROUPS[..], 0..3));
    let kept = || prop::collection::vec(any::<bool>(), 4);
    (groups(), groups(), groups(), kept(), any::<bool>()).prop_map(|(alice, bob, carol, kept, sso)| {
        let mut people = json!({
            "alice": {"github_login": "alice", "oidc_subject": "sub-a", "argocd_username": "alice@x",
                      "email": "alice@x", "kubernetes_user": "alice@x"},
            "bob": {"github_login": ["bob", "bob-admin"], "argocd_username": ["bob@x", "bot"],
                    "kubernetes_user": ["bob@x", "bob-admin"]},
            "carol": {},
        });
        if sso {
            people["bob"]["oidc_subject"] = json!(["sub-b", "sub-b2"]);
        }
        let fields = ["github_login", "oidc_subject", "kubernetes_user", "argocd_username"];
        let accounts = ["carol", "sub-c", "carol@k", "carol@x"];
        for ((field, account), _) in fields.iter().zip(accounts).zip(kept).filter(|(_, kept)| *kept) {
            people["carol"][*field] = account.into();
        }
        for (id, groups) in [("alice", alice), ("bob", bob), ("carol", carol)] {
            if let Some(groups) = groups {
                people[id]["oidc_groups"] = json!(groups);
            }
        }
        people
    })
}

fn code_owners() -> impl Strategy<Value = String> {
    const LINES: [&str; 5] =
        ["* @alice", "/envs/ @platform/pay", "/apps/ bob@x", "/more/", "CODEOWNERS @carol"];
    prop::collection::vec(select(&LINES[..]), 0..3)
        .prop_map(|lines| format!("{}\n", lines.join("\n")))
}
