//! Linking: from a change to the operations, pins, rollouts and alerts that followed from it.
//!
//! | link | rule | strength |
//! |---|---|---|
//! | proposal → operation | the deployed revision is the merge commit, or is reached from the proposal's head and not from its base | exact |
//! | proposal → ticket | a key stands in the proposal's title or text | text |
//! | operation → ticket | a key stands in the operation's info | text |
//! | parent's sync → pin | the child's pin moved while the parent's operation ran | time |
//! | operation → rollout | Argo CD's controller wrote the Deployment in the operation | exact |
//! | operation → alert | the alert is about the Application and began within the window | time |

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::commits;
use super::content::Content;
use super::followed::Followed;
use super::pins::pins;
use super::{Change, Deployed, Edge, RULES, Step, Strength, Ticket};
use crate::story::Around;
use crate::story::act::{Act, Cause, What};
use crate::story::graph::Graph;
use crate::story::operation::{Applied, Kind, Operation};
use crate::story::timed::Timed;
use crate::time::Moment;

/// How long after an operation an alert is shown with it: it says when, not why.
pub(crate) const ALERT_WINDOW_SECONDS: i64 = 15 * 60;

/// Links what followed to the changes.
pub(super) fn link(
    around: Around<'_>,
    operations: &[Operation],
    acts: &[Act],
    changes: &mut [Change],
) {
    let graph = Graph::of(&around.facts.forge);
    let owners = owners(&graph, changes);
    for change in changes.iter_mut() {
        commits::gather(around, &graph, change);
    }
    for operation in operations.iter().filter(|o| o.kind != Kind::DryRun) {
        let Some(revision) = &operation.revision else { continue };
        let Some(owner) = owners.get(revision.as_str()).copied() else { continue };
        let content = content(&graph, &changes[owner], revision, operation.app.path.as_deref());
        changes[owner].deployed(operation, content);
    }
    let applied = Applications::of(changes);
    pins(around, operations, &owners, changes);
    let followed = Followed::of(operations, acts);
    for (at, change) in changes.iter_mut().enumerate() {
        change.again(at, &applied);
        change.tickets(around, &followed);
        change.rollouts(&followed);
        change.elsewhere(&followed);
        change.edges.sort();
        change.edges.dedup();
    }
    alerts(acts, &applied, changes);
}

/// Which change each commit belongs to: the one that brought it to a branch. A commit that several
/// proposals hold belongs to the one that had it first.
fn owners(graph: &Graph<'_>, changes: &[Change]) -> BTreeMap<String, usize> {
    let mut order: Vec<usize> = (0..changes.len()).collect();
    order.sort_by_key(|i| {
        let at = changes[*i].at.map(|at| (at.earliest(), at.latest()));
        (at.is_none(), at, changes[*i].id.clone())
    });
    let mut owners = BTreeMap::new();
    for at in order {
        let change = &changes[at];
        let merged = change.merge.as_ref().and_then(|m| m.commit.clone());
        let heads = change.heads.iter().map(|h| h.commit.clone());
        let own = merged.into_iter().chain(heads);
        let inner = graph.commits_of(change.repository.as_deref(), change.number);
        for commit in own.chain(inner) {
            owners.entry(commit).or_insert(at);
        }
    }
    owners
}

/// Whether a revision of a change is what was approved.
fn content(graph: &Graph<'_>, change: &Change, revision: &str, path: Option<&str>) -> Content {
    let approved: BTreeSet<String> = change.approved().filter_map(|r| r.commit.clone()).collect();
    if change.is_push() {
        return Content::NotApproved { approved };
    }
    let merge = change.merge.as_ref();
    let merged_head = merge.and_then(|m| m.head.as_ref());
    if merge.is_some_and(|m| m.commit.as_deref() == Some(revision)) {
        return match merged_head {
            Some(head) if approved.contains(head) => Content::Merged { head: head.clone() },
            Some(_) => Content::NotApproved { approved },
            None => Content::Undetermined { reason: "the merged head is not known".to_owned() },
        };
    }
    let mut open = false;
    for head in &approved {
        match graph.reaches(head, revision) {
            Some(true) => {
                let differs_in = graph.changed_between(revision, head);
                let within = |file: &String| path.is_some_and(|p| is_under(file, p));
                let in_deployed_path = differs_in.iter().any(within);
                return Content::Approved { head: head.clone(), differs_in, in_deployed_path };
            }
            Some(false) => {}
            None => open = true,
        }
    }
    if open {
        let reason = "the commits between the approved head and this one are not known".to_owned();
        Content::Undetermined { reason }
    } else {
        Content::NotApproved { approved }
    }
}

fn is_under(file: &str, folder: &str) -> bool {
    let folder = folder.trim_matches('/');
    folder.is_empty()
        || folder == "."
        || file.strip_prefix(folder).is_some_and(|r| r.starts_with('/'))
}

impl Change {
    fn deployed(&mut self, operation: &Operation, content: Content) {
        let applied = !matches!(operation.applied, Applied::Nothing | Applied::Tried(_));
        self.edge(
            &self.id.clone(),
            &name_of(operation),
            "the deployed revision is a commit of the proposal",
            Strength::Exact,
        );
        self.operations.push(Deployed {
            app: operation.app.clone(),
            version: operation.set.version(),
            revision: operation.revision.clone(),
            at: operation.moment(),
            content,
            applied,
            again: false,
            cites: operation.cites.clone(),
        });
    }

    pub(super) fn edge(&mut self, from: &str, to: &str, rule: &'static str, strength: Strength) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.edges.push(Edge { from, to, rule, rules: RULES, strength });
    }

    fn tickets(&mut self, around: Around<'_>, followed: &Followed<'_>) {
        let mut cited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let text = around.facts.forge.text_of(self.repository.as_deref(), self.number);
        for key in text.iter().flat_map(|t| keys(t)) {
            cited.entry(key).or_default().insert("proposal".to_owned());
        }
        for deployed in &self.operations {
            for key in followed.named_by(deployed) {
                cited.entry(key).or_default().insert("operation".to_owned());
            }
        }
        for (key, cited_in) in cited {
            let history = followed.history_of(&key);
            self.edge(&self.id.clone(), &key, "a text names the ticket", Strength::Text);
            self.tickets.push(Ticket { key, cited_in, history });
        }
    }

    fn rollouts(&mut self, followed: &Followed<'_>) {
        let own: BTreeMap<(&str, u64), bool> =
            self.operations.iter().map(|d| ((d.app.name.as_str(), d.version.0), d.again)).collect();
        let mut found: Vec<(usize, bool)> = Vec::new();
        for (operation, again) in own {
            let brought = followed.brought.get(&operation).into_iter().flatten();
            found.extend(brought.map(|place| (*place, again)));
        }
        found.sort_unstable();
        for (place, again) in found {
            let act = &followed.acts[place];
            let What::Rollout(rollout) = &act.what else { continue };
            let Cause::Argocd { app: Some(app), operation: Some(version) } = &rollout.cause else {
                continue;
            };
            let from = format!("{app}@{version}");
            let to = format!("{} revision {}", rollout.name, rollout.deployment_revision);
            let rule = "Argo CD's controller wrote the Deployment in the operation";
            self.edge(&from, &to, rule, Strength::Exact);
            self.rollouts.push(Step { act: act.clone(), again });
        }
    }

    /// Where the same images of a workload of this name ran before, for each rollout that was the
    /// first of its kind: a tag may be moved, so this corroborates and does not show identity.
    fn elsewhere(&mut self, followed: &Followed<'_>) {
        let mut found: Vec<Step> = Vec::new();
        for own in self.rollouts.iter().filter(|step| !step.again) {
            let last = followed.elsewhere(&own.act);
            if let Some(act) = last.filter(|act| !found.iter().any(|s| s.act == **act)) {
                found.push(Step { act: act.clone(), again: false });
            }
        }
        self.elsewhere = found;
    }

    /// An operation brings its change back where another was applied since the first of its own.
    fn again(&mut self, own: usize, applied: &Applications) {
        let mut first: BTreeMap<String, u64> = BTreeMap::new();
        for deployed in self.operations.iter().filter(|d| d.applied && d.at.is_some()) {
            let first = first.entry(deployed.app.name.clone()).or_insert(u64::MAX);
            *first = deployed.version.0.min(*first);
        }
        for deployed in &mut self.operations {
            let version = deployed.version.0;
            let first = first.get(&deployed.app.name).filter(|first| **first < version);
            deployed.again = first.is_some_and(|first| {
                applied.is_other_between(&deployed.app.name, own, *first, version)
            });
        }
    }
}

/// An alert stands with the change whose operation was the last to apply something before it.
fn alerts(acts: &[Act], applied: &Applications, changes: &mut [Change]) {
    for act in acts.iter().filter(|a| matches!(a.what, What::Alert { .. })) {
        let (Some(app), Some(at)) = (&act.app, &act.at) else { continue };
        let Some(last) = applied.last_before(app, at) else { continue };
        let change = &mut changes[last.change];
        let of_last = |d: &&Deployed| d.app.name == *app && d.version.0 == last.version;
        let again = change.operations.iter().find(of_last).is_some_and(|d| d.again);
        change.alerts.push(Step { act: act.clone(), again });
    }
}

/// What each Application applied, by its name.
struct Applications(BTreeMap<String, OfApplication>);

struct OfApplication {
    /// In the order of versions.
    all: Vec<AppliedBy>,
    by_time: Timed<AppliedBy>,
}

/// An operation that applied something, and the change that it belongs to.
#[derive(Clone, Copy)]
struct AppliedBy {
    version: u64,
    at: Moment,
    change: usize,
}

impl Applications {
    fn of(changes: &[Change]) -> Self {
        let mut applied: BTreeMap<String, Vec<AppliedBy>> = BTreeMap::new();
        for (change, one) in changes.iter().enumerate() {
            for deployed in one.operations.iter().filter(|d| d.applied) {
                if let Some(at) = deployed.at {
                    let by = AppliedBy { version: deployed.version.0, at, change };
                    applied.entry(deployed.app.name.clone()).or_default().push(by);
                }
            }
        }
        let of_application = |(app, mut all): (String, Vec<AppliedBy>)| {
            all.sort_by_key(|by| by.version);
            let by_time = Timed::of(all.iter().map(|by| (by.at, *by)));
            (app, OfApplication { all, by_time })
        };
        Self(applied.into_iter().map(of_application).collect())
    }

    /// Whether an operation of another change applied something between two versions.
    fn is_other_between(&self, app: &str, own: usize, after: u64, before: u64) -> bool {
        let of_app = self.0.get(app).map_or(&[][..], |of| of.all.as_slice());
        let between = &of_app[of_app.partition_point(|by| by.version <= after)..];
        let mut between = between.iter().take_while(|by| by.version < before);
        between.any(|by| by.change != own)
    }

    /// The operation of the highest version that applied something soon before a moment.
    fn last_before(&self, app: &str, at: &Moment) -> Option<AppliedBy> {
        let begin = at.earliest();
        // A part of a second is none to [`is_soon_after`].
        let from = SignedDuration::from_secs(ALERT_WINDOW_SECONDS + 1);
        let from = begin.checked_sub(from).unwrap_or(Timestamp::MIN);
        let to = begin.checked_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let near = self.0.get(app)?.by_time.within(from, to);
        near.filter(|by| is_soon_after(&by.at, at)).max_by_key(|by| by.version)
    }
}

pub(super) fn name_of(operation: &Operation) -> String {
    format!("{}@{}", operation.app.name, operation.set.version())
}

fn is_soon_after(from: &Moment, to: &Moment) -> bool {
    let seconds = to.earliest().duration_since(from.earliest()).as_secs();
    (0..=ALERT_WINDOW_SECONDS).contains(&seconds)
}

/// Ticket keys in a text: capitals and digits, a hyphen, a number (Jira's default form of keys).
pub(crate) fn keys(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|w| is_key(w)).map(str::to_owned).collect()
}

fn is_key(word: &str) -> bool {
    word.split_once('-').is_some_and(|(project, number)| {
        project.len() >= 2
            && project.starts_with(|c: char| c.is_ascii_uppercase())
            && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{is_under, keys};

    #[test]
    fn ticket_keys_are_found_and_other_words_are_not() {
        assert_eq!(keys("Ticket: CHG-2041, see INC-7."), ["CHG-2041", "INC-7"]);
        assert!(keys("UTF-8x, x-1, A-1, sha-256, CHG-").is_empty());
    }

    #[test]
    fn a_folder_holds_what_is_below_it() {
        assert!(is_under("envs/prod/web/a.yaml", "envs/prod/web"));
        assert!(!is_under("envs/prod/web2/a.yaml", "envs/prod/web"));
        assert!(is_under("a.yaml", "."));
    }
}
