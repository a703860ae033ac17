//! What one expects of a change to a live state, and what of it is not there.

use crate::channel::Channel;
use crate::story::Story;
use crate::story::act::What;
use crate::story::change::Change;
use crate::story::claim::Absence;
use crate::story::coverage;
use crate::story::operation::Operation;

/// Expected of an operation and absent: first what is not in the records, then what cannot be told.
pub(super) fn absent(story: &Story, operation: &Operation) -> (Vec<Absence>, Vec<Absence>) {
    let change = story.changes.iter().find(|change| {
        let is =
            |app: &str, version| app == operation.app.uid && version == operation.set.version();
        change.operations.iter().any(|d| is(&d.app.uid, d.version))
    });
    let proposal = change.filter(|c| !c.is_push());
    let approved = proposal.is_some_and(|c| c.approved().next().is_some());
    let mut all = Vec::new();
    let forge = forge(story);
    if proposal.is_none() {
        all.push(absence(story, operation, "pull request", forge));
    }
    if !approved {
        all.push(absence(story, operation, "approval", forge));
    }
    if !cites_ticket(change, operation) {
        // A proposal that is not known may cite one.
        let open = all.first().and_then(|request| request.reason.clone());
        let channel = Channel::ArgocdApplicationWatch.id();
        all.push(Absence { what: "ticket".to_owned(), channel, reason: open });
    }
    all.into_iter().partition(|absence| absence.reason.is_none())
}

/// The forge that sent something; GitHub's name where none did.
fn forge(story: &Story) -> Channel {
    let sent = |channel: &Channel| coverage::of(&story.coverage, *channel).is_some();
    let forges = [Channel::GithubWebhook, Channel::GitlabWebhook];
    forges.into_iter().find(sent).unwrap_or(Channel::GithubWebhook)
}

fn cites_ticket(change: Option<&Change>, operation: &Operation) -> bool {
    let in_info = operation.info.iter().any(|(_, value)| crate::story::change::cites_ticket(value));
    in_info || change.is_some_and(|c| !c.tickets.is_empty())
}

/// An absence, with the reason why it says nothing where the channel is not complete. A proposal may
/// be older than the records: only of a commit whose push they hold is it known that none followed.
fn absence(story: &Story, operation: &Operation, what: &str, channel: Channel) -> Absence {
    let coverage = coverage::of(&story.coverage, channel);
    let reason = match (coverage, &operation.revision) {
        // Manifests that came with the request are no commit, and no proposal holds them.
        (_, None) => None,
        (None, _) => Some(format!("no record of {channel}")),
        (Some(_), Some(revision)) if !is_pushed(story, revision) => {
            Some("when its commit came to the forge is not in the records".to_owned())
        }
        (Some(coverage), Some(_)) => coverage.at(operation.from().as_ref()).err(),
    };
    Absence { what: what.to_owned(), channel: channel.id(), reason }
}

fn is_pushed(story: &Story, revision: &str) -> bool {
    story.acts.iter().any(|act| match &act.what {
        What::BranchPushWithoutProposal { commit, .. } | What::DirectPush { commit, .. } => {
            commit == revision
        }
        _ => false,
    })
}
