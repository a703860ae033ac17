//! The reading without a tool against kustomize itself: of kustomizations that this crate reads in
//! full, both have the same objects. Asked with `RENDER_KUSTOMIZE`, which `tests/render/run` sets.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use access::repository::{File, Object, Options, Repository};

/// Kustomizations that `over/` holds, over a base of five objects.
const TABLE: [&str; 13] = [
    "",
    "namespace: web\n",
    "commonLabels: {a: b}\n",
    "labels: [{pairs: {a: b}}]\n",
    "images: [{name: web, newTag: \"2\"}]\n",
    "configMapGenerator: [{name: cfg, literals: [a=b], options: {disableNameSuffixHash: true}}]\n",
    "secretGenerator: [{name: s, literals: [a=b]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n",
    "patches: [{target: {kind: Role}, patch: \"- {op: replace, path: /rules/0/verbs, value: [list]}\"}]\n",
    "patches: [{patch: \"{apiVersion: v1, kind: ConfigMap, metadata: {name: plain}, $patch: delete}\"}]\n",
    "patchesStrategicMerge: [patch.yaml]\n",
    "components: [../part]\n",
    "configMapGenerator: [{name: plain, behavior: merge, literals: [c=d]}]\n\
     generatorOptions: {disableNameSuffixHash: true}\n",
    "resources: [../base, more.yaml]\nnamespace: web\n",
];

const BASE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: old}
rules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: c}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
data: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: web, image: \"web:1\"}]}}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: sa}}
";

fn identity(object: &Object) -> String {
    let namespace = object.namespace().unwrap_or("-");
    format!("{}/{} {namespace}/{}", object.group, object.kind, object.name())
}

#[test]
fn the_reading_without_a_tool_has_the_objects_of_kustomize() {
    let Ok(kustomize) = std::env::var("RENDER_KUSTOMIZE") else { return };
    for written in TABLE {
        let written = if written.contains("resources:") {
            written.to_owned()
        } else {
            format!("resources: [../base]\n{written}")
        };
        let files = [
            (
                "app.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n\
              spec: {source: {repoURL: https://git.example/r, path: over}}\n",
            ),
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("base/all.yaml", BASE),
            ("over/kustomization.yaml", written.as_str()),
            (
                "over/patch.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {x: y}\n",
            ),
            ("over/more.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: more}\n"),
            (
                "part/kustomization.yaml",
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [extra.yaml]\n",
            ),
            ("part/extra.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: extra}\n"),
        ];
        let own = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
        let repository = Repository::read(&own, &Options::default());
        let deployment = repository.deployment(0);
        assert_eq!(deployment.not_assessed, [], "{written}");
        let lenient = deployment.objects.iter().map(|deployed| {
            let mut object = (*deployed.object).clone();
            if let Some(namespace) = &deployed.namespace {
                object.namespace =
                    Some(access::place::Located::new(namespace.clone(), &object.place));
            }
            identity(&object)
        });
        let lenient: BTreeSet<String> = lenient.collect();
        assert_eq!(lenient, built(&kustomize, &files), "{written}");
    }
    println!("rendering_oracle: {} kustomizations have the objects of {kustomize}", TABLE.len());
}

fn built(kustomize: &str, files: &[(&str, &str)]) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new("/"))).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let output = Command::new(kustomize).arg("build").arg(folder.path().join("over")).output();
    let output = output.expect("kustomize runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let parsed = access::yaml::parse("", &output.stdout, &access::yaml::Limits::default());
    let objects = parsed.documents.into_iter().flat_map(Object::of_document);
    objects.map(|object| identity(&object)).collect()
}
