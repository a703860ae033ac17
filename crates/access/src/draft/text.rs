//! The draft as text: values that any reader of YAML takes as text, each with its reason.

use std::collections::BTreeSet;

use super::environment::{Environment, STANDARD};
use super::{Draft, Found, Guess};
use crate::place::Place;
use crate::policy::Forge;

/// The text while it is written.
struct Writer {
    text: String,
    guesses: Vec<Guess>,
    not_told: Vec<String>,
}

/// A forge as the policy names it.
pub(super) const fn forge(forge: Forge) -> &'static str {
    match forge {
        Forge::Github => "github",
        Forge::Gitlab => "gitlab",
        Forge::Gitea => "gitea",
        Forge::Bitbucket => "bitbucket",
    }
}

pub(super) fn write(mut found: Found) -> Draft {
    let mut writer = Writer { text: String::new(), guesses: Vec::new(), not_told: Vec::new() };
    writer.line("# A first policy, read from what is in the repository. What is said here was guessed, each with");
    writer.line(
        "# its reason and place: read it, mend it, and let the owners of this file approve it.",
    );
    writer.line("version: 1");
    writer.line("");
    repository(&mut writer, &found);
    writer.line("");
    writer.line("# In the order in which a change is promoted. The first pattern that matches an Application counts.");
    writer.line("environments:");
    for not_told in std::mem::take(&mut found.not_told) {
        writer.not_told("", not_told);
    }
    for one in &found.environments {
        environment(&mut writer, one);
    }
    if found.environments.is_empty() {
        writer.text = writer.text.trim_end().trim_end_matches("environments:").to_owned();
        writer.line("environments: []");
    }
    criticalities(&mut writer, &found);
    teams(&mut writer, &found);
    rules(&mut writer, &found);
    writer.line("");
    writer.not_told(
        "",
        "ticket systems: tickets, each with a name and patterns such as 'CHG-#'".to_owned(),
    );
    writer.not_told("", "when production rests: calendar, with timeZone and freezes".to_owned());
    Draft { text: writer.text, guesses: writer.guesses, not_told: writer.not_told }
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A comment, in which nothing can end the line.
    fn comment(&mut self, indent: &str, text: &str) {
        let plain: String = text.chars().map(|c| if is_shown(c) { c } else { '?' }).collect();
        self.line(&format!("{indent}# {plain}"));
    }

    fn not_told(&mut self, indent: &str, what: String) {
        self.comment(indent, &format!("not told: {what}"));
        self.not_told.push(what);
    }

    fn guess(&mut self, indent: &str, guess: &Guess) {
        self.comment(indent, &reason(&guess.why, guess.at.as_ref()));
        self.guesses.push(guess.clone());
    }
}

fn reason(why: &str, at: Option<&Place>) -> String {
    at.map_or_else(|| why.to_owned(), |at| format!("{why}: {at}"))
}

fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text as a scalar that is text to every reader.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let words = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];
    let is_safe = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if is_safe {
        return text.to_owned();
    }
    if text.chars().all(is_shown) && !text.is_empty() {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if is_shown(c) => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn repository(writer: &mut Writer, found: &Found) {
    writer.line("repository:");
    if found.addresses.is_empty() {
        writer.not_told("  ", "the address by which Applications name this repository: none names a path that is here".to_owned());
        writer.line("  addresses: []");
    } else {
        writer.line("  addresses:");
        for guess in &found.addresses {
            writer.guess("  ", guess);
            writer.line(&format!("  - {}", scalar(&guess.value)));
        }
    }
    match &found.forge {
        Some((_, guess)) => {
            writer.guess("  ", guess);
            writer.line(&format!("  forge: {}", guess.value));
        }
        None => writer
            .not_told("  ", "the forge: forge, one of github, gitlab, gitea, bitbucket".to_owned()),
    }
    match &found.name {
        Some(guess) => {
            writer.guess("  ", guess);
            writer.line(&format!("  name: {}", scalar(&guess.value)));
        }
        None => writer.not_told(
            "  ",
            "the name on the forge: name, such as organisation/repository".to_owned(),
        ),
    }
    writer.guess("  ", &found.branch);
    writer.line(&format!("  branch: {}", scalar(&found.branch.value)));
}

fn environment(writer: &mut Writer, environment: &Environment) {
    writer.guess("", &environment.guess);
    writer.line(&format!("- name: {}", scalar(&environment.guess.value)));
    if environment.is_production {
        writer.line("  production: true");
    }
    if !environment.rules.is_empty() {
        writer.line("  applications:");
    }
    for rule in &environment.rules {
        let (pattern, criticality) = (scalar(&rule.pattern), scalar(&rule.criticality));
        writer.comment("  ", &reason(&rule.why, rule.at.as_ref()));
        writer.line(&format!("  - {{name: {pattern}, criticality: {criticality}}}"));
        let value =
            format!("{} in {}, {}", rule.pattern, environment.guess.value, rule.criticality);
        writer.guesses.push(Guess::new("applications", &value, rule.why.clone(), rule.at.as_ref()));
    }
    if !environment.paths.is_empty() {
        writer.line("  paths:");
    }
    for path in &environment.paths {
        writer.guess("  ", path);
        writer.line(&format!("  - {}", scalar(&path.value)));
    }
    if !environment.stores.is_empty() {
        writer.line("  secretStores:");
    }
    for store in &environment.stores {
        let keys: Vec<String> = store.keys.iter().map(|key| scalar(key)).collect();
        let why = if keys.is_empty() { "in use; a search takes the keys" } else { "in use" };
        writer.comment("  ", &reason(why, Some(&store.at)));
        let keys =
            if keys.is_empty() { String::new() } else { format!(", keys: [{}]", keys.join(", ")) };
        let kind =
            if store.kind == "ClusterSecretStore" { "ClusterSecretStore" } else { "SecretStore" };
        writer.line(&format!("  - {{kind: {kind}, name: {}{keys}}}", scalar(&store.name)));
        let value = format!("{kind} {} in {}", store.name, environment.guess.value);
        writer.guesses.push(Guess::new("secret store", &value, why.to_owned(), Some(&store.at)));
    }
}

fn criticalities(writer: &mut Writer, found: &Found) {
    let used = found.environments.iter().flat_map(|e| &e.rules).map(|r| r.criticality.as_str());
    let mut used: BTreeSet<&str> = used.collect();
    if used.is_empty() {
        used.insert(STANDARD);
    }
    writer.line("");
    writer.line("criticalities:");
    writer.not_told(
        "",
        "how long drift may last: drift, such as {grace: 5m, resolveWithin: 1d}".to_owned(),
    );
    for name in used {
        writer.line(&format!("- name: {}", scalar(name)));
    }
}

fn teams(writer: &mut Writer, found: &Found) {
    writer.line("");
    let Some(owners) = &found.owners else {
        return writer.not_told("", "teams: there is no CODEOWNERS to read them from".to_owned());
    };
    if found.teams.is_empty() {
        writer.not_told("", format!("teams: {owners} names none"));
    } else {
        writer.comment("", "People are ids of the people map, which lies outside of git: `countersign people propose`.");
        writer.line("teams:");
    }
    let names: Vec<&str> = found.teams.iter().map(|team| last(&team.value)).collect();
    for team in &found.teams {
        // Of two organisations' teams of one name each is called by all of it.
        let short = last(&team.value);
        let is_one = names.iter().filter(|name| **name == short).count() == 1;
        let name = if is_one { short } else { &team.value };
        writer.guess("", team);
        writer.line(&format!("- name: {}", scalar(name)));
        writer.line("  people: []");
        writer.line(&format!("  forgeTeams: [{}]", scalar(&team.value)));
    }
    if !found.teams.is_empty() {
        writer.not_told(
            "",
            "which groups of the identity provider these teams are: groups".to_owned(),
        );
    }
    if !found.accounts.is_empty() {
        let accounts = found.accounts.iter().map(|a| format!("{} ({})", a.value, a.place));
        let accounts: Vec<String> = accounts.collect();
        writer.not_told("", format!("in which teams these owners are: {}", accounts.join(", ")));
    }
}

fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn rules(writer: &mut Writer, found: &Found) {
    writer.line("");
    let production: Vec<&Environment> =
        found.environments.iter().filter(|e| e.is_production).collect();
    writer.not_told("", "what your organisation asks of a change: approvals, independent, syncTeams, disjointTeams, ticket, promotion".to_owned());
    if production.is_empty() {
        return;
    }
    writer.line("rules:");
    for environment in production {
        writer.line(&format!("- environments: [{}]", scalar(&environment.guess.value)));
        writer.comment("  ", "the least that separates duties");
        writer.line("  approvals: 1");
        if let Some(owners) = &found.owners {
            writer.comment("  ", &format!("there are owners: {owners}"));
            writer.line("  ownerApproval: true");
        }
        let (manual, automated) = (&environment.manual, &environment.automated);
        let (mode, at, count) = match (manual.0, automated.0) {
            (0, 0) => continue,
            (count, 0) => ("manual", &manual.1, count),
            (0, count) => ("automated", &automated.1, count),
            (hand, own) => {
                let of =
                    |at: &Option<Place>| at.as_ref().map(ToString::to_string).unwrap_or_default();
                let what = format!(
                    "sync: {hand} Applications are synced by hand ({}), {own} sync themselves ({})",
                    of(&manual.1),
                    of(&automated.1)
                );
                writer.not_told("  ", what);
                continue;
            }
        };
        let why = match count {
            1 => "so is its one Application".to_owned(),
            count => format!("so are all {count} Applications"),
        };
        let value = format!("{mode} in {}", environment.guess.value);
        writer.guess("  ", &Guess::new("sync", &value, why, at.as_ref()));
        writer.line(&format!("  sync: {mode}"));
    }
}
