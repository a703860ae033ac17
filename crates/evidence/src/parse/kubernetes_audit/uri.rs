//! What a request's URI says beside the object: parameters of the Kubernetes API.

/// Whether the request was to change nothing.
pub(super) fn is_dry_run(uri: &str) -> bool {
    raw(uri, "dryRun").is_some_and(|value| !value.is_empty())
}

/// A parameter's value, decoded; `None` when it is empty.
pub(super) fn parameter(uri: &str, name: &str) -> Option<String> {
    let value = raw(uri, name).filter(|value| !value.is_empty())?;
    Some(decoded(value))
}

fn raw<'u>(uri: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = uri.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// Percent-encoding (RFC 3986); what is no valid encoding stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let pair = pair.and_then(|pair| std::str::from_utf8(pair).ok()).filter(|_| byte == b'%');
        if let Some(meant) = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            bytes.push(meant);
            rest = &after[2..];
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_and_decoded() {
        let uri = "/api/v1/secrets?fieldManager=eso%2Fdb&x=1&labelSelector=name%3Da%2Cowner%3Dhelm";
        assert_eq!(parameter(uri, "fieldManager").as_deref(), Some("eso/db"));
        assert_eq!(parameter(uri, "labelSelector").as_deref(), Some("name=a,owner=helm"));
        assert_eq!(parameter(uri, "dryRun"), None);
        assert!(!is_dry_run("/a?dryRun=") && is_dry_run("/a?b=1&dryRun=All"));
    }

    #[test]
    fn what_is_no_encoding_stays() {
        for (text, expected) in [
            ("%", "%"),
            ("%2", "%2"),
            ("%+f", "% f"),
            ("%zz", "%zz"),
            ("%C3%B1", "ñ"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
