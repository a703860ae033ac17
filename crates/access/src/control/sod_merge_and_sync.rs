//! Whether one person may both merge a change of production and sync it.

use std::collections::{BTreeMap, BTreeSet};

use evidence::control::framework::{
    ISO_5_3, NIST_AC_5, PCI_6_5_4, RTS_17_1_B, RTS_21_B, SOC2_CC6_3,
};
use evidence::control::model::{met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::sod_floating_version::is_range;
use super::{Asked, missing, outcome, several, snapshot};
use crate::argocd::{Line, Right};
use crate::forge::Snapshot;
use crate::place::Place;
use crate::reach::scope::{Follow, Target};

/// Two duties, two people.
pub const CONTROL: Control = Control {
    id: "sod-merge-and-sync",
    condition: "nobody may both merge and sync",
    statement: "Where a person starts the sync of an Application of production, nobody who may sync it may also merge or push what it deploys.",
    asks: "Could one person bring a change into the branch and deploy it, too?",
    fix: "Take one of the rights away: give syncs to a group whose members do not write to the repository, or the other way round.",
    example: "A developer with the right to merge is in the on-call group, which may sync production.",
    limits: "Rights are asked, not what was done with them; a merge may need somebody's approval besides. Not asked of Applications that sync by themselves, nor where the policy's rule says `disjointTeams: false` or leaves it out. Accounts of nobody, local accounts and tokens are sod-local-admin's and sod-project-token's.",
    inputs: &["forge snapshot", "argocd-rbac-cm", "AppProjects", "people map", "policy: rules"],
    relates: &[PCI_6_5_4, SOC2_CC6_3, ISO_5_3, NIST_AC_5, RTS_17_1_B, RTS_21_B],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let sources = &asked.joined.sources;
    let Some(forge) = sources.forge else { return missing(&CONTROL, "a snapshot of the forge") };
    if asked.joined.argo.is_none() {
        return missing(&CONTROL, "argocd-rbac-cm");
    }
    if sources.people.is_none() {
        return missing(&CONTROL, "a people map");
    }
    let Some(record) = asked.branch_of_record() else {
        return missing(&CONTROL, "the name of the branch of record");
    };
    let targets = manual(asked);
    if targets.is_empty() {
        return Vec::new();
    }
    let mut duties = Duties::default();
    for target in targets {
        for branch in branches(target, &record) {
            if !duties.mergers.contains_key(branch) {
                let mergers = Mergers::of(asked, forge, branch);
                duties.mergers.insert(branch.to_owned(), mergers);
            }
            duties.join(asked, branch, target);
        }
    }
    duties.outcomes()
}

/// The branches that decide what an Application deploys: those that it follows, and the one of record
/// where it is held at a commit or takes nothing else from this repository than its own manifest.
fn branches<'t>(target: &'t Target, record: &'t str) -> BTreeSet<&'t str> {
    let of = |follow: &'t Follow| match follow.revision.as_str() {
        "HEAD" => record,
        _ if follow.pinned.is_some() => record,
        own => own,
    };
    // A range means tags and no branch; sod-floating-version asks about it.
    let follows = target.follows.iter().filter(|follow| !is_range(&follow.revision));
    let own: BTreeSet<&str> = follows.map(of).collect();
    if own.is_empty() { BTreeSet::from([record]) } else { own }
}

/// The Applications that people sync and whose duties the policy wants apart, with what deploys them.
fn manual<'s>(asked: &'s Asked<'_>) -> Vec<&'s Target> {
    let asks =
        |target: &&Target| asked.rule_for(&target.name).is_none_or(|rule| rule.disjoint_teams);
    let own: BTreeSet<&str> =
        asked.applications().filter(asks).map(|target| target.name.as_str()).collect();
    let all = asked.scope.targets.iter();
    let above: BTreeSet<&str> = all
        .clone()
        .filter(|target| own.contains(target.name.as_str()))
        .flat_map(|target| target.parents.iter().map(String::as_str))
        .collect();
    let is_it = |target: &&Target| {
        let name = target.name.as_str();
        own.contains(name) || (target.is_root && above.contains(name))
    };
    all.filter(is_it).filter(|target| target.automated.is_none()).collect()
}

/// Who may merge or push to a branch.
struct Mergers<'a> {
    people: BTreeMap<&'a str, Place>,
    unmapped: BTreeSet<String>,
    open: Option<String>,
}

impl<'a> Mergers<'a> {
    fn of(asked: &Asked<'a>, forge: &Snapshot, branch: &str) -> Self {
        let branch = forge.branch(branch);
        let mut found = Self { people: BTreeMap::new(), unmapped: BTreeSet::new(), open: None };
        for who in [forge.who_can_merge(&branch), forge.who_can_push(&branch)] {
            for reach in who.accounts.iter().filter(|reach| !reach.machine) {
                let at = reach.ways.iter().flat_map(|way| &way.at).next();
                let place = snapshot(at.map_or("$", String::as_str));
                match asked.names().by_login(&reach.login) {
                    Some(id) => drop(found.people.entry(id).or_insert(place)),
                    None => drop(found.unmapped.insert(reach.login.clone())),
                }
            }
            found.open = found.open.or_else(|| who.unknown.first().map(ToString::to_string));
        }
        found
    }
}

#[derive(Default)]
struct Duties<'a, 't> {
    mergers: BTreeMap<String, Mergers<'a>>,
    /// Who holds both, of which Applications, and by what.
    both: BTreeMap<&'a str, Both<'t>>,
    /// Who holds one of them.
    one: BTreeSet<&'a str>,
    /// Who holds one of them, and may be anybody.
    unmapped: BTreeSet<String>,
    /// Why the lists may not be whole.
    open: Option<String>,
}

struct Both<'t> {
    applications: Vec<&'t str>,
    places: Vec<Place>,
}

impl<'a, 't> Duties<'a, 't> {
    fn join(&mut self, asked: &Asked<'a>, branch: &str, target: &'t Target) {
        let mergers = &self.mergers[branch];
        let mut syncs = asked.who_may(&Right::Sync, target);
        if syncs.anybody {
            for id in asked.names().signing_in() {
                syncs.people.entry(id).or_default();
            }
        }
        for (id, lines) in &syncs.people {
            let Some(place) = mergers.people.get(id) else { continue };
            let both = self.both.entry(*id).or_insert_with(|| {
                let at = |line: &Line| asked.joined.places.place(&line.origin);
                let places = [place.clone()].into_iter().chain(lines.iter().map(at)).collect();
                Both { applications: Vec::new(), places }
            });
            both.applications.push(&target.name);
        }
        self.one.extend(mergers.people.keys().chain(syncs.people.keys()));
        let somebody_syncs = !syncs.people.is_empty() || !syncs.unmapped.is_empty();
        let somebody_merges = !mergers.people.is_empty() || !mergers.unmapped.is_empty();
        if somebody_syncs {
            let accounts = mergers.unmapped.iter().map(|login| format!("forge account {login}"));
            self.unmapped.extend(accounts);
        }
        if somebody_merges {
            let names =
                syncs.unmapped.keys().map(|name| format!("Argo CD group or subject {name}"));
            self.unmapped.extend(names);
        }
        let open = mergers.open.clone().or(syncs.open);
        self.open = self.open.take().or(open);
    }

    fn outcomes(self) -> Vec<Outcome> {
        let mut all = Vec::new();
        for (id, both) in &self.both {
            let names = several(both.applications.iter().copied());
            let answer = not_met(format!("{id} may merge what {names} deploys, and sync it"));
            all.push(outcome(&CONTROL, id, answer, &both.places));
        }
        for id in self.one.iter().filter(|id| !self.both.contains_key(*id)) {
            let answer = match &self.open {
                Some(why) => open(format!("whether {id} may do the other as well: {why}")),
                None => met("may do one of the two alone"),
            };
            all.push(outcome(&CONTROL, id, answer, &[]));
        }
        for account in &self.unmapped {
            let why = "who that is stands in no people map";
            all.push(outcome(&CONTROL, account, open(why), &[]));
        }
        if all.is_empty() {
            let answer = match self.open {
                Some(why) => open(why),
                None => met("nobody of the map may do either"),
            };
            all.push(outcome(&CONTROL, "people", answer, &[]));
        }
        all
    }
}
