//! Whether a local account of Argo CD, which is nobody's, can be used.

use evidence::control::framework::{NIST_AC_6, PCI_8_2_1, RTS_21_C};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};

/// No local account that signs in.
pub const CONTROL: Control = Control {
    id: "sod-local-admin",
    condition: "no shared local account signs in",
    statement: "No local account of Argo CD signs in with a password, the built-in admin included.",
    asks: "Who used the account admin on that day?",
    fix: "Set admin.enabled to \"false\" in argocd-cm, and let people sign in through the identity provider.",
    example: "admin.enabled is left at its default after single sign-on was set up.",
    limits: "Whether the password is known to anybody is not seen.",
    inputs: &["argocd-cm", "people map"],
    relates: &[PCI_8_2_1, RTS_21_C, NIST_AC_6],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some((argo, map)) =
        asked.joined.argo.as_ref().and_then(|a| Some((a, a.settings.as_ref()?)))
    else {
        return missing(&CONTROL, "argocd-cm");
    };
    let one = |(name, account): (&String, &crate::argocd::settings::Account)| {
        let owned = asked.joined.person("argocd_username", name).is_some();
        let is_met = owned || !(account.enabled && account.login);
        let bad = || format!("{name} signs in with a password and belongs to nobody");
        let answer = holds(is_met, "it does not sign in as nobody", bad);
        let key = account.key.as_deref().unwrap_or("admin.enabled");
        let place = map.data(key).map_or(&map.place, |node| &node.place);
        outcome(&CONTROL, name, answer, std::slice::from_ref(place))
    };
    argo.rbac.settings().accounts.iter().map(one).collect()
}
