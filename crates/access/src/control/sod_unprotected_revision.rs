//! Whether the revision that production follows can be moved by one person.

use std::collections::HashMap;

use evidence::control::framework::{ISO_8_32, NIST_CM_5, PCI_6_5_4, SOC2_CC8_1};
use evidence::control::model::{Answer, met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::sod_floating_version::is_range;
use super::{Asked, missing, outcome, snapshot};
use crate::forge::{Known, Protected, Snapshot};
use crate::place::Place;
use crate::reach::scope::Target;
use crate::repository::application::Source;
use crate::repository::url;

/// What is followed is protected.
pub const CONTROL: Control = Control {
    id: "sod-unprotected-revision",
    condition: "followed revisions are protected",
    statement: "Every branch or tag that an Application of production follows, or one that deploys it, is protected by a rule of the forge; a full commit id needs none.",
    asks: "Production follows this name. Who can let it point at another commit?",
    fix: "Follow the branch of record, pin the full commit id, or protect the branch or tag with a rule of its own.",
    example: "An Application follows the branch `release`, and the forge's rules name main alone.",
    limits: "Sources in other repositories are undetermined: their rules are not among the sources. So is a name that may be a branch, a tag or an abbreviated commit where the answer hangs on it.",
    inputs: &["Applications", "forge snapshot", "policy: repository"],
    relates: &[PCI_6_5_4, SOC2_CC8_1, ISO_8_32, NIST_CM_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(forge) = asked.joined.sources.forge else {
        return missing(&CONTROL, "a snapshot of the forge");
    };
    let mut known = HashMap::new();
    let mut all = Vec::new();
    for target in &asked.scope.targets {
        let followed = target.sources.iter().filter(|source| source.chart.is_none());
        for (number, source) in followed.enumerate() {
            let (answer, place) = judge(asked, forge, source, &mut known);
            let subject = match number {
                0 => target.name.clone(),
                number => format!("{} source {}", target.name, number + 1),
            };
            let places: Vec<Place> = [at(target, source)].into_iter().chain(place).collect();
            all.push(outcome(&CONTROL, &subject, answer, &places));
        }
    }
    all
}

fn at(target: &Target, source: &Source) -> Place {
    let revision = source.target_revision.as_ref().map(|revision| &revision.place);
    revision.or(source.repo_url.as_ref().map(|url| &url.place)).unwrap_or(&target.place).clone()
}

type Judged = (Answer, Option<Place>);

fn judge(
    asked: &Asked<'_>,
    forge: &Snapshot,
    source: &Source,
    known: &mut HashMap<String, Judged>,
) -> Judged {
    if source.is_pinned() {
        return (met("it is held at a commit"), None);
    }
    let Some(url) = &source.repo_url else { return (open("it names no repository"), None) };
    match is_own(asked, &url.value) {
        Some(true) => {}
        Some(false) => {
            let why = format!("the rules of {} are not among the sources", url.value);
            return (open(why), None);
        }
        None => return (open("which repository this is about is not known"), None),
    }
    let revision = source.revision();
    let judged = known.entry(revision.to_owned());
    judged.or_insert_with(|| of_revision(asked, forge, revision)).clone()
}

/// Whether an address is that of the repository whose rules are known.
fn is_own(asked: &Asked<'_>, address: &str) -> Option<bool> {
    if let Some(policy) = asked.joined.sources.policy
        && !policy.repository.addresses.is_empty()
    {
        let own = policy.repository.addresses.iter();
        return Some(own.map(|a| url::normal(&a.value)).any(|own| own == url::normal(address)));
    }
    let repository = asked.joined.sources.repository?;
    (*repository.address() != crate::repository::Address::Unknown)
        .then(|| repository.address().is(address))
}

fn of_revision(asked: &Asked<'_>, forge: &Snapshot, revision: &str) -> Judged {
    if let Some(tag) = revision.strip_prefix("refs/tags/") {
        return of_tag(forge, tag);
    }
    if is_range(revision) {
        return (met("it is a range of tags, which sod-floating-version is about"), None);
    }
    let (branch, is_branch) = match (revision, revision.strip_prefix("refs/heads/")) {
        ("" | "HEAD", _) => match forge.default_branch() {
            Known::Known { value, .. } => (value.clone(), true),
            Known::Unknown(why) => return (open(why.to_string()), None),
        },
        (_, Some(branch)) => (branch.to_owned(), true),
        (name, None) => (name.to_owned(), is_branch(asked, forge, name)),
    };
    let rules = forge.branch(&branch);
    match rules.protected() {
        Protected::Yes => {
            let rule = rules.in_force().next().map(|rule| snapshot(&rule.at));
            (met(format!("a rule protects {branch}")), rule)
        }
        Protected::Unknown => {
            let why = rules.unknown.first().map(ToString::to_string).unwrap_or_default();
            (open(format!("whether {branch} is protected: {why}")), None)
        }
        Protected::No if is_branch => {
            (not_met(format!("no rule protects the branch {branch}")), Some(snapshot("$")))
        }
        Protected::No => either(forge, &branch),
    }
}

/// Names that are known to be branches.
fn is_branch(asked: &Asked<'_>, forge: &Snapshot, name: &str) -> bool {
    forge.default_branch().value().is_some_and(|own| own == name)
        || asked.joined.sources.policy.is_some_and(|p| p.repository.branch.value == name)
}

/// A name that no rule for branches covers, and that may be a tag or a commit as well.
fn either(forge: &Snapshot, name: &str) -> Judged {
    let is_hex = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return (open(format!("whether {name} is a commit, a tag or a branch is not known")), None);
    }
    match forge.tag_protected(name) {
        Known::Known { value: true, .. } => {
            (open(format!("as a tag {name} is protected, as a branch it is not")), None)
        }
        Known::Known { value: false, at } => (
            not_met(format!("no rule protects {name}, neither as branch nor as tag")),
            Some(snapshot(&at)),
        ),
        Known::Unknown(why) => (open(format!("whether the tag {name} is protected: {why}")), None),
    }
}

fn of_tag(forge: &Snapshot, tag: &str) -> Judged {
    match forge.tag_protected(tag) {
        Known::Known { value: true, at } => (met("a rule protects the tag"), Some(snapshot(&at))),
        Known::Known { value: false, at } => {
            (not_met(format!("no rule keeps the tag {tag} where it is")), Some(snapshot(&at)))
        }
        Known::Unknown(why) => (open(why.to_string()), None),
    }
}
