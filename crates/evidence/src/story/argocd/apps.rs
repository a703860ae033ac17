//! Applications, found by name or by where they deploy to.

use std::collections::{BTreeMap, BTreeSet};

use crate::parse::argocd_application_watch::ApplicationVersion;
use crate::story::fold::Facts;

/// The Applications that the records show.
pub(crate) struct Apps<'a> {
    /// The newest version, by namespace and name.
    by_name: BTreeMap<(&'a str, &'a str), &'a ApplicationVersion>,
    /// Namespaces and names by name alone.
    named: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Names, by the namespace that any version deploys to.
    by_destination: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Apps<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let mut apps = Self {
            by_name: BTreeMap::new(),
            named: BTreeMap::new(),
            by_destination: BTreeMap::new(),
        };
        let versions = facts.applications.values().flat_map(BTreeMap::values);
        for version in versions.map(|v| &v.fact) {
            apps.add(version);
        }
        apps
    }

    fn add(&mut self, version: &'a ApplicationVersion) {
        let (namespace, name) = (version.namespace.as_str(), version.name.as_str());
        let newest = self.by_name.entry((namespace, name)).or_insert(version);
        if newest.resource_version < version.resource_version {
            *newest = version;
        }
        self.named.entry(name).or_default().insert(namespace);
        if let Some(destination) = version.destination_namespace.as_deref() {
            self.by_destination.entry(destination).or_default().insert(name);
        }
    }

    /// The Application of that name in that namespace.
    pub(crate) fn named(&self, namespace: &str, name: &str) -> Option<&'a ApplicationVersion> {
        self.by_name.get(&(namespace, name)).copied()
    }

    /// The Application of that name, if there is one alone.
    pub(crate) fn only(&self, name: &str) -> Option<&'a ApplicationVersion> {
        let namespaces = self.named.get(name).filter(|namespaces| namespaces.len() == 1)?;
        self.named(namespaces.first()?, name)
    }

    /// The names of the Applications that deploy to a namespace.
    pub(crate) fn deploying_to(&self, namespace: &str) -> BTreeSet<&'a str> {
        self.by_destination.get(namespace).cloned().unwrap_or_default()
    }
}
