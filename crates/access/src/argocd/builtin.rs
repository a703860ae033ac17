//! The policy that Argo CD brings along: `role:readonly`, `role:admin`, and who is `admin`.

use super::policy::{Line, MatchMode, Policy};
use crate::origin::Origin;

/// Resource, whether its objects have a project, what `role:readonly` may, what `role:admin` may
/// beyond it. Facts of `assets/builtin-policy.csv` of argoproj/argo-cd at `37ee009`, without the
/// line by which `role:admin` reads `ApplicationSets`, as it does by `role:readonly`.
const RIGHTS: [(&str, bool, &[&str], &[&str]); 11] = [
    (
        "applications",
        true,
        &["get"],
        &[
            "create", "update", "update/*", "delete", "delete/*", "sync", "rollback", "override",
            "action/*",
        ],
    ),
    ("applicationsets", true, &["get"], &["get", "create", "update", "delete"]),
    ("certificates", false, &["get"], &["create", "update", "delete"]),
    ("clusters", false, &["get"], &["create", "update", "delete"]),
    ("repositories", false, &["get"], &["create", "update", "delete"]),
    ("write-repositories", false, &["get"], &["create", "update", "delete"]),
    ("projects", false, &["get"], &["create", "update", "delete"]),
    ("accounts", false, &["get"], &["update"]),
    ("gpgkeys", false, &["get"], &["create", "delete"]),
    ("logs", true, &["get"], &[]),
    ("exec", true, &[], &["create"]),
];

const SOURCE: &str = "Argo CD built-in policy";

/// Whether a line is one of these.
pub(crate) fn is_builtin(line: &Line) -> bool {
    &*line.origin.source == SOURCE
}

/// The built-in policy; its lines cite it as a whole, because it is no file of the reader's.
pub(crate) fn policy() -> Policy {
    let origin = Origin::whole(SOURCE);
    let mut lines = Vec::new();
    for (resource, in_project, readonly, admin) in RIGHTS {
        let object = if in_project { "*/*" } else { "*" };
        for (role, actions) in [("readonly", readonly), ("admin", admin)] {
            for action in actions {
                lines.push(format!("p, role:{role}, {resource}, {action}, {object}, allow"));
            }
        }
    }
    lines.push("g, role:admin, role:readonly".to_owned());
    lines.push("g, admin, role:admin".to_owned());
    // Read as globs here, matched in the mode of the enforcer: as an expression `*/*` is not valid,
    // so that with `policy.matchMode: regex` most of these lines refuse whoever reaches them.
    Policy::parse(&lines.join("\n"), &origin, MatchMode::Glob)
}
