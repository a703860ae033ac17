use proptest::prelude::*;

use super::*;

fn strings(text: &str) -> Vec<(String, String, What)> {
    let mut out = Vec::new();
    scan(text.as_bytes(), &mut |f| {
        out.push((f.path.join("."), text[f.raw.clone()].to_owned(), f.what));
    })
    .expect("valid");
    out
}

#[test]
fn every_string_is_reported_with_its_path() {
    let found = strings(r#" {"a":{"b":["x",{"c":"y"}]},"d":"z"} "#);
    let values: Vec<_> =
        found.iter().filter(|f| f.2 == What::Text).map(|f| (f.0.as_str(), f.1.as_str())).collect();
    assert_eq!(values, [("a.b", "x"), ("a.b.c", "y"), ("d", "z")]);
    assert_eq!(found.iter().filter(|f| f.2 == What::Key).count(), 4);
}

#[test]
fn what_readers_could_read_differently_is_refused() {
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let table: &[(&[u8], JsonError)] = &[
        (b"", JsonError::Truncated(0)),
        (br#"{"a":"#, JsonError::Truncated(5)),
        (br#"{"a":"b"#, JsonError::Truncated(7)),
        (br#"{"a":1} x"#, JsonError::Trailing(8)),
        (br#"{"a":1,"a":2}"#, JsonError::DuplicateKey(7)),
        (br#"{"a":1,"\u0061":2}"#, JsonError::DuplicateKey(7)),
        (b"{\"a\":\"\xff\"}", JsonError::NotUtf8(6)),
        (b"{\"a\":\"\n\"}", JsonError::Unexpected { at: 6, byte: b'\n' }),
        (br#"{"a":01}"#, JsonError::Unexpected { at: 6, byte: b'1' }),
        (br#"{"a":.5}"#, JsonError::Unexpected { at: 5, byte: b'.' }),
        (br#"{"a":1.}"#, JsonError::Unexpected { at: 7, byte: b'}' }),
        (br#"{"a":NaN}"#, JsonError::Unexpected { at: 5, byte: b'N' }),
        (br#"{"a":1,}"#, JsonError::Unexpected { at: 7, byte: b'}' }),
        (br"{'a':1}", JsonError::Unexpected { at: 1, byte: b'\'' }),
        (br#"{"a":"\x"}"#, JsonError::Unexpected { at: 7, byte: b'x' }),
        (br#"{"a":"\ud800"}"#, JsonError::Unexpected { at: 12, byte: b'"' }),
        (br#"{"a":"\udc00"}"#, JsonError::Unexpected { at: 11, byte: b'0' }),
        (deep.as_bytes(), JsonError::TooDeep(64)),
    ];
    for (text, expected) in table {
        let got = scan(text, &mut |_| {}).expect_err("must be refused");
        assert_eq!(&got, expected, "{}", String::from_utf8_lossy(text));
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| format!("{f:?}")),
        any::<String>().prop_map(|s| serde_json::Value::from(s).to_string()),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|v| format!("[{}]", v.join(" ,"))),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|m| {
                let members: Vec<_> = m
                    .iter()
                    .map(|(k, v)| format!("{} : {v}", serde_json::Value::from(k.clone())))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    /// Two readers, one verdict: what the scanner accepts `serde_json` accepts too, and the
    /// other way round but for the refusals that are ours.
    #[test]
    fn agrees_with_serde_json(text in json(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        prop_assert!(scan(text.as_bytes(), &mut |_| {}).is_ok(), "{text}");
        let mut damaged = text.into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        let ours = scan(&damaged, &mut |_| {});
        let theirs = serde_json::from_slice::<serde_json::Value>(&damaged);
        match ours {
            Ok(()) => prop_assert!(
                theirs.is_ok() || theirs.is_err_and(|e| e.to_string().contains("out of range"))
            ),
            Err(JsonError::DuplicateKey(_)) => {}
            Err(_) => prop_assert!(theirs.is_err()),
        }
    }
}
