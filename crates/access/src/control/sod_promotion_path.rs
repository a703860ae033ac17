//! Whether production asks for what the environment before it does not ask for yet.

use std::cmp::Ordering;
use std::collections::HashMap;

use evidence::control::framework::{ISO_8_31, NIST_CM_3_2, PCI_6_5_3, SOC2_CC8_1};
use evidence::control::model::{Answer, met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome};
use crate::place::Place;
use crate::policy::Environment;
use crate::reach::scope::Target;
use crate::repository::{Application, Image, Reason, Repository};

/// One environment after the other.
pub const CONTROL: Control = Control {
    id: "sod-promotion-path",
    condition: "production follows the environment before it",
    statement: "Every Application of production has its counterpart in the environment before, which asks for no older version of an image or chart at this commit.",
    asks: "Where did this version run before production?",
    fix: "Give the Application a counterpart in the environment before, and promote through it.",
    example: "Staging asks for 1.4.1 and production for 1.5.0 in the same commit.",
    limits: "Wishes in git are compared, not what ran: that is change-skips-environment's. The counterpart is found by name, with the name or the pattern of the environment before in place of its own. Versions that are no numbers, Applications that are held at another commit or follow another branch, and what could not be rendered are undetermined. Not asked where the policy's rule says `promotion: false` or leaves it out, nor of the first environment.",
    inputs: &["policy: environments in order of promotion", "repository: Applications and images"],
    relates: &[PCI_6_5_3, SOC2_CC8_1, ISO_8_31, NIST_CM_3_2],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(policy) = asked.joined.sources.policy else {
        return missing(&CONTROL, "a policy, which tells the order of environments,");
    };
    let Some(repository) = asked.joined.sources.repository else {
        return missing(&CONTROL, "a repository");
    };
    let live = asked.joined.live.iter().map(|live| (live.name.value.as_str(), live)).collect();
    let record = asked.branch_of_record();
    let path = Path { asked, repository, by_name: names(repository), live, record };
    let mut all = Vec::new();
    for target in asked.applications() {
        let Some((own, _)) = policy.environment_of(&target.name) else { continue };
        let Some(before) = policy.environment_before(&own.name.value) else { continue };
        if asked.rule_for(&target.name).is_some_and(|rule| !rule.promotion) {
            continue;
        }
        let (answer, places) = path.judge(target, own, before);
        all.push(outcome(&CONTROL, &target.name, answer, &places));
    }
    all
}

fn names(repository: &Repository) -> HashMap<&str, usize> {
    let all = repository.applications().iter().enumerate();
    all.map(|(at, application)| (application.name.value.as_str(), at)).collect()
}

struct Path<'p, 'a> {
    asked: &'p Asked<'a>,
    repository: &'a Repository,
    by_name: HashMap<&'a str, usize>,
    live: HashMap<&'a str, &'a Application>,
    record: Option<String>,
}

impl Path<'_, '_> {
    fn judge(
        &self,
        target: &Target,
        own: &Environment,
        before: &Environment,
    ) -> (Answer, Vec<Place>) {
        let policy = self.asked.joined.sources.policy;
        let is_before = |name: &String| {
            let found = policy.and_then(|policy| policy.environment_of(name));
            found.is_some_and(|(found, _)| found.name.value == before.name.value)
        };
        let mut names = counterparts(&target.name, own, before);
        names.retain(is_before);
        let at = |name: &String| self.by_name.get(name.as_str()).copied();
        let places = vec![target.place.clone()];
        let Some(counterpart) = names.iter().find_map(at) else {
            let environment = &before.name.value;
            let answer = match (names.first(), self.hidden()) {
                (None, _) => open(format!("by its name, it has no counterpart in {environment}")),
                (Some(name), Some(why)) => open(format!("no {name} is among the sources: {why}")),
                (Some(name), None) => not_met(format!("{environment} has no {name}")),
            };
            return (answer, places);
        };
        let Some(index) = target.index else { return (open("it is in no repository"), places) };
        for at in [index, counterpart] {
            if let Some(why) = self.elsewhere(at) {
                return (open(why), places);
            }
        }
        self.compare(index, counterpart, places)
    }

    /// Why an Application of that name may be hidden from this reading.
    fn hidden(&self) -> Option<String> {
        if !self.asked.joined.live.is_empty() {
            return None;
        }
        let sets = self.repository.application_sets().iter().flat_map(|set| &set.not_assessed);
        // What deploys Applications may deploy others from what was not rendered.
        let deployed = self.repository.deployments();
        let above = deployed.filter(|(_, d)| !d.applications.is_empty());
        let left = above.flat_map(|(_, d)| &d.not_assessed);
        sets.chain(left).next().map(|one| one.reason.to_string())
    }

    /// Why what an Application deploys is not what was read.
    fn elsewhere(&self, at: usize) -> Option<String> {
        let application = &self.repository.applications()[at];
        let name = &application.name.value;
        let live = self.live.get(name.as_str()).copied();
        let source = live.unwrap_or(application).sources.iter().find(|s| s.chart.is_none())?;
        if source.is_pinned() {
            return Some(format!("{name} is held at a commit that was not read"));
        }
        let own = source.revision();
        let is_record = own == "HEAD" || self.record.as_deref() == Some(own);
        (!is_record).then(|| format!("{name} follows {own}, which was not read"))
    }

    fn compare(&self, own: usize, before: usize, mut places: Vec<Place>) -> (Answer, Vec<Place>) {
        // What was not read may ask for another version.
        let unread = [own, before].into_iter().find_map(|at| {
            let mut left = self.repository.deployment(at).not_assessed.iter();
            // A chart is compared by its version.
            left.find(|one| !matches!(one.reason, Reason::Chart(_)))
        });
        if let Some(one) = unread {
            return (open(one.reason.to_string()), places);
        }
        let (mine, theirs) = (self.versions(own), self.versions(before));
        let name = &self.repository.applications()[before].name.value;
        let mut unknown = None;
        for image in &mine {
            let Some(other) = theirs.iter().find(|other| other.name == image.name) else {
                unknown = Some(format!("{name} asks for no {}", image.name));
                continue;
            };
            let (Some(version), Some(older)) = (&image.version, &other.version) else {
                unknown = Some(format!("{} names no version", image.name));
                continue;
            };
            match newer(version, older) {
                Some(Ordering::Greater) => {
                    places.insert(0, image.place.clone());
                    places.push(other.place.clone());
                    let what = &image.name;
                    let says = format!("asks for {what} {version}, and {name} for {older}");
                    return (not_met(says), places);
                }
                Some(_) => {}
                None => {
                    let what = &image.name;
                    unknown = Some(format!(
                        "which of {what} {version} and {older} is newer is not known"
                    ));
                }
            }
        }
        let met = || met(format!("{name} asks for nothing older"));
        (unknown.map_or_else(met, open), places)
    }

    /// What an Application asks for: images, and charts under their names.
    fn versions(&self, at: usize) -> Vec<Image> {
        let mut all = self.repository.images(at);
        for source in &self.repository.applications()[at].sources {
            let Some(chart) = &source.chart else { continue };
            let revision = source.target_revision.as_ref();
            all.push(Image {
                name: format!("chart {}", chart.value),
                version: revision.map(|revision| revision.value.clone()),
                place: revision.map_or(&chart.place, |revision| &revision.place).clone(),
            });
        }
        all
    }
}

/// The names that an Application's counterpart in an environment may have.
fn counterparts(name: &str, own: &Environment, before: &Environment) -> Vec<String> {
    let (from, to) = (own.name.value.as_str(), before.name.value.as_str());
    let mut all = Vec::new();
    let parts: Vec<&str> = name.split('-').collect();
    if parts.contains(&from) {
        let renamed = parts.iter().map(|part| if *part == from { to } else { part });
        all.push(renamed.collect::<Vec<_>>().join("-"));
    }
    // `shop-*` and `stage-*`: what the star stands for stays.
    let star = own.applications.iter().find_map(|rule| {
        let (start, end) = rule.name.value.split_once('*')?;
        name.strip_prefix(start)?.strip_suffix(end)
    });
    let patterns = before.applications.iter().filter_map(|rule| rule.name.value.split_once('*'));
    if let Some(star) = star {
        let simple = patterns.filter(|(start, end)| !start.contains('*') && !end.contains('*'));
        all.extend(simple.map(|(start, end)| format!("{start}{star}{end}")));
    }
    all
}

/// How a version compares to another; `None` unless both are numbers or they are the same.
fn newer(version: &str, other: &str) -> Option<Ordering> {
    if version == other {
        return Some(Ordering::Equal);
    }
    let ((a, first), (b, second)) = (numbers(version)?, numbers(other)?);
    match a.cmp(&b) {
        Ordering::Equal => match (first, second) {
            // A release comes after whatever led to it.
            (None, Some(_)) => Some(Ordering::Greater),
            (Some(_), None) => Some(Ordering::Less),
            _ => None,
        },
        different => Some(different),
    }
}

/// `v1.2.3-rc.1` as its three numbers and what comes before the release.
fn numbers(version: &str) -> Option<([u64; 3], Option<&str>)> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let version = version.split('+').next()?;
    let (numbers, before) = match version.split_once('-') {
        Some((numbers, before)) => (numbers, Some(before)),
        None => (version, None),
    };
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some((three, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let table = [
            ("1.5.0", "1.4.1", Some(Ordering::Greater)),
            ("1.10.0", "1.9.9", Some(Ordering::Greater)),
            ("v1.4.0", "1.4.1", Some(Ordering::Less)),
            ("1.5.0", "1.5.0-rc1", Some(Ordering::Greater)),
            ("1.5.0-rc2", "1.5.0-rc1", None),
            ("sha256:ab", "sha256:ab", Some(Ordering::Equal)),
            ("main-7", "main-8", None),
            ("1.5", "1.4", None),
        ];
        for (version, other, expected) in table {
            assert_eq!(newer(version, other), expected, "{version} {other}");
        }
    }
}
