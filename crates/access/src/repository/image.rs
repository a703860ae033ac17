//! Images that an Application asks for, with the versions that kustomizations put in.

use std::collections::BTreeSet;

use super::Repository;
use super::object::Object;
use super::tree::resolve;
use crate::place::Place;
use crate::yaml::Node;

/// Where pods stand in the kinds that make them.
const PODS: [&[&str]; 3] = [
    &["spec", "template", "spec"],
    &["spec", "jobTemplate", "spec", "template", "spec"],
    &["spec"],
];

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name, without tag and digest.
    pub name: String,
    /// Its tag, or the digest where there is no tag.
    pub version: Option<String>,
    /// Where the version stands.
    pub place: Place,
}

impl Repository {
    /// The images that an Application asks for at this commit, as far as its objects were read.
    pub fn images(&self, application: usize) -> Vec<Image> {
        let deployment = self.deployment(application);
        let objects = deployment.objects.iter().map(|deployed| &*deployed.object);
        let mut images: Vec<Image> = objects.flat_map(of_object).collect();
        // What kustomize rendered has them already.
        for folder in &deployment.plain {
            let is_both = deployment.made.contains(folder);
            // A kustomization changes what those below it have made.
            for folder in self.kustomizations_below(folder).iter().rev() {
                let changes = self.kustomizations().get(folder).into_iter().flat_map(|k| &k.images);
                for change in changes {
                    let own = images.iter_mut().filter(|image| image.name == change.name.value);
                    for image in own {
                        let version = change.new_tag.as_ref().or(change.digest.as_ref());
                        if is_both {
                            // Of which of the two it is cannot be told.
                            image.version = None;
                        } else if let Some(version) = version {
                            image.version = Some(version.value.clone());
                            image.place = version.place.clone();
                        }
                        if let Some(name) = &change.new_name {
                            image.name.clone_from(&name.value);
                        }
                    }
                }
            }
        }
        images
    }

    /// The folders of a kustomization and of all that it takes in, each before what is below it.
    pub fn kustomizations_below(&self, folder: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            let Some(kustomization) = self.kustomizations().get(&folder) else { continue };
            if !seen.insert(folder.clone()) {
                continue;
            }
            let below = kustomization.resources.iter();
            open.extend(below.filter_map(|resource| resolve(&folder, &resource.value)));
            found.push(folder);
        }
        found
    }
}

fn of_object(object: &Object) -> Vec<Image> {
    let mut images = Vec::new();
    for path in PODS {
        let Some(pod) = object.node.at(path) else { continue };
        for list in ["initContainers", "containers"] {
            let containers = pod.get(list).map(Node::items).unwrap_or_default();
            images.extend(containers.iter().filter_map(|c| c.located("image")).map(|image| {
                let (name, version) = split(&image.value);
                Image { name, version, place: image.place.clone() }
            }));
        }
    }
    images
}

/// `registry:5000/team/app:1.2@sha256:…` as name and tag or digest.
pub(super) fn split(image: &str) -> (String, Option<String>) {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(a, b)| (a, Some(b)));
    let start = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[start..].split_once(':') {
        Some((name, tag)) => (&rest[..start + name.len()], Some(tag)),
        None => (rest, None),
    };
    (name.to_owned(), tag.or(digest).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_image_is_name_and_version() {
        let table = [
            ("app", "app", None),
            ("app:1.2", "app", Some("1.2")),
            ("reg.example:5000/team/app", "reg.example:5000/team/app", None),
            ("reg.example:5000/team/app:1.2@sha256:ab", "reg.example:5000/team/app", Some("1.2")),
            ("team/app@sha256:ab", "team/app", Some("sha256:ab")),
        ];
        for (image, name, version) in table {
            assert_eq!(split(image), (name.to_owned(), version.map(str::to_owned)), "{image}");
        }
    }
}
