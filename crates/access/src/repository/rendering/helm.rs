//! From an Application to what `helm template` is told, as Argo CD tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{HelmJob, Job, Rendering};
use crate::repository::application::{Application, Source};
use crate::repository::chart::Chart;
use crate::repository::tree::Tree;
use crate::repository::unassessed::Reason;

/// The longest name of a release (`helm/helm` `pkg/chart/v2/util/validate_name.go`).
const RELEASE_MAX: usize = 53;

/// Every field that `spec.source.helm` may have (`argoproj/argo-cd`
/// `pkg/apis/application/v1alpha1/types.go` `ApplicationSourceHelm`).
const FIELDS: [&str; 15] = [
    "valueFiles",
    "parameters",
    "releaseName",
    "values",
    "fileParameters",
    "version",
    "passCredentials",
    "ignoreMissingValueFiles",
    "skipCrds",
    "valuesObject",
    "namespace",
    "kubeVersion",
    "apiVersions",
    "skipTests",
    "skipSchemaValidation",
];

/// The path of a file of values in this repository, as it was named; `None` when it is not there.
pub(in crate::repository) type Resolve<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What helm would be told for a chart of this repository.
pub(in crate::repository) fn job(
    application: &Application,
    source: &Source,
    chart: &Chart,
    tree: &Tree<'_>,
    resolve: Resolve<'_>,
) -> Result<Rendering, Reason> {
    let said = &source.settings.helm;
    known(said)?;
    untouched(application, &chart.folder, tree)?;
    vendored(chart, tree)?;
    let text = |key: &str| said.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let flag = |key: &str| said.get(key).and_then(Value::as_bool).unwrap_or(false);
    let release = text("releaseName").unwrap_or(&application.name.value);
    let destination = application.destination.namespace.as_ref().map(|n| n.value.as_str());
    let (value_files, absent) = value_files(said, &chart.folder, resolve)?;
    let [set, set_string] = parameters(said)?;
    let set_file = file_parameters(said, resolve)?;
    let api_versions = items(said, "apiVersions").map(|v| v.as_str().map(str::to_owned));
    let api_versions: Option<Vec<String>> = api_versions.collect();
    let job = HelmJob {
        release: release_name(release)?,
        namespace: text("namespace").or(destination).map(namespace).transpose()?,
        destination: destination.map(Arc::from),
        value_files,
        absent,
        values: values(said),
        set,
        set_string,
        set_file,
        kube_version: text("kubeVersion").map(str::to_owned),
        api_versions: api_versions.ok_or_else(|| field("apiVersions"))?,
        skip_crds: flag("skipCrds"),
        skip_schema_validation: flag("skipSchemaValidation"),
        skip_tests: flag("skipTests"),
    };
    let named = job.value_files.iter().chain(job.set_file.values());
    let mut files: BTreeSet<_> = named.filter_map(|path| tree.path(path)).collect();
    files.extend(tree.under(&chart.folder).cloned());
    Ok(Rendering { folder: chart.folder.clone(), job: Job::Helm(job), files })
}

fn field(name: &str) -> Reason {
    Reason::NotPassed(format!("source.helm.{name}"))
}

fn items<'v>(said: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    said.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn known(said: &Value) -> Result<(), Reason> {
    let fields = said.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(_, value)| !value.is_null()) {
        // Another version of helm may render otherwise; `v3` is what Argo CD has.
        let is_version = key == "version" && !matches!(value.as_str(), Some("" | "v3" | "3"));
        if !FIELDS.contains(&key.as_str()) || is_version {
            return Err(field(key));
        }
    }
    Ok(())
}

/// Argo CD lays parameters over from files beside the chart (`argoproj/argo-cd`
/// `reposerver/repository/repository.go` `mergeSourceParameters`).
pub(super) fn untouched(
    application: &Application,
    folder: &str,
    tree: &Tree<'_>,
) -> Result<(), Reason> {
    let of_application = format!(".argocd-source-{}.yaml", application.name.value);
    let beside = tree.within(folder).find(|path| {
        let name = crate::repository::tree::name_of(path);
        name == ".argocd-source.yaml" || name == of_application
    });
    beside.map_or(Ok(()), |path| Err(Reason::NotPassed(path.to_string())))
}

/// Whether the charts that a chart brings along lie in its `charts/`: nothing is fetched.
fn vendored(chart: &Chart, tree: &Tree<'_>) -> Result<(), Reason> {
    let charts = if chart.folder.is_empty() {
        "charts".to_owned()
    } else {
        format!("{}/charts", chart.folder)
    };
    for dependency in &chart.dependencies {
        let folder = format!("{charts}/{}/Chart.yaml", dependency.name);
        let packed = format!("{charts}/{}-", dependency.name);
        let is_packed = |path: &str| path.starts_with(&packed) && is_packed_chart(path);
        if tree.path(&folder).is_none() && !tree.within(&charts).any(|path| is_packed(path)) {
            return Err(Reason::Dependency(dependency.name.clone()));
        }
    }
    Ok(())
}

/// The name of a release is a template to helm, and no other name is one to Kubernetes.
fn release_name(name: &str) -> Result<String, Reason> {
    if name.len() <= RELEASE_MAX && is_name(name) {
        Ok(name.to_owned())
    } else {
        Err(field("releaseName"))
    }
}

fn namespace(name: &str) -> Result<String, Reason> {
    if is_name(name) { Ok(name.to_owned()) } else { Err(Reason::NotPassed("namespace".to_owned())) }
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    !name.is_empty() && name.chars().all(is_part) && !name.starts_with(['.', '-'])
}

/// Those that are there, in their order, and those that are not and need not be.
fn value_files(
    said: &Value,
    folder: &str,
    resolve: Resolve<'_>,
) -> Result<(Vec<String>, BTreeSet<String>), Reason> {
    let ignores = said.get("ignoreMissingValueFiles").and_then(Value::as_bool).unwrap_or(false);
    let (mut found, mut absent) = (Vec::new(), BTreeSet::new());
    for named in items(said, "valueFiles") {
        let named = named.as_str().ok_or_else(|| field("valueFiles"))?;
        match resolve(named) {
            Some(path) => found.push(plain(path)?),
            None if named.contains("://") => return Err(Reason::Remote(named.to_owned())),
            // What stands in another repository, or is put together by variables, is not missing.
            None if ignores && !named.contains(['$', '*', '?', '[']) => {
                absent.extend(crate::repository::tree::resolve(folder, named));
            }
            None => return Err(Reason::Missing(named.to_owned())),
        }
    }
    Ok((found, absent))
}

/// Helm takes several files in one argument, parted by commas, and reads quotes as CSV does.
fn plain(path: String) -> Result<String, Reason> {
    let is_parted = path.contains([',', '"', '\\', '\n']);
    if is_parted { Err(Reason::NotPassed(path)) } else { Ok(path) }
}

/// `valuesObject` counts over `values`.
fn values(said: &Value) -> Option<String> {
    let object = said.get("valuesObject").filter(|object| !object.is_null());
    let text = || said.get("values").and_then(Value::as_str).map(str::to_owned);
    object.map(Value::to_string).or_else(text).filter(|text| !text.is_empty())
}

fn parameters(said: &Value) -> Result<[BTreeMap<String, String>; 2], Reason> {
    let (mut set, mut set_string) = (BTreeMap::new(), BTreeMap::new());
    for parameter in items(said, "parameters") {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| field("parameters"))?;
        let value = match parameter.get("value") {
            None => "",
            Some(value) => value.as_str().ok_or_else(|| field("parameters"))?,
        };
        // Argo CD fills in what it knows of the build (`Env.Envsubst`), the commit among it.
        if value.contains('$') {
            return Err(field("parameters"));
        }
        let is_text = parameter.get("forceString").and_then(Value::as_bool).unwrap_or(false);
        let into = if is_text { &mut set_string } else { &mut set };
        into.insert(name.to_owned(), escaped(value));
    }
    Ok([set, set_string])
}

fn file_parameters(said: &Value, resolve: Resolve<'_>) -> Result<BTreeMap<String, String>, Reason> {
    let mut found = BTreeMap::new();
    for parameter in items(said, "fileParameters") {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        let (Some(name), Some(path)) = (text("name"), text("path")) else {
            return Err(field("fileParameters"));
        };
        let path = resolve(path).ok_or_else(|| Reason::Missing(path.to_owned()))?;
        found.insert(name.to_owned(), plain(path)?);
    }
    Ok(found)
}

/// Commas part parameters, unless they part the items of `{a,b}` (`util/helm/cmd.go`
/// `cleanSetParameters`).
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut before = '\0';
    for c in value.chars() {
        if c == ',' && before != '\\' {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// Whether a file is named as a packed chart is.
pub(super) fn is_packed_chart(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "tgz")
}

/// Whether what helm reads for a chart asks what the cluster offers, or may: packed charts are not
/// looked into, and any text may be a template to `tpl`.
pub(in crate::repository) fn asks_cluster(rendering: &Rendering, tree: &Tree<'_>) -> bool {
    const ASKS: &str = "Capabilities";
    let Job::Helm(job) = &rendering.job else { return false };
    let asks = |path: &Arc<str>| {
        let text = || tree.bytes(path).map(String::from_utf8_lossy);
        is_packed_chart(path) || text().is_some_and(|text| text.contains(ASKS))
    };
    let mut told = job.set.values().chain(job.set_string.values()).chain(&job.values);
    rendering.files.iter().any(asks) || told.any(|text| text.contains(ASKS))
}

/// Whether an Application says what the cluster offers.
pub(in crate::repository) fn tells_cluster(source: &Source) -> bool {
    let is_told = |key| source.settings.helm.get(key).is_some_and(|said| !said.is_null());
    is_told("kubeVersion") && is_told("apiVersions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_escaped_once_and_not_in_lists() {
        let table =
            [("a,b", "a\\,b"), ("a\\,b", "a\\,b"), ("{a,b}", "{a,b}"), (",", "\\,"), ("", "")];
        for (value, expected) in table {
            assert_eq!(escaped(value), expected, "{value}");
        }
    }

    #[test]
    fn a_name_cannot_be_an_option_or_a_template() {
        for name in ["web", "a.b-2", "0"] {
            assert!(release_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(RELEASE_MAX + 1);
        for name in ["", "-a", "--post-renderer", "{{env}}", "A", "a b", "a=b", "a/b", &long] {
            assert!(release_name(name).is_err(), "{name}");
        }
    }
}
