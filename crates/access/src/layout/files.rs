//! Everything but what is the forge's own: Applications, projects, rights, the policy.

use super::{Name, Names, fill, owners, rules};
use crate::policy::Forge;

type Add<'a> = &'a mut dyn FnMut(String, String, String);

const AUTOMATED: &str = "  syncPolicy:\n    automated: {prune: true, selfHeal: true}";

pub(super) fn all(names: &Names, add: Add<'_>) {
    systems(names, add);
    for environment in &names.environments {
        of_environment(names, environment, add);
    }
    projects(names, add);
    rights(names, add);
    let text = policy(names);
    add("countersign.yaml".to_owned(), text, "what is asked of changes".to_owned());
    add("README.md".to_owned(), readme(names), "what to do next".to_owned());
}

fn systems(names: &Names, add: Add<'_>) {
    for system in &names.systems {
        let own = [("system", system.as_str())];
        let deployment = fill(include_str!("template/base-deployment.yaml"), names, &own);
        let says = format!("the workload of {system}, the same everywhere");
        add(format!("base/{system}/deployment.yaml"), deployment, says);
        let text = fill(include_str!("template/base-kustomization.yaml"), names, &own);
        add(format!("base/{system}/kustomization.yaml"), text, "what base consists of".to_owned());
    }
}

fn of_environment(names: &Names, environment: &Name, add: Add<'_>) {
    let is_last = environment.as_str() == names.last();
    let by_hand =
        format!("  # Somebody of {} starts each sync.\n  syncPolicy: {{}}", names.operators);
    let sync: &str = if is_last { &by_hand } else { AUTOMATED };
    let follows = format!("    targetRevision: {}", names.branch);
    let pinned = format!(
        "    # The branch of record; or the full id of a commit, and then a change of it is what deploys.\n{follows}"
    );
    let revision = if is_last { &pinned } else { &follows };
    for system in &names.systems {
        let own = [
            ("revision", revision.as_str()),
            ("sync", sync),
            ("env", environment.as_str()),
            ("system", system.as_str()),
        ];
        let text = fill(include_str!("template/application.yaml"), names, &own);
        let says = format!(
            "{system} in {environment}, {}",
            if is_last { "synced by hand" } else { "syncs by itself" }
        );
        add(format!("apps/{environment}/{system}.yaml"), text, says);
        let folder = format!("envs/{environment}/{system}");
        let text = fill(include_str!("template/env-kustomization.yaml"), names, &own);
        add(format!("{folder}/kustomization.yaml"), text, "base with this image".to_owned());
        let text = fill(include_str!("template/env-config.yaml"), names, &own);
        add(format!("{folder}/config.yaml"), text, "settings of this environment".to_owned());
    }
    let own = [("sync", sync), ("env", environment.as_str())];
    let text = fill(include_str!("template/root.yaml"), names, &own);
    add(format!("roots/{environment}.yaml"), text, format!("deploys apps/{environment}"));
}

fn projects(names: &Names, add: Add<'_>) {
    for environment in &names.environments {
        let places = destinations(names, [environment]);
        let own = [("destinations", places.as_str()), ("env", environment.as_str())];
        let mut text = fill(include_str!("template/project.yaml"), names, &own);
        if environment.as_str() == names.last() {
            text.push_str(include_str!("template/project-windows.yaml"));
        }
        add(format!("projects/{environment}.yaml"), text, format!("bounds of {environment}"));
    }
    let everywhere = destinations(names, &names.environments);
    let own = [("destinations", everywhere.as_str())];
    let text = fill(include_str!("template/project-platform.yaml"), names, &own);
    add("projects/platform.yaml".to_owned(), text, "bounds of the rules themselves".to_owned());
    let text = fill(include_str!("template/project-root.yaml"), names, &[]);
    add("projects/root.yaml".to_owned(), text, "bounds of the root Applications".to_owned());
    let text = include_str!("template/project-default.yaml").to_owned();
    add("projects/default.yaml".to_owned(), text, "Argo CD's own project, closed".to_owned());
    let text = fill(include_str!("template/root-platform.yaml"), names, &[]);
    add("roots/platform.yaml".to_owned(), text, "deploys the rules".to_owned());
}

/// Pairs of system and environment, by environment.
fn pairs<'n>(
    names: &'n Names,
    environments: impl IntoIterator<Item = &'n Name>,
) -> Vec<(&'n Name, &'n Name)> {
    let pairs = environments.into_iter();
    pairs.flat_map(|e| names.systems.iter().map(move |system| (system, e))).collect()
}

fn destinations<'n>(names: &'n Names, environments: impl IntoIterator<Item = &'n Name>) -> String {
    let one = |(system, environment): (&Name, &Name)| {
        format!(
            "  - server: https://kubernetes.default.svc\n    namespace: {system}-{environment}\n"
        )
    };
    pairs(names, environments).into_iter().map(one).collect()
}

fn rights(names: &Names, add: Add<'_>) {
    let text = include_str!("template/argocd-cm.yaml").to_owned();
    add("argocd/argocd-cm.yaml".to_owned(), text, "Argo CD's settings: nobody is admin".to_owned());
    add("argocd/argocd-rbac-cm.yaml".to_owned(), rbac(names), "who may sync what".to_owned());
    let all = pairs(names, &names.environments);
    let namespace = |(system, environment): &(&Name, &Name)| {
        format!(
            "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {system}-{environment}\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n"
        )
    };
    let namespaces: String = all.iter().map(namespace).collect();
    let text = namespaces.trim_start_matches("---\n").to_owned();
    add("cluster-rbac/namespaces.yaml".to_owned(), text, "where the systems run".to_owned());
    let bindings: String = all
        .iter()
        .map(|(system, environment)| {
            let own = [("system", system.as_str()), ("env", environment.as_str())];
            fill(include_str!("template/binding.yaml"), names, &own)
        })
        .collect();
    let own = [("bindings", bindings.as_str())];
    let text = fill(include_str!("template/controller.yaml"), names, &own);
    add("cluster-rbac/controller.yaml".to_owned(), text, "Argo CD's controller writes".to_owned());
    let subject = |team: &Name| {
        format!("- apiGroup: rbac.authorization.k8s.io\n  kind: Group\n  name: {team}\n")
    };
    let subjects: String = names.teams().map(subject).collect();
    let own = [("subjects", subjects.as_str())];
    let text = fill(include_str!("template/people.yaml"), names, &own);
    add("cluster-rbac/people.yaml".to_owned(), text, "people read".to_owned());
}

/// Lines of Argo CD's policy, for the block of `policy.csv`.
fn rbac(names: &Names) -> String {
    let block = |lines: Vec<String>| lines.iter().map(|l| format!("    {l}\n")).collect::<String>();
    let read = block(names.teams().map(|team| format!("g, {team}, role:readonly")).collect());
    let sync =
        |role: &str, object: String| format!("p, role:{role}, applications, sync, {object}, allow");
    let early = names.environments.iter().filter(|e| e.as_str() != names.last());
    let early = early.flat_map(|e| {
        [sync("develops", format!("{e}/*")), sync("develops", format!("root/root-{e}"))]
    });
    let mut develop: Vec<String> = early.collect();
    if !develop.is_empty() {
        develop.push(format!("g, {}, role:develops", names.developers));
    }
    let last = names.last();
    let operate =
        [format!("{last}/*"), format!("root/root-{last}"), "platform/platform".to_owned()];
    let mut operate: Vec<String> = operate.map(|object| sync("operates", object)).into();
    operate.push(format!("g, {}, role:operates", names.operators));
    let (develop, operate) = (block(develop), block(operate));
    let own = [("read", &*read), ("develop", &*develop), ("operate", &*operate)];
    let text = fill(include_str!("template/argocd-rbac-cm.yaml"), names, &own);
    text.replace("\n\n", "\n")
}

fn policy(names: &Names) -> String {
    let forge = match names.forge {
        Forge::Github => "github",
        Forge::Gitlab => "gitlab",
        Forge::Gitea => "gitea",
        Forge::Bitbucket => "bitbucket",
    };
    let (environments, teams, rules) = (environments(names), teams(names), rules_of(names));
    let own = [
        ("environments", environments.as_str()),
        ("teams", teams.as_str()),
        ("rules", rules.as_str()),
        ("forge", forge),
    ];
    fill(include_str!("template/countersign.yaml"), names, &own)
}

fn environments(names: &Names) -> String {
    let all = names.environments.iter();
    all.flat_map(|environment| environment_of(names, environment.as_str())).collect()
}

/// The lines of an environment in the policy.
fn environment_of(names: &Names, environment: &str) -> Vec<String> {
    let is_last = environment == names.last();
    let mut lines = vec![format!("- name: {environment}\n")];
    if is_last {
        lines.push("  production: true\n".to_owned());
    }
    lines.push("  applications:\n".to_owned());
    lines.push(format!("  - {{name: '*-{environment}', criticality: standard}}\n"));
    if is_last {
        lines.push("  - {name: platform, criticality: critical}\n".to_owned());
    }
    lines.push("  paths:\n".to_owned());
    let mut paths = ["apps", "envs"].map(|folder| format!("{folder}/{environment}/**")).to_vec();
    if is_last {
        let folders = ["base", "argocd", "cluster-rbac", "projects", "roots"];
        paths.extend(folders.map(|folder| format!("{folder}/**")));
        let (own, settings) = (owners::file(names).0, format!("{}/", owners::settings(names)));
        paths.push(format!("{settings}**"));
        paths.extend(Some(own).filter(|own| !own.starts_with(&settings)));
        paths.push("countersign.yaml".to_owned());
    }
    lines.extend(paths.into_iter().map(|path| format!("  - {path}\n")));
    lines.push(format!("  namespaces: ['*-{environment}']\n"));
    let stores = "  # Stores that its manifests may take secrets from; none are in use.\n  secretStores: []\n";
    lines.push(stores.to_owned());
    lines
}

fn teams(names: &Names) -> String {
    let one = |team: &Name| {
        let on_forge = names.on_forge(team);
        format!("- name: {team}\n  people: []\n  forgeTeams: [{on_forge}]\n  groups: [{team}]\n")
    };
    names.teams().map(one).collect()
}

fn rules_of(names: &Names) -> String {
    let last = names.last();
    let asks = format!(
        "  approvals: 2\n  independent: every\n  ownerApproval: true\n  syncTeams: [{}]\n  disjointTeams: true\n  sync: manual\n  ticket: true\n",
        names.operators
    );
    let about = format!("- environments: [{last}]\n");
    let production = match names.environments.len() {
        1 => format!("{about}{asks}"),
        _ => format!(
            "{about}  # Settings and rights stand once, for all environments: none is before them.\n  criticalities: [critical]\n{asks}{about}{asks}  promotion: true\n"
        ),
    };
    let early = names.environments.iter().filter(|e| e.as_str() != last);
    let early: Vec<&str> = early.map(Name::as_str).collect();
    if early.is_empty() {
        return production;
    }
    let early = early.join(", ");
    format!("{production}- environments: [{early}]\n  approvals: 1\n  sync: automated\n")
}

fn readme(names: &Names) -> String {
    let list =
        |all: Vec<&Name>| all.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let repository = names.repository.as_str();
    let repo = repository.rsplit_once('/').map_or(repository, |(_, name)| name);
    let own = [
        ("repo", repo),
        ("list", &*list(names.environments.iter().collect())),
        ("owners", &*list(names.owners.iter().collect())),
        ("teams", &*list(names.teams().collect())),
        ("apply", rules::apply(names)),
        ("invite", rules::invite(names)),
    ];
    fill(include_str!("template/readme.md"), names, &own)
}
