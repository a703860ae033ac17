//! Real answers against the schemas that are shipped, and the schemas against the types.
//!
//! The validator knows the keywords that our schemas use and fails on any other. It is stricter than
//! JSON Schema in one point: a member that no subschema names is an error, so that a schema cannot
//! fall behind the answers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The members of an object that some subschema named, or where it does not fit.
type Checked = Result<BTreeSet<String>, String>;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema")
}

/// Holds an answer to the schema of its name, which is the member that has its version.
#[track_caller]
pub(crate) fn fits(answer: &Value, name: &str) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).expect("a schema");
    let root: Value = serde_json::from_str(&text).expect("JSON");
    if let Err(e) = whole(&root, &root, answer, name) {
        panic!("{e}");
    }
}

/// Checks an instance, and that all of its members are named.
fn whole(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let named = check(root, schema, value, at)?;
    let members = value.as_object().into_iter().flatten().map(|(name, _)| name);
    match members.into_iter().find(|name| !named.contains(*name)) {
        Some(name) => Err(format!("{at}: {name} is not in the schema")),
        None => Ok(()),
    }
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Checked {
    let schema = match schema {
        Value::Bool(true) => return Ok(all(value)),
        Value::Object(schema) => schema,
        other => return Err(format!("{at}: {other} lets nothing through")),
    };
    let mut named = BTreeSet::new();
    for (keyword, says) in schema {
        named.extend(keyword_of(root, (keyword, says), schema, value, at)?);
    }
    Ok(named)
}

fn all(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn keyword_of(
    root: &Value,
    (keyword, says): (&str, &Value),
    schema: &serde_json::Map<String, Value>,
    value: &Value,
    at: &str,
) -> Checked {
    let holds = |fits: bool| {
        let wrong = || format!("{at}: {keyword} {says} does not hold for {value}");
        fits.then(BTreeSet::new).ok_or_else(wrong)
    };
    let schemas = || says.as_array().into_iter().flatten();
    match keyword {
        "$schema" | "$id" | "$defs" | "title" | "description" | "format" | "default" => holds(true),
        "$ref" => {
            let pointer = says.as_str().and_then(|r| r.strip_prefix('#')).expect("a local $ref");
            check(root, root.pointer(pointer).expect("a definition"), value, at)
        }
        "type" => holds(match says {
            Value::Array(types) => types.iter().any(|t| is_of(t, value)),
            one => is_of(one, value),
        }),
        "const" => holds(says == value),
        "enum" => holds(schemas().any(|one| one == value)),
        "minimum" => holds(value.as_f64().is_none_or(|n| n >= says.as_f64().expect("a number"))),
        "maximum" => holds(value.as_f64().is_none_or(|n| n <= says.as_f64().expect("a number"))),
        "minItems" => holds(
            value.as_array().is_none_or(|a| a.len() as u64 >= says.as_u64().expect("a count")),
        ),
        "maxItems" => holds(
            value.as_array().is_none_or(|a| a.len() as u64 <= says.as_u64().expect("a count")),
        ),
        "uniqueItems" => holds(value.as_array().is_none_or(|items| {
            items.iter().enumerate().all(|(at, item)| !items[..at].contains(item))
        })),
        "required" => {
            holds(schemas().all(|name| value.get(name.as_str().expect("a name")).is_some()))
        }
        "properties" => properties(root, says, value, at),
        "additionalProperties" => additional(root, says, schema, value, at),
        "items" | "prefixItems" => items(root, keyword, says, value, at),
        "allOf" => schemas().try_fold(BTreeSet::new(), |mut named, one| {
            named.extend(check(root, one, value, at)?);
            Ok(named)
        }),
        "anyOf" | "oneOf" => {
            let tried: Vec<Checked> = schemas().map(|one| check(root, one, value, at)).collect();
            let fitting = tried.iter().filter(|t| t.is_ok()).count();
            if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                let why: Vec<String> = tried.into_iter().filter_map(Result::err).collect();
                return Err(format!("{at}: {fitting} of {keyword} fit: {}", why.join("; ")));
            }
            Ok(tried.into_iter().flatten().flatten().collect())
        }
        other => Err(format!("{at}: the validator does not know the keyword {other}")),
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

fn properties(root: &Value, says: &Value, value: &Value, at: &str) -> Checked {
    let mut named = BTreeSet::new();
    for (name, schema) in says.as_object().expect("properties") {
        if let Some(member) = value.get(name) {
            whole(root, schema, member, &format!("{at}.{name}"))?;
            named.insert(name.clone());
        }
    }
    Ok(named)
}

fn additional(
    root: &Value,
    says: &Value,
    schema: &serde_json::Map<String, Value>,
    value: &Value,
    at: &str,
) -> Checked {
    let known = schema.get("properties").and_then(Value::as_object);
    let mut named = BTreeSet::new();
    for (name, member) in value.as_object().into_iter().flatten() {
        if known.is_none_or(|k| !k.contains_key(name)) {
            whole(root, says, member, &format!("{at}.{name}"))?;
            named.insert(name.clone());
        }
    }
    Ok(named)
}

fn items(root: &Value, keyword: &str, says: &Value, value: &Value, at: &str) -> Checked {
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        let schema = if keyword == "items" { Some(says) } else { says.get(number) };
        if let Some(schema) = schema {
            whole(root, schema, item, &format!("{at}[{number}]"))?;
        }
    }
    Ok(BTreeSet::new())
}

#[test]
fn the_shipped_files_are_those_of_the_types() {
    let mut there: Vec<String> = std::fs::read_dir(folder())
        .expect("listed")
        .map(|entry| entry.expect("listed").file_name().into_string().expect("UTF-8"))
        // The policy file is what people write, and its schema is kept by hand.
        .filter(|name| name != "countersign.schema.json")
        .collect();
    there.sort();
    let mut files = countersign::schema::files();
    files.sort();
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(there, names);
    for (name, text) in files {
        let shipped = std::fs::read_to_string(folder().join(&name)).expect("read");
        assert!(shipped == text, "{name} is out of date: run `cargo xtask schemas`");
    }
}

#[test]
fn the_validator_finds_what_does_not_fit() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "a": { "const": 1 },
            "b": { "type": ["string", "null"] },
            "c": { "type": "array", "items": { "$ref": "#/$defs/x" } },
        },
        "required": ["a"],
        "oneOf": [{ "properties": { "k": { "const": "p" } }, "required": ["k"] },
                  { "properties": { "k": { "const": "q" }, "more": { "type": "integer" } }, "required": ["k"] }],
        "$defs": { "x": { "enum": ["one", "two"] } },
    });
    let table = [
        (r#"{"a":1,"k":"p","b":null,"c":["one"]}"#, Ok(())),
        (r#"{"a":1,"k":"q","more":3}"#, Ok(())),
        (r#"{"a":2,"k":"p"}"#, Err("t.a: const")),
        (r#"{"k":"p"}"#, Err("required")),
        (r#"{"a":1,"k":"p","b":1}"#, Err("t.b: type")),
        (r#"{"a":1,"k":"p","c":["three"]}"#, Err("t.c[0]: enum")),
        (r#"{"a":1,"k":"r"}"#, Err("0 of oneOf fit")),
        (r#"{"a":1,"k":"p","more":3}"#, Err("more is not in the schema")),
    ];
    for (text, expected) in table {
        let value: Value = serde_json::from_str(text).expect("JSON");
        match (whole(&schema, &schema, &value, "t"), expected) {
            (Ok(()), Ok(())) => {}
            (Err(e), Err(words)) if e.contains(words) => {}
            (found, expected) => panic!("{text}: {found:?} where {expected:?}"),
        }
    }
}
