//! Sync windows: may a sync run at an instant, why, and when does the answer change.
//!
//! Argo CD's clock is odd in three ways, and this one is odd with it. A window is open strictly
//! between its ends. Its zone counts with the offset that holds at the instant of the check, so on the
//! day of a change of clocks it differs from a calendar. And a schedule that never comes due in five
//! years makes its window open for good. Read in argoproj/argo-cd at `37ee009`,
//! `pkg/apis/application/v1alpha1/types.go` (`Matches`, `CanSync`, `active`, `canSyncAtTime`).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::cron::{Cron, CronFault, duration};
use super::glob::Glob;
use crate::origin::Origin;

/// How many ends of windows are looked at for the next change.
const CHANGES_MAX: usize = 500;

/// Finds a time zone by its IANA name. Zones are data of the system, so the caller brings them.
pub type Zones<'a> = &'a dyn Fn(&str) -> Option<TimeZone>;

/// What a window does while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Syncs may run in it, and, if it is assigned, only in such ones.
    Allow,
    /// Syncs may not run in it.
    Deny,
    /// Neither word: it counts for nothing.
    Other,
}

/// A sync window of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Where it was read.
    pub origin: Origin,
    /// What it does.
    pub kind: Kind,
    /// Its schedule, five fields.
    pub schedule: String,
    /// How long it is open, as Go writes durations.
    pub duration: String,
    /// Globs for names of Applications.
    pub applications: Vec<String>,
    /// Globs for namespaces of destinations.
    pub namespaces: Vec<String>,
    /// Globs for names or addresses of clusters.
    pub clusters: Vec<String>,
    /// Whether a person may sync regardless.
    pub manual_sync: bool,
    /// Its IANA time zone; empty or unknown is UTC.
    pub time_zone: String,
    /// Whether all lists that are set must match, and not any.
    pub and_operator: bool,
    /// Whether a sync that began when it might may go on.
    pub overrun: bool,
    /// What it says of itself.
    pub description: String,
}

/// The Application that wants to sync, as far as windows look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct App<'a> {
    /// Its name.
    pub name: &'a str,
    /// The address of its cluster, if it names one.
    pub server: &'a str,
    /// The name of its cluster, if it names one.
    pub cluster: &'a str,
    /// The namespace it deploys to.
    pub namespace: &'a str,
}

/// Whether a sync may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether Argo CD lets it; none is undetermined.
    pub may: Option<bool>,
    /// Why.
    pub why: Why,
    /// The instant after which the answer differs, if it does within what was looked at.
    pub changes_after: Option<Timestamp>,
}

/// The rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Why {
    /// No window is meant for the Application.
    NoWindow,
    /// These windows deny and are open.
    Denied(Vec<Origin>),
    /// These windows deny and are open, and all of them let a person sync.
    ManualInDeny(Vec<Origin>),
    /// These windows deny and are open, but the sync began before and may go on.
    OverrunIntoDeny(Vec<Origin>),
    /// These windows allow and are open.
    Allowed(Vec<Origin>),
    /// These windows allow and are closed, and none is open.
    OutsideAllow(Vec<Origin>),
    /// All closed windows let a person sync.
    ManualOutsideAllow(Vec<Origin>),
    /// The sync began in an open window and may go on.
    OverrunOutOfAllow(Vec<Origin>),
    /// Windows are meant for it, but only such as deny, and none is open.
    NoDenyOpen,
    /// A window cannot be read. Argo CD refuses the sync (`controller/sync.go`,
    /// `syncWindowPreventsSync`).
    Unreadable(Origin, String),
    /// Argo CD reads a window, and it is not weighed here: whether the sync may run is not known.
    Undetermined(Origin, String),
}

struct Ready<'a> {
    window: &'a Window,
    cron: Cron,
    length: SignedDuration,
    zone: TimeZone,
}

impl Window {
    /// Reads one item of `spec.syncWindows`.
    pub fn read(value: &Value, origin: &Origin) -> Self {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let flag = |key: &str| value[key] == Value::Bool(true);
        let list = |key: &str| {
            let items = value[key].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let kind = match value["kind"].as_str() {
            Some("allow") => Kind::Allow,
            Some("deny") => Kind::Deny,
            _ => Kind::Other,
        };
        Self {
            origin: origin.clone(),
            kind,
            schedule: text("schedule"),
            duration: text("duration"),
            applications: list("applications"),
            namespaces: list("namespaces"),
            clusters: list("clusters"),
            manual_sync: flag("manualSync"),
            time_zone: text("timeZone"),
            and_operator: flag("andOperator"),
            overrun: flag("syncOverrun"),
            description: text("description"),
        }
    }

    /// Whether the window is meant for an Application. One without any list is for none.
    pub fn is_for(&self, app: &App<'_>) -> bool {
        let any = |globs: &[String], texts: &[&str]| {
            globs.iter().any(|glob| texts.iter().any(|text| fits(glob, text)))
        };
        let cluster: Vec<&str> =
            [app.cluster, app.server].into_iter().filter(|text| !text.is_empty()).collect();
        let lists = [
            (&self.applications, any(&self.applications, &[app.name])),
            (&self.clusters, any(&self.clusters, &cluster)),
            (&self.namespaces, any(&self.namespaces, &[app.namespace])),
        ];
        let mut set = lists.iter().filter(|(globs, _)| !globs.is_empty()).peekable();
        if self.and_operator {
            set.peek().is_some() && set.all(|(_, matched)| *matched)
        } else {
            set.any(|(_, matched)| *matched)
        }
    }

    /// Whether it is open at an instant, to a controller whose clock shows that instant.
    pub fn is_open(&self, at: Timestamp, zones: Zones<'_>) -> Result<bool, CronFault> {
        Ok(self.ready(zones)?.is_open(at, at))
    }

    fn ready(&self, zones: Zones<'_>) -> Result<Ready<'_>, CronFault> {
        let zone = match self.time_zone.as_str() {
            "" | "UTC" => None,
            name => zones(name),
        };
        // A duration that cannot be read refuses whatever the schedule says.
        let length = duration(&self.duration)?;
        let cron = Cron::parse(&self.schedule)?;
        Ok(Ready { window: self, cron, length, zone: zone.unwrap_or(TimeZone::UTC) })
    }
}

impl Ready<'_> {
    /// Open at `at`, with the offset that the zone has at `clock`.
    fn is_open(&self, at: Timestamp, clock: Timestamp) -> bool {
        let Some(now) = self.wall(at, clock) else { return false };
        let Ok(start) = now.checked_sub(self.length) else { return false };
        self.cron.next_after(start).is_none_or(|next| next < now)
    }

    fn wall(&self, at: Timestamp, clock: Timestamp) -> Option<jiff::civil::DateTime> {
        let offset = self.zone.to_offset(clock);
        TimeZone::UTC
            .to_datetime(at)
            .checked_add(SignedDuration::from_secs(offset.seconds().into()))
            .ok()
    }

    /// The next instant at which this window may open or close, or its offset changes.
    fn next_edge(&self, at: Timestamp) -> Option<Timestamp> {
        let now = self.wall(at, at)?;
        let offset = SignedDuration::from_secs(self.zone.to_offset(at).seconds().into());
        let instant = |wall: jiff::civil::DateTime| {
            let wall = wall.checked_sub(offset).ok()?;
            TimeZone::UTC.to_timestamp(wall).ok()
        };
        let opens = self.cron.next_after(now).and_then(instant);
        let closes = now
            .checked_sub(self.length)
            .ok()
            .and_then(|start| self.cron.next_after(start))
            .and_then(|start| start.checked_add(self.length).ok())
            .and_then(instant);
        let shifts = self.zone.following(at).next().map(|change| change.timestamp());
        [opens, closes, shifts].into_iter().flatten().filter(|edge| *edge > at).min()
    }
}

/// Decides whether a sync may run at `at`.
///
/// `manual` is whether a person asked for it, `started` when it began if it is under way. Pass the
/// windows of the project and of the global projects that it inherits from. `at` is also what the
/// controller's clock shows: for a question about the past this is what Argo CD said then.
pub fn may_sync(
    windows: &[Window],
    app: &App<'_>,
    at: Timestamp,
    manual: bool,
    started: Option<Timestamp>,
    zones: Zones<'_>,
) -> Verdict {
    let (mut ready, mut unsure) = (Vec::new(), None);
    for window in windows.iter().filter(|window| window.is_for(app)) {
        let place = || window.origin.clone();
        match window.ready(zones) {
            Ok(one) => ready.push(one),
            Err(fault @ CronFault::Zone) => {
                unsure.get_or_insert_with(|| Why::Undetermined(place(), fault.to_string()));
            }
            Err(fault) => {
                let why = Why::Unreadable(place(), fault.to_string());
                return Verdict { may: Some(false), why, changes_after: None };
            }
        }
    }
    if let Some(why) = unsure {
        return Verdict { may: None, why, changes_after: None };
    }
    let (may, why) = decide(&ready, at, manual, started);
    let changes_after = next_change(&ready, at, manual, started, may);
    Verdict { may: Some(may), why, changes_after }
}

fn next_change(
    ready: &[Ready<'_>],
    at: Timestamp,
    manual: bool,
    started: Option<Timestamp>,
    may: bool,
) -> Option<Timestamp> {
    // An end that is right now counts: a window opens right after its start.
    let mut edge = at.checked_sub(SignedDuration::from_nanos(1)).ok()?;
    for _ in 0..CHANGES_MAX {
        edge = ready.iter().filter_map(|window| window.next_edge(edge)).min()?;
        let after = edge.checked_add(SignedDuration::from_nanos(1)).ok()?;
        if decide(ready, after, manual, started).0 != may {
            return Some(edge);
        }
    }
    None
}

fn decide(
    ready: &[Ready<'_>],
    at: Timestamp,
    manual: bool,
    started: Option<Timestamp>,
) -> (bool, Why) {
    if ready.is_empty() {
        return (true, Why::NoWindow);
    }
    // A sync under way is judged at its start too, with the offset that holds now.
    let began_rightly = || started.is_some_and(|start| allowed_at(ready, start, at, manual));
    let open: Vec<&Ready<'_>> = ready.iter().filter(|one| one.is_open(at, at)).collect();
    let denies = of_kind(&open, Kind::Deny);
    if !denies.is_empty() {
        return match () {
            () if manual && all(&denies, |window| window.manual_sync) => {
                (true, Why::ManualInDeny(origins(&denies)))
            }
            () if all(&denies, |window| window.overrun) && began_rightly() => {
                (true, Why::OverrunIntoDeny(origins(&denies)))
            }
            () => (false, Why::Denied(origins(&denies))),
        };
    }
    let allows = of_kind(&open, Kind::Allow);
    if !allows.is_empty() {
        return (true, Why::Allowed(origins(&allows)));
    }
    let closed: Vec<&Ready<'_>> = ready.iter().collect();
    let closed = of_kind(&closed, Kind::Allow);
    match () {
        () if closed.is_empty() => (true, Why::NoDenyOpen),
        () if manual && all(&closed, |window| window.manual_sync) => {
            (true, Why::ManualOutsideAllow(origins(&closed)))
        }
        () if all(&closed, |window| window.overrun) && began_rightly() => {
            (true, Why::OverrunOutOfAllow(origins(&closed)))
        }
        () => (false, Why::OutsideAllow(origins(&closed))),
    }
}

/// The same rules at an earlier instant, without what a sync under way may do.
fn allowed_at(ready: &[Ready<'_>], at: Timestamp, clock: Timestamp, manual: bool) -> bool {
    let open: Vec<&Ready<'_>> = ready.iter().filter(|one| one.is_open(at, clock)).collect();
    let denies = of_kind(&open, Kind::Deny);
    if !denies.is_empty() {
        return manual && all(&denies, |window| window.manual_sync);
    }
    let every: Vec<&Ready<'_>> = ready.iter().collect();
    let assigned = of_kind(&every, Kind::Allow);
    !of_kind(&open, Kind::Allow).is_empty()
        || assigned.is_empty()
        || (manual && all(&assigned, |window| window.manual_sync))
}

fn of_kind<'a>(windows: &[&'a Ready<'a>], kind: Kind) -> Vec<&'a Window> {
    windows.iter().map(|one| one.window).filter(|window| window.kind == kind).collect()
}

fn all(windows: &[&Window], is: impl Fn(&Window) -> bool) -> bool {
    windows.iter().all(|window| is(window))
}

fn origins(windows: &[&Window]) -> Vec<Origin> {
    windows.iter().map(|window| window.origin.clone()).collect()
}

fn fits(glob: &str, text: &str) -> bool {
    glob == "*" || Glob::new(glob).is_ok_and(|glob| glob.matches(text))
}
