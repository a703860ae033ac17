//! By which right a request was allowed, as the RBAC authoriser states it.

use serde::Serialize;

/// The binding and the role that allowed a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Right {
    /// `ClusterRoleBinding` or `RoleBinding`.
    pub binding_kind: String,
    /// The binding's name; a `RoleBinding` reads `name/namespace`.
    pub binding: String,
    /// `ClusterRole` or `Role`.
    pub role_kind: String,
    /// The role's name.
    pub role: String,
    /// `User`, `Group` or `ServiceAccount`: how the binding names the account.
    pub subject_kind: String,
    /// The subject's name; a `ServiceAccount` reads `name/namespace`.
    pub subject: String,
}

impl Right {
    /// Reads the annotation `authorization.k8s.io/reason`; `None` when no binding stands in it.
    ///
    /// The text is put together in `kubernetes/kubernetes`
    /// `plugin/pkg/auth/authorizer/rbac/rbac.go` and
    /// `pkg/registry/rbac/validation/rule.go` (`clusterRoleBindingDescriber`), names in Go's `%q`.
    /// Members of `system:masters` are allowed before any binding is asked: their reason is empty.
    pub fn parse(reason: &str) -> Option<Self> {
        let rest = reason.strip_prefix("RBAC: allowed by ")?;
        let (binding_kind, binding, rest) = named(rest)?;
        let (role_kind, role, rest) = named(rest.strip_prefix(" of ")?)?;
        let (subject_kind, subject, _) = named(rest.strip_prefix(" to ")?)?;
        Some(Self { binding_kind, binding, role_kind, role, subject_kind, subject })
    }
}

/// Reads `Kind "name"` and gives the rest.
fn named(text: &str) -> Option<(String, String, &str)> {
    let (kind, rest) = text.split_once(" \"")?;
    let mut name = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((kind.to_owned(), name, &rest[at + 1..])),
            '\\' => name.push(characters.next()?.1),
            other => name.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Right;

    fn right(reason: &str) -> Option<[String; 6]> {
        let r = Right::parse(reason)?;
        Some([r.binding_kind, r.binding, r.role_kind, r.role, r.subject_kind, r.subject])
    }

    #[test]
    fn a_binding_is_read_with_its_role_and_subject() {
        let text =
            r#"RBAC: allowed by RoleBinding "edit/web" of ClusterRole "edit" to User "x \"y""#;
        let expected = ["RoleBinding", "edit/web", "ClusterRole", "edit", "User", "x \"y"];
        assert_eq!(right(text), Some(expected.map(str::to_owned)));
    }

    #[test]
    fn other_reasons_name_no_binding() {
        for reason in ["", "RBAC: allowed by", "RBAC: allowed by X \"y", "node authorizer", "[cut]"]
        {
            assert_eq!(right(reason), None, "{reason}");
        }
    }
}
