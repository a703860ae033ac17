//! Controls: a repository that meets them all, and one change for each that breaks it alone.

mod sod_branch_rules;
mod sod_default_role;
mod sod_ineffective_deny;
mod sod_local_admin;
mod sod_open_project;
mod sod_owners_unowned;
mod sod_revision_sync;
mod sod_unowned_path;

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
    let policy = Policy::read("countersign.yaml", of("countersign.yaml").unwrap());
    let own = files.iter().filter(|(path, _)| !is_json(path));
    let own: Vec<_> = own.map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let repository = Repository::read(&own, &Options::default());
    let joined = Joined::new(Sources {
        repository: Some(&repository),
        code_owners: owners.as_ref(),
        objects: &[],
        forge: forge.as_ref(),
        people: people.as_ref(),
        policy: policy.policy.as_ref(),
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
