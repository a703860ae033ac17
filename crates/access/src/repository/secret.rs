//! Secrets in git, and references to secrets elsewhere.
//!
//! The values of a Secret are looked at once, to say what they look like, and are not kept.

use serde::Serialize;

use super::object::Object;
use crate::place::{Located, Place};
use crate::yaml::{Node, Value};

/// What stands in the place of a value.
pub(super) const WITHHELD: &str = "[withheld]";

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretValue {
    /// The key.
    pub key: String,
    /// Where its value stands.
    pub place: Place,
    /// What the value looks like.
    pub form: SecretForm,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretForm {
    /// Nothing.
    Empty,
    /// Names where the value is to be taken from: `<path:…>`, `<key>`, `${VAR}`, `{{ … }}`.
    Placeholder,
    /// Encrypted by SOPS.
    Encrypted,
    /// A value that whoever reads the repository can read.
    Readable,
}

/// What a value looks like; of `data`, what it is once decoded decides.
pub(super) fn form(value: &str, is_base64: bool) -> SecretForm {
    let value = value.trim();
    if value.is_empty() {
        return SecretForm::Empty;
    }
    if value.starts_with("ENC[") && value.ends_with(']') {
        return SecretForm::Encrypted;
    }
    let marks = [("<", ">"), ("${", "}"), ("{{", "}}")];
    let is_placeholder = |text: &str| {
        marks.iter().any(|(open, close)| text.starts_with(open) && text.ends_with(close))
    };
    let decoded = if is_base64 { decode(value) } else { None };
    let is_one = is_placeholder(value) || decoded.is_some_and(|text| is_placeholder(text.trim()));
    if is_one { SecretForm::Placeholder } else { SecretForm::Readable }
}

/// Standard base64 to text; `None` when it is neither.
fn decode(value: &str) -> Option<String> {
    let (mut bits, mut width, mut bytes) = (0_u32, 0, Vec::new());
    for symbol in value.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=') {
        let six = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xffff;
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.push(u8::try_from(bits >> width & 0xff).unwrap_or_default());
        }
    }
    String::from_utf8(bytes).ok()
}

/// Takes the values out of a Secret's tree and says what they look like; those that are taken out
/// already are left.
pub(super) fn withhold(node: &mut Node) -> Vec<SecretValue> {
    let mut values = Vec::new();
    for (field, is_base64) in [("data", true), ("stringData", false)] {
        let Some(Node { value: Value::Mapping(entries), .. }) = node.get_mut(field) else {
            continue;
        };
        for entry in entries.iter_mut().filter(|e| e.value.as_text() != Some(WITHHELD)) {
            let form = form(entry.value.scalar_text().unwrap_or_default(), is_base64);
            let (key, place) = (entry.key.text.to_string(), entry.value.place.clone());
            entry.value = Node::text_at(WITHHELD, &place);
            values.push(SecretValue { key, place, form });
        }
    }
    // kubectl keeps the whole object there, values and all.
    let last = "kubectl.kubernetes.io/last-applied-configuration";
    let annotations = node.get_mut("metadata").and_then(|m| m.get_mut("annotations"));
    if let Some(applied) = annotations.and_then(|a| a.get_mut(last)) {
        *applied = Node::text_at(WITHHELD, &applied.place.clone());
    }
    values
}

/// An `ExternalSecret` or `ClusterExternalSecret`: what it takes from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExternalSecret {
    /// The kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// The stores it names: the common one, and those of single values.
    pub stores: Vec<StoreRef>,
    /// What it takes.
    pub keys: Vec<RemoteKey>,
}

/// The name of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreRef {
    /// `SecretStore` or `ClusterSecretStore`.
    pub kind: String,
    /// The name.
    pub name: Located<String>,
}

/// One thing that is taken from a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemoteKey {
    /// The key in the store, or the pattern of a search.
    pub key: Located<String>,
    /// The property, where one is named.
    pub property: Option<Located<String>>,
    /// The version, where one is pinned.
    pub version: Option<Located<String>>,
    /// Whether the key is a pattern that is searched for.
    pub is_search: bool,
}

/// A `SecretStore` or `ClusterSecretStore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretStore {
    /// The kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// The provider: `vault`, `aws`, …
    pub provider: Option<Located<String>>,
    /// Of Vault and OpenBao: the address.
    pub server: Option<Located<String>>,
    /// Of Vault and OpenBao: the mount.
    pub mount: Option<Located<String>>,
    /// Of Vault and OpenBao with Kubernetes authentication: the role.
    pub role: Option<Located<String>>,
    /// Whether the namespaces that may use it are limited: of a `SecretStore` always, of a
    /// `ClusterSecretStore` when it has conditions.
    pub is_limited: bool,
}

const GROUP: &str = "external-secrets.io";

impl ExternalSecret {
    /// Reads one; `None` for other kinds.
    pub fn of(object: &Object) -> Option<Self> {
        let spec = match object.kind.as_str() {
            "ExternalSecret" if object.group == GROUP => object.node.get("spec")?,
            "ClusterExternalSecret" if object.group == GROUP => {
                object.node.at(&["spec", "externalSecretSpec"])?
            }
            _ => return None,
        };
        let common = spec.get("secretStoreRef").and_then(store_ref);
        let parts =
            || ["data", "dataFrom"].into_iter().filter_map(|f| spec.get(f)).flat_map(Node::items);
        let own = parts().filter_map(|part| store_ref(part.at(&["sourceRef", "storeRef"])?));
        let stores = common.into_iter().chain(own).collect();
        let keys = parts().filter_map(remote_key).collect();
        let (name, namespace) = (object.name().to_owned(), object.namespace().map(str::to_owned));
        let (kind, place) = (object.kind.clone(), object.place.clone());
        Some(Self { kind, name, namespace, place, stores, keys })
    }
}

fn store_ref(node: &Node) -> Option<StoreRef> {
    let kind = node.get("kind").and_then(Node::as_text).unwrap_or("SecretStore").to_owned();
    Some(StoreRef { kind, name: node.located("name")? })
}

fn remote_key(part: &Node) -> Option<RemoteKey> {
    if let Some(find) = part.get("find") {
        let name = find.at(&["name"]).and_then(|name| name.located("regexp"));
        let key = name.or_else(|| find.located("path"));
        let key = key.unwrap_or_else(|| Located::new("tags".to_owned(), &find.place));
        return Some(RemoteKey { key, property: None, version: None, is_search: true });
    }
    let at = part.get("remoteRef").or_else(|| part.get("extract"))?;
    let (property, version) = (at.located("property"), at.located("version"));
    Some(RemoteKey { key: at.located("key")?, property, version, is_search: false })
}

impl SecretStore {
    /// Reads one; `None` for other kinds.
    pub fn of(object: &Object) -> Option<Self> {
        let is_store = matches!(object.kind.as_str(), "SecretStore" | "ClusterSecretStore");
        if !is_store || object.group != GROUP {
            return None;
        }
        let provider = object.node.at(&["spec", "provider"]).and_then(|p| p.entries().first());
        let vault = provider.filter(|p| matches!(&*p.key.text, "vault" | "openBao"));
        let vault = vault.map(|entry| &entry.value);
        let role =
            vault.and_then(|v| v.at(&["auth", "kubernetes"])).and_then(|k| k.located("role"));
        let conditions = object.node.at(&["spec", "conditions"]);
        let is_limited =
            object.kind == "SecretStore" || conditions.is_some_and(|c| !c.items().is_empty());
        Some(Self {
            kind: object.kind.clone(),
            name: object.name().to_owned(),
            namespace: object.namespace().map(str::to_owned),
            place: object.place.clone(),
            provider: provider.map(|p| Located::new(p.key.text.to_string(), &p.key.place)),
            server: vault.and_then(|v| v.located("server")),
            mount: vault.and_then(|v| v.located("path")),
            role,
            is_limited,
        })
    }
}
