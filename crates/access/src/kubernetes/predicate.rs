//! The ways to change what runs, or what may, around Argo CD: each a named predicate over requests.
//!
//! Which request suffices for which way is this file's own judgement of the API; only how requests are
//! matched is read from elsewhere.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::identity::Subject;
use super::model::{Binding, Cluster};
use super::reach::Grant;
use super::rule::{Names, Request};

/// Something that lets its holder deploy, or prepare to, without Argo CD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predicate {
    /// Write workloads, scale included.
    WriteWorkloads,
    /// Write `ConfigMaps`.
    WriteConfig,
    /// Write Secrets.
    WriteSecrets,
    /// Read Secrets; a list returns what is in them.
    ReadSecrets,
    /// Run commands in containers that run, or add containers to them.
    Exec,
    /// Write Applications, and with them what Argo CD deploys and in whose name.
    WriteApplications,
    /// Write `ApplicationSets`.
    WriteApplicationSets,
    /// Write `AppProjects`: sources, destinations, roles, windows.
    WriteProjects,
    /// Write Argo CD's own `ConfigMaps`, its RBAC included.
    WriteArgoConfig,
    /// Write Argo CD's Secrets.
    WriteArgoSecrets,
    /// Read Argo CD's Secrets: clusters, repositories, the key that signs sessions.
    ReadArgoSecrets,
    /// Change the workloads that Argo CD consists of, or run commands in them.
    ControlArgo,
    /// Write roles or bindings. Without `bind` or `escalate` one can give only what one has.
    WriteRbac,
    /// Give roles that one does not have.
    BindOrEscalate,
    /// Act as somebody else.
    Impersonate,
    /// Make tokens of service accounts.
    CreateTokens,
    /// Approve certificates that sign in as somebody.
    ApproveCertificates,
    /// Reach kubelets through the API server, and with them every pod.
    ProxyNodes,
    /// Write webhooks or policies that admit and change what is deployed.
    WriteAdmission,
    /// Write definitions of resources or APIs.
    WriteDefinitions,
    /// Change namespaces, whose labels decide which policies hold.
    ChangeNamespaces,
    /// Write volumes, which may show the disk of a node.
    WriteVolumes,
}

/// Where a predicate is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// In a namespace that Applications deploy to.
    Target,
    /// In the namespace where Argo CD and its Applications are.
    Argo,
    /// In the cluster as a whole.
    Cluster,
}

/// A subject that a predicate holds for, with one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bypass {
    /// Which predicate.
    pub predicate: Predicate,
    /// Who.
    pub subject: Subject,
    /// The namespace asked about, empty for the cluster.
    pub namespace: String,
    /// The verb.
    pub verb: &'static str,
    /// The API group.
    pub group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// By what.
    pub grant: Grant,
}

/// Verbs, API group, resources, and the objects it is about (none is any).
type Ask =
    (&'static [&'static str], &'static str, &'static [&'static str], &'static [&'static str]);

const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const MAKE: &[&str] = &["create", "update", "patch"];
const CHANGE: &[&str] = &["update", "patch"];
const READ: &[&str] = &["get", "list", "watch"];
const NONE: &[&str] = &[];
const ARGO_CONFIG: &[&str] = &[
    "argocd-cm",
    "argocd-rbac-cm",
    "argocd-cmd-params-cm",
    "argocd-tls-certs-cm",
    "argocd-ssh-known-hosts-cm",
    "argocd-gpg-keys-cm",
    "argocd-notifications-cm",
];
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";

const WORKLOADS: &[Ask] = &[
    (WRITE, "", &["pods", "replicationcontrollers"], NONE),
    (WRITE, "apps", &["deployments", "statefulsets", "daemonsets", "replicasets"], NONE),
    (WRITE, "batch", &["jobs", "cronjobs"], NONE),
    (WRITE, "argoproj.io", &["rollouts"], NONE),
    (CHANGE, "apps", &["deployments/scale", "statefulsets/scale", "replicasets/scale"], NONE),
    (CHANGE, "", &["replicationcontrollers/scale"], NONE),
];
/// `get` is enough for exec and attach over a websocket on API servers that do not ask for `create`
/// there too; since which release they do was not looked up.
const EXEC: &[Ask] = &[
    (&["create", "get"], "", &["pods/exec", "pods/attach"], NONE),
    (CHANGE, "", &["pods/ephemeralcontainers"], NONE),
];
/// Whoever deletes Argo CD's pods stops it for a while, and controls nothing by that.
const CONTROL_ARGO: &[Ask] = &[
    (MAKE, "", &["pods"], NONE),
    (MAKE, "apps", &["deployments", "statefulsets", "replicasets"], NONE),
    (&["create", "get"], "", &["pods/exec", "pods/attach"], NONE),
    (CHANGE, "", &["pods/ephemeralcontainers"], NONE),
];
const RBAC_OBJECTS: &[Ask] =
    &[(WRITE, RBAC, &["roles", "rolebindings", "clusterroles", "clusterrolebindings"], NONE)];

impl Predicate {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::WriteWorkloads,
        Self::WriteConfig,
        Self::WriteSecrets,
        Self::ReadSecrets,
        Self::Exec,
        Self::WriteApplications,
        Self::WriteApplicationSets,
        Self::WriteProjects,
        Self::WriteArgoConfig,
        Self::WriteArgoSecrets,
        Self::ReadArgoSecrets,
        Self::ControlArgo,
        Self::WriteRbac,
        Self::BindOrEscalate,
        Self::Impersonate,
        Self::CreateTokens,
        Self::ApproveCertificates,
        Self::ProxyNodes,
        Self::WriteAdmission,
        Self::WriteDefinitions,
        Self::ChangeNamespaces,
        Self::WriteVolumes,
    ];

    /// Its name, and what its holder can do, as the end of a sentence.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WriteWorkloads => ("write-workloads", "change what runs without Argo CD"),
            Self::WriteConfig => ("write-config", "change the configuration of what runs"),
            Self::WriteSecrets => ("write-secrets", "change the secrets of what runs"),
            Self::ReadSecrets => ("read-secrets", "read the secrets of what runs"),
            Self::Exec => ("exec", "run commands in what runs"),
            Self::WriteApplications => {
                ("write-applications", "make Argo CD deploy anything in anybody's name")
            }
            Self::WriteApplicationSets => {
                ("write-applicationsets", "make Argo CD generate Applications")
            }
            Self::WriteProjects => ("write-projects", "change what Argo CD lets projects do"),
            Self::WriteArgoConfig => ("write-argo-config", "change who may what in Argo CD"),
            Self::WriteArgoSecrets => ("write-argo-secrets", "change Argo CD's accounts and keys"),
            Self::ReadArgoSecrets => {
                ("read-argo-secrets", "read Argo CD's keys and act as anybody")
            }
            Self::ControlArgo => ("control-argo", "change or enter Argo CD itself"),
            Self::WriteRbac => ("write-rbac", "write roles or bindings"),
            Self::BindOrEscalate => ("bind-or-escalate", "give roles that they do not have"),
            Self::Impersonate => ("impersonate", "act as somebody else"),
            Self::CreateTokens => ("create-tokens", "act as a service account"),
            Self::ApproveCertificates => ("approve-certificates", "sign certificates for anybody"),
            Self::ProxyNodes => ("proxy-nodes", "reach every pod through its node"),
            Self::WriteAdmission => ("write-admission", "change what is admitted"),
            Self::WriteDefinitions => ("write-definitions", "change resource definitions and APIs"),
            Self::ChangeNamespaces => ("change-namespaces", "change which policies hold where"),
            Self::WriteVolumes => ("write-volumes", "mount the disk of a node"),
        }
    }

    /// Where it has to be asked.
    pub fn scope(self) -> Scope {
        match self {
            Self::WriteApplications
            | Self::WriteApplicationSets
            | Self::WriteProjects
            | Self::WriteArgoConfig
            | Self::WriteArgoSecrets
            | Self::ReadArgoSecrets
            | Self::ControlArgo => Scope::Argo,
            Self::ApproveCertificates
            | Self::ProxyNodes
            | Self::WriteAdmission
            | Self::WriteDefinitions
            | Self::ChangeNamespaces
            | Self::WriteVolumes => Scope::Cluster,
            _ => Scope::Target,
        }
    }

    fn asks(self) -> &'static [Ask] {
        match self {
            Self::WriteWorkloads => WORKLOADS,
            Self::Exec => EXEC,
            Self::ControlArgo => CONTROL_ARGO,
            Self::WriteRbac => RBAC_OBJECTS,
            Self::WriteConfig => &[(WRITE, "", &["configmaps"], NONE)],
            Self::WriteSecrets | Self::WriteArgoSecrets => &[(WRITE, "", &["secrets"], NONE)],
            Self::ReadSecrets | Self::ReadArgoSecrets => &[(READ, "", &["secrets"], NONE)],
            Self::WriteApplications => &[(WRITE, "argoproj.io", &["applications"], NONE)],
            Self::WriteApplicationSets => &[(WRITE, "argoproj.io", &["applicationsets"], NONE)],
            Self::WriteProjects => &[(WRITE, "argoproj.io", &["appprojects"], NONE)],
            Self::WriteArgoConfig => &[(WRITE, "", &["configmaps"], ARGO_CONFIG)],
            Self::BindOrEscalate => {
                &[(&["bind", "escalate"], RBAC, &["roles", "clusterroles"], NONE)]
            }
            Self::Impersonate => {
                &[(&["impersonate"], "", &["users", "groups", "serviceaccounts"], NONE)]
            }
            Self::CreateTokens => &[(&["create"], "", &["serviceaccounts/token"], NONE)],
            Self::ApproveCertificates => &[
                (CHANGE, CERTIFICATES, &["certificatesigningrequests/approval"], NONE),
                (&["approve", "sign"], CERTIFICATES, &["signers"], NONE),
            ],
            Self::ProxyNodes => &[(&["create", "get"], "", &["nodes/proxy"], NONE)],
            Self::WriteAdmission => &[(
                WRITE,
                ADMISSION,
                &[
                    "mutatingwebhookconfigurations",
                    "validatingwebhookconfigurations",
                    "validatingadmissionpolicies",
                    "validatingadmissionpolicybindings",
                    "mutatingadmissionpolicies",
                    "mutatingadmissionpolicybindings",
                ],
                NONE,
            )],
            Self::WriteDefinitions => &[
                (WRITE, "apiextensions.k8s.io", &["customresourcedefinitions"], NONE),
                (WRITE, "apiregistration.k8s.io", &["apiservices"], NONE),
            ],
            Self::ChangeNamespaces => &[(CHANGE, "", &["namespaces"], NONE)],
            Self::WriteVolumes => &[(WRITE, "", &["persistentvolumes"], NONE)],
        }
    }

    /// Which objects it is about where no name is asked for. Argo CD's Secrets have names of their own
    /// (`argoproj/argo-cd` `util/db/secrets.go` and `cluster.go`: `cluster-…`, `repo-…`, `creds-…`;
    /// `common/common.go`: `argocd-…`), and so have its workloads: a right to others is none to them.
    const fn some(self) -> Names<'static> {
        match self {
            Self::ReadArgoSecrets | Self::WriteArgoSecrets => {
                Names::Like(&["argocd", "cluster-", "repo-", "creds-"])
            }
            Self::ControlArgo => Names::Like(&["argocd", "gitops"]),
            _ => Names::Some,
        }
    }

    /// Whether it is asked of the cluster as a whole for a resource, wherever it is asked about: what
    /// lies in no namespace is given by no binding of one. To bind a `ClusterRole` is asked where the
    /// binding is to stand.
    pub fn is_of_cluster(self, verb: &str, resource: &str) -> bool {
        let in_none = match resource {
            "users" | "groups" | "clusterrolebindings" => true,
            "clusterroles" => verb != "bind",
            _ => false,
        };
        in_none || self.scope() == Scope::Cluster
    }

    /// The requests, any one of which is enough. For the cluster, `namespace` is left out.
    pub fn requests(self, namespace: &str) -> Vec<Request<'_>> {
        let asks = self.asks().iter().flat_map(each);
        asks.flat_map(|one| requests_of(self, namespace, one)).collect()
    }
}

/// A binding that lets its subjects do something of what was asked for.
#[derive(Debug, Clone)]
pub struct Bound<'c> {
    /// The binding.
    pub binding: &'c Binding,
    /// What its role lets them do, where the binding counts.
    pub means: Vec<Means>,
}

/// One way, by one rule of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Means {
    /// Which predicate.
    pub predicate: Predicate,
    /// The verb.
    pub verb: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// The number of the rule in the role, from 0.
    pub rule: usize,
}

impl Cluster {
    /// Every binding that gives something of what is asked for in one of these namespaces, in Argo
    /// CD's, or in the cluster. Unlike [`Cluster::bypasses`] it looks at each binding and each role
    /// once, however many namespaces there are.
    pub fn bound(
        &self,
        predicates: &[Predicate],
        targets: &BTreeSet<String>,
        argo: &str,
    ) -> Vec<Bound<'_>> {
        let mut of_role: HashMap<usize, Vec<Means>> = HashMap::new();
        let mut found = Vec::new();
        for binding in &self.bindings {
            let Some(role) = self.role_at.get(&binding.role) else { continue };
            let space = binding.id.namespace.as_str();
            let counts = |scope: Scope| match scope {
                _ if space.is_empty() => true,
                Scope::Target => targets.contains(space),
                Scope::Argo => space == argo,
                Scope::Cluster => false,
            };
            if !predicates.iter().any(|p| counts(p.scope())) {
                continue;
            }
            let means = of_role.entry(*role).or_insert_with(|| self.means(*role, predicates));
            let means = means.iter().filter(|m| counts(m.predicate.scope()));
            let means: Vec<Means> = means.copied().collect();
            if !means.is_empty() {
                found.push(Bound { binding, means });
            }
        }
        found
    }

    fn means(&self, role: usize, predicates: &[Predicate]) -> Vec<Means> {
        let mut found: Vec<Means> = Vec::new();
        let rules = &self.roles[role].rules;
        for predicate in predicates {
            for one in predicate.asks().iter().flat_map(each) {
                let (verb, _, resource, _) = one;
                for request in requests_of(*predicate, "", one) {
                    let fitting = rules.iter().position(|(rule, _)| rule.allows(&request));
                    let new =
                        fitting.map(|rule| Means { predicate: *predicate, verb, resource, rule });
                    found.extend(new.filter(|new| found.last() != Some(new)));
                }
            }
        }
        found
    }

    /// Every subject for which a predicate holds in a namespace, with each way once.
    /// `system:masters`, for whom everything holds, is left out.
    pub fn bypasses(&self, predicate: Predicate, namespace: &str) -> Vec<Bypass> {
        let mut found = Vec::new();
        for one in predicate.asks().iter().flat_map(each) {
            let (verb, group, resource, _) = one;
            for request in requests_of(predicate, namespace, one) {
                let counts = |path: &super::Path| path.grant.binding.is_some();
                let paths = self.who_can(&request).into_iter();
                found.extend(paths.filter(counts).map(|path| Bypass {
                    predicate,
                    subject: path.subject,
                    namespace: request.namespace().to_owned(),
                    verb,
                    group,
                    resource,
                    grant: path.grant,
                }));
            }
        }
        dedup(found)
    }
}

impl Bypass {
    /// Whether it holds for the cluster as a whole, wherever it was asked about.
    pub fn is_of_cluster(&self) -> bool {
        self.predicate.is_of_cluster(self.verb, self.resource)
    }
}

type One = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// Each verb with each resource.
fn each((verbs, group, resources, names): &'static Ask) -> impl Iterator<Item = One> {
    let pairs = verbs.iter().flat_map(move |verb| resources.iter().map(move |of| (*verb, *of)));
    pairs.map(move |(verb, resource)| (verb, *group, resource, *names))
}

fn requests_of(
    predicate: Predicate,
    namespace: &str,
    (verb, group, resource, names): One,
) -> Vec<Request<'_>> {
    let namespace = if predicate.is_of_cluster(verb, resource) { "" } else { namespace };
    let request = Request::resource(verb, group, resource, namespace);
    // A new object has no name yet, a collection has none; a subresource belongs to one that has.
    let unnamed = matches!(verb, "create" | "deletecollection") && !resource.contains('/');
    match names {
        _ if unnamed => vec![request],
        [] => vec![request.about(predicate.some())],
        names => names.iter().map(|name| request.about(Names::Named(name))).collect(),
    }
}

/// Several named objects come by the same rule; one line is enough.
fn dedup(found: Vec<Bypass>) -> Vec<Bypass> {
    let mut seen = std::collections::HashSet::new();
    found
        .into_iter()
        .filter(|one| {
            seen.insert((
                one.subject.clone(),
                one.verb,
                one.resource,
                one.grant.binding.clone(),
                one.grant.rule,
            ))
        })
        .collect()
}
