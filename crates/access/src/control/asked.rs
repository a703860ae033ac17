//! What controls are asked of, and what several of them need, each computed once and only when asked.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::owners::Standing;
use super::rights::{Bypassed, Held, Names};
use crate::codeowners::{Owner, Ownership};
use crate::glob;
use crate::policy::Rule;
use crate::reach::scope::{Scope, Target};
use crate::reach::{Joined, Question, Verb};

/// What a control of this crate is asked of: the joined sources, and what is production in them.
pub struct Asked<'a> {
    pub(super) joined: &'a Joined<'a>,
    pub(super) scope: Scope,
    pub(super) owners: RefCell<HashMap<Owner, Rc<Standing<'a>>>>,
    pub(super) held: RefCell<HashMap<[String; 3], Rc<Held<'a>>>>,
    names: OnceCell<Names<'a>>,
    files: OnceCell<Vec<Owned<'a>>>,
    bypassed: OnceCell<Bypassed<'a>>,
}

/// A file that decides what production runs, and who owns it.
pub(super) struct Owned<'a> {
    pub(super) path: String,
    pub(super) ownership: Ownership<'a>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(joined: &'a Joined<'a>, environment: Option<&str>) -> Self {
        let question = Question {
            verb: Verb::Deploy,
            environment: environment.map(str::to_owned),
            application: None,
        };
        Self {
            joined,
            scope: Scope::of(joined, &question),
            owners: RefCell::default(),
            held: RefCell::default(),
            names: OnceCell::new(),
            files: OnceCell::new(),
            bypassed: OnceCell::new(),
        }
    }

    /// The files that production runs from, and those that the policy counts to it; none without a
    /// CODEOWNERS file.
    pub(super) fn files(&self) -> &[Owned<'a>] {
        self.files.get_or_init(|| self.find_files())
    }

    fn find_files(&self) -> Vec<Owned<'a>> {
        let Some(owners) = self.joined.sources.code_owners else { return Vec::new() };
        let deployed = self.scope.targets.iter().flat_map(|target| &target.files);
        let mut paths: BTreeSet<&str> = deployed.map(String::as_str).collect();
        if let Some(repository) =
            self.joined.sources.repository.filter(|_| !self.scope.paths.is_empty())
        {
            let named = |path: &&str| self.scope.paths.iter().any(|glob| glob::matches(glob, path));
            paths.extend(repository.paths().filter(named));
        }
        let one = |path: &str| Owned { path: path.to_owned(), ownership: owners.owners_of(path) };
        paths.into_iter().map(one).collect()
    }

    /// Whose accounts are whose, turned round.
    pub(super) fn names(&self) -> &Names<'a> {
        self.names.get_or_init(|| Names::of(self.joined))
    }

    /// Who may what in the cluster.
    pub(super) fn bypassed(&self) -> &Bypassed<'a> {
        self.bypassed.get_or_init(|| Bypassed::of(self))
    }

    /// What the policy asks of changes to an Application; `None` where it says nothing of it.
    pub(super) fn rule_for(&self, application: &str) -> Option<&'a Rule> {
        let policy = self.joined.sources.policy?;
        let (environment, criticality) = policy.environment_of(application)?;
        policy.rule_for(&environment.name.value, criticality)
    }

    /// The branch of record, as the policy or else the forge names it.
    pub(super) fn branch_of_record(&self) -> Option<String> {
        let by_policy = self.joined.sources.policy.map(|p| p.repository.branch.value.clone());
        by_policy.or_else(|| self.joined.sources.forge?.default_branch().value().cloned())
    }

    /// The Applications of production themselves, without those that deploy them.
    pub(super) fn applications(&self) -> impl Iterator<Item = &Target> {
        self.scope.targets.iter().filter(|target| !target.is_root)
    }
}
