//! The layout of `init`: it meets every control, and one change for each breaks that one alone.

use std::collections::{BTreeMap, BTreeSet};

use access::argocd::{Rbac, Settings};
use access::codeowners::{CodeOwners, Dialect, Ownership};
use access::control::{CATALOGUE, assess};
use access::forge::Snapshot;
use access::layout::{BadName, Names, Said, layout};
use access::origin::Origin;
use access::policy::{Forge, Policy};
use access::reach::{Joined, Question, Sources, Verb, who_can};
use access::repository::{Address, File, Options, Repository};
use access::yaml;
use evidence::control::{Outcome, Verdict};
use evidence::people::People;
use proptest::prelude::*;
use serde_json::{Value, json};

const LIMITS: yaml::Limits =
    yaml::Limits { bytes: 1 << 20, depth: 20, nodes: 10_000, documents: 100 };

const FORGES: [Forge; 3] = [Forge::Github, Forge::Gitlab, Forge::Gitea];

/// One change for each control, which breaks it alone: the file, what is replaced by what, and what
/// the finding is about. The forge's rules of the branch and what the cluster holds follow from the
/// files; what is in no file is changed in [`FORGE`] and [`CLUSTER`] themselves.
const MUTATIONS: [(&str, &str, &str, &str, &str); 23] = [
    (
        "sod-anonymous",
        "argocd/argocd-cm.yaml",
        "users.anonymous.enabled: \"false\"",
        "users.anonymous.enabled: \"true\"",
        "argocd-cm",
    ),
    (
        "sod-app-of-apps",
        ".github/CODEOWNERS",
        "/apps/              @acme/platform",
        "/apps/              @acme/platform @acme/release",
        "shop-prod",
    ),
    (
        "sod-application-write",
        "cluster-rbac/people.yaml",
        "resources: [applications, applicationsets, appprojects]\n  verbs: [get,",
        "resources: [applications, applicationsets, appprojects]\n  verbs: [patch, get,",
        "ada",
    ),
    (
        "sod-branch-checks",
        ".github/rulesets/branch-of-record.json",
        "    {\"type\": \"required_signatures\"},\n",
        "",
        "main:signatures",
    ),
    (
        "sod-branch-rules",
        ".github/rulesets/branch-of-record.json",
        "\"bypass_actors\": []",
        "\"bypass_actors\": [{\"actor_id\": 5, \"actor_type\": \"RepositoryRole\", \"bypass_mode\": \"always\"}]",
        "main:administrators",
    ),
    (
        "sod-broad-owner",
        ".github/CODEOWNERS",
        "/envs/prod/         @acme/release\n",
        "",
        "envs/prod/shop/config.yaml",
    ),
    (
        "sod-cluster-bypass",
        CLUSTER,
        "\"namespace\":\"shop-prod\"},\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"argocd-deploys\"},\"subjects\":[",
        "\"namespace\":\"shop-prod\"},\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"argocd-deploys\"},\"subjects\":[{\"kind\":\"User\",\"name\":\"alan@acme.example\"},",
        "alan",
    ),
    (
        "sod-default-role",
        "argocd/argocd-rbac-cm.yaml",
        "policy.default: \"\"",
        "policy.default: role:cleans\n  policy.more.csv: p, role:cleans, applications, delete, prod/*, allow",
        "shop-prod",
    ),
    (
        "sod-floating-version",
        "roots/platform.yaml",
        "path: cluster-rbac\n    targetRevision: main",
        "path: cluster-rbac\n    targetRevision: 1.*",
        "platform",
    ),
    (
        "sod-ineffective-deny",
        "argocd/argocd-rbac-cm.yaml",
        "g, operators, role:operates",
        "g, operators, role:operates\n    p, role:denied, applications, sync, prod/*, deny\n    g, everybody, role:denied",
        "prod/shop-prod",
    ),
    (
        "sod-local-admin",
        "argocd/argocd-cm.yaml",
        "admin.enabled: \"false\"",
        "admin.enabled: \"true\"",
        "admin",
    ),
    (
        "sod-merge-and-sync",
        "argocd/argocd-rbac-cm.yaml",
        "g, operators, role:operates",
        "g, operators, role:operates\n    g, release, role:operates",
        "rita",
    ),
    (
        "sod-open-project",
        "projects/prod.yaml",
        "  - https://git.example/acme/gitops.git",
        "  - '*'",
        "prod",
    ),
    (
        "sod-owners-unowned",
        ".github/CODEOWNERS",
        "/.github/CODEOWNERS @acme/platform",
        "/.github/CODEOWNERS",
        ".github/CODEOWNERS",
    ),
    (
        "sod-policy-unowned",
        ".github/CODEOWNERS",
        "/countersign.yaml   @acme/auditors",
        "/countersign.yaml   @acme/platform",
        "countersign.yaml",
    ),
    (
        "sod-project-token",
        "projects/prod.yaml",
        "  sourceRepos:",
        "  roles:\n  - name: deployer\n    policies: ['p, proj:prod:deployer, applications, get, prod/*, allow', 'p, proj:prod:deployer, applications, sync, prod/*, allow']\n    jwtTokens: [{iat: 1700000000}]\n  sourceRepos:",
        "proj:prod:deployer",
    ),
    (
        "sod-promotion-path",
        "apps/staging/shop.yaml",
        "  name: shop-staging",
        "  name: web-staging",
        "shop-prod",
    ),
    (
        "sod-revision-sync",
        "argocd/argocd-cm.yaml",
        "requireOverridePrivilegeForRevisionSync: \"true\"",
        "requireOverridePrivilegeForRevisionSync: \"false\"",
        "argocd-cm",
    ),
    (
        "sod-sole-owner",
        FORGE,
        "[{\"id\":3,\"login\":\"rita\"},{\"id\":4,\"login\":\"rolf\"}]",
        "[{\"id\":3,\"login\":\"rita\"}]",
        "envs/prod/shop/config.yaml",
    ),
    (
        "sod-unowned-path",
        ".github/CODEOWNERS",
        "/envs/prod/         @acme/release",
        "/envs/prod/",
        "envs/prod/shop/config.yaml",
    ),
    (
        "sod-unprotected-revision",
        "roots/platform.yaml",
        "path: cluster-rbac\n    targetRevision: main",
        "path: cluster-rbac\n    targetRevision: quick-fix",
        "platform source 2",
    ),
    (
        "sod-weak-owner",
        FORGE,
        "\"permission\":\"push\",\"slug\":\"release\"",
        "\"permission\":\"pull\",\"slug\":\"release\"",
        "envs/prod/shop/config.yaml",
    ),
    (
        "sod-wildcard-right",
        "argocd/argocd-rbac-cm.yaml",
        "g, operators, role:operates",
        "g, operators, role:operates\n    p, role:deploys, applications, *, */*, allow",
        "p, role:deploys, applications, *, */*, allow",
    ),
];

/// What a forge cannot be made to do, by the subject of the finding: Gitea asks code owners and does
/// not need their approval, and takes that of whoever pushed last.
const BEYOND: [(Forge, &str); 2] =
    [(Forge::Gitea, "main:code-owner"), (Forge::Gitea, "main:last-push")];

/// The sources beside the repository, made of its files as forge and cluster would answer once they
/// were applied.
const FORGE: &str = "forge.json";
const CLUSTER: &str = "cluster.json";
const PEOPLE: &str = "people.json";

type Files = BTreeMap<String, String>;
type Change = fn(&mut Said);

fn names(forge: Forge) -> Names {
    Names::check(&Said::new(forge, "acme/gitops", "https://git.example/acme/gitops.git")).unwrap()
}

fn files(names: &Names) -> Files {
    layout(names).into_iter().map(|(path, made)| (path, made.text)).collect()
}

/// A layout with its sources, read as every command reads them.
struct World {
    repository: Repository,
    owners: CodeOwners,
    forge: Snapshot,
    objects: Vec<Value>,
    people: People,
    policy: Policy,
}

impl World {
    /// Of files, with the sources among them.
    fn of(all: &Files, dialect: Dialect) -> Self {
        let policy = Policy::read("countersign.yaml", all["countersign.yaml"].as_bytes());
        assert_eq!(policy.problems, [], "{}", all["countersign.yaml"]);
        let policy = policy.policy.unwrap();
        let addresses = policy.repository.addresses.iter().map(|a| a.value.clone()).collect();
        let options = Options { addresses, ..Options::default() };
        let own = all.iter().filter(|(path, _)| ![FORGE, CLUSTER, PEOPLE].contains(&path.as_str()));
        let own: Vec<_> = own.map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
        let path = dialect.locate(all.keys().map(String::as_str)).unwrap();
        Self {
            repository: Repository::read(&own, &options),
            owners: CodeOwners::parse(path, dialect, all[path].as_bytes()),
            forge: Snapshot::parse(all[FORGE].as_bytes()).unwrap(),
            objects: serde_json::from_str(&all[CLUSTER]).unwrap(),
            people: People::from_json(all[PEOPLE].as_bytes()).unwrap(),
            policy,
        }
    }

    fn joined(&self) -> Joined<'_> {
        Joined::new(Sources {
            repository: Some(&self.repository),
            code_owners: Some(&self.owners),
            objects: &self.objects,
            forge: Some(&self.forge),
            people: Some(&self.people),
            policy: Some(&self.policy),
        })
    }

    /// What is not met.
    fn bad(&self) -> Vec<Outcome> {
        let all = assess(&self.joined(), None);
        for control in CATALOGUE {
            assert!(all.iter().any(|o| o.control == control.id), "nothing of {}", control.id);
        }
        all.into_iter().filter(|o| o.verdict != Verdict::Met).collect()
    }
}

/// Files with the sources that follow from them.
fn with_sources(mut files: Files, dialect: Dialect) -> Files {
    let people = include_str!("../fixtures/layout/people.json").to_owned();
    let sources = [
        (FORGE, snapshot(&files, dialect).to_string()),
        (CLUSTER, Value::from(objects(&files)).to_string()),
        (PEOPLE, people),
    ];
    files.extend(sources.map(|(path, text)| (path.to_owned(), text)));
    files
}

/// What the cluster answers once the rules were applied.
fn objects(files: &Files) -> Vec<Value> {
    let applied = ["apps/", "argocd/", "cluster-rbac/", "projects/", "roots/"];
    let applied =
        files.iter().filter(|(path, _)| applied.iter().any(|folder| path.starts_with(folder)));
    let documents =
        applied.flat_map(|(path, text)| yaml::parse(path, text.as_bytes(), &LIMITS).documents);
    documents.map(|document| document.to_json()).collect()
}

/// The answers of a forge to which the layout's rules were given.
fn snapshot(files: &Files, dialect: Dialect) -> Value {
    let fixture: Value =
        serde_json::from_slice(include_bytes!("../fixtures/layout/forge.json")).unwrap();
    let rules = files.iter().find(|(path, _)| {
        path.starts_with(".git")
            && std::path::Path::new(path).extension().is_some_and(|e| e == "json")
    });
    let rules: Value = serde_json::from_str(rules.unwrap().1).unwrap();
    let body = |end: &str| {
        let mut calls = rules.as_array().unwrap().iter().filter(|call| call["method"] != "DELETE");
        calls.find(|c| c["path"].as_str().unwrap().ends_with(end)).unwrap()["body"].clone()
    };
    let (forge, own) = match dialect {
        Dialect::GitHub => {
            let mut rules = rules.clone();
            rules["id"] = 1.into();
            let list = json!([{"id": 1, "target": "branch"}]);
            ("github", vec![("/rulesets", list), ("/rulesets/1", rules)])
        }
        Dialect::GitLab => {
            let mut branch = body("/protected_branches");
            branch["push_access_levels"] = json!([{"access_level": branch["push_access_level"]}]);
            branch["merge_access_levels"] = json!([{"access_level": branch["merge_access_level"]}]);
            let mut project = fixture["gitlab"][0]["body"].clone();
            let set = rules[0]["body"].as_object().unwrap().clone();
            project.as_object_mut().unwrap().extend(set);
            let own = vec![
                ("", project),
                ("/push_rule", body("/push_rule")),
                ("/protected_branches", json!([branch])),
                ("/approvals", body("/approvals")),
                ("/approval_rules", json!([body("/approval_rules")])),
            ];
            ("gitlab", own)
        }
        _ => ("gitea", vec![("/branch_protections", json!([body("/branch_protections")]))]),
    };
    let root = if forge == "gitlab" { "/projects/7" } else { "/repos/acme/gitops" };
    let mut answers: Vec<Value> = own
        .into_iter()
        .map(|(path, body)| json!({"path": format!("{root}{path}"), "status": 200, "body": body}))
        .collect();
    answers.extend(fixture[forge].as_array().unwrap().iter().cloned());
    json!({"forge_snapshot": 1, "forge": forge, "repository": "acme/gitops", "answers": answers})
}

/// Everything that could be wrong with a layout, whatever its names are.
fn is_sound(names: &Names) -> World {
    let files = files(names);
    let world = World::of(&with_sources(files.clone(), names.dialect()), names.dialect());
    let repository = &world.repository;
    assert_eq!(repository.problems(), []);
    assert_eq!(repository.not_assessed(), []);
    assert!(matches!(repository.address(), Address::Given(_)));
    assert_eq!(world.owners.problems(), [], "{}", files[world.owners.file()]);
    for (application, deployment) in repository.deployments() {
        let name = &application.name.value;
        assert_eq!(deployment.not_assessed, [], "{name}");
        assert!(!deployment.objects.is_empty(), "{name} deploys nothing");
        let environment = world.policy.environment_of(name).map(|(e, _)| e.name.value.clone());
        assert_eq!(environment, application.object.label("env").map(|l| l.value), "{name}");
        let project =
            repository.projects().iter().find(|p| p.name.value == application.project.value);
        let allowed = &project.unwrap_or_else(|| panic!("{name} has no project")).destinations;
        let into = application.destination.namespace.as_ref().map(|n| &n.value);
        assert!(allowed.iter().any(|d| d.namespace.as_ref().map(|n| &n.value) == into), "{name}");
    }
    for (path, text) in &files {
        assert!(!text.contains("@@") && !text.contains("\n\n\n"), "{path}\n{text}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
        let owned = matches!(world.owners.owners_of(path), Ownership::Owned { .. });
        assert!(owned, "{path} has no owner");
        for key in ["@env@", "@system@", "@url@", "@branch@", "@name@", "@last@", "@platform@"] {
            assert!(!text.contains(key), "{path} holds {key}");
        }
    }
    let data = |name: &str| -> BTreeMap<String, String> {
        let map = repository.config_maps(name).next().unwrap();
        let entries = map.node.get("data").unwrap().entries().iter();
        let text = |e: &yaml::Entry| e.value.scalar_text().unwrap_or_default().to_owned();
        entries.map(|e| (e.key.text.to_string(), text(e))).collect()
    };
    let settings = Settings::read(&data("argocd-cm"));
    let rbac = Rbac::new(&data("argocd-rbac-cm"), |key| Origin::new(key, 1), settings, Vec::new());
    assert!(rbac.loads() && rbac.problems().is_empty(), "{:?}", rbac.problems());
    world
}

#[test]
fn the_layout_meets_every_control_on_every_forge() {
    for forge in FORGES {
        let bad = is_sound(&names(forge)).bad();
        let subjects: BTreeSet<&str> = bad.iter().map(|o| o.subject.as_str()).collect();
        let beyond = BEYOND.iter().filter(|(of, _)| *of == forge).map(|(_, subject)| *subject);
        assert_eq!(subjects, beyond.collect(), "{forge:?} {bad:#?}");
    }
}

#[test]
fn one_change_breaks_one_control() {
    let names = names(Forge::Github);
    let dialect = names.dialect();
    let ids: Vec<&str> = CATALOGUE.iter().map(|control| control.id).collect();
    assert_eq!(MUTATIONS.map(|(control, ..)| control).to_vec(), ids);
    for (control, path, from, to, subject) in MUTATIONS {
        let mut all = files(&names);
        // What follows from the files is changed once it is made.
        let is_source = !all.contains_key(path);
        if is_source {
            all = with_sources(all, dialect);
        }
        let text = all.get_mut(path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{control}: {from} in {path}\n{text}");
        *text = text.replace(from, to);
        if !is_source {
            all = with_sources(all, dialect);
        }
        let bad = World::of(&all, dialect).bad();
        assert!(bad.iter().all(|o| o.control == control), "{control}: {bad:#?}");
        let one = bad.iter().find(|o| o.subject == subject);
        let one = one.unwrap_or_else(|| panic!("{control}: nothing of {subject}: {bad:#?}"));
        assert_eq!(one.verdict, Verdict::NotMet, "{control}");
    }
}

#[test]
fn nobody_reaches_production_alone() {
    for forge in [Forge::Github, Forge::Gitlab] {
        let world = is_sound(&names(forge));
        let joined = world.joined();
        let who = |verb| who_can(&joined, &Question { verb, environment: None, application: None });
        let answer = who(Verb::Deploy);
        let alone = answer.people.iter().filter(|p| p.alone.is_some()).map(|p| p.id.as_str());
        assert_eq!(alone.collect::<Vec<_>>(), [""; 0], "{forge:?}");
        let people =
            |verb| -> BTreeSet<String> { who(verb).people.iter().map(|p| p.id.clone()).collect() };
        let (merge, sync) = (people(Verb::Merge), people(Verb::Sync));
        assert_eq!(sync, ["olaf", "otto"].map(str::to_owned).into());
        assert!(merge.contains("ada") && merge.is_disjoint(&sync), "{merge:?}");
        assert!(people(Verb::Override).is_empty() && people(Verb::Exec).is_empty());
        assert!(people(Verb::ReadSecrets).is_empty());
    }
}

#[test]
fn names_that_mean_something_else_are_refused() {
    let good = Said::new(Forge::Github, "acme/gitops", "https://git.example/acme/gitops.git");
    let table: [(&str, Change, &str); 16] = [
        ("system", |s| s.systems = vec!["Shop".into()], "lower-case letters"),
        ("system", |s| s.systems = vec!["shop\nkind: Secret".into()], "lower-case letters"),
        ("system", |s| s.systems = vec!["kube".into()], "others"),
        ("environment", |s| s.environments = vec!["on".into()], "YAML"),
        ("environment", |s| s.environments = vec![], "at least one"),
        ("environment", |s| s.environments = vec!["root".into()], "meaning of its own"),
        ("environment", |s| s.environments.push("dev".into()), "twice"),
        ("environment", |s| s.environments.push("eu-prod".into()), "ends as"),
        ("environment", |s| s.environments.push("a".repeat(31)), "30 at most"),
        ("team", |s| s.operators = "release".into(), "separates nothing"),
        ("team", |s| s.owners = vec!["a, b".into()], "letters, digits"),
        ("repository", |s| s.repository = "gitops".into(), "organisation/name"),
        ("repository", |s| s.repository = "a/b/c".into(), "organisation/name"),
        ("address", |s| s.address = "https://me:word@git.example/a/b".into(), "no password"),
        ("branch", |s| s.branch = "main --force".into(), "a branch of"),
        ("forge", |s| s.forge = Forge::Bitbucket, "github, gitlab and gitea"),
    ];
    for (what, change, why) in table {
        let mut said = good.clone();
        change(&mut said);
        let bad: Vec<BadName> = Names::check(&said).unwrap_err();
        let one = bad.iter().find(|b| b.what == what && b.why.contains(why));
        assert!(one.is_some(), "{what} {why}: {bad:#?}");
        assert!(!bad[0].to_string().contains('\n'), "{}", bad[0]);
    }
}

fn label() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9-]{0,12}[a-z0-9])?"
}

fn team() -> impl Strategy<Value = String> {
    "[A-Za-z]([A-Za-z0-9_-]{0,10}[A-Za-z0-9])?"
}

fn said() -> impl Strategy<Value = Said> {
    let lists = (
        proptest::collection::vec(label(), 1..3),
        proptest::collection::vec(label(), 1..5),
        proptest::collection::vec(team(), 1..3),
    );
    let single = ("[a-z0-9][a-z0-9._-]{0,8}", "[A-Za-z]([A-Za-z0-9._/-]{0,8}[a-z0-9])?");
    let teams = (team(), team(), team(), team());
    (proptest::sample::select(&FORGES[..]), lists, single, teams).prop_map(
        |(forge, (systems, environments, owners), (name, branch), teams)| {
            let (developers, operators, platform, auditors) = teams;
            let address = format!("git@git.example:acme/{name}x");
            let repository = format!("acme/{name}");
            let (systems, environments) = (systems.clone(), environments.clone());
            Said {
                forge,
                repository,
                address,
                branch,
                systems,
                environments,
                developers,
                owners,
                operators,
                platform,
                auditors,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_names_that_are_taken_make_a_sound_layout(said in said()) {
        if let Ok(names) = Names::check(&said) {
            is_sound(&names);
            prop_assert_eq!(layout(&names), layout(&names));
        }
    }
}
