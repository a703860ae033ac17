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

use super::commits;
use super::content::Content;
use super::{Change, Deployed, Edge, Pin, RULES, Step, Strength, Ticket, TicketStep};
use crate::story::Around;
use crate::story::act::{Act, Cause, What};
use crate::story::fold::Versions;
use crate::story::graph::Graph;
use crate::story::operation::{Applied, Kind, Operation};
use crate::story::telling::app_ref;
use crate::time::Moment;

/// How long after an operation an alert is shown with it: it says when, not why.
const ALERT_WINDOW_SECONDS: i64 = 15 * 60;

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
    let applied = applied(changes);
    pins(around, operations, &owners, changes);
    for (at, change) in changes.iter_mut().enumerate() {
        change.again(at, &applied);
        change.tickets(around, operations, acts);
        change.rollouts(acts);
        change.elsewhere(acts);
        change.alerts(at, acts, &applied);
        change.edges.sort();
        change.edges.dedup();
    }
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

    fn edge(&mut self, from: &str, to: &str, rule: &'static str, strength: Strength) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.edges.push(Edge { from, to, rule, rules: RULES, strength });
    }

    fn tickets(&mut self, around: Around<'_>, operations: &[Operation], acts: &[Act]) {
        let mut cited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let text = around.facts.forge.text_of(self.repository.as_deref(), self.number);
        for key in text.iter().flat_map(|t| keys(t)) {
            cited.entry(key).or_default().insert("proposal".to_owned());
        }
        let own: BTreeSet<_> = self.operations.iter().map(|d| (&d.app.uid, d.version)).collect();
        for operation in operations {
            if own.contains(&(&operation.app.uid, operation.set.version())) {
                for key in operation.info.iter().flat_map(|(_, value)| keys(value)) {
                    cited.entry(key).or_default().insert("operation".to_owned());
                }
            }
        }
        for (key, cited_in) in cited {
            let steps = acts.iter().filter_map(|act| step_of(act, &key)).collect();
            self.edge(&self.id.clone(), &key, "a text names the ticket", Strength::Text);
            self.tickets.push(Ticket { key, cited_in, history: steps });
        }
    }

    fn rollouts(&mut self, acts: &[Act]) {
        let own: BTreeMap<(String, u64), bool> =
            self.operations.iter().map(|d| ((d.app.name.clone(), d.version.0), d.again)).collect();
        for act in acts {
            let What::Rollout(rollout) = &act.what else { continue };
            let Cause::Argocd { app: Some(app), operation: Some(version) } = &rollout.cause else {
                continue;
            };
            if let Some(again) = own.get(&(app.clone(), *version)).copied() {
                let from = format!("{app}@{version}");
                let to = format!("{} revision {}", rollout.name, rollout.deployment_revision);
                let rule = "Argo CD's controller wrote the Deployment in the operation";
                self.edge(&from, &to, rule, Strength::Exact);
                self.rollouts.push(Step { act: act.clone(), again });
            }
        }
    }

    /// Where the same images of a workload of this name ran before, for each rollout that was the
    /// first of its kind: a tag may be moved, so this corroborates and does not show identity.
    fn elsewhere(&mut self, acts: &[Act]) {
        let mut found: Vec<Step> = Vec::new();
        for own in self.rollouts.iter().filter(|step| !step.again) {
            let last = acts.iter().rfind(|act| is_same_elsewhere(act, &own.act));
            if let Some(act) = last.filter(|act| !found.iter().any(|s| s.act == **act)) {
                found.push(Step { act: act.clone(), again: false });
            }
        }
        self.elsewhere = found;
    }

    /// An alert stands with the change whose operation was the last to apply something before it.
    fn alerts(&mut self, own: usize, acts: &[Act], applied: &Applications) {
        for act in acts.iter().filter(|a| matches!(a.what, What::Alert { .. })) {
            let (Some(app), Some(at)) = (&act.app, &act.at) else { continue };
            let before = applied.get(app).into_iter().flatten();
            let last = before.filter(|o| is_soon_after(&o.at, at)).max_by_key(|o| o.version);
            if let Some(last) = last.filter(|last| last.change == own) {
                let of_last = |d: &&Deployed| d.app.name == *app && d.version.0 == last.version;
                let again = self.operations.iter().find(of_last).is_some_and(|d| d.again);
                self.alerts.push(Step { act: act.clone(), again });
            }
        }
    }

    fn again(&mut self, own: usize, applied: &Applications) {
        for deployed in &mut self.operations {
            let all = applied.get(&deployed.app.name).into_iter().flatten();
            let before = all.filter(|o| o.version < deployed.version.0);
            let first = before.clone().filter(|o| o.change == own).map(|o| o.version).min();
            let other = before.clone().any(|o| o.change != own && Some(o.version) > first);
            deployed.again = first.is_some() && other;
        }
    }
}

/// Whether an act is a rollout of the same images of a workload of the same name, in another
/// namespace and before.
fn is_same_elsewhere(act: &Act, own: &Act) -> bool {
    let (What::Rollout(there), What::Rollout(here)) = (&act.what, &own.what) else { return false };
    let before = act.at.zip(own.at).is_some_and(|(a, b)| a.earliest() < b.earliest());
    let same = there.name == here.name && there.images == here.images;
    same && before && act.namespace != own.namespace
}

/// What each Application applied, by its name.
type Applications = BTreeMap<String, Vec<AppliedBy>>;

/// An operation that applied something, and the change that it belongs to.
struct AppliedBy {
    version: u64,
    at: Moment,
    change: usize,
}

fn applied(changes: &[Change]) -> Applications {
    let mut applied = Applications::new();
    for (change, one) in changes.iter().enumerate() {
        for deployed in one.operations.iter().filter(|d| d.applied) {
            if let Some(at) = deployed.at {
                let by = AppliedBy { version: deployed.version.0, at, change };
                applied.entry(deployed.app.name.clone()).or_default().push(by);
            }
        }
    }
    applied
}

fn name_of(operation: &Operation) -> String {
    format!("{}@{}", operation.app.name, operation.set.version())
}

fn is_soon_after(from: &Moment, to: &Moment) -> bool {
    let seconds = to.earliest().duration_since(from.earliest()).as_secs();
    (0..=ALERT_WINDOW_SECONDS).contains(&seconds)
}

fn step_of(act: &Act, wanted: &str) -> Option<TicketStep> {
    match &act.what {
        What::TicketStatus { key, before, status } if key == wanted => Some(TicketStep {
            before: before.clone(),
            status: status.clone(),
            who: act.who.clone(),
            at: act.at,
            cites: act.cites.clone(),
        }),
        _ => None,
    }
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

/// Pins that moved to a commit of a change, and the parent's operation that ran meanwhile.
fn pins(
    around: Around<'_>,
    operations: &[Operation],
    owners: &BTreeMap<String, usize>,
    changes: &mut [Change],
) {
    for versions in around.facts.applications.values() {
        // Whose pin it was, oldest first: one that comes back after another is told as such.
        let mut pinned: Vec<usize> = Vec::new();
        for (was, is) in versions.values().zip(versions.values().skip(1)) {
            let Some(revision) = &is.fact.target_revision else { continue };
            if was.fact.target_revision == is.fact.target_revision {
                continue;
            }
            let Some(owner) = owners.get(revision).copied() else { continue };
            let again = pinned.contains(&owner) && pinned.last() != Some(&owner);
            pinned.push(owner);
            let by = mover(operations, versions, is.fact.resource_version);
            let change = &mut changes[owner];
            if let Some(by) = by {
                let from = name_of(by);
                let to = format!("{} pinned to {revision}", is.fact.name);
                let rule = "the pin moved while the parent's operation ran";
                change.edge(&from, &to, rule, Strength::Time);
            }
            change.pins.push(Pin {
                app: app_ref(&is.fact),
                version: is.fact.resource_version,
                revision: revision.clone(),
                by: by.map(|o| (o.app.name.clone(), o.set.version())),
                at: by.and_then(Operation::from),
                again,
                cites: is.cites.clone(),
            });
        }
    }
}

/// The operation of another Application that was set before the pin's version and ceased after it:
/// versions of one resource type are of one order (KEP-5504).
fn mover<'o>(
    operations: &'o [Operation],
    versions: &Versions,
    at: crate::parse::ResourceVersion,
) -> Option<&'o Operation> {
    let child = versions.values().next()?;
    let mut around = operations.iter().filter(|o| {
        o.app.uid != child.fact.uid
            && o.app.destination_namespace.as_deref() == Some(child.fact.namespace.as_str())
            && o.set.version() < at
            && o.end.version().is_some_and(|end| end > at)
    });
    let only = around.next()?;
    around.next().is_none().then_some(only)
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
