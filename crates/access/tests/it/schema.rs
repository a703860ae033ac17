//! JSON Schema 2020-12, as far as our own schema uses it: a keyword that is not known fails the
//! test, so that the schema cannot outgrow this reading unseen.

use serde_json::Value;

/// Whether a schema accepts a value.
pub(crate) fn accepts(schema: &Value, value: &Value) -> bool {
    check(schema, schema, value)
}

fn check(root: &Value, schema: &Value, value: &Value) -> bool {
    let rules = match schema {
        Value::Bool(all) => return *all,
        _ => schema.as_object().expect("a schema is an object or a truth value"),
    };
    rules.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "$id" | "$defs" | "title" | "description" | "default" | "examples" => true,
        "$ref" => {
            let name = rule.as_str().and_then(|r| r.strip_prefix("#")).expect("a local reference");
            check(root, root.pointer(name).expect("what it refers to"), value)
        }
        "type" => rule.as_str() == Some(type_of(value)) || (rule == "number" && value.is_number()),
        "const" => rule == value,
        "enum" => rule.as_array().expect("a list").contains(value),
        "required" => rule.as_array().expect("a list").iter().all(|key| {
            value.as_object().is_none_or(|o| o.contains_key(key.as_str().expect("a key")))
        }),
        "properties" => value.as_object().is_none_or(|o| {
            o.iter().all(|(key, member)| rule.get(key).is_none_or(|s| check(root, s, member)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|o| {
            let known = |key: &str| rules.get("properties").is_some_and(|p| p.get(key).is_some());
            o.iter().filter(|(key, _)| !known(key)).all(|(_, member)| check(root, rule, member))
        }),
        "propertyNames" => {
            let names = |o: &serde_json::Map<String, Value>| {
                o.keys().cloned().map(Value::from).collect::<Vec<_>>()
            };
            value.as_object().is_none_or(|o| names(o).iter().all(|name| check(root, rule, name)))
        }
        "items" => value.as_array().is_none_or(|a| a.iter().all(|item| check(root, rule, item))),
        "minLength" => value
            .as_str()
            .is_none_or(|t| t.chars().count() as u64 >= rule.as_u64().expect("a number")),
        "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().expect("a number")),
        "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().expect("a number")),
        "pattern" => {
            value.as_str().is_none_or(|text| matches(rule.as_str().expect("a text"), text))
        }
        other => panic!("the schema uses {other}, which this reading does not know"),
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_u64() || n.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The patterns that the schema uses, by what they are meant to accept.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => {
            let parts: Vec<&str> = text.split('-').collect();
            text.len() == 10
                && parts.len() == 3
                && parts.iter().all(|part| digits(part))
                && parts[0].len() == 4
        }
        "^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$" => {
            let mut rest = text;
            for unit in ['d', 'h', 'm', 's'] {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                if (1..=9).contains(&end) && rest[end..].starts_with(unit) {
                    rest = &rest[end + 1..];
                }
            }
            rest.is_empty() && digits(&text[..text.len().min(1)])
        }
        "^[A-Za-z][-A-Za-z0-9_/.]*#[-A-Za-z0-9_/.]*$" => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
            let (before, after) = text.split_once('#').unwrap_or(("", "#"));
            before.starts_with(|c: char| c.is_ascii_alphabetic())
                && before.chars().chain(after.chars()).all(is_plain)
        }
        "^(sod|trail|secret|drift|change|emergency|adoption)-[a-z0-9-]+$" => {
            let families = ["sod", "trail", "secret", "drift", "change", "emergency", "adoption"];
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            text.split_once('-').is_some_and(|(family, rest)| {
                families.contains(&family) && !rest.is_empty() && rest.chars().all(is_plain)
            })
        }
        other => panic!("the schema uses the pattern {other}, which this reading does not know"),
    }
}
