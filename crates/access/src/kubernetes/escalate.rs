//! What an identity can make of itself: act as others, give itself roles, and so on from there.
//!
//! Read in stored copies of files of kubernetes/kubernetes: `pkg/registry/rbac/escalation_check.go`
//! (`00bdb3fade2e`, and a later copy: `bind` is asked in the namespace of the binding, `escalate` of
//! the role by name), `pkg/registry/rbac/rolebinding/policybased/storage.go` (`008b3652959c`),
//! `staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation/impersonation.go`
//! (`0c1f61f5d805`), `IsAuthorizedForSignerName` of its certificate admission, and
//! `plugin/pkg/admission/certificates/subjectrestriction/admission.go` (`736e3b684ef1`), which keeps
//! `system:masters` out of certificates for clients. Not looked up, and from general knowledge: which
//! controllers make pods, and that the account of a pod is fixed once it exists.

use std::collections::{BTreeSet, VecDeque};

use serde::Serialize;

use super::identity::{Identity, MASTERS, Subject, account_of};
use super::model::{Cluster, Kind, ObjectRef};
use super::reach::Decision;
use super::rule::{Names, Request};

const RBAC: &str = "rbac.authorization.k8s.io";
/// A name that no object can have, so that only rules for any name fit. No star: a rule may name one,
/// which then stands for nothing but itself.
const NO_NAME: &str = "/";

/// Who somebody is at a point of a path: an identity, and roles given to it on the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Actor {
    /// As whom the API server knows the caller.
    pub identity: Identity,
    /// Roles gained on the way, with the namespace in which, empty for everywhere.
    pub roles: BTreeSet<(ObjectRef, String)>,
}

/// What a hop leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Gain {
    /// Acting as a user, service accounts included.
    Acting(String),
    /// A role in a namespace, or everywhere if that is empty.
    Role(ObjectRef, String),
    /// Everything in a namespace, or everywhere if that is empty.
    Everything(String),
}

/// How a hop is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Impersonation of a user, or of any user and group.
    Impersonate,
    /// A token made for a service account.
    Token,
    /// A pod that runs as a service account, made directly or by a workload.
    Pod,
    /// A binding to a role that one does not have.
    Bind,
    /// A role that one has, given rules that one does not have.
    Escalate,
    /// A certificate that one approves for any name.
    Certificate,
}

/// A request as it was asked, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Asked {
    /// The verb.
    pub verb: String,
    /// The API group.
    pub group: String,
    /// The resource, with its subresource.
    pub resource: String,
    /// The namespace, empty for the cluster.
    pub namespace: String,
    /// The object, if the request names one.
    pub name: Option<String>,
    /// Whether it is for any object at all.
    pub any: bool,
}

/// One hop of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// How.
    pub via: Via,
    /// The requests that it takes; the actor before the hop may make each.
    pub asked: Vec<Asked>,
    /// What it leads to.
    pub gain: Gain,
    /// The hop in a sentence, with the bindings behind it.
    pub sentence: String,
}

/// A path from an identity to what it can gain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// What.
    pub gain: Gain,
    /// The hops, in order.
    pub hops: Vec<Hop>,
}

/// Everything that an identity can gain within a number of hops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closure {
    /// Each gain with a shortest path.
    pub reached: Vec<Reached>,
    /// Whether the bound on hops was met, so that there may be more.
    pub bounded: bool,
}

impl Asked {
    /// The request.
    pub fn request(&self) -> Request<'_> {
        let names = match (&self.name, self.any) {
            (Some(name), _) => Names::Named(name),
            (None, true) => Names::Some,
            (None, false) => Names::Unnamed,
        };
        Request::resource(&self.verb, &self.group, &self.resource, &self.namespace).about(names)
    }

    fn of(verb: &str, group: &str, resource: &str, namespace: &str, name: Option<&str>) -> Self {
        Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.map(str::to_owned),
            any: false,
        }
    }
}

impl Cluster {
    /// Whether an actor may: by the bindings of its identity, or by a role gained on the way.
    pub fn may(&self, actor: &Actor, request: &Request<'_>) -> bool {
        let space = request.namespace();
        self.decide(&actor.identity, request).allowed
            || actor.roles.iter().any(|(role, scope)| {
                (scope.is_empty() || scope == space)
                    && self
                        .role(role)
                        .is_some_and(|role| role.rules.iter().any(|(rule, _)| rule.allows(request)))
            })
    }

    /// What an identity can gain in at most `hops_max` hops.
    ///
    /// Gaining *everything* ends a path. A pod as a service account supposes that admission lets it
    /// in and that the account exists among the objects read. Not followed are reading token Secrets,
    /// entering pods that happen to run, changing bindings that exist, and groups other than
    /// `system:masters` that an impersonation or a certificate may bring.
    pub fn closure(&self, identity: &Identity, hops_max: usize) -> Closure {
        let start = Actor { identity: identity.clone(), roles: BTreeSet::new() };
        let mut seen_actors = BTreeSet::from([start.clone()]);
        let mut seen_gains = BTreeSet::from([Gain::Acting(identity.user.clone())]);
        let mut queue = VecDeque::from([(start, Vec::<Hop>::new())]);
        let mut closure = Closure { reached: Vec::new(), bounded: false };
        while let Some((actor, path)) = queue.pop_front() {
            for hop in self.hops(&actor) {
                if path.len() == hops_max {
                    closure.bounded |= !seen_gains.contains(&hop.gain);
                    continue;
                }
                let next = after(&actor, &hop.gain);
                let mut hops = path.clone();
                hops.push(hop);
                if let Some(Hop { gain, .. }) = hops.last()
                    && seen_gains.insert(gain.clone())
                {
                    closure.reached.push(Reached { gain: gain.clone(), hops: hops.clone() });
                }
                if let Some(next) = next.filter(|next| seen_actors.insert(next.clone())) {
                    queue.push_back((next, hops));
                }
            }
        }
        closure
    }

    /// Every hop that an actor can make.
    ///
    /// An actor that can have everything in the cluster gets those hops alone, since they hold all
    /// others.
    pub fn hops(&self, actor: &Actor) -> Vec<Hop> {
        let mut hops = Vec::new();
        self.masters(actor, &mut hops);
        self.escalations(actor, &mut hops);
        self.bindings(actor, "", &mut hops);
        let whole = |hop: &Hop| hop.gain == Gain::Everything(String::new());
        if hops.iter().any(whole) {
            hops.retain(whole);
            return hops;
        }
        self.impersonations(actor, &mut hops);
        self.accounts_by_token_or_pod(actor, &mut hops);
        self.namespaces().for_each(|space| self.bindings(actor, space, &mut hops));
        self.certificates(actor, &mut hops);
        hops.retain(|hop| hop.gain != Gain::Acting(actor.identity.user.clone()));
        hops
    }

    /// A group can be taken on only together with a user, or with a service account, which need not
    /// exist; with any, the group of masters will do.
    fn masters(&self, actor: &Actor, hops: &mut Vec<Hop>) {
        let group = Asked::of("impersonate", "", "groups", "", Some(MASTERS));
        let user = Asked { any: true, ..Asked::of("impersonate", "", "users", "", None) };
        let account = |space: &str| Asked {
            any: true,
            ..Asked::of("impersonate", "", "serviceaccounts", space, None)
        };
        let accounts = self.namespaces().map(account);
        let who = std::iter::once(user).chain(accounts);
        if let Some(who) = { who }.find(|asked| self.may(actor, &asked.request())) {
            let gain = Gain::Everything(String::new());
            self.push(actor, hops, Via::Impersonate, vec![who, group], gain);
        }
    }

    /// As a user that bindings name; other users have nothing of their own.
    fn impersonations(&self, actor: &Actor, hops: &mut Vec<Hop>) {
        for subject in self.subjects() {
            let Subject::User(name) = subject else { continue };
            let asked = Asked::of("impersonate", "", "users", "", Some(name));
            self.push(actor, hops, Via::Impersonate, vec![asked], Gain::Acting(name.clone()));
        }
    }

    fn accounts_by_token_or_pod(&self, actor: &Actor, hops: &mut Vec<Hop>) {
        for (namespace, accounts) in &self.accounts {
            let pod = self.pod_in(actor, namespace);
            for name in accounts {
                let gain = Gain::Acting(format!("system:serviceaccount:{namespace}:{name}"));
                let asked = Asked::of("impersonate", "", "serviceaccounts", namespace, Some(name));
                self.push(actor, hops, Via::Impersonate, vec![asked], gain.clone());
                let asked = Asked::of("create", "", "serviceaccounts/token", namespace, Some(name));
                self.push(actor, hops, Via::Token, vec![asked], gain.clone());
                if let Some(pod) = &pod {
                    self.push(actor, hops, Via::Pod, vec![pod.clone()], gain);
                }
            }
        }
    }

    /// The first request by which a pod of the actor's making can be had in a namespace.
    fn pod_in(&self, actor: &Actor, namespace: &str) -> Option<Asked> {
        const MAKERS: [(&str, &str); 9] = [
            ("", "pods"),
            ("apps", "deployments"),
            ("apps", "statefulsets"),
            ("apps", "daemonsets"),
            ("apps", "replicasets"),
            ("batch", "jobs"),
            ("batch", "cronjobs"),
            ("", "replicationcontrollers"),
            ("argoproj.io", "rollouts"),
        ];
        let by = |verb: &'static str, any: bool| {
            MAKERS.iter().map(move |(group, resource)| Asked {
                any,
                ..Asked::of(verb, group, resource, namespace, None)
            })
        };
        // The account of a pod that exists is fixed; that of a template is not.
        let changes = by("patch", true).chain(by("update", true));
        let changes = changes.filter(|asked| asked.resource != "pods" && asked.resource != "jobs");
        by("create", false).chain(changes).find(|asked| self.may(actor, &asked.request()))
    }

    /// A new binding to a role that one may bind; changing a binding that exists is not followed.
    fn bindings(&self, actor: &Actor, space: &str, hops: &mut Vec<Hop>) {
        let kind = if space.is_empty() { "clusterrolebindings" } else { "rolebindings" };
        let create = Asked::of("create", RBAC, kind, space, None);
        if !self.may(actor, &create.request()) {
            return;
        }
        let any = Asked::of("bind", RBAC, "clusterroles", space, Some(NO_NAME));
        if self.may(actor, &any.request()) {
            let gain = Gain::Everything(space.to_owned());
            return self.push(actor, hops, Via::Bind, vec![create, any], gain);
        }
        for role in self.roles.iter().map(|role| &role.id) {
            let of = match role.kind {
                Kind::ClusterRole => "clusterroles",
                _ if role.namespace == space && !space.is_empty() => "roles",
                _ => continue,
            };
            let bind = Asked::of("bind", RBAC, of, space, Some(&role.name));
            let gain = Gain::Role(role.clone(), space.to_owned());
            self.push(actor, hops, Via::Bind, vec![create.clone(), bind], gain);
        }
    }

    /// A role that one has oneself and may write beyond one's rights gives everything where it holds.
    fn escalations(&self, actor: &Actor, hops: &mut Vec<Hop>) {
        let held = self.what_can(&actor.identity).into_iter().filter_map(|held| {
            let scope = held.namespace.unwrap_or_default().to_owned();
            held.grant.role.map(|role| (role, scope))
        });
        let held: BTreeSet<_> = held.chain(actor.roles.iter().cloned()).collect();
        for (role, scope) in held {
            let of = if role.kind == Kind::ClusterRole { "clusterroles" } else { "roles" };
            for verb in ["update", "patch"] {
                let write = Asked::of(verb, RBAC, of, &role.namespace, Some(&role.name));
                let beyond = Asked::of("escalate", RBAC, of, &role.namespace, Some(&role.name));
                let gain = Gain::Everything(scope.clone());
                self.push(actor, hops, Via::Escalate, vec![write, beyond], gain);
            }
        }
    }

    /// A certificate for a client can bear any name but the group of masters.
    fn certificates(&self, actor: &Actor, hops: &mut Vec<Hop>) {
        const GROUP: &str = "certificates.k8s.io";
        // A signer may also be named by its domain, with a star that the API server asks for as it is.
        const SIGNERS: [&str; 2] = ["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];
        let by = |signer| {
            vec![
                Asked::of("create", GROUP, "certificatesigningrequests", "", None),
                Asked {
                    any: true,
                    ..Asked::of("update", GROUP, "certificatesigningrequests/approval", "", None)
                },
                Asked::of("approve", GROUP, "signers", "", Some(signer)),
            ]
        };
        let mut ways = SIGNERS.into_iter().map(by);
        let Some(asked) = ways.find(|asked| self.all(actor, &asked.iter().collect::<Vec<_>>()))
        else {
            return;
        };
        for subject in self.subjects() {
            let Subject::User(name) = subject else { continue };
            self.push(actor, hops, Via::Certificate, asked.clone(), Gain::Acting(name.clone()));
        }
    }

    fn all(&self, actor: &Actor, asked: &[&Asked]) -> bool {
        asked.iter().all(|asked| self.may(actor, &asked.request()))
    }

    fn push(&self, actor: &Actor, hops: &mut Vec<Hop>, via: Via, asked: Vec<Asked>, gain: Gain) {
        if self.all(actor, &asked.iter().collect::<Vec<_>>()) {
            let sentence = self.sentence(actor, via, &asked, &gain);
            hops.push(Hop { via, asked, gain, sentence });
        }
    }

    fn sentence(&self, actor: &Actor, via: Via, asked: &[Asked], gain: &Gain) -> String {
        let to = match gain {
            Gain::Acting(user) => match account_of(user) {
                Some((namespace, name)) => format!("act as service account {namespace}/{name}"),
                None => format!("act as user {user}"),
            },
            Gain::Role(role, space) => format!("give themselves {role}{}", place(space)),
            Gain::Everything(space) => format!("do everything{}", place(space)),
        };
        let how = match via {
            Via::Impersonate => "by impersonation",
            Via::Token => "with a token they make for it",
            Via::Pod => "through a pod they make run as it",
            Via::Bind => "by a binding to a role they need not have",
            Via::Escalate => "by adding rules to a role they have",
            Via::Certificate => "with a certificate they approve",
        };
        let grants: Vec<String> = asked.iter().map(|asked| self.ground(actor, asked)).collect();
        format!("{} can {to} {how}: {}", name_of(&actor.identity), grants.join("; "))
    }

    fn ground(&self, actor: &Actor, asked: &Asked) -> String {
        let Decision { grants, .. } = self.decide(&actor.identity, &asked.request());
        let by = grants.first().map(super::reach::Grant::sentence);
        let by = by.unwrap_or_else(|| "by a role gained on the way".to_owned());
        format!("{} {}{} {by}", asked.verb, asked.resource, place(&asked.namespace))
    }
}

/// Who the actor is after a hop; none when nothing more is to be gained.
fn after(actor: &Actor, gain: &Gain) -> Option<Actor> {
    match gain {
        Gain::Acting(user) => {
            Some(Actor { identity: Identity::user(user, &[]), roles: BTreeSet::new() })
        }
        Gain::Role(role, space) => {
            let mut next = actor.clone();
            next.roles.insert((role.clone(), space.clone()));
            Some(next)
        }
        Gain::Everything(_) => None,
    }
}

fn place(namespace: &str) -> String {
    match namespace {
        "" => " in the cluster".to_owned(),
        namespace => format!(" in {namespace}"),
    }
}

fn name_of(identity: &Identity) -> String {
    match account_of(&identity.user) {
        Some((namespace, name)) => format!("service account {namespace}/{name}"),
        None if identity.user.is_empty() => {
            let implied = |group: &&String| *group != super::identity::AUTHENTICATED;
            let groups: Vec<&str> =
                identity.groups.iter().filter(implied).map(String::as_str).collect();
            format!("group {}", groups.join(", "))
        }
        None => identity.user.clone(),
    }
}
