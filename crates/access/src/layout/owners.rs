//! CODEOWNERS in the forge's place and dialect.

use super::{Name, Names};
use crate::codeowners::Dialect;

/// Folders that hold the rules. `apps` is one: whoever may write an Application decides what runs as
/// which project.
const RULES: [&str; 5] = ["apps", "argocd", "cluster-rbac", "projects", "roots"];

/// The path and the text. The path is the first that the forge looks at, so that no file elsewhere
/// can stand before it.
pub(super) fn file(names: &Names) -> (String, String) {
    let path = names.dialect().locations().first().copied().unwrap_or("CODEOWNERS");
    let text = match names.dialect() {
        Dialect::Gitea | Dialect::Forgejo => expressions(names, path),
        _ => patterns(names, path),
    };
    (path.to_owned(), text)
}

/// The folder of the forge's own settings.
pub(super) fn settings(names: &Names) -> &'static str {
    match names.dialect() {
        Dialect::GitHub => ".github",
        Dialect::GitLab => ".gitlab",
        _ => ".gitea",
    }
}

fn handles<'n>(names: &Names, teams: impl IntoIterator<Item = &'n Name>) -> String {
    let teams = teams.into_iter().map(|team| format!("@{}", names.on_forge(team)));
    teams.collect::<Vec<_>>().join(" ")
}

/// GitHub and GitLab: the last pattern that matches decides.
fn patterns(names: &Names, own: &str) -> String {
    let production = ["base".to_owned(), format!("envs/{}", names.last())];
    let (owners, platform) = (handles(names, &names.owners), handles(names, [&names.platform]));
    let auditors = handles(names, [&names.auditors]);
    let mut lines: Vec<(String, &str)> = Vec::new();
    let developers = handles(names, [&names.developers]);
    lines.push(("*".to_owned(), &developers));
    lines.extend(production.iter().map(|folder| (format!("/{folder}/"), owners.as_str())));
    let folders = RULES.into_iter().chain([settings(names)]);
    lines.extend(folders.map(|folder| (format!("/{folder}/"), platform.as_str())));
    lines.push((format!("/{own}"), &platform));
    lines.push(("/countersign.yaml".to_owned(), &auditors));
    let width = lines.iter().map(|(pattern, _)| pattern.len()).max().unwrap_or(0);
    let told = [
        (
            0,
            "# Who has to approve a change of which path. The last line that matches decides, and any\n# one owner of it suffices: keep what is narrow below what is broad.\n",
        ),
        (
            1,
            "\n# What production runs from. Every environment is built on base/, production too.\n",
        ),
        (3, "\n# What may run where, by whose rights, and who may change that.\n"),
        (
            lines.len() - 2,
            "\n# The rules themselves. Whoever sets what is asked of changes runs nothing here.\n",
        ),
    ];
    let mut text = String::new();
    for (at, (pattern, owners)) in lines.iter().enumerate() {
        text.extend(told.iter().filter(|(before, _)| *before == at).map(|(_, words)| *words));
        text.extend([format!("{pattern:width$} {owners}\n")]);
    }
    text
}

/// Gitea: every expression that matches the whole path counts, so what is broad leaves out what is
/// narrow.
fn expressions(names: &Names, own: &str) -> String {
    let production = format!("(base|envs/{})/.*", names.last());
    let rules = format!("({}|\\\\.gitea)/.*", RULES.join("|"));
    let policy = "countersign\\\\.yaml";
    let (developers, auditors) =
        (handles(names, [&names.developers]), handles(names, [&names.auditors]));
    let (owners, platform) = (handles(names, &names.owners), handles(names, [&names.platform]));
    format!(
        "# Who is asked about a change of which path. Every line that matches the whole path counts; a line\n\
         # with ! matches all other paths.\n\
         !({production}|{rules}|{own}|{policy}) {developers}\n\
         \n\
         # What production runs from. Every environment is built on base/, production too.\n\
         {production} {owners}\n\
         \n\
         # What may run where, by whose rights, and who may change that.\n\
         {rules} {platform}\n\
         \n\
         # The rules themselves. Whoever sets what is asked of changes runs nothing here.\n\
         {own} {platform}\n\
         {policy} {auditors}\n"
    )
}
