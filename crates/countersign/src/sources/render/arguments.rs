//! What a tool is told. Each value is one argument together with its flag, so that none can be taken
//! for another flag; paths are relative to where the tool is started and begin with a full stop.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use access::repository::Rendering;
use access::repository::rendering::{HelmJob, Job};

use super::folder::Laid;
use crate::sources::checkout::Checkout;

/// The arguments for a rendering.
pub(super) fn of(rendering: &Rendering, laid: &Laid) -> Vec<OsString> {
    let folder = format!("./{}", rendering.folder);
    let all = match &rendering.job {
        Job::Kustomize(_) => vec!["build".to_owned(), folder],
        Job::Helm(job) => {
            let mut all = vec!["template".to_owned(), folder];
            all.extend(helm(job, laid.values.as_deref()));
            all
        }
    };
    all.into_iter().map(OsString::from).collect()
}

/// `helm template`, as Argo CD runs it (`argoproj/argo-cd` `util/helm/cmd.go` `template`).
fn helm(job: &HelmJob, values: Option<&str>) -> Vec<String> {
    let mut all = vec![format!("--name-template={}", job.release)];
    all.extend(job.namespace.iter().map(|namespace| format!("--namespace={namespace}")));
    all.extend(job.kube_version.iter().map(|version| format!("--kube-version={version}")));
    all.extend(job.set.iter().map(|(name, value)| format!("--set={name}={value}")));
    all.extend(job.set_string.iter().map(|(name, value)| format!("--set-string={name}={value}")));
    all.extend(job.set_file.iter().map(|(name, path)| format!("--set-file={name}=./{path}")));
    all.extend(job.value_files.iter().map(|path| format!("--values=./{path}")));
    all.extend(values.map(|path| format!("--values={path}")));
    all.extend(job.api_versions.iter().map(|version| format!("--api-versions={version}")));
    let flags = [
        (!job.skip_crds, "--include-crds"),
        (job.skip_schema_validation, "--skip-schema-validation"),
        (job.skip_tests, "--skip-tests"),
    ];
    all.extend(flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned()));
    all
}

/// Texts that may hold secrets and that a tool may quote in an error.
pub(super) fn values<'c>(rendering: &'c Rendering, checkout: &'c Checkout) -> Vec<Cow<'c, str>> {
    let content = |path: &str| checkout.content(path).map(String::from_utf8_lossy);
    match &rendering.job {
        Job::Helm(job) => {
            let own = |path: &&Arc<str>| {
                path.rsplit('/').next().is_some_and(|name| name.starts_with("values"))
            };
            let named = job.value_files.iter().chain(job.set_file.values());
            let files = named.filter_map(|path| content(path));
            let beside = rendering.files.iter().filter(own).filter_map(|path| content(path));
            let parameters = job.set.values().chain(job.set_string.values()).chain(&job.values);
            files.chain(beside).chain(parameters.map(|text| Cow::Borrowed(&**text))).collect()
        }
        Job::Kustomize(_) => {
            let is_manifest = |path: &str| {
                Path::new(path).extension().is_some_and(|end| end == "yaml" || end == "yml")
            };
            let texts = rendering.files.iter().filter_map(|path| Some((path, content(path)?)));
            let may = |path: &str, text: &str| {
                let marks = ["kind: Secret", "stringData", "secretGenerator"];
                !is_manifest(path) || marks.iter().any(|mark| text.contains(mark))
            };
            texts.filter(|(path, text)| may(path, text)).map(|(_, text)| text).collect()
        }
    }
}
