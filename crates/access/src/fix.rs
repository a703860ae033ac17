//! Fixes: edits of files that mend a finding in one way only and take no right from a named person.
//!
//! An edit is a proposal. Whoever applies one has to judge the edited files again and keep it only if
//! the finding is gone and nothing new is found. What needs a decision (who owns a path, who may sync)
//! has no fix here.

use crate::place::Place;
use crate::repository::{Object, Repository};
use crate::yaml::Node;

/// An edit of one line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The path of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether that line is replaced; else the text goes in before it.
    pub replaces: bool,
    /// The new line, without its end.
    pub text: String,
}

/// A setting of Argo CD by which a condition is met.
struct Setting {
    control: &'static str,
    subject: Option<&'static str>,
    key: &'static str,
    value: &'static str,
    /// One of these has to be there: otherwise nobody could sign in any more.
    only_with: &'static [&'static str],
}

/// Keys of `argocd-cm` (`argoproj/argo-cd` `util/settings/settings.go`).
const SETTINGS: [Setting; 3] = [
    Setting {
        control: "sod-revision-sync",
        subject: None,
        key: "application.sync.requireOverridePrivilegeForRevisionSync",
        value: "true",
        only_with: &[],
    },
    Setting {
        control: "sod-anonymous",
        subject: None,
        key: "users.anonymous.enabled",
        value: "false",
        only_with: &[],
    },
    Setting {
        control: "sod-local-admin",
        subject: Some("admin"),
        key: "admin.enabled",
        value: "false",
        only_with: &["oidc.config", "dex.config"],
    },
];

fn setting_of(control: &str, subject: &str) -> Option<&'static Setting> {
    let is_own = |s: &&Setting| s.control == control && s.subject.is_none_or(|own| own == subject);
    SETTINGS.iter().find(is_own)
}

/// Whether a finding is of a kind that can have a safe fix, in some repository.
pub fn may_have(control: &str, subject: &str) -> bool {
    setting_of(control, subject).is_some()
}

/// The edit that mends a finding, if there is a safe one. `content` gives the bytes of a file.
pub fn edit<'c>(
    repository: &Repository,
    control: &str,
    subject: &str,
    content: &dyn Fn(&str) -> Option<&'c [u8]>,
) -> Option<Edit> {
    let setting = setting_of(control, subject)?;
    let mut maps = repository.config_maps("argocd-cm");
    let map = maps.next().filter(|_| maps.next().is_none())?;
    let is_there = |key: &&str| map.data(key).is_some_and(|node| node.scalar_text().is_some());
    if !setting.only_with.is_empty() && !setting.only_with.iter().any(is_there) {
        return None;
    }
    let file = map.place.path()?;
    let text = std::str::from_utf8(content(file)?).ok()?;
    match map.data(setting.key) {
        Some(node) => replaced(file, text, node, setting.value),
        None => inserted(file, text, map, setting),
    }
}

/// The line of a scalar with another value, whatever stands before and behind it kept.
fn replaced(file: &str, text: &str, node: &Node, value: &str) -> Option<Edit> {
    let span = node.place.span().filter(|span| span.line > 0 && span.line == span.end_line)?;
    let at = usize::try_from(span.line).ok()?;
    let line = text.lines().nth(at - 1)?;
    let column = |n: u32| usize::try_from(n.checked_sub(1)?).ok();
    let before: String = line.chars().take(column(span.column)?).collect();
    let behind: String = line.chars().skip(column(span.end_column)?).collect();
    let text = format!("{before}\"{value}\"{behind}");
    Some(Edit { file: file.to_owned(), line: at, replaces: true, text })
}

/// A new first key of `data`, as far in as the first one that is there.
fn inserted(file: &str, text: &str, map: &Object, setting: &Setting) -> Option<Edit> {
    let first = map.node.get("data")?.entries().first()?;
    let Place::File(place) = &first.key.place else { return None };
    let (line, column) =
        (usize::try_from(place.span.line).ok()?, usize::try_from(place.span.column).ok()?);
    // In a mapping of one line the key does not begin its line.
    let is_own_line =
        text.lines().nth(line.checked_sub(1)?)?.chars().take(column - 1).all(|c| c == ' ');
    let text = format!("{}{}: \"{}\"", " ".repeat(column - 1), setting.key, setting.value);
    is_own_line.then(|| Edit { file: file.to_owned(), line, replaces: false, text })
}

impl Edit {
    /// The file with the edit, its line ends kept; `None` if it has no such line.
    pub fn apply(&self, text: &str) -> Option<String> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let own = lines.get(self.line.checked_sub(1)?)?;
        let end = &own[own.trim_end_matches(['\n', '\r']).len()..];
        let mut edited: String = lines[..self.line - 1].concat();
        edited.push_str(&self.text);
        edited.push_str(if self.replaces {
            end
        } else if end.is_empty() {
            "\n"
        } else {
            end
        });
        edited.extend(lines[self.line - 1 + usize::from(self.replaces)..].iter().copied());
        Some(edited)
    }

    /// The edit as lines of a difference.
    pub fn difference(&self, text: &str) -> Vec<String> {
        let old = text.lines().nth(self.line.saturating_sub(1)).filter(|_| self.replaces);
        let mut lines: Vec<String> = old.map(|line| format!("- {line}")).into_iter().collect();
        lines.push(format!("+ {}", self.text));
        lines
    }
}
