//! The people map: every account has one person, and a map that says otherwise is refused.

use evidence::ask::people::propose::{Field, IdpPerson, Seen, propose};
use evidence::ask::people::sighting::Sightings;
use evidence::people::People;
use serde_json::json;

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

fn somebody(subject: &str, email: &str, login: &str, name: &str) -> IdpPerson {
    let given = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    IdpPerson {
        subject: given(subject),
        email: given(email),
        login: given(login),
        name: given(name),
        groups: Vec::new(),
    }
}

fn seen(name: &str, email: &str, is_bot: bool) -> Seen {
    let set = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty()).into_iter().collect();
    Seen { times: 1, names: set(name), emails: set(email), is_bot }
}

/// What a proposal makes of one account: who is linked by which rule, or who is asked about.
fn placed(field: Field, account: &str, of: Seen) -> String {
    let people = [
        somebody("s1", "Ann.Ito@x.example", "ann.ito", "Ann Ito"),
        somebody("s2", "ben@x.example", "ben", "Ben Ode"),
        somebody("s3", "ben@y.example", "", "Ben Ode"),
    ];
    let mut sightings = Sightings::default();
    sightings.seen.insert((field, account.to_owned()), of);
    let domains = ["x.example", "z.example"].map(str::to_owned).into();
    let proposal = propose(&people, &sightings, &domains);
    People::from_json(&proposal.to_json()).unwrap();
    let link = proposal.links.iter().map(|l| format!("{} by {}", l.person, l.rule));
    let asked = proposal.questions.iter().map(|q| {
        let all: Vec<&str> = q.candidates.iter().map(|(person, _)| person.as_str()).collect();
        format!("{}?", all.join(" or "))
    });
    let bots = proposal.bots.iter().map(|_| "bot".to_owned());
    let unmatched = proposal.unmatched.iter().map(|_| "nobody's".to_owned());
    link.chain(asked).chain(bots).chain(unmatched).collect::<Vec<_>>().join("; ")
}

#[test]
fn an_account_is_linked_by_what_systems_say_and_asked_about_where_a_name_is_all() {
    use Field::{ArgocdUsername, GitEmail, GithubLogin, JiraAccountId, KubernetesUser};
    for (field, account, of, expected) in [
        (ArgocdUsername, "s1", seen("", "", false), "ann.ito by subject"),
        (GitEmail, "ann.ito@X.example", seen("", "", false), "ann.ito by email"),
        (GithubLogin, "aito", seen("", "ann.ito@x.example", false), "ann.ito by source"),
        (KubernetesUser, "ann.ito", seen("", "", false), "ann.ito by login"),
        (GitEmail, "ann.ito@z.example", seen("", "", false), "ann.ito by domain"),
        // A domain that is not the house's says nothing, and a name is a hint.
        (GitEmail, "ann.ito@home.example", seen("", "", false), "nobody's"),
        (GitEmail, "me@home.example", seen("Ann Ito", "", false), "ann.ito?"),
        (GithubLogin, "aito", seen("", "", false), "ann.ito?"),
        (JiraAccountId, "7:1", seen("Ben Ode", "", false), "ben or ben-2?"),
        // Both addresses are named: it cannot be both persons'.
        (KubernetesUser, "root", seen("", "", false), "nobody's"),
        (KubernetesUser, "system:serviceaccount:a:b", seen("Ann Ito", "", false), "bot"),
        (ArgocdUsername, "proj:shop:ci", seen("", "", false), "bot"),
        (GithubLogin, "mend[bot]", seen("", "", true), "bot"),
        (GithubLogin, "mend[bot]", seen("", "", false), "nobody's"),
    ] {
        assert_eq!(placed(field, account, of), expected, "{account}");
    }
}

#[test]
fn what_two_persons_could_own_is_a_question() {
    let mut of = seen("", "ben@x.example", false);
    of.emails.insert("ben@y.example".to_owned());
    assert_eq!(placed(Field::GithubLogin, "bode", of), "ben or ben-2?");
}

#[test]
fn an_account_field_may_be_a_list() {
    let map = json!({"ann": {"git_email": ["a@x.example", "b@x.example"], "email": null}});
    let people = People::from_json(map.to_string().as_bytes()).unwrap();
    assert_eq!(people.person_of("b@x.example"), Some("ann"));
    for wrong in [json!([""]), json!([1]), json!([["a"]])] {
        let map = json!({"ann": {"git_email": wrong}});
        assert!(People::from_json(map.to_string().as_bytes()).is_err(), "{map}");
    }
}
