//! Paths around Argo CD: rights in the cluster, and what follows from them hop by hop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Hop, Part, Path, Verb, World};
use super::gather::{Gather, Owner};
use super::scope::Scope;
use super::world::Joined;
use crate::kubernetes::identity::{AUTHENTICATED, UNAUTHENTICATED};
use crate::kubernetes::predicate::Bypass;
use crate::kubernetes::{self, Cluster, Gain, Grant, Identity, ObjectRef, Predicate, Subject};
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
    let mut ways: BTreeMap<(Subject, Option<ObjectRef>), Vec<Bypass>> = BTreeMap::new();
    for predicate in wanted(verb) {
        for namespace in spaces(*predicate, scope, argo) {
            for bypass in cluster.bypasses(*predicate, namespace) {
                let key = (bypass.subject.clone(), bypass.grant.binding.clone());
                ways.entry(key).or_default().push(bypass);
            }
        }
    }
    let around = Around { joined, cluster, scope, verb, argo };
    for ((subject, _), bypasses) in &ways {
        for (owner, account, first) in around.owners(subject) {
            let path = around.path(&account, first, bypasses);
            gather.add(owner, path);
        }
    }
    around.escalations(gather);
}

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

fn spaces<'s>(predicate: Predicate, scope: &'s Scope, argo: &'s str) -> Vec<&'s str> {
    match predicate.scope() {
        kubernetes::Scope::Target => scope.namespaces.iter().map(String::as_str).collect(),
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
                let words = if name == AUTHENTICATED {
                    "anybody whom the cluster knows"
                } else {
                    "anybody who reaches the API server"
                };
                vec![(Owner::Unmapped(words.to_owned()), shown, None)]
            }
            Subject::Group(name) if name.starts_with("system:") => {
                vec![(Owner::Machine(format!("Kubernetes {shown}")), shown, None)]
            }
            Subject::Group(name) => self.members(name, &shown),
        }
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
            let owner = Owner::Unmapped(format!("Kubernetes {shown}"));
            return vec![(owner, shown.to_owned(), None)];
        }
        members
    }

    /// The path of one binding.
    fn path(&self, account: &str, first: Option<Hop>, bypasses: &[Bypass]) -> Path {
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
            applications: self.reached(bypasses),
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
        let all = bypasses.iter().any(|b| b.predicate.scope() != kubernetes::Scope::Target);
        let spaces: BTreeSet<&str> = bypasses.iter().map(|b| b.namespace.as_str()).collect();
        let names = self.scope.targets.iter().filter(|target| {
            all || target.namespace.as_deref().is_some_and(|own| spaces.contains(own))
        });
        names.map(|target| target.name.clone()).collect()
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
    fn escalations(&self, gather: &mut Gather<'_>) {
        let Some(people) = self.joined.sources.people else { return };
        for id in people.ids() {
            let groups = people.groups(id).into_iter().flatten().map(String::as_str);
            let groups: Vec<&str> = groups.collect();
            for user in people.accounts_in(id, "kubernetes_user") {
                self.escalation(id, user, &groups, gather);
            }
        }
    }

    fn escalation(&self, id: &str, user: &str, groups: &[&str], gather: &mut Gather<'_>) {
        let identity = Identity::user(user, groups);
        let closure = self.cluster.closure(&identity, HOPS_MAX);
        for reached in closure.reached.iter().filter(|r| !r.hops.is_empty()) {
            let Gain::Everything(namespace) = &reached.gain else { continue };
            if !self.counts(namespace) {
                continue;
            }
            let path = Path {
                world: World::Cluster,
                part: Part::Escalation,
                account: user.to_owned(),
                by: format!("{} hops", reached.hops.len()),
                applications: self.in_space(namespace),
                needs: vec![],
                hops: self.told(&identity, &reached.hops),
            };
            gather.add(Owner::Person(id.to_owned()), path);
        }
    }

    fn counts(&self, namespace: &str) -> bool {
        namespace.is_empty() || namespace == self.argo || self.scope.namespaces.contains(namespace)
    }

    fn in_space(&self, namespace: &str) -> Arc<[String]> {
        let all = namespace.is_empty() || namespace == self.argo;
        let own = |t: &&super::scope::Target| all || t.namespace.as_deref() == Some(namespace);
        self.scope.targets.iter().filter(own).map(|t| t.name.clone()).collect()
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
