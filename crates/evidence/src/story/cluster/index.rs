//! Finding things: objects by name and uid, writes by object, the Application of an object.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::written::Writes;
use super::{ObjectKey, ObjectVersions};
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_object_watch::ObjectVersion;
use crate::story::Around;
use crate::story::act::{Act, What};
use crate::story::claim::{Identity, Voice, Writer, acting, is_machine};
use crate::story::fold::Cited;
use crate::story::initiator::Whose;

/// Everything that is looked up more than once.
pub(super) struct Index<'a> {
    pub(super) around: Around<'a>,
    /// By group, kind, namespace and name; several when an object was deleted and made again.
    named: BTreeMap<[&'a str; 4], Vec<&'a ObjectVersions>>,
    by_uid: BTreeMap<&'a str, (&'a ObjectKey, &'a ObjectVersions)>,
    /// Successful writes by group, resource, namespace and name, in order of time.
    writes: BTreeMap<[&'a str; 4], Writes<'a>>,
    /// What is said of an object that nobody wrote.
    unwritten: Writes<'a>,
    /// The Applications by the namespace that they deploy to.
    deploying_to: BTreeMap<&'a str, BTreeSet<&'a str>>,
    applications: BTreeSet<&'a str>,
    /// The namespaces that Argo CD has its own objects in.
    argocd: BTreeSet<&'a str>,
    /// When an account of Argo CD wrote for the first time.
    argocd_began: Option<Timestamp>,
}

/// Whose a write was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Argo CD's API server: for whom, only Argo CD knows.
    ArgocdServer,
    /// Argo CD's controllers: an operation of Argo CD.
    ArgocdController,
    /// The cluster's own controllers.
    Cluster,
    /// Some other software.
    Software,
    /// Anybody else.
    Other,
}

impl<'a> Index<'a> {
    pub(super) fn of(around: Around<'a>) -> Self {
        let mut index = Self {
            around,
            named: BTreeMap::new(),
            by_uid: BTreeMap::new(),
            writes: BTreeMap::new(),
            unwritten: Writes::of(Vec::new()),
            deploying_to: BTreeMap::new(),
            applications: BTreeSet::new(),
            argocd: BTreeSet::new(),
            argocd_began: None,
        };
        index.add_objects();
        index.add_applications();
        index.add_writes();
        index
    }

    fn add_objects(&mut self) {
        for (key, versions) in &self.around.facts.cluster.objects {
            let named = [&key.group, &key.kind, &key.namespace, &key.name].map(String::as_str);
            self.named.entry(named).or_default().push(versions);
            if key.kind != "PartialObjectMetadata" {
                self.by_uid.insert(&key.uid, (key, versions));
            }
            // Projects live where Argo CD does; Applications may live elsewhere too.
            if key.kind == "AppProject" && key.group == "argoproj.io" {
                self.argocd.insert(&key.namespace);
            }
        }
    }

    fn add_applications(&mut self) {
        for versions in self.around.facts.applications.values() {
            let Some((_, last)) = versions.last_key_value() else { continue };
            self.argocd.insert(&last.fact.namespace);
            self.applications.insert(&last.fact.name);
            if let Some(namespace) = last.fact.destination_namespace.as_deref() {
                self.deploying_to.entry(namespace).or_default().insert(&last.fact.name);
            }
        }
    }

    fn add_writes(&mut self) {
        let mut by_object: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for write in self.around.facts.writes.values().filter(|w| w.fact.succeeded()) {
            if matches!(self.by(&write.fact), By::ArgocdServer | By::ArgocdController) {
                let at = write.fact.time.earliest();
                self.argocd_began = Some(self.argocd_began.map_or(at, |began| began.min(at)));
            }
            if write.fact.object.subresource != "status" {
                let object = &write.fact.object;
                let key = [&object.group, &object.resource, &object.namespace, &object.name];
                by_object.entry(key.map(String::as_str)).or_default().push(write);
            }
        }
        self.writes = by_object.into_iter().map(|(key, w)| (key, Writes::of(w))).collect();
    }

    /// All successful writes, object by object.
    pub(super) fn written(&self) -> impl Iterator<Item = &Writes<'a>> {
        self.writes.values()
    }

    /// The successful writes to one object.
    pub(super) fn writes<'s>(&'s self, named: [&'s str; 4]) -> &'s Writes<'a> {
        let writes: &BTreeMap<[&'s str; 4], Writes<'a>> = &self.writes;
        writes.get(&named).unwrap_or(&self.unwritten)
    }

    /// Everything of that group and kind.
    pub(super) fn kind(
        &self,
        group: &str,
        kind: &str,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a ObjectVersions)> {
        let first = ObjectKey {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: String::new(),
            name: String::new(),
            uid: String::new(),
        };
        let (group, kind) = (group.to_owned(), kind.to_owned());
        let objects = &self.around.facts.cluster.objects;
        objects.range(first..).take_while(move |(key, _)| key.group == group && key.kind == kind)
    }

    /// All versions of the object that this is one of.
    pub(super) fn versions(&self, version: &ObjectVersion) -> Option<&'a ObjectVersions> {
        self.around.facts.cluster.objects.get(&ObjectKey::of(version))
    }

    /// The object with that uid.
    pub(super) fn uid(&self, uid: &str) -> Option<(&'a ObjectKey, &'a ObjectVersions)> {
        self.by_uid.get(uid).copied()
    }

    /// The newest version seen of an object.
    pub(super) fn newest(&self, named: [&str; 4]) -> Option<&'a Cited<ObjectVersion>> {
        let last = |versions: &&'a ObjectVersions| versions.last_key_value();
        let objects: &BTreeMap<[&str; 4], Vec<&'a ObjectVersions>> = &self.named;
        let all = objects.get(&named).into_iter().flatten().filter_map(last);
        all.max_by_key(|(version, _)| **version).map(|(_, version)| version)
    }

    /// Whose an account is.
    pub(super) fn by(&self, write: &AuditWrite) -> By {
        let account = acting(write);
        if !is_machine(account) {
            return By::Other;
        }
        let argocd = self.argocd.iter().map(|namespace| Whose::of(account, namespace));
        match argocd.min_by_key(|whose| matches!(whose, Whose::Other | Whose::Namesake)) {
            Some(Whose::Server) => By::ArgocdServer,
            Some(Whose::Controller) => By::ArgocdController,
            // The account that `argocd cluster add` makes in a cluster that another one manages
            // (`argoproj/argo-cd` `util/clusterauth/clusterauth.go`).
            _ if account == "system:serviceaccount:kube-system:argocd-manager" => {
                By::ArgocdController
            }
            _ => match account.strip_prefix("system:serviceaccount:") {
                Some(name) if !name.starts_with("kube-system:") => By::Software,
                _ => By::Cluster,
            },
        }
    }

    /// Whether Argo CD has its own objects in that namespace; `None` when it is not known where.
    pub(super) fn is_of_argocd(&self, namespace: &str) -> Option<bool> {
        (!self.argocd.is_empty()).then(|| self.argocd.contains(namespace))
    }

    /// Whether a write put an object of Argo CD there before any account of Argo CD had written
    /// anything: its installation. Whoever labels an object so later is told like anybody else.
    pub(super) fn installs_argocd(
        &self,
        write: &AuditWrite,
        watched: Option<&ObjectVersion>,
    ) -> bool {
        let of_body = write.body.as_ref().and_then(|b| b.part_of.as_deref());
        let label = of_body.or(watched.and_then(|v| v.labels.part_of.as_deref()));
        write.code == Some(201)
            && label == Some("argocd")
            && self.argocd_began.is_some_and(|began| write.time.latest() <= began)
    }

    /// The Application that an object belongs to.
    pub(super) fn app_of(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<String> {
        let newest = self.newest([group, kind, namespace, name]);
        newest.and_then(|v| self.tracked(&v.fact)).or_else(|| self.only_app(namespace))
    }

    /// The Application of an object, of its owner, or of the owner's owner, or the only one that
    /// deploys to that namespace.
    pub(super) fn app_of_version(&self, version: &ObjectVersion) -> Option<String> {
        let (mut at, mut found) = (version, self.tracked(version));
        for _ in 0..2 {
            let owner = at.owners.iter().find_map(|o| self.uid(&o.uid));
            let Some((_, owner)) = owner.and_then(|(_, v)| v.last_key_value()) else { break };
            at = &owner.fact;
            found = found.or_else(|| self.tracked(at));
        }
        found.or_else(|| self.only_app(&version.namespace))
    }

    /// By the annotation `<app>:<group>/<kind>:<namespace>/<name>`, which counts only on the object
    /// that it names: controllers copy it to what they make (`argoproj/argo-cd`
    /// `util/argo/resource_tracking.go`). Else by the label, where it names an Application that
    /// deploys there.
    pub(super) fn tracked(&self, version: &ObjectVersion) -> Option<String> {
        let ObjectVersion { group, kind, namespace, name, .. } = version;
        let id = version.annotations.tracking_id.as_deref();
        let by_annotation = id.and_then(|id| id.split_once(':')).and_then(|(app, rest)| {
            let own = rest.strip_suffix(name.as_str())?.strip_suffix('/')?;
            let own = own.strip_suffix(namespace.as_str())?.strip_suffix(':')?;
            let own = own.strip_suffix(kind.as_str())?.strip_suffix('/')?;
            // Applications outside of Argo CD's namespace are called `<namespace>_<name>`.
            (own == group).then(|| app.rsplit('_').next().unwrap_or(app).to_owned())
        });
        by_annotation.or_else(|| {
            let label = version.labels.instance.as_deref()?;
            let deploys = self.deploying_to.get(namespace.as_str())?.contains(label);
            deploys.then(|| label.to_owned())
        })
    }

    /// The Application that deploys to a namespace, when only one does.
    pub(super) fn only_app(&self, namespace: &str) -> Option<String> {
        let apps = self.deploying_to.get(namespace).filter(|apps| apps.len() == 1)?;
        apps.first().map(|app| (*app).to_owned())
    }

    /// An act that an audited write shows.
    pub(super) fn act(&self, what: What, write: &Cited<AuditWrite>) -> Act {
        let fact = &write.fact;
        let mut act = Act::new(what, Some(fact.time), Voice::Authenticated, write.cites.clone());
        act.who = Some(Identity::of(acting(fact), self.around.people));
        act.writer = Some(Writer::of(fact, self.around.people));
        act.namespace = Some(fact.object.namespace.clone()).filter(|n| !n.is_empty());
        act
    }
}
