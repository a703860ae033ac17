//! Who can: the recorded evening's standing facts, each with its path, and worlds with parts missing.
//!
//! Names stand here and in the recording, never in a rule.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Command;

use access::codeowners::{CodeOwners, Dialect};
use access::forge::Snapshot;
use access::policy::Policy;
use access::reach::{
    Answer, Holder, Joined, Need, Part, Path, Question, Sources, Verb, applications_of, who_can,
    why,
};
use access::repository::{File, Options, Repository};
use evidence::people::People;
use flate2::read::GzDecoder;
use serde_json::Value;

const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures");

pub(crate) struct Bank {
    files: BTreeMap<String, Vec<u8>>,
    objects: Vec<Value>,
    forge: Snapshot,
    people: People,
    policy: Policy,
}

impl Bank {
    pub(crate) fn read() -> Self {
        let names = [
            "rbac",
            "serviceaccounts",
            "namespaces",
            "appprojects",
            "applications",
            "argocd-configmaps",
        ];
        let bytes = |path: &str| std::fs::read(format!("{CAPTURES}/{path}")).unwrap();
        let policy = include_bytes!("../fixtures/bank/countersign.yaml");
        Self {
            files: files(),
            objects: names.iter().map(|name| list(name)).collect(),
            forge: Snapshot::parse(&bytes("forge/github-snapshot.json")).unwrap(),
            people: People::from_json(&bytes("people.json")).unwrap(),
            policy: Policy::read("countersign.yaml", policy).policy.unwrap(),
        }
    }

    fn repository(&self, objects: &[Value]) -> Repository {
        let files = self.files.iter().map(|(path, bytes)| File { path, bytes });
        let options = Options { applications: applications_of(objects), ..Options::default() };
        Repository::read(&files.collect::<Vec<_>>(), &options)
    }

    fn ask(&self, verb: Verb) -> Answer {
        self.ask_without(verb, "")
    }

    /// Asks with one source left out.
    fn ask_without(&self, verb: Verb, missing: &str) -> Answer {
        self.with(missing, |joined| {
            who_can(joined, &Question { verb, environment: None, application: None })
        })
    }

    /// Joins the sources but one.
    pub(crate) fn with<T>(&self, missing: &str, ask: impl FnOnce(&Joined<'_>) -> T) -> T {
        let objects: &[Value] = if missing == "objects" { &[] } else { &self.objects };
        let repository = self.repository(objects);
        let owners = CodeOwners::parse("CODEOWNERS", Dialect::GitHub, &self.files["CODEOWNERS"]);
        let joined = Joined::new(Sources {
            repository: (missing != "repository").then_some(&repository),
            code_owners: Some(&owners),
            objects,
            forge: (missing != "forge").then_some(&self.forge),
            people: (missing != "people").then_some(&self.people),
            policy: Some(&self.policy),
        });
        ask(&joined)
    }
}

/// The files of `main`, as git itself gives them.
pub(crate) fn files() -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let done = Command::new("git").current_dir(folder.path()).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["clone", "-q", "-b", "main", &format!("{CAPTURES}/git/gitops.bundle"), "r"]);
    let root = folder.path().join("r");
    let (mut files, mut open) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if name == ".git" {
            } else if path.is_dir() {
                open.push(path);
            } else {
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn list(name: &str) -> Value {
    let path = format!("{CAPTURES}/kubernetes/snapshot/{name}.json.gz");
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A path as lines: what it is, then each hop with its places.
fn told(path: &Path) -> String {
    let hops = path.hops.iter().map(|hop| {
        let at: Vec<String> = hop.at.iter().map(ToString::to_string).collect();
        format!("\n  {} @ {}", hop.says, at.join(" "))
    });
    let hops: String = hops.collect();
    format!("{:?} {:?} {} needs {:?}{hops}", path.part, path.applications, path.account, path.needs)
}

fn paths<'a>(answer: &'a Answer, person: &str) -> &'a [Path] {
    let found = answer.people.iter().find(|p| p.id == person);
    found.map(|p| p.paths.as_slice()).unwrap_or_default()
}

fn machine<'a>(answer: &'a Answer, account: &str) -> &'a Holder {
    let names: Vec<_> = answer.machines.iter().map(|m| &m.account).collect();
    answer.machines.iter().find(|m| m.account == account).unwrap_or_else(|| panic!("{names:?}"))
}

/// Each standing fact of the story: whose path, which part, and texts that stand in it.
const FACTS: [(&str, Part, &[&str]); 10] = [
    ("bob", Part::Merge, &["role admin", "payments-prod"]),
    (
        "bob",
        Part::Merge,
        &["blarsen is a code owner of /base/, /envs/prod/", "CODEOWNERS:6", "payments-prod", "Pin"],
    ),
    ("bob", Part::Merge, &["blarsen is a code owner of /apps/prod/", "root-prod"]),
    (
        "bob",
        Part::Sync,
        &[
            "gives bob.larsen@bank.example the group team-sre-oncall",
            "g, team-sre-oncall, role:sre @ ConfigMap argocd/argocd-rbac-cm: data.policy.csv line 17",
            "the deny does not stop it",
            "p, role:developer, applications, sync, prod/*, deny",
            "payments-prod",
        ],
    ),
    ("bob", Part::Push, &["blarsen may push directly"]),
    ("carol", Part::Sync, &["p, role:platform, applications, *, */*, allow", "root-prod"]),
    ("carol", Part::Project, &["p, role:platform, projects, *, *, allow"]),
    (
        "carol",
        Part::Bypass,
        &["ClusterRoleBinding platform-admins: subjects[0]", "which may do everything"],
    ),
    (
        "frank",
        Part::Bypass,
        &[
            "ClusterRoleBinding prod-debug-fweiss gives frank.weiss@bank.example the ClusterRole prod-debug",
            "patch deployments",
            "ClusterRole prod-debug: rules[0]",
            "patch configmaps",
            "make Argo CD deploy anything in anybody's name: patch applications in argocd",
        ],
    ),
    (
        "alice",
        Part::Merge,
        &["web-prod deploys base/web, envs/prod/web of main, and syncs by itself"],
    ),
];

#[test]
fn every_standing_fact_has_its_path() {
    let answer = Bank::read().ask(Verb::Deploy);
    for (person, part, texts) in FACTS {
        let own: Vec<String> =
            paths(&answer, person).iter().filter(|p| p.part == part).map(told).collect();
        let has = |path: &&String| texts.iter().all(|text| path.contains(text));
        assert!(own.iter().any(|p| has(&p)), "{person} {part:?} {texts:?}\n{}", own.join("\n"));
    }
    let token = machine(&answer, "project role proj:prod:deployer");
    assert!(token.paths.iter().any(|p| p.part == Part::Sync
        && told(p).contains("p, proj:prod:deployer, applications, sync, prod/*, allow @ AppProject argocd/prod: spec.roles[0].policies[0]")));
    let eso = machine(&answer, "service account external-secrets/external-secrets");
    assert!(told(&eso.paths[0]).contains("which may do everything"), "{}", told(&eso.paths[0]));
    let notes: Vec<&str> = answer.notes.iter().map(|n| n.says.as_str()).collect();
    for says in [
        "an approval stays valid when the content changes",
        "do not bind administrators",
        "everybody who signs in to Argo CD has role:readonly",
        "a right to sync is a right to sync any revision",
    ] {
        assert!(notes.iter().any(|n| n.contains(says)), "{says}: {notes:#?}");
    }
    // What stands in apps/prod is what root-prod deploys, which was applied by hand.
    let roots = paths(&answer, "dave").iter().map(told).collect::<String>();
    assert!(
        roots.contains("root-prod deploys apps/prod of main, once somebody syncs it"),
        "{roots}"
    );
}

#[test]
fn people_are_counted_and_those_who_need_nobody_are_told() {
    let answer = Bank::read().ask(Verb::Deploy);
    let alone = |id: &str| answer.people.iter().find(|p| p.id == id).map(|p| p.alone.is_some());
    // The change manager has no account that reaches anything; the developer needs an approval.
    let expected =
        [("alice", Some(false)), ("bob", Some(true)), ("carol", Some(true)), ("erin", None)];
    for (person, expected) in expected {
        assert_eq!(alone(person), expected, "{person}");
    }
    let alice = paths(&answer, "alice");
    let approval = Need::Approval { count: Some(1), owner: true };
    assert!(alice.iter().all(|p| p.needs.contains(&approval)), "{alice:#?}");
    assert!(answer.unmapped.iter().any(|u| u.account == "Argo CD local account admin"));
    assert!(
        !answer.unmapped.iter().any(|u| u.account.starts_with("anybody")),
        "reading is no sync"
    );
}

#[test]
fn each_verb_has_its_own_people() {
    let bank = Bank::read();
    let table: [(Verb, &[&str]); 5] = [
        (Verb::Merge, &["alice", "bob", "carol", "dave", "frank"]),
        (Verb::Sync, &["bob", "carol", "dave", "frank"]),
        (Verb::Override, &["carol", "frank"]),
        (Verb::Exec, &["carol", "dave", "frank"]),
        (Verb::ReadSecrets, &["carol", "dave", "frank"]),
    ];
    for (verb, expected) in table {
        let answer = bank.ask(verb);
        let people: Vec<&str> = answer.people.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(people, expected, "{verb:?}");
    }
    // What frank may not do himself, he gains by a pod that runs as an administrator.
    let exec = bank.ask(Verb::Exec);
    assert!(paths(&exec, "frank").iter().all(|p| p.part == Part::Escalation));
}

#[test]
fn one_path_is_told_as_a_sentence() {
    let answer = Bank::read().ask(Verb::Deploy);
    let told = why(&answer, "frank").unwrap();
    let first = told.iter().find(|line| line.contains("prod-debug-fweiss")).unwrap();
    assert!(first.starts_with("Frank Weiss (frank) can deploy "), "{first}");
    assert!(first.contains("[ClusterRole prod-debug: rules[0]]"), "{first}");
    assert_eq!(why(&answer, "erin"), None);
}

#[test]
fn a_missing_source_is_undetermined_and_never_nobody() {
    let bank = Bank::read();
    let table = [
        ("forge", "who can merge and push: no snapshot of the forge was given"),
        ("people", "whose accounts these are: no people map was given"),
        ("repository", "which files are deployed: no repository was given"),
        ("objects", "rights in the cluster: roles and bindings were read from git"),
    ];
    for (missing, expected) in table {
        let answer = bank.ask_without(Verb::Deploy, missing);
        let gaps: Vec<String> =
            answer.undetermined.iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
        assert!(gaps.iter().any(|gap| gap.starts_with(expected)), "{missing}: {gaps:#?}");
    }
    // Without the map nobody is counted as a person, and everybody is still told.
    let answer = bank.ask_without(Verb::Deploy, "people");
    assert!(answer.people.is_empty());
    let unmapped: Vec<&str> = answer.unmapped.iter().map(|u| u.account.as_str()).collect();
    for account in [
        "forge account blarsen",
        "Kubernetes user frank.weiss@bank.example",
        "Argo CD group or subject team-sre",
    ] {
        assert!(unmapped.contains(&account), "{account}: {unmapped:#?}");
    }
}

#[test]
fn rights_of_git_cite_the_line() {
    let answer = Bank::read().ask_without(Verb::Deploy, "objects");
    let bob: String = paths(&answer, "bob").iter().map(told).collect();
    assert!(bob.contains("g, team-sre-oncall, role:sre @ argocd/argocd-rbac-cm.yaml:43"), "{bob}");
    let frank: String = paths(&answer, "frank").iter().map(told).collect();
    assert!(frank.contains("@ cluster-rbac/prod-debug.yaml:7"), "{frank}");
}
