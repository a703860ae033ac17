//! Renderings: what is asked for, and what comes of what the tools wrote. The outputs in
//! `fixtures/rendering` were recorded from helm 3.19.0 and kustomize 5.7.1.

use std::collections::{BTreeMap, BTreeSet};

use access::repository::rendering::Job;
use access::repository::{File, Made, Options, Rendering, Repository, Tool, read_rendered};

const REPOSITORY: &str = include_str!("../fixtures/rendering/repository.txt");
const APPS: &str = include_str!("../fixtures/rendering/apps.helm-3.19.0.yaml");
const WEB: &str = include_str!("../fixtures/rendering/web.helm-3.19.0.yaml");
const RIGHTS: &str = include_str!("../fixtures/rendering/rights.kustomize-5.7.1.yaml");

/// Files that are written one after another, each under a line `>>> path`.
fn files(text: &str) -> Vec<File<'_>> {
    let parts = text.split(">>> ").skip(1).map(|part| part.split_once('\n').expect("a path"));
    parts.map(|(path, text)| File { path, bytes: text.as_bytes() }).collect()
}

fn recorded(rendering: &Rendering) -> Made {
    let output = match rendering.folder.as_str() {
        "apps" => APPS,
        "web" => WEB,
        "rights/prod" => RIGHTS,
        other => panic!("{other} was not recorded"),
    };
    Made::Output(output.into())
}

/// Reads with `made` for every rendering, and gives the renderings in the order of their rounds.
fn read(text: &str, made: impl Fn(&Rendering) -> Made) -> (Repository, Vec<Rendering>) {
    let mut asked = Vec::new();
    let options = Options { renders: true, ..Options::default() };
    let repository = read_rendered(&files(text), options, &mut |wanted: &BTreeSet<Rendering>| {
        asked.extend(wanted.iter().cloned());
        wanted.iter().map(|one| (one.clone(), made(one))).collect::<BTreeMap<_, _>>()
    });
    (repository, asked)
}

fn gaps(repository: &Repository) -> Vec<String> {
    let all = repository.deployments().flat_map(|(_, deployment)| &deployment.not_assessed);
    all.map(|one| format!("{}: {}", one.place, one.reason)).collect()
}

#[test]
fn a_job_says_what_argo_cd_would_tell_the_tool() {
    let (_, asked) = read(REPOSITORY, recorded);
    let [apps, rights, web] = &asked[..] else { panic!("{asked:?}") };
    let (Job::Helm(apps), Job::Kustomize(rights), Job::Helm(job)) =
        (&apps.job, &rights.job, &web.job)
    else {
        panic!("{asked:?}")
    };
    assert_eq!((apps.release.as_str(), apps.namespace.as_deref()), ("root", Some("argocd")));
    assert_eq!(apps.values.as_deref(), Some("environment: prod\n"));
    assert_eq!((job.release.as_str(), job.namespace.as_deref()), ("web", Some("web")));
    assert_eq!(job.value_files, ["values/prod.yaml"]);
    assert_eq!(job.values.as_deref(), Some("{\"reader\":\"ada\"}"));
    assert_eq!(job.set, BTreeMap::from([("group".to_owned(), "team\\,web".to_owned())]));
    let named: Vec<&str> = web.files.iter().map(|path| &**path).collect();
    assert!(named.contains(&"values/prod.yaml") && named.contains(&"web/charts/lib/Chart.yaml"));
    assert!(!named.iter().any(|path| path.starts_with("apps/")));
    assert_eq!(rights.file, "rights/prod/kustomization.yaml");
    let written: serde_json::Value = serde_json::from_str(&rights.content).expect("JSON");
    assert_eq!(written["commonLabels"]["team"], "web");
    assert_eq!(written["buildMetadata"][0], "originAnnotations");
}

#[test]
fn what_was_rendered_stands_at_the_lines_that_are_in_git() {
    let (repository, _) = read(REPOSITORY, recorded);
    let told = |application: &str| {
        let names = repository.applications().iter().map(|a| a.name.value.as_str());
        let at = names.into_iter().position(|name| name == application).expect("it is there");
        let objects = repository.deployment(at).objects.iter();
        let one = objects.map(|d| {
            let space = d.namespace.as_deref().unwrap_or("-");
            format!("{} {space}/{} {}", d.object.kind, d.object.name(), d.object.place)
        });
        one.collect::<Vec<_>>()
    };
    assert_eq!(
        told("root"),
        [
            "Application argocd/rights apps/templates/rights.yaml:2",
            "Application argocd/web-prod apps/templates/web.yaml:2",
        ]
    );
    assert_eq!(
        told("web-prod"),
        [
            "CustomResourceDefinition -/things.example.com web/crds/thing.yaml:1",
            "ServiceAccount -/plain web/templates/plain.yaml:1",
            "Secret web/token web/templates/many.yaml:10",
            "ConfigMap web/a web/templates/many.yaml:4",
            "ConfigMap web/b web/templates/many.yaml:4",
            "ClusterRole -/web-lib web/charts/lib/templates/role.yaml:2",
            "RoleBinding web/web-web-chart web/templates/rbac.yaml:3",
        ]
    );
    assert_eq!(
        told("rights"),
        [
            "Role web/prod-reader rights/base/role.yaml:1",
            "RoleBinding web/prod-readers rights/base/binding.yaml:1",
            "ConfigMap -/prod-cfg-4h2mbtbbt6 rights/prod/kustomization.yaml:6",
        ]
    );
    assert_eq!(gaps(&repository), [] as [&str; 0]);
    assert_eq!(repository.not_assessed(), []);
}

/// What is the same as in a file has its line; the subject that a patch put there has the patch's.
#[test]
fn values_have_the_line_of_the_file_that_holds_them() {
    let (repository, _) = read(REPOSITORY, recorded);
    let object = |name: &str| {
        let mut all = repository.kubernetes_rbac().filter(|o| o.name() == name);
        all.next().expect("it is there")
    };
    let line = |name: &str, path: &[&str]| object(name).node.at(path).map(|n| n.place.to_string());
    let subject = object("prod-readers").node.get("subjects").expect("subjects").items();
    assert_eq!(
        subject[0].get("name").map(|n| n.place.to_string()).as_deref(),
        Some("rights/prod/more.yaml:9")
    );
    assert_eq!(line("prod-reader", &["rules"]).as_deref(), Some("rights/base/role.yaml:7"));
    // Its name is written nowhere.
    assert_eq!(
        line("prod-reader", &["metadata", "name"]).as_deref(),
        Some("rights/base/role.yaml:1")
    );
    assert_eq!(
        line("web-lib", &["rules"]).as_deref(),
        Some("web/charts/lib/templates/role.yaml:2")
    );
}

#[test]
fn rendered_objects_stand_in_the_place_of_those_they_are_rendered_from() {
    let (repository, _) = read(REPOSITORY, recorded);
    let names = repository.objects().iter().map(|o| format!("{} {}", o.kind, o.name()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(
        names,
        [
            "Application rights",
            "Application root",
            "Application web-prod",
            "ClusterRole web-lib",
            "ConfigMap a",
            "ConfigMap b",
            "ConfigMap prod-cfg-4h2mbtbbt6",
            "CustomResourceDefinition things.example.com",
            "Role prod-reader",
            "RoleBinding prod-readers",
            "RoleBinding web-web-chart",
            "Secret token",
            "ServiceAccount plain",
        ]
    );
    let secret = repository.secrets().next().expect("a Secret");
    assert!(!format!("{secret:?}").contains("hunter2"));
    let parents: Vec<Vec<usize>> =
        (0..repository.applications().len()).map(|at| repository.parents(at).collect()).collect();
    assert_eq!(parents, [vec![], vec![0], vec![0]]);
}

#[test]
fn what_was_not_rendered_has_its_reason_and_the_lenient_reading() {
    type Makes = fn(&Rendering) -> Made;
    let table: [(Makes, &str); 3] = [
        (|_| Made::NoTool, "apps/Chart.yaml:1: it was not rendered: helm is not on the PATH"),
        (
            |_| Made::Failed("it broke".to_owned()),
            "apps/Chart.yaml:1: helm did not render it: it broke",
        ),
        (
            |_| Made::Output(b"a: [".to_vec()),
            "apps/Chart.yaml:1: the output of helm is not YAML: while parsing a node, did not find expected node content",
        ),
    ];
    for (made, expected) in table {
        let (repository, asked) = read(REPOSITORY, made);
        assert_eq!(gaps(&repository), [expected]);
        assert_eq!(asked.len(), 1);
        assert_eq!(repository.rendered().len(), 1, "it is not asked for again");
        let lenient = repository.kubernetes_rbac().any(|object| object.name() == "readers");
        assert!(lenient, "what does not need a tool is read without");
    }
}

#[test]
fn a_tool_is_only_asked_when_the_caller_has_one() {
    let repository = Repository::read(&files(REPOSITORY), &Options::default());
    assert_eq!(
        repository.renderings().iter().map(Rendering::tool).collect::<Vec<_>>(),
        [Tool::Helm]
    );
    let hint =
        "apps/Chart.yaml:1: a template: render it, or run with helm on the PATH and --render";
    assert_eq!(gaps(&repository), [format!("{hint} (mentions Application)")]);
}

/// A repository of one Application, its source and other files.
fn one(source: &str, rest: &str) -> String {
    format!(
        ">>> app.yaml\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\n\
         spec: {{destination: {{namespace: n}}, source: {{repoURL: https://git.example/r, {source}}}}}\n{rest}"
    )
}

const CHART: &str =
    ">>> c/Chart.yaml\nname: c\n>>> c/templates/a.yaml\napiVersion: v1\nkind: {{ .Values.kind }}\n";

#[test]
fn what_cannot_be_told_to_helm_as_argo_cd_tells_it_is_not_rendered() {
    let passed = |what: &str| {
        format!("it was not rendered: {what} cannot be handed to the tool as Argo CD does it")
    };
    let dependency =
        "it was not rendered: the chart d is not in its charts/, and nothing is fetched";
    let table = [
        ("helm: {version: v2}", "", passed("source.helm.version")),
        ("helm: {postRenderer: x}", "", passed("source.helm.postRenderer")),
        ("helm: {releaseName: --post-renderer=x}", "", passed("source.helm.releaseName")),
        ("helm: {namespace: '--kubeconfig=/x'}", "", passed("namespace")),
        (
            "helm: {parameters: [{name: a, value: $ARGOCD_APP_REVISION}]}",
            "",
            passed("source.helm.parameters"),
        ),
        ("helm: {parameters: [{name: a, value: 1}]}", "", passed("source.helm.parameters")),
        ("helm: {valueFiles: [none.yaml]}", "", "there is no none.yaml in this commit".to_owned()),
        (
            "helm: {valueFiles: [../../x.yaml]}",
            "",
            "there is no ../../x.yaml in this commit".to_owned(),
        ),
        (
            "helm: {valueFiles: ['https://a.example/v.yaml'], ignoreMissingValueFiles: true}",
            "",
            "https://a.example/v.yaml lies outside of this repository, and nothing is fetched"
                .to_owned(),
        ),
        (
            "helm: {valueFiles: ['$other/v.yaml'], ignoreMissingValueFiles: true}",
            "",
            "there is no $other/v.yaml in this commit".to_owned(),
        ),
        ("helm: {valueFiles: ['a,b.yaml']}", ">>> c/a,b.yaml\nx: y\n", passed("c/a,b.yaml")),
        ("helm: {}", ">>> c/.argocd-source-a.yaml\nhelm: {}\n", passed("c/.argocd-source-a.yaml")),
        (
            "helm: {}",
            ">>> c/Chart.yaml\nname: c\ndependencies: [{name: d, repository: 'file://../d'}]\n",
            dependency.to_owned(),
        ),
        (
            "helm: {}",
            ">>> c/Chart.yaml\nname: c\ndependencies: [{name: d}]\n>>> c/charts/d-x/Chart.yaml\nname: e\n",
            dependency.to_owned(),
        ),
    ];
    for (helm, rest, expected) in table {
        let text = one(&format!("path: c, {helm}"), &format!("{CHART}{rest}"));
        let (repository, asked) = read(&text, |_| panic!("{helm} {rest}"));
        assert_eq!(asked, []);
        let gaps = gaps(&repository);
        assert!(gaps[0].ends_with(&expected), "{helm}: {gaps:?}");
    }
}

#[test]
fn a_chart_that_asks_what_the_cluster_offers_stays_undetermined() {
    let asks =
        ">>> c/templates/b.yaml\n# {{ .Capabilities.KubeVersion }}\napiVersion: v1\nkind: Pod\n";
    let table = [
        ("helm: {}", asks, true),
        ("helm: {kubeVersion: '1.30', apiVersions: [v1]}", asks, false),
        ("helm: {}", ">>> c/charts/d-1.tgz\nx", true),
        ("helm: {}", ">>> c/templates/b.yaml\n{{ with .Capabilities }}{{ end }}\n", true),
        ("helm: {}", ">>> c/files/b.txt\n{{ $.Capabilities.APIVersions }}\n", true),
        ("helm: {}", ">>> c/values.yaml\nx: '{{ .Capabilities }}'\n", true),
        ("helm: {values: 'x: \"{{ .Capabilities }}\"'}", "", true),
        ("helm: {valueFiles: [../v.yaml]}", ">>> v.yaml\nx: '{{ .Capabilities }}'\n", true),
        ("helm: {}", "", false),
    ];
    for (helm, rest, expected) in table {
        let text = one(&format!("path: c, {helm}"), &format!("{CHART}{rest}"));
        let (repository, asked) = read(&text, |_| Made::Output(Vec::new()));
        assert_eq!(asked.len(), 1);
        assert_eq!(
            gaps(&repository).iter().any(|gap| gap.contains(".Capabilities")),
            expected,
            "{helm} {rest}"
        );
    }
}

/// What kustomize would fetch, run, or take from elsewhere: it is not handed to kustomize at all,
/// whether the Application's kustomization says so or one that it takes in.
#[test]
fn a_kustomization_that_names_anything_remote_is_not_handed_to_kustomize() {
    let remote = "lies outside of this repository, and nothing is fetched";
    let field =
        |name: &str| format!("the field {name} of a kustomization is not rendered by this reading");
    let table = [
        ("resources: ['https://a.example/x.yaml']", remote.to_owned()),
        ("resources: ['github.com/a/b']", remote.to_owned()),
        ("resources: ['git@a.example:b/c']", remote.to_owned()),
        ("bases: ['https://a.example/r.git//x?ref=v1']", remote.to_owned()),
        ("components: ['ssh://git@a.example/b']", remote.to_owned()),
        ("resources: [../../../x]", remote.to_owned()),
        ("resources: [/etc]", remote.to_owned()),
        ("crds: ['https://a.example/crd.json']", remote.to_owned()),
        ("configurations: ['https://a.example/c.yaml']", remote.to_owned()),
        ("openapi: {path: 'https://a.example/o.json'}", remote.to_owned()),
        ("patches: [{path: 'https://a.example/p.yaml'}]", remote.to_owned()),
        ("patches: [{Path: 'https://a.example/p.yaml'}]", field("Path")),
        ("patchesStrategicMerge: ['https://a.example/p.yaml']", remote.to_owned()),
        (
            "patchesJson6902: [{target: {kind: Pod}, path: 'https://a.example/p.yaml'}]",
            remote.to_owned(),
        ),
        ("replacements: [{path: 'https://a.example/r.yaml'}]", remote.to_owned()),
        ("configMapGenerator: [{name: c, files: ['a=https://a.example/f']}]", remote.to_owned()),
        ("secretGenerator: [{name: c, envs: ['https://a.example/f']}]", remote.to_owned()),
        ("secretGenerator: [{name: c, env: 'https://a.example/f'}]", remote.to_owned()),
        ("configMapGenerator: [{name: c, Files: ['https://a.example/f']}]", field("Files")),
        ("Resources: ['https://a.example/x.yaml']", field("Resources")),
        ("helmCharts: [{name: x, repo: 'https://a.example'}]", field("helmCharts")),
        ("helmGlobals: {chartHome: x}", field("helmGlobals")),
        ("generators: [x.yaml]", field("generators")),
        ("transformers: [x.yaml]", field("transformers")),
        ("validators: [x.yaml]", field("validators")),
        ("imageTags: [{name: a}]", field("imageTags")),
        ("patches: [p.yaml]", field("patches, as text")),
        ("resources: [none.yaml]", "there is no none.yaml in this commit".to_owned()),
    ];
    for (written, expected) in &table {
        let own = format!(">>> k/kustomization.yaml\nnamePrefix: a-\n{written}\n");
        let below = format!(
            ">>> k/kustomization.yaml\nnamePrefix: a-\nresources: [../b]\n>>> b/kustomization.yaml\n{written}\n"
        );
        for rest in [own, below] {
            let (repository, asked) = read(&one("path: k", &rest), |_| panic!("{rest}"));
            assert_eq!(asked, [], "{rest}");
            let gaps = gaps(&repository);
            assert!(gaps.iter().any(|gap| gap.ends_with(expected)), "{rest}: {gaps:?}");
        }
    }
}

#[test]
fn options_of_an_application_that_would_be_fetched_or_are_not_known_are_refused_too() {
    let table = [
        "components: ['https://a.example/c']",
        "patches: [{path: 'https://a.example/p.yaml'}]",
        "version: v4.1.0",
        "images: ['web:$ARGOCD_APP_REVISION']",
    ];
    for options in table {
        let text = one(
            &format!("path: k, kustomize: {{{options}}}"),
            ">>> k/kustomization.yaml\nresources: []\n",
        );
        let (_, asked) = read(&text, |_| panic!("{options}"));
        assert_eq!(asked, []);
    }
}

#[test]
fn equal_renderings_are_one_and_equal_objects_count_once() {
    let twice = |name: &str| {
        format!(
            ">>> {name}.yaml\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n\
             spec: {{source: {{repoURL: https://git.example/r, path: k, targetRevision: main}}}}\n"
        )
    };
    let rest = ">>> k/kustomization.yaml\nnamePrefix: a-\nresources: [r.yaml]\n>>> k/r.yaml\n\
                apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n";
    let text = format!("{}{}{rest}", twice("one"), twice("two"));
    let output = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  annotations:\n    \
                  config.kubernetes.io/origin: |\n      path: r.yaml\n  name: a-r\n";
    let (repository, asked) = read(&text, |_| Made::Output(output.into()));
    assert_eq!(asked.len(), 1);
    let roles: Vec<_> = repository.kubernetes_rbac().collect();
    assert_eq!(roles.len(), 1);
    assert_eq!((roles[0].name(), roles[0].place.to_string()), ("a-r", "k/r.yaml:1".to_owned()));
    assert!(roles[0].annotation("config.kubernetes.io/origin").is_none());
}

/// One that another kustomization takes as it is stays there.
#[test]
fn a_base_that_is_deployed_as_it_is_stays() {
    let app = |name: &str, path: &str| {
        format!(
            ">>> {name}.yaml\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n\
             spec: {{source: {{repoURL: https://git.example/r, path: {path}}}}}\n"
        )
    };
    let rest = ">>> over/kustomization.yaml\nnamePrefix: a-\nresources: [../base]\n>>> base/kustomization.yaml\n\
                resources: [r.yaml]\n>>> base/r.yaml\n\
                apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n";
    let text = format!("{}{}{rest}", app("one", "over"), app("two", "base"));
    let output =
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a-r}\n";
    let (repository, _) = read(&text, |_| Made::Output(output.into()));
    let names: Vec<_> = repository.kubernetes_rbac().map(|object| object.name()).collect();
    assert_eq!(names, ["r", "a-r"]);
}

#[test]
fn hooks_that_argo_cd_has_no_phase_for_are_not_deployed() {
    let table = [
        ("{}", true),
        ("{helm.sh/hook: test}", false),
        ("{helm.sh/hook: 'test-success,pre-rollback'}", false),
        ("{helm.sh/hook: pre-delete}", false),
        ("{helm.sh/hook: 'pre-install,pre-delete'}", true),
        ("{helm.sh/hook: post-upgrade}", true),
        ("{helm.sh/hook: crd-install}", true),
        ("{helm.sh/hook: test, argocd.argoproj.io/hook: PostSync}", true),
        ("{argocd.argoproj.io/hook: Skip}", false),
        ("{helm.sh/hook: pre-install, argocd.argoproj.io/hook: Skip}", false),
        ("{argocd.argoproj.io/hook: 'Skip,PostSync'}", true),
    ];
    for (annotations, expected) in table {
        let output = format!(
            "---\n# Source: c/templates/a.yaml\napiVersion: v1\nkind: Pod\n\
             metadata: {{name: p, annotations: {annotations}}}\n"
        );
        let made = |_: &Rendering| Made::Output(output.clone().into());
        let (repository, _) = read(&one("path: c", CHART), made);
        assert_eq!(repository.deployment(0).objects.len() == 1, expected, "{annotations}");
    }
}

#[test]
fn aliases_of_all_documents_count_together() {
    let text = one("path: c", CHART);
    let mut output = String::new();
    for _ in 0..4 {
        output.push_str("---\na: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c]\n");
    }
    let limits = access::yaml::Limits { nodes: 2500, ..access::yaml::Limits::default() };
    let options = Options { renders: true, limits, ..Options::default() };
    let repository = read_rendered(&files(&text), options, &mut |wanted| {
        wanted.iter().map(|one| (one.clone(), Made::Output(output.clone().into()))).collect()
    });
    let gaps = gaps(&repository);
    assert!(
        gaps.iter().any(|gap| gap.contains("values when its aliases are expanded")),
        "{gaps:?}"
    );
}

/// An Application of a folder, with more of its source.
fn app(name: &str, path: &str, more: &str) -> String {
    format!(
        ">>> {name}.yaml\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n\
         spec: {{source: {{repoURL: https://git.example/r, targetRevision: HEAD, path: {path}{more}}}}}\n"
    )
}

fn role(name: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\n"
    )
}

fn roles(repository: &Repository) -> Vec<&str> {
    repository.kubernetes_rbac().map(|object| object.name()).collect()
}

const PREFIX: &str = ", kustomize: {namePrefix: a-}";

fn prefixed(_: &Rendering) -> Made {
    Made::Output(role("a-r").into())
}

/// What lies below a chart and is none of its templates is not what helm renders.
#[test]
fn what_lies_beside_the_templates_of_a_chart_stays() {
    let below = |path: &str| format!(">>> {path}\n{}", role("x"));
    let table = [
        ("c/extras/x.yaml", vec!["x", "a-r"]),
        ("c/x.yaml", vec!["x", "a-r"]),
        ("c/templates/x.yaml", vec!["a-r"]),
        ("c/crds/x.yaml", vec!["a-r"]),
        ("c/charts/d/templates/x.yaml", vec!["a-r"]),
    ];
    for (path, expected) in table {
        let text = format!("{}{CHART}{}", app("one", "c", ""), below(path));
        assert_eq!(roles(&read(&text, prefixed).0), expected, "{path}");
    }
    // Another Application deploys it as it is.
    let rest = below("c/templates/more/x.yaml");
    let two = app("two", "c/templates/more", "");
    let text = format!("{}{two}{CHART}{rest}", app("one", "c", ""));
    assert_eq!(roles(&read(&text, prefixed).0), ["x", "a-r"]);
}

/// The Application's own file is one of those that its chart would be rendered from.
#[test]
fn an_application_below_its_own_chart_does_not_vanish() {
    for folder in ["c/argocd", "c/templates"] {
        let text = app("one", "c", "").replace("one.yaml", &format!("{folder}/one.yaml"));
        let text = format!("{text}{CHART}");
        let (repository, asked) = read(&text, prefixed);
        assert_eq!(asked.len(), 1, "{folder}");
        let names: Vec<_> = repository.applications().iter().map(|a| &a.name.value).collect();
        assert_eq!(names, ["one"], "{folder}");
        assert_eq!((roles(&repository), gaps(&repository)), (vec!["a-r"], vec![]), "{folder}");
    }
}

/// What each makes takes the other's Application away: none of it counts, and that is said.
#[test]
fn renderings_that_take_each_other_away_are_not_assessed() {
    let template =
        ">>> d/Chart.yaml\nname: d\n>>> d/templates/a.yaml\nkind: {{ x }}\napiVersion: v1\n";
    let one = app("one", "c", "").replace("one.yaml", "d/templates/one.yaml");
    let yields = app("two", "d", "").split_once('\n').expect("a path").1.to_owned();
    let text = format!("{one}{CHART}{template}");
    let made = |rendering: &Rendering| {
        Made::Output(if rendering.folder == "c" { yields.clone() } else { String::new() }.into())
    };
    let (repository, _) = read(&text, made);
    let gaps = gaps(&repository);
    assert!(gaps.iter().any(|gap| gap.contains("c/Chart.yaml:1: a template")), "{gaps:?}");
    assert!(gaps.iter().any(|gap| gap.contains("without an end")), "{gaps:?}");
}

/// Whoever deploys a folder as it is keeps what is there, however they came by being read.
#[test]
fn what_somebody_deploys_as_it_is_stays_beside_what_is_rendered() {
    let base =
        format!(">>> b/kustomization.yaml\nresources: [r.yaml]\n>>> b/r.yaml\n{}", role("r"));
    let over = ">>> o/kustomization.yaml\nresources: [../b]\n";
    let changed = ">>> o/kustomization.yaml\nresources: [../b]\ncommonLabels: {a: b}\n";
    let set = ">>> set.yaml\napiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\n\
        spec: {generators: [{list: {elements: [{p: b}]}}], template: {metadata: {name: 's-{{p}}'}, \
        spec: {source: {repoURL: https://git.example/r, path: '{{p}}'}}}}\n";
    let table = [
        (app("one", "b", PREFIX), String::new(), vec!["a-r"]),
        (app("one", "b", PREFIX), app("two", "b", ""), vec!["r", "a-r"]),
        (app("one", "o", PREFIX) + over, String::new(), vec!["a-r"]),
        (app("one", "o", PREFIX) + over, app("two", "b", ""), vec!["r", "a-r"]),
        (app("one", "o", PREFIX) + over, set.to_owned(), vec!["r", "a-r"]),
        (app("one", "o", PREFIX) + changed, String::new(), vec!["a-r"]),
        (app("one", "o", PREFIX) + changed, set.to_owned(), vec!["r", "a-r"]),
        (app("one", "o", PREFIX) + changed, app("two", "b", ", directory: {}"), vec!["r", "a-r"]),
    ];
    for (first, second, expected) in table {
        let text = format!("{first}{second}{base}");
        let (repository, _) = read(&text, prefixed);
        assert_eq!(roles(&repository), expected, "{text}");
        let same = read(&text, |_| Made::Output(role("r").into())).0;
        assert_eq!(roles(&same), ["r"], "the same counts once: {text}");
    }
}

/// An Application that the API tells of deploys as well as a written one.
#[test]
fn a_base_that_a_live_application_deploys_stays() {
    let base =
        format!(">>> b/kustomization.yaml\nresources: [r.yaml]\n>>> b/r.yaml\n{}", role("r"));
    let over = ">>> o/kustomization.yaml\nresources: [../b]\n";
    let live = app("two", "b", "");
    let live = Repository::read(&files(&live), &Options::default()).applications().to_vec();
    let text = format!("{}{over}{base}", app("one", "o", PREFIX));
    let options = Options { renders: true, applications: live, ..Options::default() };
    let repository = read_rendered(&files(&text), options, &mut |wanted| {
        wanted.iter().map(|one| (one.clone(), prefixed(one))).collect()
    });
    assert_eq!(roles(&repository), ["r", "a-r"]);
}

/// Argo CD gives the destination's namespace; `helm.namespace` is only what templates are told.
#[test]
fn what_names_no_namespace_gets_that_of_the_destination() {
    let output = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n";
    let text =
        one("path: c, helm: {namespace: other}", CHART).replace("namespace: n}", "namespace: web}");
    let (repository, asked) = read(&text, |_| Made::Output(output.into()));
    let Job::Helm(job) = &asked[0].job else { panic!("{asked:?}") };
    assert_eq!(job.namespace.as_deref(), Some("other"));
    assert_eq!(repository.deployment(0).objects[0].namespace.as_deref(), Some("web"));
}

/// Versions that a kustomization puts in count wherever no tool put them in.
#[test]
fn images_have_the_versions_of_a_kustomization_that_was_not_rendered() {
    let pod = |tag: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{image: 'web:{tag}'}}]}}\n"
        )
    };
    let rest = format!(
        ">>> k/kustomization.yaml\nresources: [p.yaml]\nimages: [{{name: web, newTag: '2.0.0'}}]\n>>> k/p.yaml\n{}",
        pod("1.0.0")
    );
    let text = format!("{}{rest}", app("one", "k", ", kustomize: {commonLabels: {a: b}}"));
    let table = [
        (Made::NoTool, Some("2.0.0")),
        (Made::Failed("it broke".to_owned()), Some("2.0.0")),
        (Made::Output(b"a: [".to_vec()), None),
        (Made::Output(pod("3.0.0").into()), Some("3.0.0")),
    ];
    for (made, expected) in table {
        let (repository, _) = read(&text, |_| made.clone());
        let images = repository.images(0);
        let version = images.first().and_then(|image| image.version.as_deref());
        assert_eq!(version, expected, "{made:?}");
    }
}
