//! Controls: a repository that meets them all, and one change for each that breaks it alone.

mod sod_anonymous;
mod sod_app_of_apps;
mod sod_application_write;
mod sod_branch_checks;
mod sod_branch_rules;
mod sod_broad_owner;
mod sod_cluster_bypass;
mod sod_default_role;
mod sod_floating_version;
mod sod_ineffective_deny;
mod sod_local_admin;
mod sod_merge_and_sync;
mod sod_open_project;
mod sod_owners_unowned;
mod sod_policy_unowned;
mod sod_project_token;
mod sod_promotion_path;
mod sod_revision_sync;
mod sod_sole_owner;
mod sod_unowned_path;
mod sod_unprotected_revision;
mod sod_weak_owner;
mod sod_wildcard_right;

mod bank;

use std::collections::BTreeMap;

use access::codeowners::{CodeOwners, Dialect};
use access::control::{CATALOGUE, assess};
use access::forge::Snapshot;
use access::policy::Policy;
use access::reach::{Joined, Sources};
use access::repository::{File, Options, Repository};
use evidence::control::model::Place;
use evidence::control::{Outcome, Verdict};
use evidence::people::People;
use serde_json::Value;

type Files = BTreeMap<String, String>;

fn base() -> Files {
    let text = include_str!("../fixtures/control/base.txt");
    let parts = text.split(">>> ").skip(1).map(|part| part.split_once('\n').unwrap());
    parts.map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

/// What all controls say of these files; of the sources, those that are not there are missing.
fn judged(files: &Files) -> Vec<Outcome> {
    let of = |path: &str| files.get(path).map(String::as_bytes);
    let forge = of("forge.json").map(|bytes| Snapshot::parse(bytes).unwrap());
    let people = of("people.json").map(|bytes| People::from_json(bytes).unwrap());
    let owners =
        of("CODEOWNERS").map(|bytes| CodeOwners::parse("CODEOWNERS", Dialect::GitHub, bytes));
    let policy = of("countersign.yaml").and_then(|b| Policy::read("countersign.yaml", b).policy);
    let own = files.iter().filter(|(path, _)| !is_json(path));
    let own: Vec<_> = own.map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let repository = Repository::read(&own, &Options::default());
    let objects = of("cluster.json").map(|bytes| serde_json::from_slice(bytes).unwrap());
    let objects: Vec<Value> = objects.unwrap_or_default();
    let joined = Joined::new(Sources {
        repository: Some(&repository),
        code_owners: owners.as_ref(),
        objects: &objects,
        forge: forge.as_ref(),
        people: people.as_ref(),
        policy: policy.as_ref(),
    });
    assess(&joined, None)
}

fn place(place: &Place) -> String {
    match place {
        Place::File { path, line: Some(line) } => format!("{path}:{line}"),
        Place::File { path, line: None } => path.clone(),
        Place::Json { document, pointer } => format!("{document} {pointer}"),
        Place::Record { cite } => cite.clone(),
    }
}

/// A control's fixture: the change that breaks it, what it then says, and the source that it needs.
struct Case {
    control: &'static str,
    fixture: Value,
}

impl Case {
    fn of(control: &'static str) -> Self {
        let path = format!("{}/tests/fixtures/control/{control}.json", env!("CARGO_MANIFEST_DIR"));
        let fixture = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self { control, fixture }
    }

    fn text(&self, pointer: &str) -> &str {
        self.fixture.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    fn breaks_alone(&self) {
        let mut files = base();
        let good = judged(&files);
        assert!(good.iter().any(|o| o.control == self.control), "it says nothing of the base");
        let text = files.get_mut(self.text("/change/file")).unwrap();
        assert!(text.contains(self.text("/change/from")));
        *text = text.replace(self.text("/change/from"), self.text("/change/to"));
        let found = judged(&files);
        let found: Vec<&Outcome> = found.iter().filter(|o| o.verdict != Verdict::Met).collect();
        assert!(found.iter().all(|o| o.control == self.control), "{found:#?}");
        let one = found.iter().find(|o| o.subject == self.text("/finding/subject"));
        let one = one.unwrap_or_else(|| panic!("{found:#?}"));
        assert_eq!(
            (one.verdict, one.reason.as_str()),
            (Verdict::NotMet, self.text("/finding/says"))
        );
        assert!(one.places.iter().map(place).any(|p| p == self.text("/finding/at")), "{one:#?}");
    }

    /// Further cases: what is changed, and what is then said of a subject. Nothing is said of one
    /// that has no verdict here.
    fn judges_each_further_case(&self) {
        let cases = self.fixture["more"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let mut files = base();
            for change in case["changes"].as_array().unwrap() {
                let text = |key: &str| change[key].as_str();
                let path = text("file").unwrap();
                if let Some(whole) = text("whole") {
                    files.insert(path.to_owned(), whole.to_owned());
                } else {
                    let own = files.get_mut(path).unwrap();
                    assert!(own.contains(text("from").unwrap()), "{change:#}");
                    *own = own.replace(text("from").unwrap(), text("to").unwrap());
                }
            }
            let judged = judged(&files);
            let own: Vec<_> = judged.iter().filter(|o| o.control == self.control).collect();
            let found = own.iter().find(|o| Some(o.subject.as_str()) == case["subject"].as_str());
            let verdict = found.map(|o| (o.verdict.word(), o.reason.as_str()));
            let expected = case["verdict"].as_str().map(|v| (v, case["says"].as_str().unwrap()));
            assert_eq!(verdict, expected, "{case:#}\n{own:#?}");
        }
    }

    fn is_undetermined_without_its_source(&self) {
        let mut files = base();
        files.remove(self.text("/needs")).unwrap();
        let judged = judged(&files);
        let own: Vec<_> = judged.iter().filter(|o| o.control == self.control).collect();
        assert!(
            !own.is_empty() && own.iter().all(|o| o.verdict == Verdict::Undetermined),
            "{own:#?}"
        );
    }
}

#[test]
fn the_base_meets_every_control() {
    let outcomes = judged(&base());
    let bad: Vec<_> = outcomes.iter().filter(|o| o.verdict != Verdict::Met).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    for control in CATALOGUE {
        assert!(outcomes.iter().any(|o| o.control == control.id), "{}", control.id);
        assert!(control.id.starts_with("sod-") && !control.relates.is_empty());
    }
}

fn is_json(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|end| end == "json")
}
