//! `timeline`: what happened in a window of time.
//!
//! The answer comes first, then the record, then what is weak, then what is missing: the rows in
//! order, the claims about every operation whose initiator is contradicted or undetermined, what
//! the sources cannot see, and how far each source reaches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

pub use self::row::{Row, What};
use crate::channel::Channel;
use crate::parse::ResourceVersion;
use crate::story::Story;
use crate::story::act::{self, Act, Cause};
use crate::story::claim::{Absence, Claim};
use crate::story::coverage::{self, Coverage};
use crate::story::effect::Effect;
use crate::story::initiator::Initiator;
use crate::story::operation::{AppRef, Operation};
use crate::story::write::Write;
use crate::time::Moment;

mod expected;
mod row;

/// The version of a timeline's JSON. A reader must refuse a version it does not know.
pub const VERSION: u32 = 1;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Query {
    /// The beginning of the window.
    #[serde(serialize_with = "stamp")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub from: Timestamp,
    /// The end of the window, itself no longer within it.
    #[serde(serialize_with = "stamp")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub to: Timestamp,
    /// Only this Application: its name, or `namespace/name` where names repeat.
    pub app: Option<String>,
    /// Only what concerns this namespace, as the place that Applications deploy to.
    pub namespace: Option<String>,
    /// Only what concerns Applications of this environment.
    pub environment: Option<String>,
}

/// What happened in the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timeline {
    /// The version of this shape: [`VERSION`].
    pub timeline: u32,
    /// What was asked.
    pub query: Query,
    /// The Applications that the rows are about.
    pub apps: Vec<AppRef>,
    /// What happened, in order as far as the records say.
    pub rows: Vec<Row>,
    /// What the operations in the rows wrote, and what was measured around them.
    pub effects: Vec<Effect>,
    /// "Who started it?", for every operation whose initiator is contradicted or undetermined.
    pub questions: Vec<Question>,
    /// What no record among the sources would show.
    pub cannot_see: Vec<String>,
    /// How far each source reaches.
    pub sources: Vec<Source>,
}

/// Who started one operation, with all claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Question {
    /// The Application.
    pub app: AppRef,
    /// The version at which the operation appeared.
    pub version: ResourceVersion,
    /// When it began, as far as the records say.
    pub at: Option<Moment>,
    /// The result.
    pub result: Initiator,
    /// All claims, strongest first.
    pub claims: Vec<Claim>,
    /// What was looked for and not found.
    pub not_found: Vec<Absence>,
    /// What is missing and says nothing, with the reason.
    pub cannot_tell: Vec<Absence>,
    /// The rollouts that it brought about.
    pub rollouts: Vec<Act>,
    /// Whether a rollout would be in the records, or why that is not known.
    pub rollouts_unknown: Option<String>,
    /// What one expects before such an operation and what is not in the records.
    pub expected_absent: Vec<Absence>,
    /// What one expects and of which it is not known, with the reason.
    pub expected_unknown: Vec<Absence>,
}

/// One source and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// What was seen of the channel.
    pub coverage: Coverage,
    /// Why the channel may miss something of the window; `None` when it covers all of it.
    pub incomplete: Option<String>,
}

/// Answers what happened in a window.
pub fn timeline(story: &Story, query: &Query) -> Timeline {
    let scope = Scope::new(story, query);
    let rows = row::rows(story, &scope);
    let operations = rows.iter().filter_map(Row::operation);
    let open = operations
        .clone()
        .filter(|o| o.initiator.is_contradicted() || o.initiator.is_undetermined());
    let told: BTreeSet<(&str, ResourceVersion)> =
        operations.clone().map(|o| (o.app.uid.as_str(), o.set.version())).collect();
    let of_rows = |e: &&Effect| told.contains(&(e.uid.as_str(), e.version));
    let effects = story.effects.iter().filter(of_rows).cloned().collect();
    let questions = open.map(|o| Question::about(story, o)).collect();
    let apps: BTreeMap<&str, &AppRef> =
        rows.iter().filter_map(|row| row.app()).map(|app| (app.uid.as_str(), app)).collect();
    let mut apps: Vec<AppRef> = apps.into_values().cloned().collect();
    apps.sort_by(|a, b| (&a.name, &a.namespace, &a.uid).cmp(&(&b.name, &b.namespace, &b.uid)));
    Timeline {
        timeline: VERSION,
        query: query.clone(),
        apps,
        rows,
        effects,
        questions,
        cannot_see: cannot_see(story),
        sources: story.coverage.iter().map(|c| Source::of(c, query)).collect(),
    }
}

impl Timeline {
    /// The answer as JSON: the same bytes for the same answer.
    ///
    /// # Panics
    ///
    /// Never: JSON fails on keys that are no texts and on a full disk, and here is neither.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a timeline has text keys only and is written to memory")
    }

    /// Takes into account lines that were refused at intake: a channel that lost lines is not
    /// complete, so what was looked for in it and not found may have stood there.
    pub fn weaken(&mut self, refused: &BTreeMap<Channel, u64>) {
        let reason = |channel: &str| {
            let (_, lines) = refused.iter().find(|(c, _)| c.id() == channel)?;
            Some(format!("{lines} refused at intake of its sources"))
        };
        for source in &mut self.sources {
            if let Some(reason) =
                reason(source.coverage.channel).filter(|_| source.coverage.interpreted)
            {
                let others = source.incomplete.take().map(|other| format!("{other}; "));
                source.incomplete = Some(others.unwrap_or_default() + &reason);
            }
        }
        let weigh = |not_found: &mut Vec<Absence>, cannot_tell: &mut Vec<Absence>| {
            for absence in std::mem::take(not_found) {
                match reason(absence.channel) {
                    None => not_found.push(absence),
                    reason => cannot_tell.push(Absence { reason, ..absence }),
                }
            }
        };
        for question in &mut self.questions {
            weigh(&mut question.not_found, &mut question.cannot_tell);
            weigh(&mut question.expected_absent, &mut question.expected_unknown);
        }
        for operation in self.rows.iter_mut().filter_map(Row::operation_mut) {
            weigh(&mut operation.not_found, &mut operation.cannot_tell);
        }
    }

    /// The operations in the window whose initiator is contradicted.
    pub fn contradicted(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(|q| q.result.is_contradicted())
    }
}

impl Question {
    fn about(story: &Story, operation: &Operation) -> Self {
        let version = operation.set.version();
        let (expected_absent, expected_unknown) = expected::absent(story, operation);
        let of_operation = |act: &&Act| {
            let act::What::Rollout(rollout) = &act.what else { return false };
            let cause = |app: &str, at: u64| app == operation.app.name && at == version.0;
            matches!(&rollout.cause, Cause::Argocd { app: Some(app), operation: Some(at) } if cause(app, *at))
        };
        let covered = coverage::of(&story.coverage, Channel::KubernetesObjectWatch).map_or_else(
            || Err("no record of the cluster's objects".to_owned()),
            |c| c.at(operation.moment().as_ref()),
        );
        Self {
            rollouts: story.acts.iter().filter(of_operation).cloned().collect(),
            rollouts_unknown: covered.err(),
            expected_absent,
            expected_unknown,
            app: operation.app.clone(),
            version: operation.set.version(),
            at: operation.from(),
            result: operation.initiator.clone(),
            claims: operation.claims.clone(),
            not_found: operation.not_found.clone(),
            cannot_tell: operation.cannot_tell.clone(),
        }
    }
}

impl Source {
    fn of(coverage: &Coverage, query: &Query) -> Self {
        let window = Moment::window(query.from, query.to);
        let incomplete = coverage.at(Some(&window)).err();
        let incomplete = incomplete.filter(|_| coverage.interpreted);
        Self { coverage: coverage.clone(), incomplete }
    }
}

/// What the query lets through.
pub(crate) struct Scope<'a> {
    query: &'a Query,
    /// The Applications that the query names, or all.
    apps: BTreeMap<&'a str, &'a AppRef>,
    /// The commits that they deployed, and those of the proposals that brought them.
    deployed: BTreeSet<&'a str>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(story: &'a Story, query: &'a Query) -> Self {
        let of_operations = story.operations.iter().map(|o| &o.app);
        let of_states = story.state_changes.iter().map(|s| &s.app);
        let all = of_operations.chain(of_states).filter(|app| admits(query, app));
        let apps: BTreeMap<&str, &AppRef> = all.map(|app| (app.uid.as_str(), app)).collect();
        let operations = story.operations.iter().filter(|o| apps.contains_key(o.app.uid.as_str()));
        let deployed = operations.filter_map(|o| o.revision.as_deref()).collect();
        Self { query, apps, deployed }
    }

    /// Whether a moment lies in the window; what has no time is never left out.
    pub(crate) fn has_time(&self, at: Option<&Moment>) -> bool {
        at.is_none_or(|at| at.overlaps(self.query.from, self.query.to))
    }

    pub(crate) fn has_app(&self, app: &AppRef) -> bool {
        admits(self.query, app)
    }

    /// A start without a seen version names its Application only.
    pub(crate) fn has_name(&self, namespace: &str, name: &str) -> bool {
        let named = self.query.app.as_deref();
        self.query.namespace.is_none()
            && self.query.environment.is_none()
            && named.is_none_or(|n| is_named(n, namespace, name))
    }

    /// An act concerns an Application when it names it or happened where it deploys; what happened in
    /// the forge concerns it when its commits were deployed by it.
    pub(crate) fn has_act(&self, act: &Act) -> bool {
        let query = self.query;
        if query.is_of_all() {
            return true;
        }
        let names = |app: &AppRef| act.app.as_deref() == Some(app.name.as_str());
        let place = act.namespace.as_ref();
        let into = |app: &AppRef| place.is_some() && app.destination_namespace.as_ref() == place;
        let of_app = self.apps.values().any(|app| names(app) || (act.app.is_none() && into(app)));
        let here = query.namespace.is_some() && query.namespace.as_ref() == place;
        of_app
            || (query.app.is_none() && here)
            || act.what.commits().any(|c| self.deployed.contains(c))
    }

    /// A commit concerns an Application when it was deployed by it.
    pub(crate) fn has_commit(&self, id: &str) -> bool {
        let all = self.query.app.is_none() && self.query.namespace.is_none();
        all || self.deployed.contains(id)
    }

    /// A write concerns an Application when it is to the object or into its namespace.
    pub(crate) fn has_write(&self, write: &Write) -> bool {
        let object = &write.object;
        if self.query.is_of_all() {
            return true;
        }
        let is_asked = |app: &AppRef| app.name == object.name && app.namespace == object.namespace;
        if object.is_application() {
            let named = self.query.app.as_deref();
            return self.apps.values().any(|app| is_asked(app))
                || named.is_some_and(|n| is_named(n, &object.namespace, &object.name));
        }
        let into = |app: &&AppRef| app.destination_namespace.as_ref() == Some(&object.namespace);
        self.query.namespace.as_ref() == Some(&object.namespace) || self.apps.values().any(into)
    }
}

impl Query {
    /// Whether nothing but time is asked for.
    fn is_of_all(&self) -> bool {
        self.app.is_none() && self.namespace.is_none() && self.environment.is_none()
    }
}

fn admits(query: &Query, app: &AppRef) -> bool {
    let staged = query.environment.as_deref();
    let named = query.app.as_deref();
    let placed = query.namespace.as_deref();
    named.is_none_or(|n| is_named(n, &app.namespace, &app.name))
        && placed.is_none_or(|p| app.destination_namespace.as_deref() == Some(p))
        && staged.is_none_or(|e| app.environment.as_deref() == Some(e))
}

fn is_named(asked: &str, namespace: &str, name: &str) -> bool {
    asked == name || asked.split_once('/') == Some((namespace, name))
}

fn cannot_see(story: &Story) -> Vec<String> {
    let mut unseen = vec!["processes inside pods".to_owned()];
    let needed = [
        (Channel::ArgocdApplicationWatch, "operations and states of Applications"),
        (Channel::KubernetesEventWatch, "whom Argo CD's API server called the caller"),
        (Channel::KubernetesAudit, "which account wrote, and by which right"),
    ];
    for (channel, what) in needed {
        if coverage::of(&story.coverage, channel).is_none() {
            unseen.push(format!("{what} (no record of {channel})"));
        }
    }
    unseen
}

fn stamp<S: serde::Serializer>(stamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(stamp)
}
