//! The people map: every account has one person, and a map that says otherwise is refused.

use evidence::people::People;

fn error(map: &str) -> String {
    People::from_json(map.as_bytes()).unwrap_err().to_string()
}

#[test]
fn accounts_lead_to_persons_and_groups_do_not() {
    let people = crate::captures::people();
    assert_eq!(people.person_of("bob@larsen.example"), Some("bob"));
    assert_eq!(people.person_of("712020:b2"), Some("bob"));
    assert_eq!(people.person_of("bank-engineering"), None);
    assert_eq!(people.person_of("nobody@bank.example"), None);
    assert_eq!(people.name("carol"), Some("Carol Núñez"));
    let accounts: Vec<&str> = people.accounts("erin").collect();
    assert_eq!(accounts, ["00u1ekowX", "712020:e5", "erin.kowalski@bank.example"]);
    assert_eq!(people.accounts("zoe").count(), 0);
    let strings = people.identifying_strings();
    assert!(strings.contains("Carol Núñez") && strings.contains("cnunez"));
    assert!(!strings.contains("carol"), "a person's id is no account");
}

#[test]
fn an_empty_map_is_a_map() {
    assert_eq!(People::from_json(b"{}").unwrap(), People::default());
}

#[test]
fn a_map_that_cannot_be_right_is_refused_by_name() {
    for (map, expected) in [
        (
            r#"{"a":{"email":"x"},"b":{"github_login":"x"}}"#,
            r#"account "x" belongs to both "a" and "b""#,
        ),
        (r#"{"b":{"email":"x"},"a":{"email":"x"}}"#, r#"account "x" belongs to both "a" and "b""#),
        (r#"{"a":{"emial":"x"}}"#, r#"person "a" in the people map has the unknown key "emial""#),
        (r#"{"a":{},"a":{}}"#, r#"person "a" is listed twice"#),
        (r#"{"a":7}"#, r#"person "a" in the people map is not a JSON object"#),
        (
            r#"{"a":{"email":7}}"#,
            r#""email" of person "a" in the people map must be a non-empty text"#,
        ),
        (
            r#"{"a":{"email":""}}"#,
            r#""email" of person "a" in the people map must be a non-empty text"#,
        ),
        (
            r#"{"a":{"oidc_groups":"all"}}"#,
            r#""oidc_groups" of person "a" in the people map must be a list"#,
        ),
        ("[]", "the people map is not a JSON object of persons"),
        ("", "the people map is not a JSON object of persons"),
    ] {
        assert!(error(map).starts_with(expected), "{map}: {}", error(map));
    }
}
