//! A scene: one change by the book, put together as a story. Cases say what is different.
//!
//! Ann asks and pushes at second 1, Ben approves at 3, Eve approves the ticket at 4, Cat merges at
//! 5, Dan syncs at 7, pods follow at 8. Everybody is in the people map but those who begin with
//! `?`; `bot:` is an account of software.

use std::collections::{BTreeMap, BTreeSet};

use evidence::channel::Channel;
use evidence::parse::ResourceVersion;
use evidence::parse::kubernetes_audit::Right;
use evidence::record::{Cite, RecordId};
use evidence::story::act::{Act, Cause, Rollout, What};
use evidence::story::change::{
    Change, CommitBy, Content, Deployed, Head, Merge, Review, Step, Ticket, TicketStep,
};
use evidence::story::claim::{Identity, UnknownPerson, Voice, Writer};
use evidence::story::coverage::{Coverage, Gap};
use evidence::story::initiator::Initiator;
use evidence::story::operation::{AppRef, Applied, End, Kind, Operation, SetAt};
use evidence::story::wire::Cites;
use evidence::story::{Story, VERSION};
use evidence::time::Moment;
use serde::Deserialize;

const MERGED_HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const EARLIER_HEAD: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const MERGE_COMMIT: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// What is different from the change by the book.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each names one thing that a test changes")]
pub(crate) struct Scene {
    /// Pushed to the default branch, without a proposal.
    push: bool,
    /// Why a proposal behind the push may have been missed.
    doubt: Option<String>,
    author: Option<String>,
    pusher: String,
    commit_author: String,
    co_authors: Vec<String>,
    commits_whole: bool,
    approvals: Vec<Approval>,
    merger: Option<String>,
    merged_at: Option<u32>,
    /// `dan`, `automated`, `contradicted`, `undetermined` or `bot:…`.
    synced_by: String,
    synced_at: u32,
    deployed: bool,
    applied: bool,
    content: String,
    tickets: Vec<Approved>,
    forge_gap: bool,
    tracker_gap: bool,
    watch_gap: bool,
    rollouts: Vec<Rolled>,
    restarts: bool,
    alert: bool,
    no_alerts_channel: bool,
    alerts_end_early: bool,
    alerts_begin_late: bool,
    local_manifests: bool,
    acts: Vec<Done>,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            push: false,
            doubt: None,
            author: Some("ann".to_owned()),
            pusher: "ann".to_owned(),
            commit_author: "ann".to_owned(),
            co_authors: Vec::new(),
            commits_whole: true,
            approvals: vec![Approval::default()],
            merger: Some("cat".to_owned()),
            merged_at: Some(5),
            synced_by: "dan".to_owned(),
            synced_at: 7,
            deployed: true,
            applied: true,
            content: "approved".to_owned(),
            tickets: vec![Approved::default()],
            forge_gap: false,
            tracker_gap: false,
            watch_gap: false,
            rollouts: Vec::new(),
            restarts: false,
            alert: false,
            no_alerts_channel: false,
            alerts_end_early: false,
            alerts_begin_late: false,
            local_manifests: false,
            acts: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Approval {
    by: Option<String>,
    earlier_head: bool,
    at: u32,
}

impl Default for Approval {
    fn default() -> Self {
        Self { by: Some("ben".to_owned()), earlier_head: false, at: 3 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Approved {
    status: Option<String>,
    by: String,
    at: u32,
}

impl Default for Approved {
    fn default() -> Self {
        Self { status: Some("Approved".to_owned()), by: "eve".to_owned(), at: 4 }
    }
}

/// A rollout somewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rolled {
    env: String,
    image: String,
    at: u32,
}

/// An act by somebody.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    what: String,
    by: String,
    at: u32,
    #[serde(default)]
    of: String,
}

fn at(second: u32) -> Moment {
    Moment::parse(&format!("2026-02-03T10:00:{second:02}Z")).unwrap()
}

fn cites(channel: Channel, id: &str) -> Cites {
    Cites::from(Cite { channel, id: RecordId::new(id).unwrap() })
}

/// Somebody's account.
pub(crate) fn identity(name: &str) -> Identity {
    let (account, person, unknown) = if let Some(name) = name.strip_prefix('?') {
        (format!("{name}@x.example"), None, Some(UnknownPerson::NotInMap))
    } else if let Some(name) = name.strip_prefix("bot:") {
        (name.to_owned(), None, Some(UnknownPerson::Machine))
    } else {
        (format!("{name}@x.example"), Some(name.to_owned()), None)
    };
    Identity { account, person, unknown }
}

fn writer(name: &str) -> Writer {
    let right = |s: &str| s.to_owned();
    Writer {
        who: identity(name),
        impersonating: None,
        credential: None,
        right: Some(Right {
            binding_kind: right("ClusterRoleBinding"),
            binding: right("leftover"),
            role_kind: right("ClusterRole"),
            role: right("debug"),
            subject_kind: right("User"),
            subject: right(name),
        }),
        user_agent: None,
        audit_id: format!("audit-{name}"),
        resulting_version: None,
    }
}

fn app(env: &str) -> AppRef {
    AppRef {
        uid: format!("uid-{env}"),
        namespace: "argocd".to_owned(),
        name: format!("shop-{env}"),
        project: Some("shop".to_owned()),
        destination_namespace: Some(format!("shop-{env}")),
        environment: Some(env.to_owned()),
        criticality: None,
        path: Some("envs/shop".to_owned()),
    }
}

impl Scene {
    /// The story of the scene: one change.
    pub(crate) fn story(&self) -> Story {
        Story {
            commits: Vec::new(),
            effects: Vec::new(),
            story: VERSION,
            operations: self.operations(),
            unmatched_starts: Vec::new(),
            state_changes: Vec::new(),
            writes: Vec::new(),
            refused: Vec::new(),
            acts: self.acts(),
            changes: vec![self.change()],
            population: Vec::new(),
            coverage: self.coverage(),
            people: BTreeSet::new(),
        }
    }

    fn coverage(&self) -> Vec<Coverage> {
        let of = |channel: Channel, gap: bool| Coverage {
            left_out: 0,
            channel: channel.id(),
            records: 9,
            bookmarks: 0,
            first: Some(at(0)),
            last: Some(at(59)),
            gaps: if gap { vec![gap_of(channel)] } else { Vec::new() },
            not_understood: 0,
            not_understood_first: Vec::new(),
            interpreted: true,
        };
        let mut all = vec![
            of(Channel::GithubWebhook, self.forge_gap),
            of(Channel::JiraWebhook, self.tracker_gap),
            of(Channel::KubernetesObjectWatch, self.watch_gap),
            of(Channel::ArgocdApplicationWatch, self.watch_gap),
        ];
        if !self.no_alerts_channel {
            let later = Moment::parse("2026-02-03T10:20:00Z").unwrap();
            all.push(Coverage {
                first: Some(at(if self.alerts_begin_late { 50 } else { 0 })),
                last: Some(if self.alerts_end_early { at(59) } else { later }),
                ..of(Channel::AlertmanagerWebhook, false)
            });
        }
        all
    }

    fn change(&self) -> Change {
        let own = cites(Channel::GithubWebhook, "opened");
        Change {
            elsewhere: Vec::new(),
            id: if self.push { format!("push:{MERGED_HEAD}") } else { "pr:shop/deploy#1".into() },
            repository: (!self.push).then(|| "shop/deploy".to_owned()),
            number: (!self.push).then_some(1),
            title: self.author.as_ref().map(|_| "Shop 2".to_owned()),
            author: self.author.as_deref().map(identity),
            at: Some(at(1)),
            heads: vec![Head {
                commit: MERGED_HEAD.to_owned(),
                at: Some(at(1)),
                who: Some(identity(&self.pusher)),
                cites: own.clone(),
            }],
            commits: vec![self.commit()],
            commits_whole: self.commits_whole,
            reviews: self.approvals.iter().map(review).collect(),
            tickets: self.tickets.iter().map(ticket).collect(),
            merge: self.merged_at.filter(|_| !self.push).map(|second| Merge {
                who: self.merger.as_deref().map(identity),
                commit: Some(MERGE_COMMIT.to_owned()),
                head: Some(MERGED_HEAD.to_owned()),
                at: Some(at(second)),
                cites: cites(Channel::GithubWebhook, "merged"),
            }),
            operations: self.deployed_by(),
            pins: Vec::new(),
            rollouts: self.own_rollouts(),
            alerts: self.alerts(),
            edges: Vec::new(),
            cites: own,
        }
    }

    fn commit(&self) -> CommitBy {
        CommitBy {
            commit: MERGED_HEAD.to_owned(),
            author: Some(identity(&self.commit_author)),
            committer: Some(identity(&self.commit_author)),
            co_authors: self.co_authors.iter().map(|name| identity(name)).collect(),
            files: Some(BTreeSet::from(["envs/shop/app.yaml".to_owned()])),
            cites: cites(Channel::GitCommit, "commit"),
        }
    }

    fn deployed_by(&self) -> Vec<Deployed> {
        let heads = || BTreeSet::from([EARLIER_HEAD.to_owned()]);
        let content = match self.content.as_str() {
            "approved" => Content::Merged { head: MERGED_HEAD.to_owned() },
            "unapproved" => Content::NotApproved { approved: heads() },
            "differs" => Content::Approved {
                head: MERGED_HEAD.to_owned(),
                differs_in: vec!["envs/shop/app.yaml".to_owned()],
                in_deployed_path: true,
            },
            _ => Content::Undetermined { reason: "the commits are not known".to_owned() },
        };
        let one = Deployed {
            app: app("prod"),
            version: ResourceVersion(10),
            revision: Some(MERGE_COMMIT.to_owned()),
            at: Some(at(self.synced_at)),
            content,
            applied: self.applied,
            again: false,
            cites: cites(Channel::ArgocdApplicationWatch, "10"),
        };
        Some(one).filter(|_| self.deployed).into_iter().collect()
    }

    fn operations(&self) -> Vec<Operation> {
        let kind = if self.local_manifests { Kind::LocalManifests } else { Kind::Full };
        let one = Operation {
            app: app("prod"),
            set: SetAt::Exactly(ResourceVersion(10)),
            end: End::Cleared(ResourceVersion(11)),
            kind,
            kind_note: None,
            automated: self.synced_by == "automated",
            phase: Some("Succeeded".to_owned()),
            message: None,
            requested_revision: None,
            revision: Some(MERGE_COMMIT.to_owned()),
            revisions: Vec::new(),
            limited_to: Vec::new(),
            applied: if self.applied { Applied::Resources(Vec::new()) } else { Applied::Nothing },
            info: Vec::new(),
            history_id: None,
            set_at: Some(at(self.synced_at)),
            started_at: None,
            finished_at: None,
            claimed_by: None,
            initiator: self.initiator(),
            claims: Vec::new(),
            not_found: Vec::new(),
            cannot_tell: Vec::new(),
            cites: cites(Channel::ArgocdApplicationWatch, "10"),
        };
        // Each other environment was deployed to by Argo CD itself, before.
        let others = self.rollouts.iter().filter(|r| r.env != "prod").map(|r| Operation {
            app: app(&r.env),
            automated: true,
            set_at: Some(at(0)),
            initiator: Initiator::Automated { voice: Voice::Authenticated },
            ..one.clone()
        });
        let others: Vec<Operation> = others.collect();
        Some(one).filter(|_| self.deployed).into_iter().chain(others).collect()
    }

    fn initiator(&self) -> Initiator {
        let (voice, note) = (Voice::Authenticated, None);
        match self.synced_by.as_str() {
            "automated" => Initiator::Automated { voice },
            "undetermined" => Initiator::Undetermined { reason: "no audit record".to_owned() },
            "contradicted" => Initiator::Contradicted {
                claimed: Some(identity("dan")),
                writer: Box::new(writer("fay")),
            },
            bot if bot.starts_with("bot:") => {
                Initiator::Machine { who: identity(bot), voice, note }
            }
            name => Initiator::Determined { who: identity(name), voice, note },
        }
    }

    fn own_rollouts(&self) -> Vec<Step> {
        let own = self.rollouts.iter().filter(|r| r.env == "prod");
        own.map(|r| Step { act: rolled(r), again: false }).collect()
    }

    fn alerts(&self) -> Vec<Step> {
        let what = What::Alert { name: "Errors".to_owned(), severity: None, resolved: false };
        let alert = act(what, 9, None, "alert");
        Some(Step { act: alert, again: false }).filter(|_| self.alert).into_iter().collect()
    }

    fn acts(&self) -> Vec<Act> {
        let mut acts: Vec<Act> = self.rollouts.iter().map(rolled).collect();
        if self.push {
            let (branch, commit) = ("trunk".to_owned(), MERGED_HEAD.to_owned());
            let mut push = act(What::DirectPush { branch, commit }, 1, Some("ann"), "push");
            push.notes.extend(self.doubt.clone());
            acts.push(push);
        }
        if self.restarts {
            let (pod, reason) = ("shop-prod-pod".to_owned(), None);
            acts.push(act(What::ContainerRestarts { pod, reason, count: 2 }, 9, None, "pod"));
        }
        acts.extend(self.acts.iter().map(done));
        acts
    }
}

fn gap_of(channel: Channel) -> Gap {
    let cite = Cite { channel, id: RecordId::new("gap").unwrap() };
    Gap { cite, reason: "410 Gone".to_owned() }
}

fn review(approval: &Approval) -> Review {
    let commit = if approval.earlier_head { EARLIER_HEAD } else { MERGED_HEAD };
    Review {
        who: approval.by.as_deref().map(identity),
        state: "approved".to_owned(),
        commit: Some(commit.to_owned()),
        on_merged_head: Some(!approval.earlier_head),
        at: Some(at(approval.at)),
        cites: cites(Channel::GithubWebhook, "review"),
    }
}

fn ticket(approved: &Approved) -> Ticket {
    let step = |status: &String| TicketStep {
        before: None,
        status: status.clone(),
        who: Some(identity(&approved.by)),
        at: Some(at(approved.at)),
        cites: cites(Channel::JiraWebhook, "ticket"),
    };
    let history = approved.status.iter().map(step).collect();
    Ticket { key: "CHG-1".to_owned(), cited_in: BTreeSet::from(["proposal".to_owned()]), history }
}

fn act(what: What, second: u32, by: Option<&str>, id: &str) -> Act {
    Act {
        what,
        app: Some("shop-prod".to_owned()),
        namespace: Some("shop-prod".to_owned()),
        at: Some(at(second)),
        who: by.map(identity),
        voice: Voice::Authenticated,
        writer: by.map(writer),
        notes: Vec::new(),
        cites: cites(Channel::KubernetesAudit, id),
    }
}

fn rolled(rolled: &Rolled) -> Act {
    let what = What::Rollout(Rollout {
        name: "shop".to_owned(),
        deployment_revision: 1,
        replica_set: None,
        images: vec![rolled.image.clone()],
        cause: Cause::Argocd { app: None, operation: None },
        pods: vec![format!("shop-{}-pod", rolled.env)],
    });
    let id = format!("{}-{}", rolled.env, rolled.at);
    Act { app: Some(format!("shop-{}", rolled.env)), ..act(what, rolled.at, None, &id) }
}

fn done(done: &Done) -> Act {
    let of = vec![done.of.clone()];
    let name = "shop".to_owned();
    let what = match done.what.as_str() {
        "grant" => What::ArgocdRbacEdit { name, granted: of, removed: Vec::new() },
        "take" => What::ArgocdRbacEdit { name, granted: Vec::new(), removed: of },
        "lift" => What::SyncWindowEdit { project: name, added: Vec::new(), removed: of },
        "freeze" => What::SyncWindowEdit { project: name, added: of, removed: Vec::new() },
        "bind" | "unbind" => What::KubernetesRbacEdit {
            verb: if done.what == "bind" { "create" } else { "delete" }.to_owned(),
            object_kind: "RoleBinding".to_owned(),
            name: done.of.clone(),
            role: None,
            subjects: Vec::new(),
        },
        "token" => What::ProjectTokenCreated { project: name, role: done.of.clone() },
        "edit" => What::WorkloadEdit {
            object_kind: "Deployment".to_owned(),
            name,
            verb: "patch".to_owned(),
            changed: Vec::new(),
            images: Vec::new(),
            restart: false,
        },
        other => panic!("no act {other}"),
    };
    act(what, done.at, Some(&done.by), &format!("{}-{}", done.what, done.at))
}

#[test]
fn the_change_by_the_book_is_met_wherever_the_records_can_say() {
    use evidence::control::{Inputs, Settings, Verdict, of_change};
    let (story, settings) = (Scene::default().story(), Settings::default());
    let mut counts: BTreeMap<Verdict, Vec<&str>> = BTreeMap::new();
    for (control, answer) in of_change(Inputs::new(&story, &settings), &story.changes[0]) {
        counts.entry(answer.verdict).or_default().push(control.id);
    }
    assert_eq!(counts.get(&Verdict::NotMet), None);
    assert_eq!(counts[&Verdict::Met].len(), 15, "{counts:?}");
}
