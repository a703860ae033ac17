//! `--render`: what a tool is started with, what it may take, and what is said when it fails. The
//! tools are stubs; the real ones are run by `tests/render/run`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use countersign::sources::render::{Failure, Limits, run};
use serde_json::Value;
use tempfile::TempDir;

/// Writes a program. Another process does it: while this one has a program open for writing, a child
/// of another test could have it open too, and Linux would not start it.
fn program(path: &Path, script: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"]).arg(path).stdin(Stdio::piped());
    let mut child = shell.spawn().expect("a shell");
    let mut input = child.stdin.take().expect("its input");
    std::io::Write::write_all(&mut input, format!("#!/bin/sh\n{script}\n").as_bytes()).expect("it");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_process_keeps_to_its_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = [
        ("echo done", Ok("done\n")),
        ("/bin/cat; echo end of input", Ok("end of input\n")),
        ("echo out; echo 'Error: it broke' >&2; exit 1", Err("exit Error: it broke\n")),
        ("kill -9 $$", Err("exit ")),
        ("/bin/sleep 60", Err("time")),
        ("exec /usr/bin/yes", Err("output")),
        ("/usr/bin/yes >&2", Err("time")),
        ("/bin/sleep 60 & echo out", Err("time")),
        ("trap '' TERM; /bin/sleep 60", Err("time")),
    ];
    for (script, expected) in table {
        let path = folder.path().join("tool");
        program(&path, script);
        let limits = Limits { time: Duration::from_millis(700), output_bytes: 1000 };
        let came = match run(&mut Command::new(&path), &limits) {
            Ok(output) => Ok(String::from_utf8(output).expect("text")),
            Err(Failure::Exit(said)) => Err(format!("exit {said}")),
            Err(Failure::Time(_)) => Err("time".to_owned()),
            Err(Failure::Output(_)) => Err("output".to_owned()),
            Err(Failure::Start(kind)) => Err(format!("start {kind}")),
        };
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(came, expected, "{script}");
    }
    let limits = Limits::default();
    let nothing = run(&mut Command::new(folder.path().join("none")), &limits);
    assert!(matches!(nothing, Err(Failure::Start(_))), "{nothing:?}");
}

#[test]
fn what_a_process_started_is_ended_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, note) = (folder.path().join("tool"), folder.path().join("pid"));
    program(&path, &format!("/bin/sleep 60 & echo $! > {}; wait", note.display()));
    let limits = Limits { time: Duration::from_millis(700), output_bytes: 1000 };
    let came = run(&mut Command::new(&path), &limits);
    assert!(matches!(came, Err(Failure::Time(_))), "{came:?}");
    let pid = fs::read_to_string(&note).expect("its number");
    let state = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    let until = Instant::now() + Duration::from_secs(20);
    // Gone, or dead and not yet waited for by whoever inherited it.
    let is_alive = || fs::read_to_string(&state).is_ok_and(|stat| !stat.contains(") Z "));
    while is_alive() && Instant::now() < until {
        thread::yield_now();
    }
    assert!(!is_alive(), "{pid} still runs");
}

const APPLICATION: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\n\
    spec:\n  destination: {server: https://kubernetes.default.svc, namespace: web}\n  source:\n    \
    repoURL: https://git.example/r.git\n    path: web\n";

/// A repository of one Application with a chart, and stubs of the tools.
struct World {
    folder: TempDir,
}

impl World {
    fn new(application: &str, files: &[(&str, &str)], tools: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = Self { folder };
        fs::create_dir_all(world.at("bin")).expect("a folder");
        let application = format!("{APPLICATION}{application}");
        for (path, text) in [("app.yaml", application.as_str())].iter().chain(files) {
            let path = world.at("repo").join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        for (name, script) in tools {
            program(&world.at("bin").join(name), script);
        }
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.env("PATH", self.at("bin")).env("TMPDIR", self.at("")).env("SECRET", "hunter2");
        command.env("KUBECONFIG", "/nowhere").env("HELM_PLUGINS", "/nowhere");
        command.env_remove("COUNTERSIGN_PEOPLE").args(arguments).arg("--repo").arg(self.at("repo"));
        command.output().expect("it runs")
    }

    fn json(&self) -> Value {
        let output = self.ask(&["who-can", "deploy", "--format", "json", "--render"]);
        let err = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {err}"))
    }

    /// Why something that the Application deploys is not known.
    fn gaps(&self) -> Vec<String> {
        let json = self.json();
        let all = json["undetermined"].as_array().expect("a list").iter();
        let own = all.filter(|gap| gap["what"] == "all that web deploys");
        own.map(|gap| gap["why"].as_str().expect("text").to_owned()).collect()
    }
}

const CHART: [(&str, &str); 2] = [
    ("web/Chart.yaml", "name: web\n"),
    ("web/templates/a.yaml", "apiVersion: v1\nkind: {{ .Values.kind }}\n"),
];

/// Notes what it was started with beside itself.
const NOTES: &str = "case $1 in version) echo v9.9.9; exit;; esac\n\
    for a in \"$@\"; do echo \"$a\"; done > \"$0.arguments\"\n/usr/bin/env > \"$0.environment\"\n\
    pwd > \"$0.folder\"\n/usr/bin/find .. ! -type d > \"$0.files\"";

#[test]
fn a_tool_gets_its_arguments_one_by_one_and_no_environment() {
    let options =
        "    helm:\n      parameters: [{name: a, value: '--x $(id) ;'}]\n      values: 'b: c'\n";
    let options = options.replace("$(id)", "`id`");
    let world = World::new(&options, &CHART, &[("helm", NOTES)]);
    assert_eq!(world.gaps(), [] as [&str; 0]);
    let noted =
        |name: &str| fs::read_to_string(world.at("bin/helm").with_extension(name)).expect(name);
    let arguments = [
        "template",
        "./web",
        "--name-template=web",
        "--namespace=web",
        "--set=a=--x `id` ;",
        "--values=../values/1.yaml",
        "--include-crds",
    ];
    assert_eq!(noted("arguments").lines().collect::<Vec<_>>(), arguments);
    let root = noted("folder").trim().trim_end_matches("/files").to_owned();
    let environment = noted("environment");
    for line in environment.lines() {
        let (name, value) = line.split_once('=').expect("a variable");
        // A shell sets these by itself.
        let is_own = ["PWD", "OLDPWD", "SHLVL", "_"].contains(&name);
        let is_ours = value.starts_with(&root) || ["C", "1", "http://127.0.0.1:9"].contains(&value);
        assert!(is_own || is_ours, "{line}");
    }
    assert!(
        environment.contains(&format!("\nPATH={root}/none\n")) || environment.starts_with("PATH")
    );
    let mut files: Vec<String> = noted("files").lines().map(str::to_owned).collect();
    files.sort();
    assert_eq!(
        files,
        ["../files/web/Chart.yaml", "../files/web/templates/a.yaml", "../values/1.yaml"]
    );
    assert!(!Path::new(&root).exists(), "the folder is removed");
}

#[test]
fn the_versions_are_named_and_a_tool_that_is_missing_is_no_failure() {
    let made = format!("{NOTES}\necho 'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}'");
    let world = World::new("", &CHART, &[("helm", &made)]);
    let rendered = &world.json()["rendered"];
    assert_eq!(
        *rendered,
        serde_json::json!([
            {"tool": "helm", "version": "v9.9.9", "made": 1, "not_made": 0},
            {"tool": "kustomize", "version": null, "made": 0, "not_made": 0},
        ])
    );
    for question in [&["who-can", "deploy", "--render"][..], &["check", "--render"]] {
        let text = String::from_utf8(world.ask(question).stdout).expect("text");
        let expected = "helm v9.9.9, 1 of 1 made · kustomize is not on the PATH";
        assert!(text.contains(expected), "{text}");
    }
    let without = World::new("", &CHART, &[]);
    assert_eq!(without.gaps(), ["it was not rendered: helm is not on the PATH"]);
    let check = without.ask(&["check", "--render", "--format", "json"]);
    assert_eq!(check.status.code(), Some(3));
    let json: Value = serde_json::from_slice(&check.stdout).expect("JSON");
    assert_eq!(json["rendered"][0]["version"], Value::Null);
    // Nothing depends on what is on the PATH unless it is asked for.
    let silent = world.ask(&["check", "--format", "json"]);
    let json: Value = serde_json::from_slice(&silent.stdout).expect("JSON");
    assert!(json.get("rendered").is_none());
}

#[test]
fn a_rendering_that_fails_is_not_assessed_and_says_no_secret() {
    let fails =
        |said: &str| format!("case $1 in version) echo v1; exit;; esac\necho '{said}' >&2; exit 1");
    let chart = [CHART[0], CHART[1], ("web/values.yaml", "password: horse\n")];
    let table = [
        (
            fails("Error: template: web/templates/a.yaml:2: bad horse staple2 at line 3"),
            "helm did not render it: template: web/templates/a.yaml:2: bad … … at line 3",
        ),
        (fails(""), "helm did not render it: it gave no reason"),
        (
            "case $1 in version) echo v1; exit;; esac\necho '{'".to_owned(),
            "the output of helm is not YAML: while parsing a node, did not find expected node content",
        ),
    ];
    for (script, expected) in table {
        let world = World::new("", &chart, &[("helm", &script)]);
        assert_eq!(world.gaps(), [expected]);
        let check = world.ask(&["check", "--render"]);
        assert_eq!(check.status.code(), Some(3), "{}", String::from_utf8_lossy(&check.stdout));
    }
}

#[test]
fn what_is_not_all_there_is_not_rendered() {
    let world = World::new("", &CHART, &[("helm", NOTES)]);
    std::os::unix::fs::symlink("/etc/hostname", world.at("repo/web/templates/b.yaml"))
        .expect("a link");
    let expected = "helm did not render it: web/templates/b.yaml is a link, or no file";
    assert_eq!(world.gaps(), [expected]);
    assert!(!world.at("bin/helm.arguments").exists());

    let options = "    helm: {valueFiles: [../values/prod.yaml], ignoreMissingValueFiles: true}\n";
    let world = World::new(options, &CHART, &[("helm", NOTES)]);
    assert_eq!(world.gaps(), [] as [&str; 0]);
    std::os::unix::fs::symlink("/etc", world.at("repo/values")).expect("a link");
    assert_eq!(world.gaps(), ["helm did not render it: values is a link, or no file"]);
}

/// Kustomize would have git fetch it; it is not started.
#[test]
fn a_kustomization_with_something_remote_below_it_does_not_start_kustomize() {
    let remote = [
        ("web/kustomization.yaml", "namePrefix: a-\nresources: [../base]\n"),
        ("base/kustomization.yaml", "resources: ['https://git.example/a/b//c?ref=v1']\n"),
    ];
    let world = World::new("", &remote, &[("kustomize", NOTES)]);
    let expected =
        "https://git.example/a/b//c?ref=v1 lies outside of this repository, and nothing is fetched";
    assert!(world.gaps().iter().any(|gap| gap == expected), "{:?}", world.gaps());
    assert!(!world.at("bin/kustomize.arguments").exists());
    let local = [remote[0], ("base/kustomization.yaml", "resources: []\n")];
    let world = World::new("", &local, &[("kustomize", NOTES)]);
    assert_eq!(world.gaps(), [] as [&str; 0]);
    assert!(world.at("bin/kustomize.arguments").exists());
}

#[test]
fn a_program_of_the_repository_is_not_taken_for_the_tool() {
    let world = World::new("", &CHART, &[]);
    program(&world.at("repo/helm"), NOTES);
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.current_dir(world.at("repo")).env("PATH", ".:").env_remove("COUNTERSIGN_PEOPLE");
    let output = command.args(["check", "--render"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("helm is not on the PATH · kustomize is not on the PATH"), "{text}");
}
