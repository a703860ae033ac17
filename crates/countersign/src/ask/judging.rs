//! What changes are judged by: a policy as settings of controls, and CODEOWNERS as it was.

use std::collections::{BTreeMap, BTreeSet};

use access::codeowners::{CodeOwners, Dialect, Owner, Ownership};
use access::forge::{Known, Snapshot};
use access::policy::{Independence, Policy, Rule};
use access::reach::{Hop, Joined, Sources, may_sync};
use evidence::control::{Act, Entitled, Entitlements, Independent, Owned, Owners, Settings};
use evidence::people::People;
use evidence::story::Story;
use evidence::story::claim::Identity;
use evidence::time::Moment;
use jiff::Timestamp;

use crate::index::past::Rules;
use crate::sources::git::Before;

/// The settings of controls that a policy asks for in an environment; in production, when none is
/// named. Where several of its rules are about it, the strictest counts.
pub fn settings(policy: &Policy, environment: Option<&str>) -> Settings {
    let judged: Vec<&str> = match environment {
        Some(name) => vec![name],
        None => policy.production().map(|e| e.name.value.as_str()).collect(),
    };
    let is_about = |rule: &&Rule| {
        rule.environments.is_empty()
            || rule.environments.iter().any(|e| judged.contains(&e.value.as_str()))
    };
    let rules: Vec<&Rule> = policy.rules.iter().filter(is_about).collect();
    let is_every = |rule: &&Rule| rule.independent == Independence::Every;
    // Rules that ask for nothing of the sort leave the default.
    let independent = if rules.is_empty() || rules.iter().any(is_every) {
        Independent::Every
    } else {
        Independent::AtLeastOne
    };
    let approved = policy.tickets.iter().flat_map(|t| &t.approved).map(|s| s.value.clone());
    let approved: BTreeSet<String> = approved.collect();
    let defaults = Settings::default();
    let teams = |of: fn(&Rule) -> &Vec<access::place::Located<String>>| {
        let disjoint = rules.iter().filter(|rule| rule.disjoint_teams);
        let names = disjoint.flat_map(|rule| of(rule)).map(|name| name.value.as_str());
        names.map(|name| (name.to_owned(), members(policy, name))).collect()
    };
    Settings {
        promotion: policy.environments.iter().map(|e| e.name.value.clone()).collect(),
        judged: judged.into_iter().map(str::to_owned).collect(),
        independent,
        ticket_approved: if approved.is_empty() { defaults.ticket_approved } else { approved },
        merge_teams: teams(|rule| &rule.merge_teams),
        sync_teams: teams(|rule| &rule.sync_teams),
        ..Settings::default()
    }
}

fn members(policy: &Policy, team: &str) -> BTreeSet<String> {
    let own = policy.teams.iter().filter(|t| t.name.value == team);
    own.flat_map(|t| &t.people).map(|person| person.value.clone()).collect()
}

/// The commits by which changes were merged: before each of them, CODEOWNERS asked.
pub fn merges(story: &Story) -> BTreeSet<&str> {
    let merges = story.changes.iter().filter_map(|change| change.merge.as_ref());
    merges.filter_map(|merge| merge.commit.as_deref()).collect()
}

/// CODEOWNERS as it was before each merge, with the members of its teams by a forge snapshot.
///
/// A change that was rebased onto its branch has several commits; the owners are those before the
/// last one.
pub struct OwnersThen<'a> {
    dialect: Dialect,
    files: BTreeMap<String, Result<Option<CodeOwners>, String>>,
    forge: Option<&'a Snapshot>,
    people: &'a People,
}

impl<'a> OwnersThen<'a> {
    /// Reads the files that were there before each merge.
    pub fn of(
        dialect: Dialect,
        before: BTreeMap<String, Before>,
        forge: Option<&'a Snapshot>,
        people: &'a People,
    ) -> Self {
        let parse = |files: BTreeMap<String, Vec<u8>>| {
            let path = dialect.locate(files.keys().map(String::as_str))?;
            Some(CodeOwners::parse(path, dialect, &files[path]))
        };
        let files = before.into_iter().map(|(commit, files)| (commit, files.map(parse)));
        Self { dialect, files: files.collect(), forge, people }
    }

    fn accounts(&self, owner: &Owner) -> Result<Vec<String>, String> {
        let not_known = |why: &str| Err(format!("the members of {owner} are not known: {why}"));
        if let Owner::User(login) | Owner::Email(login) = owner {
            return Ok(vec![login.clone()]);
        }
        let Some(forge) = self.forge else { return not_known("no forge snapshot was given") };
        let team = match owner {
            // GitLab's file does not tell an account from a group; the snapshot may.
            Owner::UserOrGroup(name) if has_account(forge, name) => return Ok(vec![name.clone()]),
            Owner::UserOrGroup(name) | Owner::Group(name) => forge.shared_group(name),
            Owner::Team { team, .. } => match forge.teams() {
                Known::Known { value, .. } => {
                    value.iter().find(|t| t.name.eq_ignore_ascii_case(team)).cloned()
                }
                Known::Unknown(why) => return not_known(&why.to_string()),
            },
            Owner::User(_) | Owner::Email(_) | Owner::Role(_) => {
                return not_known("roles are not resolved");
            }
        };
        match team.map(|team| team.members) {
            Some(Known::Known { value, .. }) => {
                Ok(value.into_iter().map(|(login, _)| login).collect())
            }
            Some(Known::Unknown(why)) => not_known(&why.to_string()),
            None => not_known("the snapshot has no such team with a right in the repository"),
        }
    }
}

fn has_account(forge: &Snapshot, login: &str) -> bool {
    let accounts = forge.accounts().value();
    accounts.is_some_and(|all| all.iter().any(|a| a.login.eq_ignore_ascii_case(login)))
}

impl Owners for OwnersThen<'_> {
    fn owners_of(&self, path: &str, commit: &str) -> Owned {
        let owners = match self.files.get(commit) {
            None => return Owned::Unknown(format!("commit {commit} was not read")),
            Some(Err(why)) => return Owned::Unknown(why.clone()),
            Some(Ok(None)) => return Owned::Nobody,
            Some(Ok(Some(owners))) => owners,
        };
        let by = match owners.owners_of(path) {
            Ownership::Owned { by, .. } => by,
            Ownership::Unowned { .. } | Ownership::Unmatched => return Owned::Nobody,
        };
        let [part] = by.as_slice() else {
            let n = by.len();
            return Owned::Unknown(format!("{n} rules own {path}, and each asks for itself"));
        };
        let mut all = BTreeSet::new();
        for at in &part.rule.owners {
            match self.accounts(&at.owner) {
                Ok(accounts) => {
                    all.extend(accounts.iter().map(|login| Identity::of(login, self.people)));
                }
                Err(why) => return Owned::Unknown(why),
            }
        }
        // Whom the forge could not understand is no owner to it.
        if all.is_empty() { Owned::Nobody } else { Owned::By(all) }
    }
}

impl std::fmt::Debug for OwnersThen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnersThen").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Who was allowed to merge and to sync, by the rules that the ledger shows in force at that moment.
///
/// It never says *no*: in which groups somebody was on that day is not recorded, only in which they
/// are by the people map, and the systems themselves let them.
#[derive(Debug)]
pub struct RulesThen<'a> {
    rules: &'a Rules,
    people: &'a People,
}

impl<'a> RulesThen<'a> {
    /// Rules of the ledger, and whose accounts are whose.
    pub const fn of(rules: &'a Rules, people: &'a People) -> Self {
        Self { rules, people }
    }

    fn sync(&self, person: &str, project: &str, app: &str, at: Timestamp) -> Entitled {
        let (cites, gaps) = self.rules.argocd_at(at);
        if let Some(gap) = gaps.iter().find(|gap| gap.what.contains("ConfigMap")) {
            return Entitled::Unknown(format!("{}: {}", gap.what, gap.why));
        }
        let objects = self.rules.objects(&cites);
        let sources =
            Sources { objects: &objects, people: Some(self.people), ..Default::default() };
        let joined = Joined::new(sources);
        match may_sync(&joined, person, project, app) {
            Some(hops) => Entitled::Yes(told(&hops)),
            None => Entitled::Unknown(format!(
                "by Argo CD's rules of that moment and the groups of today's people map, {person} \
                 may not sync {project}/{app}; who was in which group then is not recorded"
            )),
        }
    }

    fn merge(&self, person: &str, repository: &str, at: Timestamp) -> Entitled {
        let unknown = |why: String| Entitled::Unknown(why);
        let Some((taken, bytes)) = self.rules.forge_at(repository, at) else {
            return unknown(format!(
                "whether {person} could merge: no forge snapshot of {repository} from before is in \
                 the ledger"
            ));
        };
        let Ok(forge) = Snapshot::parse(bytes) else {
            return unknown("the forge snapshot before it cannot be read".to_owned());
        };
        let Some(branch) = forge.default_branch().value() else {
            return unknown("the forge snapshot does not name the default branch".to_owned());
        };
        let logins: Vec<&str> = self.people.accounts_in(person, "github_login").collect();
        let who = forge.who_can_merge(&forge.branch(branch));
        let is_own = |login: &str| logins.iter().any(|own| own.eq_ignore_ascii_case(login));
        match who.accounts.iter().find(|reach| is_own(&reach.login)) {
            Some(reach) => {
                let by: Vec<&str> = reach.ways.iter().map(|way| way.by.as_str()).collect();
                Entitled::Yes(format!("{} on {branch} (snapshot of {taken})", by.join(", ")))
            }
            None => unknown(format!(
                "the forge snapshot of {taken} does not show that {person} could merge"
            )),
        }
    }
}

impl Entitlements for RulesThen<'_> {
    fn entitled(&self, who: &Identity, to: &Act<'_>, at: &Moment) -> Entitled {
        let Some(person) = who.person.as_deref() else {
            return Entitled::Unknown(format!("{} is in nobody's people map", who.account));
        };
        match *to {
            Act::Sync { project, app } => self.sync(person, project, app, at.earliest()),
            Act::Merge { repository } => self.merge(person, repository, at.earliest()),
        }
    }
}

/// The line that lets, and how the person comes to it.
fn told(hops: &[Hop]) -> String {
    hops.iter().map(|hop| hop.says.as_str()).collect::<Vec<_>>().join(", and ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A GitLab project that is shared with one group; `@ops` is a group that the snapshot does not
    /// show, and must not be taken for an account that never approved.
    #[test]
    fn owners_are_accounts_groups_or_not_known() {
        let snapshot = json!({"forge_snapshot": 1, "forge": "gitlab", "repository": "acme/gitops", "answers": [
            {"path": "/projects/7", "status": 200, "body": {"shared_with_groups": [
                {"group_id": 8, "group_full_path": "acme/release", "group_access_level": 30},
                {"group_id": 9, "group_full_path": "hidden", "group_access_level": 30}]}},
            {"path": "/projects/7/members/all", "status": 200,
                "body": [{"id": 1, "username": "Ann", "access_level": 40}]},
            {"path": "/groups/8/members/all", "status": 200, "body": [{"id": 2, "username": "bob"}]},
            {"path": "/groups/9/members/all", "status": 404, "body": null}]});
        let snapshot = Snapshot::parse(snapshot.to_string().as_bytes()).expect("a snapshot");
        let people = People::default();
        let of = |forge| OwnersThen::of(Dialect::GitLab, BTreeMap::new(), forge, &people);
        let (with, without) = (of(Some(&snapshot)), of(None));
        let table = [
            (&with, Owner::UserOrGroup("ann".to_owned()), Ok("ann")),
            (&with, Owner::UserOrGroup("ops".to_owned()), Err("no such team")),
            (&with, Owner::Group("acme/release".to_owned()), Ok("bob")),
            (&with, Owner::UserOrGroup("hidden".to_owned()), Err("answered 404")),
            (&without, Owner::UserOrGroup("ann".to_owned()), Err("no forge snapshot")),
            (&without, Owner::User("ann".to_owned()), Ok("ann")),
        ];
        for (owners, owner, is) in table {
            match (owners.accounts(&owner), is) {
                (Ok(accounts), Ok(login)) => assert_eq!(accounts, [login], "{owner}"),
                (Err(why), Err(said)) => assert!(why.contains(said), "{owner}: {why}"),
                (found, is) => panic!("{owner}: {found:?} where {is:?}"),
            }
        }
    }
}
