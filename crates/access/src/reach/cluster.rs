//! Paths around Argo CD: rights in the cluster, and what follows from them hop by hop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Gap, Hop, Part, Path, Verb, World};
use super::gather::{Gather, Owner};
use super::scope::{Scope, Target};
use super::world::Joined;
use crate::kubernetes::identity::{AUTHENTICATED, UNAUTHENTICATED};
use crate::kubernetes::predicate::Bypass;
use crate::kubernetes::{
    self, Cluster, Gain, Grant, Identity, ObjectRef, Predicate, Request, Subject,
};
use crate::origin::Origin;
use crate::place::Place;

/// Hops that an escalation is followed for.
const HOPS_MAX: usize = 4;

/// The namespace when nothing says where Argo CD runs.
const ARGO_NAMESPACE: &str = "argocd";

/// Adds every path through the cluster.
pub(super) fn paths(joined: &Joined<'_>, scope: &Scope, verb: Verb, gather: &mut Gather<'_>) {
    let Some(cluster) = &joined.cluster else { return };
    let argo = joined.argo.as_ref().map_or(ARGO_NAMESPACE, |argo| argo.namespace.as_str());
    let mut ways = Ways::new();
    for predicate in wanted(verb) {
        for namespace in spaces_of(*predicate, scope, argo) {
            for bypass in cluster.bypasses(*predicate, namespace) {
                let key = (bypass.subject.clone(), bypass.grant.binding.clone());
                ways.entry(key).or_default().push(bypass);
            }
        }
    }
    let around = Around { joined, cluster, scope, verb, argo };
    around.gaps(&ways, gather);
    let mut direct = Direct::new();
    for ((subject, _), bypasses) in &ways {
        let applications = around.reached(bypasses);
        for (owner, account, first) in around.owners(subject) {
            if matches!(owner, Owner::Person(_)) {
                direct.entry(account.clone()).or_default().push(Arc::clone(&applications));
            }
            let path = around.path(&account, first, bypasses, &applications);
            gather.add(owner, path);
        }
    }
    around.escalations(&ways, &direct, gather);
}

/// What each subject can do by each binding.
type Ways = BTreeMap<(Subject, Option<ObjectRef>), Vec<Bypass>>;

/// The Applications that people's accounts reach as they are.
type Direct = BTreeMap<String, Vec<Arc<[String]>>>;

/// The predicates that answer a verb.
fn wanted(verb: Verb) -> &'static [Predicate] {
    use Predicate as P;
    match verb {
        Verb::Deploy => &[
            P::WriteWorkloads,
            P::WriteConfig,
            P::WriteSecrets,
            P::WriteApplications,
            P::WriteApplicationSets,
            P::WriteProjects,
            P::WriteArgoConfig,
            P::WriteArgoSecrets,
            P::ReadArgoSecrets,
            P::ControlArgo,
            P::BindOrEscalate,
            P::Impersonate,
            P::CreateTokens,
            P::ApproveCertificates,
            P::ProxyNodes,
            P::WriteAdmission,
            P::WriteDefinitions,
            P::WriteVolumes,
        ],
        Verb::Sync => &[P::WriteApplications],
        Verb::Override => &[P::WriteApplications, P::WriteProjects, P::WriteArgoConfig],
        Verb::Exec => &[P::Exec, P::ProxyNodes],
        Verb::ReadSecrets => &[P::ReadSecrets],
        Verb::Merge => &[],
    }
}

fn spaces_of<'s>(predicate: Predicate, scope: &'s Scope, argo: &'s str) -> Vec<&'s str> {
    match predicate.scope() {
        kubernetes::Scope::Target => {
            // A right everywhere reaches a namespace of which nothing is known.
            let everywhere = scope.targets.iter().any(is_somewhere).then_some("");
            scope.namespaces.iter().map(String::as_str).chain(everywhere).collect()
        }
        kubernetes::Scope::Argo => vec![argo],
        kubernetes::Scope::Cluster => vec![""],
    }
}

/// The line of a subject in a binding.
pub(crate) fn subject_place(joined: &Joined<'_>, binding: &Origin, subject: &Subject) -> Place {
    let name = match subject {
        Subject::User(name) | Subject::Group(name) | Subject::ServiceAccount { name, .. } => name,
    };
    let object = joined.places.object(binding);
    let subjects = object.and_then(|o| o.node.get("subjects")).map(crate::yaml::Node::items);
    let own = subjects
        .into_iter()
        .flatten()
        .find(|s| s.get("name").and_then(crate::yaml::Node::scalar_text) == Some(name.as_str()));
    own.map_or_else(|| joined.places.place(binding), |own| own.place.clone())
}

/// Whether it is not known in which namespace something runs.
fn is_somewhere(target: &Target) -> bool {
    !target.is_root && target.namespaces.is_empty()
}

struct Around<'a> {
    joined: &'a Joined<'a>,
    cluster: &'a Cluster,
    scope: &'a Scope,
    verb: Verb,
    argo: &'a str,
}

impl Around<'_> {
    /// To whom a subject of a binding belongs, as which account, and how.
    fn owners(&self, subject: &Subject) -> Vec<(Owner, String, Option<Hop>)> {
        let shown = subject.to_string();
        match subject {
            Subject::ServiceAccount { .. } => vec![(Owner::Machine(shown.clone()), shown, None)],
            Subject::User(name) => {
                let owner = match self.joined.person("kubernetes_user", name) {
                    Some(id) => Owner::Person(id.to_owned()),
                    None if name.starts_with("system:") => Owner::Machine(shown.clone()),
                    None => Owner::Unmapped(format!("Kubernetes {shown}")),
                };
                vec![(owner, name.clone(), None)]
            }
            Subject::Group(name) if name == AUTHENTICATED || name == UNAUTHENTICATED => {
                let (words, people) = if name == AUTHENTICATED {
                    ("anybody whom the cluster knows", self.everybody())
                } else {
                    ("anybody who reaches the API server", Vec::new())
                };
                let anybody = (Owner::Unmapped(words.to_owned()), shown, None);
                std::iter::once(anybody).chain(people).collect()
            }
            Subject::Group(name) => self.members(name, &shown),
        }
    }

    /// Every account of a person: the cluster knows them all.
    fn everybody(&self) -> Vec<(Owner, String, Option<Hop>)> {
        let people = self.joined.sources.people;
        let ids = self.joined.ids().into_iter();
        let accounts = ids.flat_map(|id| {
            let own = people.into_iter().flat_map(move |p| p.accounts_in(id, "kubernetes_user"));
            own.map(move |account| {
                let says = format!("whoever the cluster knows is in {AUTHENTICATED}");
                let hop = Hop::new(says, vec![]);
                (Owner::Person(id.to_owned()), account.to_owned(), Some(hop))
            })
        });
        accounts.collect()
    }

    fn members(&self, group: &str, shown: &str) -> Vec<(Owner, String, Option<Hop>)> {
        let people = self.joined.sources.people;
        let users = |id: &'_ str| -> Vec<String> {
            let own = people.iter().flat_map(|p| p.accounts_in(id, "kubernetes_user"));
            own.map(str::to_owned).collect()
        };
        let members = self.joined.members(group).into_iter().flat_map(|id| {
            users(id).into_iter().map(move |account| {
                let says = format!("the identity provider gives {account} the group {group}");
                let at = vec![Place::object("people map", &format!("{id}.oidc_groups"))];
                (Owner::Person(id.to_owned()), account, Some(Hop::new(says, at)))
            })
        });
        let members: Vec<_> = members.collect();
        if members.is_empty() {
            let account = format!("Kubernetes {shown}");
            let owner = if group.starts_with("system:") {
                Owner::Machine(account)
            } else {
                Owner::Unmapped(account)
            };
            return vec![(owner, shown.to_owned(), None)];
        }
        members
    }

    /// Members of groups that may, of whom the people map says too little; and Applications of which
    /// nothing says where they run.
    fn gaps(&self, ways: &Ways, gather: &mut Gather<'_>) {
        let groups: BTreeSet<&str> = ways
            .keys()
            .filter_map(|(subject, _)| match subject {
                Subject::Group(name) if !name.starts_with("system:") => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let mut gap = |id: &str, why: String| {
            gather.gaps.insert(Gap::new(format!("rights in the cluster of {id}"), why));
        };
        if !groups.is_empty() {
            for id in self.joined.without_groups() {
                gap(id, "the people map does not say in which groups they are".to_owned());
            }
        }
        let people = self.joined.sources.people;
        for group in groups {
            for id in self.joined.members(group) {
                let has_account =
                    people.is_some_and(|p| p.accounts_in(id, "kubernetes_user").next().is_some());
                if !has_account {
                    let why = "and knows no account of theirs";
                    gap(id, format!("the people map puts them in {group} {why}"));
                }
            }
        }
        for target in self.scope.targets.iter().filter(|t| is_somewhere(t)) {
            gather.gaps.insert(Gap {
                what: format!("rights in the namespace of {}", target.name),
                why: "neither its destination nor its manifests name one".to_owned(),
                at: Some(target.place.clone()),
            });
        }
    }

    /// The path of one binding.
    fn path(
        &self,
        account: &str,
        first: Option<Hop>,
        bypasses: &[Bypass],
        applications: &Arc<[String]>,
    ) -> Path {
        let grant = &bypasses[0].grant;
        let mut hops: Vec<Hop> = first.into_iter().collect();
        if let (Some(binding), Some(role)) = (&grant.binding, &grant.role) {
            let says = format!("{binding} gives {account} the {role}");
            hops.push(Hop::new(says, vec![self.subject_place(grant)]));
        }
        if let Some(at) = self.everything(grant) {
            hops.push(Hop::new("which may do everything", vec![at]));
        } else {
            hops.extend(self.rights(bypasses));
        }
        Path {
            world: World::Cluster,
            part: self.part(),
            account: account.to_owned(),
            by: grant.binding.as_ref().map(ToString::to_string).unwrap_or_default(),
            applications: Arc::clone(applications),
            needs: vec![],
            hops,
        }
    }

    fn part(&self) -> Part {
        match self.verb {
            Verb::Exec => Part::Exec,
            Verb::ReadSecrets => Part::ReadSecrets,
            _ => Part::Bypass,
        }
    }

    /// One hop for each predicate and rule: what it lets somebody do, and where.
    fn rights(&self, bypasses: &[Bypass]) -> Vec<Hop> {
        type Asked<'b> = (BTreeSet<String>, BTreeSet<&'b str>);
        let mut by: BTreeMap<(Predicate, usize), (Asked<'_>, Place)> = BTreeMap::new();
        for one in bypasses {
            let place = self.rule_place(&one.grant);
            let entry = by.entry((one.predicate, one.grant.rule));
            let (asked, _) = entry.or_insert_with(|| (Asked::default(), place));
            asked.0.insert(format!("{} {}", one.verb, one.resource));
            asked.1.insert(&one.namespace);
        }
        let told = by.into_iter().map(|((predicate, _), ((asked, spaces), place))| {
            let (_, words) = predicate.words();
            let shown: Vec<&str> = asked.iter().take(3).map(String::as_str).collect();
            let more = if asked.len() > 3 { " …" } else { "" };
            let spaces: Vec<&str> = spaces.into_iter().filter(|s| !s.is_empty()).collect();
            let where_to = if spaces.is_empty() {
                String::new()
            } else {
                format!(" in {}", spaces.join(", "))
            };
            let says = format!("which lets it {words}: {}{more}{where_to}", shown.join(", "));
            Hop::new(says, vec![place])
        });
        told.collect()
    }

    /// The Applications whose namespaces are reached; all, when Argo CD or the cluster is.
    fn reached(&self, bypasses: &[Bypass]) -> Arc<[String]> {
        let whole =
            |b: &Bypass| b.is_of_cluster() || b.predicate.scope() == kubernetes::Scope::Argo;
        let spaces = bypasses.iter().map(|b| b.namespace.as_str()).collect();
        self.applications(bypasses.iter().any(whole), &spaces)
    }

    /// All Applications, or those in some namespaces.
    fn applications(&self, all: bool, spaces: &BTreeSet<&str>) -> Arc<[String]> {
        let targets = self.scope.targets.iter();
        let here = targets.filter(|target| {
            all || target.namespaces.iter().any(|own| spaces.contains(own.as_str()))
                || (is_somewhere(target) && spaces.contains(""))
        });
        here.map(|target| target.name.clone()).collect()
    }

    /// The subject's line in the binding.
    fn subject_place(&self, grant: &Grant) -> Place {
        let Some(origin) = &grant.binding_origin else { return Place::object("Kubernetes", "") };
        subject_place(self.joined, origin, &grant.subject)
    }

    fn rule_place(&self, grant: &Grant) -> Place {
        if let Some(role) = grant.aggregated_from.as_ref().and_then(|id| self.cluster.role(id)) {
            return self.joined.places.place(&role.origin);
        }
        match &grant.role_origin {
            Some(origin) => self.joined.places.part(origin, &format!("rules[{}]", grant.rule)),
            None => Place::object("Kubernetes", "system:masters"),
        }
    }

    /// Where a role says that it may do everything, if it does.
    fn everything(&self, grant: &Grant) -> Option<Place> {
        let role = self.cluster.role(grant.role.as_ref()?)?;
        let any = |list: &[String]| list.iter().any(|word| word == "*");
        let at = role.rules.iter().position(|(rule, _)| {
            any(&rule.verbs) && any(&rule.groups) && any(&rule.resources) && rule.names.is_empty()
        })?;
        Some(self.joined.places.part(grant.role_origin.as_ref()?, &format!("rules[{at}]")))
    }

    /// What people can make of themselves. Service accounts are not followed: most of a cluster's own
    /// can make pods, and they stand among the machines already.
    fn escalations(&self, ways: &Ways, direct: &Direct, gather: &mut Gather<'_>) {
        let Some(people) = self.joined.sources.people else { return };
        for id in people.ids() {
            let groups = people.groups(id).into_iter().flatten().map(String::as_str);
            let groups: Vec<&str> = groups.collect();
            for user in people.accounts_in(id, "kubernetes_user") {
                let own = direct.get(user).into_iter().flatten();
                let mut has: BTreeSet<&str> =
                    own.flat_map(|names| names.iter().map(String::as_str)).collect();
                self.escalation(id, &Identity::user(user, &groups), ways, &mut has, gather);
            }
        }
    }

    /// Everything that is gained, and of the rest what brings an Application that was not had.
    fn escalation<'s>(
        &'s self,
        id: &str,
        identity: &Identity,
        ways: &Ways,
        has: &mut BTreeSet<&'s str>,
        gather: &mut Gather<'_>,
    ) {
        let closure = self.cluster.closure(identity, HOPS_MAX);
        for reached in closure.reached.iter().filter(|r| !r.hops.is_empty()) {
            let (applications, last) = match &reached.gain {
                Gain::Everything(namespace) if self.counts(namespace) => {
                    (self.in_space(namespace), Vec::new())
                }
                Gain::Everything(_) => continue,
                Gain::Acting(user) => self.as_another(identity, user, ways),
                Gain::Role(role, namespace) => self.by_role(role, namespace),
            };
            let is_everything = matches!(reached.gain, Gain::Everything(_));
            let names = self.scope.targets.iter().map(|target| target.name.as_str());
            let gained: BTreeSet<&str> =
                names.filter(|name| applications.iter().any(|own| own == name)).collect();
            if !is_everything && gained.is_subset(has) {
                continue;
            }
            has.extend(gained);
            let mut hops = self.told(identity, &reached.hops);
            hops.extend(last);
            let path = Path {
                world: World::Cluster,
                part: Part::Escalation,
                account: identity.user.clone(),
                by: format!("{} hops", reached.hops.len()),
                applications,
                needs: vec![],
                hops,
            };
            gather.add(Owner::Person(id.to_owned()), path);
        }
    }

    fn counts(&self, namespace: &str) -> bool {
        namespace.is_empty() || namespace == self.argo || self.scope.namespaces.contains(namespace)
    }

    fn in_space(&self, namespace: &str) -> Arc<[String]> {
        let all = namespace.is_empty() || namespace == self.argo;
        self.applications(all, &BTreeSet::from([namespace]))
    }

    /// What somebody can do as another user, by what that user has and they do not.
    fn as_another(
        &self,
        identity: &Identity,
        user: &str,
        ways: &Ways,
    ) -> (Arc<[String]>, Vec<Hop>) {
        let before = kubernetes::reach::subjects_of(identity);
        let other = kubernetes::reach::subjects_of(&Identity::user(user, &[]));
        let new = other.iter().filter(|subject| !before.contains(subject));
        let bypasses: Vec<Bypass> = new
            .flat_map(|subject| {
                ways.range((subject.clone(), None)..).take_while(move |(key, _)| key.0 == *subject)
            })
            .flat_map(|(_, bypasses)| bypasses.clone())
            .collect();
        if bypasses.is_empty() {
            return (Arc::from([]), Vec::new());
        }
        (self.reached(&bypasses), self.rights(&bypasses))
    }

    /// What a role lets somebody do who has it in a namespace, or everywhere if that is empty.
    fn by_role(&self, id: &ObjectRef, given: &str) -> (Arc<[String]>, Vec<Hop>) {
        let Some(role) = self.cluster.role(id) else { return (Arc::from([]), Vec::new()) };
        let (mut all, mut spaces, mut lets) = (false, BTreeSet::new(), BTreeSet::new());
        for predicate in wanted(self.verb) {
            for space in spaces_of(*predicate, self.scope, self.argo) {
                for request in predicate.requests(space) {
                    let Request::Resource { verb, resource, namespace, .. } = request else {
                        continue;
                    };
                    let holds = given.is_empty() || given == namespace;
                    if holds && role.rules.iter().any(|(rule, _)| rule.allows(&request)) {
                        all |= predicate.is_of_cluster(verb, resource)
                            || predicate.scope() == kubernetes::Scope::Argo;
                        spaces.insert(space);
                        lets.insert(*predicate);
                    }
                }
            }
        }
        let place = self.joined.places.place(&role.origin);
        let told = lets.into_iter().map(|predicate| {
            Hop::new(format!("which lets it {}", predicate.words().1), vec![place.clone()])
        });
        (self.applications(all, &spaces), told.collect())
    }

    /// The hops, each with the rule that allows it.
    fn told(&self, identity: &Identity, hops: &[kubernetes::Hop]) -> Vec<Hop> {
        let mut identity = identity.clone();
        let mut told = Vec::new();
        for hop in hops {
            let grants = hop.asked.iter().filter_map(|asked| {
                self.cluster.decide(&identity, &asked.request()).grants.into_iter().next()
            });
            let at: BTreeSet<Place> =
                grants.flat_map(|g| [self.subject_place(&g), self.rule_place(&g)]).collect();
            told.push(Hop::new(hop.sentence.clone(), at.into_iter().collect()));
            if let Gain::Acting(user) = &hop.gain {
                identity = Identity::user(user, &[]);
            }
        }
        told
    }
}
