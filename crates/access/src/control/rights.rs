//! Rights in Argo CD and in the cluster, by person: what [`crate::reach`] tells as paths, told as sets.
//!
//! Here nothing is asked person by person. Who holds a right is asked of the policy, and names are
//! looked up in the people map, so that thousands of Applications cost thousands of look-ups.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::asked::Asked;
use crate::argocd::rbac::{Undetermined, Who};
use crate::argocd::{Line, Request, Right};
use crate::kubernetes::identity::{AUTHENTICATED, SERVICE_ACCOUNTS, UNAUTHENTICATED};
use crate::kubernetes::{Means, Predicate, Scope, Subject};
use crate::place::Place;
use crate::reach::Joined;
use crate::reach::cluster::subject_place;
use crate::reach::scope::Target;
use crate::repository::Application;
use crate::repository::application::Destination;

/// The people map, turned round: who has an account or is in a group.
pub(super) struct Names<'a> {
    logins: HashMap<String, &'a str>,
    subjects: HashMap<&'a str, &'a str>,
    /// Groups as Argo CD takes them, by the claims that it reads.
    groups: HashMap<&'a str, Vec<&'a str>>,
    /// Groups of the identity provider.
    members: HashMap<&'a str, Vec<&'a str>>,
    users: HashMap<&'a str, &'a str>,
    /// Somebody of whom the map does not say in which groups they are.
    without_groups: Option<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn of(joined: &Joined<'a>) -> Self {
        let mut names = Self {
            logins: HashMap::new(),
            subjects: HashMap::new(),
            groups: HashMap::new(),
            members: HashMap::new(),
            users: HashMap::new(),
            without_groups: joined.without_groups().first().copied(),
        };
        let Some(people) = joined.sources.people else { return names };
        let default = ["groups".to_owned()];
        let scopes = joined.argo.as_ref().map_or(&default[..], |argo| argo.rbac.scopes());
        for id in people.ids() {
            let logins = people.accounts_in(id, "github_login");
            names.logins.extend(logins.map(|login| (login.to_lowercase(), id)));
            names.users.extend(people.accounts_in(id, "kubernetes_user").map(|user| (user, id)));
            let mut subjects: Vec<&str> = people.accounts_in(id, "oidc_subject").collect();
            if subjects.is_empty() {
                subjects.extend(people.accounts_in(id, "argocd_username"));
            }
            let signs_in = !subjects.is_empty();
            names.subjects.extend(subjects.into_iter().map(|subject| (subject, id)));
            // A group gives its rights to an account; whoever has none there uses none.
            let has_user = people.accounts_in(id, "kubernetes_user").next().is_some();
            for group in people.groups(id).into_iter().flatten().filter(|_| has_user) {
                names.members.entry(group).or_default().push(id);
            }
            let mut in_groups: BTreeSet<&str> = BTreeSet::new();
            for scope in scopes {
                match scope.as_str() {
                    "groups" => {
                        in_groups
                            .extend(people.groups(id).into_iter().flatten().map(String::as_str));
                    }
                    "email" => in_groups.extend(people.accounts_in(id, "email")),
                    _ => {}
                }
            }
            for group in in_groups.into_iter().filter(|_| signs_in) {
                names.groups.entry(group).or_default().push(id);
            }
        }
        names
    }

    /// Everybody who can sign in to Argo CD.
    pub(super) fn signing_in(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.subjects.values().copied()
    }

    /// Who has an account of the forge.
    pub(super) fn by_login(&self, login: &str) -> Option<&'a str> {
        self.logins.get(&login.to_lowercase()).copied()
    }
}

/// Who holds a right in Argo CD.
#[derive(Clone, Default)]
pub(super) struct Held<'a> {
    /// Everybody who signs in.
    pub(super) anybody: bool,
    /// People.
    pub(super) people: BTreeMap<&'a str, Vec<Line>>,
    /// Names of the policy that the people map gives to nobody, local accounts apart.
    pub(super) unmapped: BTreeMap<String, Vec<Line>>,
    /// Why there may be others.
    pub(super) open: Option<String>,
    /// Whether that is because the policy itself is not weighed, so that there may be anybody.
    pub(super) unweighed: bool,
}

/// Who is in both, with the lines of the second: the check that makes the difference is the last.
fn both<K: Ord + Clone>(
    first: &BTreeMap<K, Vec<Line>>,
    second: &BTreeMap<K, Vec<Line>>,
) -> BTreeMap<K, Vec<Line>> {
    let of = second.iter().filter(|(who, _)| first.contains_key(who));
    of.map(|(who, lines)| (who.clone(), lines.clone())).collect()
}

impl Held<'_> {
    fn and(&self, other: &Self) -> Self {
        let open = self.open.clone().or_else(|| other.open.clone());
        match (self.anybody, other.anybody) {
            (true, _) => Self { open, ..other.clone() },
            (_, true) => Self { open, ..self.clone() },
            _ => Self {
                anybody: false,
                people: both(&self.people, &other.people),
                unmapped: both(&self.unmapped, &other.unmapped),
                open,
                unweighed: self.unweighed || other.unweighed,
            },
        }
    }

    fn or(&mut self, other: Self) {
        self.anybody |= other.anybody;
        self.people.extend(other.people);
        self.unmapped.extend(other.unmapped);
        self.open = self.open.take().or(other.open);
    }
}

impl<'a> Asked<'a> {
    /// Who holds a right on an Application; nobody where Argo CD's rules are missing.
    pub(super) fn who_may(&self, right: &Right, target: &Target) -> Held<'a> {
        let mut held = Held::default();
        let Some(argo) = &self.joined.argo else { return held };
        for way in right.ways(&target.rights, argo.rbac.settings()) {
            let all = way.iter().map(|c| self.holders(c.resource, &c.action, &c.object));
            let all = all.reduce(|a, b| Rc::new(a.and(&b)));
            held.or(all.map(|all| (*all).clone()).unwrap_or_default());
        }
        held
    }

    /// Who passes one check.
    pub(super) fn holders(&self, resource: &str, action: &str, object: &str) -> Rc<Held<'a>> {
        let key = [resource, action, object].map(str::to_owned);
        if let Some(known) = self.held.borrow().get(&key) {
            return Rc::clone(known);
        }
        let held = Rc::new(self.find_holders(&Request { resource, action, object }));
        self.held.borrow_mut().insert(key, Rc::clone(&held));
        held
    }

    fn find_holders(&self, request: &Request<'_>) -> Held<'a> {
        let mut held = Held::default();
        let Some(argo) = &self.joined.argo else { return held };
        let holders = argo.rbac.holders(request);
        held.unweighed = !holders.undetermined.is_empty();
        held.open = holders.undetermined.first().map(|why| match why {
            Undetermined::NotLoaded => "Argo CD's policy does not load".to_owned(),
            Undetermined::Expression(line) => {
                format!("an expression of the policy is not weighed: {}", line.text)
            }
        });
        for holder in holders.known {
            match holder.who {
                Who::Anyone | Who::AnyoneSignedIn => held.anybody = true,
                Who::ProjectRole { .. } => {}
                Who::Name { name, as_group } => {
                    let lines = holder.grants.into_iter().next().map_or_else(Vec::new, |grant| {
                        grant.memberships.into_iter().chain([grant.permission]).collect()
                    });
                    self.add_name(name, as_group, &lines, &mut held);
                }
            }
        }
        held
    }

    fn add_name(&self, name: String, as_group: bool, lines: &[Line], held: &mut Held<'a>) {
        let names = self.names();
        let subject = names.subjects.get(name.as_str());
        let members = names.groups.get(name.as_str()).filter(|_| as_group);
        let is_local = self
            .joined
            .argo
            .as_ref()
            .is_some_and(|argo| argo.rbac.settings().accounts.contains_key(&name));
        if subject.is_none() && members.is_none() && !is_local {
            held.unmapped.insert(name, lines.to_vec());
        }
        for id in subject.into_iter().chain(members.into_iter().flatten()) {
            held.people.entry(id).or_insert_with(|| lines.to_vec());
        }
        if as_group && let Some(id) = names.without_groups {
            let why = format!("the people map does not say in which groups {id} is");
            held.open.get_or_insert(why);
        }
    }
}

/// Who may go around Argo CD, and by what.
pub(super) struct Bypassed<'a> {
    /// By subject as findings name it.
    pub(super) by: BTreeMap<Around<'a>, Vec<Way>>,
    /// What could not be told, with its place: bindings to roles that are not among the sources.
    pub(super) open: Vec<(String, Place)>,
    /// Whether roles and bindings are those of the cluster itself, and not what git wants.
    pub(super) is_live: bool,
}

/// Who goes around.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Around<'a> {
    /// A person of the map.
    Person(&'a str),
    /// An account or group that the map gives to nobody.
    Unmapped(String),
    /// Software that is neither the cluster's own nor Argo CD.
    Machine(String),
}

/// One binding.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The binding, in words.
    pub(super) binding: String,
    /// Where it names the subject.
    pub(super) place: Place,
    /// What it lets them do.
    pub(super) means: Vec<Means>,
    /// Whether it is known to be in the cluster of production: it was read there, or an Application
    /// that deploys to it brings it. A repository holds bindings of other clusters too.
    is_here: bool,
    /// The same of Argo CD's own cluster.
    is_with_argo: bool,
}

impl Way {
    /// Whether it is known to be in the cluster that a predicate is about.
    pub(super) fn is_where(&self, predicate: Predicate) -> bool {
        if predicate.scope() == Scope::Argo { self.is_with_argo } else { self.is_here }
    }
}

const PREDICATES: &[Predicate] = &Predicate::ALL;

/// Where a cluster keeps its own controllers.
const SYSTEM_NAMESPACE: &str = "kube-system";

impl<'a> Bypassed<'a> {
    pub(super) fn of(asked: &Asked<'a>) -> Self {
        let mut found = Self { by: BTreeMap::new(), open: Vec::new(), is_live: false };
        let joined = asked.joined;
        let Some(cluster) = &joined.cluster else { return found };
        let argo = joined.argo.as_ref().map_or("argocd", |argo| argo.namespace.as_str());
        found.is_live = joined.cluster_is_live();
        let (here, with_argo) = if found.is_live { Default::default() } else { applied(asked) };
        for bound in cluster.bound(PREDICATES, &asked.scope.namespaces, argo) {
            let place = joined.places.place(&bound.binding.origin);
            let is_of = |files: &BTreeSet<&str>| {
                found.is_live || place.path().is_some_and(|path| files.contains(path))
            };
            let (is_here, is_with_argo) = (is_of(&here), is_of(&with_argo));
            for subject in &bound.binding.subjects {
                for around in who(asked, subject, argo) {
                    found.by.entry(around).or_default().push(Way {
                        binding: bound.binding.id.to_string(),
                        place: subject_place(joined, &bound.binding.origin, subject),
                        means: bound.means.clone(),
                        is_here,
                        is_with_argo,
                    });
                }
            }
        }
        for binding in cluster.dangling() {
            let space = &binding.id.namespace;
            let counts =
                space.is_empty() || space == argo || asked.scope.namespaces.contains(space);
            let somebody = binding.subjects.iter().any(|s| !who(asked, s, argo).is_empty());
            if counts && somebody {
                let why = format!(
                    "{} gives {}, which is not among the sources",
                    binding.id, binding.role
                );
                found.open.push((why, joined.places.place(&binding.origin)));
            }
        }
        found
    }
}

/// Files that Applications bring to a cluster of production, and those to Argo CD's own.
fn applied<'a>(asked: &Asked<'a>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let Some(repository) = asked.joined.sources.repository else { return Default::default() };
    let own: BTreeSet<usize> = asked.scope.targets.iter().filter_map(|t| t.index).collect();
    let all: Vec<_> = repository.deployments().map(|(a, d)| (cluster_of(a), d)).collect();
    let clusters: BTreeSet<&String> = own.iter().filter_map(|at| all[*at].0.as_ref()).collect();
    let (mut here, mut with_argo) = (BTreeSet::new(), BTreeSet::new());
    for (cluster, deployment) in &all {
        let Some(cluster) = cluster else { continue };
        let files = deployment.files.iter().map(|file| &**file);
        if clusters.contains(cluster) {
            here.extend(files.clone());
        }
        if cluster == ARGO_CLUSTER {
            with_argo.extend(files);
        }
    }
    (here, with_argo)
}

/// The address by which Argo CD calls the cluster that it runs in.
const ARGO_CLUSTER: &str = "https://kubernetes.default.svc";

/// The cluster that an Application deploys to; `None` where it is a template's or is not said. Argo
/// CD's own cluster has two names (`argoproj/argo-cd`
/// `pkg/apis/application/v1alpha1/application_defaults.go`, `util/db/cluster.go`).
fn cluster_of(application: &Application) -> Option<String> {
    let Destination { server, name, .. } = &application.destination;
    let said = server.as_ref().or(name.as_ref()).map(|said| said.value.as_str())?;
    match said {
        "" => None,
        "in-cluster" => Some(ARGO_CLUSTER.to_owned()),
        said if said.contains("{{") => None,
        said => Some(said.trim_end_matches('/').to_owned()),
    }
}

/// Whether a service account is one of Argo CD's by its name: `argocd-server`, or, as its operator
/// names them, `NAME-argocd-application-controller` (`argoproj/argo-cd` `manifests/base/`,
/// `argoproj-labs/argocd-operator` `common/`). Argo CD may run in any namespace.
fn is_argo(name: &str) -> bool {
    const COMPONENTS: [&str; 7] = [
        "application-controller",
        "applicationset-controller",
        "dex-server",
        "notifications-controller",
        "redis",
        "repo-server",
        "server",
    ];
    COMPONENTS.iter().any(|component| {
        let before = name.strip_suffix(component);
        before.is_some_and(|before| before == "argocd-" || before.ends_with("-argocd-"))
    })
}

/// Whose a subject is. Nobody's is what belongs to the cluster itself or to Argo CD.
fn who<'a>(asked: &Asked<'a>, subject: &Subject, argo: &str) -> Vec<Around<'a>> {
    let names = asked.names();
    match subject {
        Subject::ServiceAccount { namespace, name } => {
            let own = namespace == SYSTEM_NAMESPACE || namespace == argo || is_argo(name);
            if own { vec![] } else { vec![Around::Machine(subject.to_string())] }
        }
        Subject::User(name) => match names.users.get(name.as_str()) {
            Some(id) => vec![Around::Person(id)],
            None if name.starts_with("system:") => vec![],
            None => vec![Around::Unmapped(subject.to_string())],
        },
        Subject::Group(name) => match names.members.get(name.as_str()) {
            Some(members) => members.iter().map(|id| Around::Person(id)).collect(),
            None if [AUTHENTICATED, UNAUTHENTICATED, SERVICE_ACCOUNTS].contains(&name.as_str()) => {
                vec![Around::Unmapped(subject.to_string())]
            }
            None => match name.strip_prefix("system:serviceaccounts:") {
                // All service accounts of a namespace.
                Some(own) if own != SYSTEM_NAMESPACE && own != argo => {
                    vec![Around::Machine(subject.to_string())]
                }
                _ if name.starts_with("system:") => vec![],
                _ => vec![Around::Unmapped(subject.to_string())],
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::is_argo;

    #[test]
    fn argo_cds_own_accounts_are_known_by_their_names() {
        for (name, expected) in [
            ("argocd-server", true),
            ("openshift-gitops-argocd-application-controller", true),
            ("argocd-dex-server", true),
            ("argocd-image-updater", false),
            ("myargocd-server", false),
            ("server", false),
        ] {
            assert_eq!(is_argo(name), expected, "{name}");
        }
    }
}
