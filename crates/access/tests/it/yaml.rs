//! YAML: the schema, places, limits and templates.

use access::yaml::{Fault, Limits, Node, parse};
use serde_json::json;

fn one(text: &str) -> Node {
    let parsed = parse("f.yaml", text.as_bytes(), &Limits::default());
    assert_eq!(parsed.problems, vec![], "{text}");
    assert_eq!(parsed.documents.len(), 1, "{text}");
    parsed.documents.into_iter().next().expect("one")
}

fn faults(text: &str, limits: &Limits) -> Vec<String> {
    let parsed = parse("f.yaml", text.as_bytes(), limits);
    parsed.problems.iter().map(|p| format!("{} {}", p.place, p.fault)).collect()
}

#[test]
fn scalars_mean_what_kubernetes_tools_make_of_them() {
    let table = [
        ("a: yes", json!({"a": true})),
        ("a: On", json!({"a": true})),
        ("a: off", json!({"a": false})),
        ("a: n", json!({"a": false})),
        ("a: 'yes'", json!({"a": "yes"})),
        ("a: !!str yes", json!({"a": "yes"})),
        ("a: !vault yes", json!({"a": "yes"})),
        ("a: truE", json!({"a": "truE"})),
        ("on: [push]", json!({"true": ["push"]})),
        ("8080: x", json!({"8080": "x"})),
        ("a: ~", json!({"a": null})),
        ("a:", json!({"a": null})),
        ("a: 0644", json!({"a": 420})),
        ("a: 0o17", json!({"a": 15})),
        ("a: 0x1F", json!({"a": 31})),
        ("a: 1_000", json!({"a": 1000})),
        ("a: -12", json!({"a": -12})),
        ("a: 1.5", json!({"a": 1.5})),
        ("a: 1.20.3", json!({"a": "1.20.3"})),
        ("a: 1e3", json!({"a": 1000.0})),
        ("a: .inf", json!({"a": ".inf"})),
        ("a: 100m", json!({"a": "100m"})),
        ("a: 089", json!({"a": 89.0})),
        ("a: 2026-11-23", json!({"a": "2026-11-23"})),
        ("a: |\n  x\n  y\n", json!({"a": "x\ny\n"})),
        ("a: >-\n  x\n  y\n", json!({"a": "x y"})),
        ("a: &x {b: 1}\nc: *x", json!({"a": {"b": 1}, "c": {"b": 1}})),
        (
            "x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  b: 3",
            json!({"x": {"a": 1, "b": 2}, "z": {"b": 3, "a": 1}}),
        ),
        ("z:\n  <<: [{a: 1}, {a: 2, b: 2}]", json!({"z": {"a": 1, "b": 2}})),
        ("{\"a\": [1, \"b\\u00e9\"]}", json!({"a": [1, "bé"]})),
        ("\u{feff}a: b\r\nc: d\r\n", json!({"a": "b", "c": "d"})),
    ];
    for (text, expected) in table {
        assert_eq!(one(text).to_json(), expected, "{text}");
    }
}

#[test]
fn every_value_knows_where_it_stands() {
    let text = "# first\n---\nkind: A\n---\n# c\nkind: B\nspec:\n  list:\n  - name: x\n    on: {a: b}\n  - [1,\n     2]\n";
    let parsed = parse("d/f.yaml", text.as_bytes(), &Limits::default());
    assert_eq!(parsed.documents.len(), 2);
    let b = &parsed.documents[1];
    let list = b.at(&["spec", "list"]).expect("list");
    let spot = |node: &Node| {
        let span = node.place.span().expect("file");
        (span.line, span.column, span.end_line, span.end_column)
    };
    assert_eq!(b.place.to_string(), "d/f.yaml:6");
    assert_eq!(spot(b.get("kind").expect("kind")), (6, 7, 6, 8));
    assert_eq!(spot(list.items()[0].get("name").expect("name")), (9, 11, 9, 12));
    assert_eq!(spot(list.items()[0].get("true").expect("on")), (10, 9, 10, 15));
    assert_eq!(spot(&list.items()[1]), (11, 5, 12, 8));
    assert_eq!(spot(b), (6, 1, 12, 8));
    assert_eq!(b.entry("spec").expect("spec").key.place.to_string(), "d/f.yaml:7");
    let json = serde_json::to_value(&b.get("kind").expect("kind").place).expect("JSON");
    let expected = json!({"file": {"path": "d/f.yaml", "line": 6, "column": 7, "end_line": 6, "end_column": 8}});
    assert_eq!(json, expected);
}

#[test]
fn one_broken_document_does_not_hide_the_others() {
    let text = "a: 1\n---\nb: [\n---\nc: 3\n---\nname: {{ .Values.x }}\n---\n{{- if .Values.y }}\nd: 4\n{{- end }}\n";
    let parsed = parse("f.yaml", text.as_bytes(), &Limits::default());
    let documents: Vec<_> = parsed.documents.iter().map(Node::to_json).collect();
    assert_eq!(documents, [json!({"a": 1}), json!({"c": 3})]);
    assert_eq!(parsed.problems.len(), 3);
    assert!(matches!(parsed.problems[0].fault, Fault::Syntax(_)), "{:?}", parsed.problems[0]);
    assert_eq!(parsed.problems[1].fault, Fault::Template);
    assert_eq!(parsed.problems[2].fault, Fault::Template);
    assert_eq!(parsed.problems[2].place.to_string(), "f.yaml:8");
}

#[test]
fn forms_that_go_yaml_reads_are_read() {
    let table = [
        ("a:\n  b: [\n    1,\n  ]\n  c: d\n", json!({"a": {"b": [1], "c": "d"}})),
        ("a:\n  b: [\n 1, {x:\n v}\n]\n", json!({"a": {"b": [1, {"x": "v"}]}})),
        ("a:\n  b: \"x\ny\nz\"\n  c: d\n", json!({"a": {"b": "x y z", "c": "d"}})),
        ("a: 'b'# c\nd: [e]# f\n", json!({"a": "b", "d": ["e"]})),
    ];
    for (text, expected) in table {
        assert_eq!(one(text).to_json(), expected, "{text}");
    }
    let node = one("a:\n  b: [\n 1,\n 2\n]\n");
    let items = node.at(&["a", "b"]).expect("list").items();
    let span = items[1].place.span().expect("file");
    assert_eq!((span.line, span.column), (4, 2));
}

#[test]
fn a_template_within_a_text_is_text() {
    let text = "spec:\n  name: '{{path.basename}}'\n  patch: |\n    {{- if .x }}\n    a: b\n    {{- end }}\n  plain: app-{{name}}\n";
    assert_eq!(one(text).at(&["spec", "plain"]).and_then(Node::as_text), Some("app-{{name}}"));
}

#[test]
fn limits_and_faults_are_told_with_their_place() {
    let small = Limits { bytes: 200, depth: 4, nodes: 30, documents: 2 };
    let table: [(&str, &str); 8] = [
        ("a: 1\nb: 2\na: 3", "f.yaml:3 has the key \"a\" twice"),
        ("? {x: y}\n: z", "f.yaml:1 has a key that is no text"),
        ("a: 1\n<<: 3", "f.yaml:2 merges something that is no mapping"),
        ("[[[[[1]]]]]", "f.yaml:1 is nested more than 4 levels deep"),
        ("a: 1\n---\nb: 1\n---\nc: 1", "f.yaml:4 has more than 2 documents"),
        ("a: &a [x,x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]", "f.yaml:3 has more than 30 values"),
        ("a: *nobody", "f.yaml:1 is not YAML"),
        ("a: &a [*a]", "f.yaml:1 is not YAML"),
    ];
    for (text, expected) in table {
        let faults = faults(text, &small);
        assert!(faults.iter().any(|f| f.starts_with(expected)), "{text}: {faults:?}");
    }
    assert!(faults(&"x".repeat(201), &small)[0].contains("has 201 bytes, more than the 200"));
    let bytes = parse("f.yaml", b"a: \xff", &small);
    assert_eq!(bytes.problems[0].fault, Fault::NotText);
    assert!(bytes.is_incomplete());
}

#[test]
fn long_mappings_keep_order_and_find_equal_keys() {
    let mut text: String = (0..100).map(|i| format!("k{i}: {i}\n")).collect();
    text.push_str("k7: x\nk99: y\n");
    let parsed = parse("f.yaml", text.as_bytes(), &Limits::default());
    assert_eq!(parsed.problems.len(), 2);
    assert_eq!(parsed.documents[0].entries().len(), 100);
    assert_eq!(parsed.documents[0].get("k7").and_then(Node::as_text), Some("x"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_told_of(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let parsed = parse("f.yaml", &bytes, &Limits::default());
        for problem in parsed.problems {
            proptest::prop_assert!(problem.place.path() == Some("f.yaml"));
        }
    }

    #[test]
    fn yaml_like_bytes_are_read_or_told_of(text in "[-a:{}\\[\\],&*<'\"|> \n#!%]{0,60}") {
        parse("f.yaml", text.as_bytes(), &Limits::default());
    }

    #[test]
    fn json_is_read_as_json(value in json_value()) {
        let text = serde_json::to_string(&value).expect("JSON");
        let parsed = parse("f.json", text.as_bytes(), &Limits::default());
        let read: Vec<_> = parsed.documents.iter().map(Node::to_json).collect();
        proptest::prop_assert_eq!(read, vec![value.clone()]);
        proptest::prop_assert_eq!(Node::from_json("o", &value).to_json(), value);
    }
}

fn json_value() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "[a-z :#-]{0,8}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[b-e]{1,4}x", inner, 0..5)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}
