use super::*;

fn cut_text(json: &str, secret_object: bool) -> Vec<(&str, Class)> {
    let rules = Rules::new(["Carol Núñez", "cnunez", "anna"]).expect("few names");
    let cuts = rules.cuts(json.as_bytes(), secret_object).expect("valid JSON");
    cuts.into_iter().map(|c| (&json[c.range], c.class)).collect()
}

/// A record, whether it is of a Secret, and what is cut of it.
type Row<'a> = (&'a str, bool, &'a [(&'a str, Class)]);

#[test]
fn what_is_cut_and_why() {
    use Class::{Address, Personal, Secret};
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
    let with_jwt = format!(r#"{{"msg":"got {jwt}, ok"}}"#);
    let table: &[Row<'_>] = &[
        (r#"{"a":"plain"}"#, false, &[]),
        (r#"{"headers":{"Authorization":["Bearer x"]}}"#, false, &[("Bearer x", Secret)]),
        (r#"{"msg":"sent Bearer abcdefgh1234 to it"}"#, false, &[("abcdefgh1234", Secret)]),
        (&with_jwt, false, &[(jwt, Secret)]),
        (r#"{"msg":"eyJ is a start"}"#, false, &[]),
        (r#"{"status":{"token":"t0k"}}"#, false, &[("t0k", Secret)]),
        (r#"{"data":{"k":"c2VjcmV0"}}"#, true, &[("c2VjcmV0", Secret)]),
        (r#"{"data":{"k":"plain"}}"#, false, &[]),
        (r#"{"env":[{"value":"hunter2","name":"DB_PASSWORD"}]}"#, false, &[("hunter2", Secret)]),
        (r#"{"env":[{"name":"LOG_LEVEL","value":"info"}]}"#, false, &[]),
        (r#"{"url":"https://bot:pw@git.example/x"}"#, false, &[("bot:pw@git.example", Secret)]),
        (
            r#"{"manifests":["{\"kind\": \"Secret\",\"data\":{}}"]}"#,
            false,
            &[(r#"{\"kind\": \"Secret\",\"data\":{}}"#, Secret)],
        ),
        (r#"{"copy":"{\"kind\":\"SecretStore\"}"}"#, false, &[]),
        (r#"{"sourceIPs":["10.0.0.9"]}"#, false, &[("10.0.0.9", Address)]),
        (r#"{"user":{"username":"platform-root"}}"#, false, &[("platform-root", Personal)]),
        (r#"{"user":{"username":"system:kube-scheduler"}}"#, false, &[]),
        (r#"{"username":"proj:prod:deployer"}"#, false, &[]),
        (r#"{"message":"a.b@c.example initiated sync"}"#, false, &[("a.b@c.example", Personal)]),
        (r#"{"message":"x\na.b@c.example."}"#, false, &[("a.b@c.example", Personal)]),
        (
            r#"{"message":"x\u000aa.b\u0040c.example"}"#,
            false,
            &[(r"x\u000aa.b\u0040c.example", Personal)],
        ),
        (r#"{"image":"r.example/api@sha256:4bfe"}"#, false, &[]),
        (r#"{"m":"by Carol Núñez"}"#, false, &[("Carol Núñez", Personal)]),
        (r#"{"m":"debug-CNunez in savannah"}"#, false, &[("CNunez", Personal)]),
        (r#"{"a.b@c.example":1}"#, false, &[("a.b@c.example", Personal)]),
        (r#"{"push_whitelist_usernames":["dev"]}"#, false, &[("dev", Personal)]),
        (r#"{"merge_whitelist_usernames":["dev"]}"#, false, &[("dev", Personal)]),
        (r#"{"approvals_whitelist_username":["dev"]}"#, false, &[("dev", Personal)]),
        (r#"{"force_push_allowlist_usernames":["dev"]}"#, false, &[("dev", Personal)]),
        (r#"{"access_level_description":"Dev Person"}"#, false, &[("Dev Person", Personal)]),
        // A name beside an account is a person's; that of a branch is not.
        (
            r#"{"answers":[{"path":"/x","body":[{"name":"Dev P","username":"dev"},{"name":"main"}]}]}"#,
            false,
            &[("Dev P", Personal), ("dev", Personal)],
        ),
        (
            r#"{"answers":[{"body":{"full_name":"Dev P","login":"dev","html_url":"https://f.example/dev"}}]}"#,
            false,
            &[("Dev P", Personal), ("dev", Personal), ("https://f.example/dev", Personal)],
        ),
        (
            r#"{"answers":[{"path":"/repos/o/r/collaborators/dev/permission"},{"path":"/repos/o/r/teams"}]}"#,
            false,
            &[("/repos/o/r/collaborators/dev/permission", Personal)],
        ),
    ];
    for (json, secret_object, expected) in table {
        assert_eq!(&cut_text(json, *secret_object), expected, "{json}");
    }
}

#[test]
fn secrets_in_documents_within_strings_in_patches_and_as_numbers() {
    use Class::{Secret, SecretNumber};
    let table: &[Row<'_>] = &[
        (r#"{"password":12345,"port":443}"#, false, &[("12345", SecretNumber)]),
        (r#"{"valuesObject":{"db":{"password":true}}}"#, false, &[("true", SecretNumber)]),
        (
            r#"[{"op":"add","path":"/spec/dbPassword","value":"hunter2"}]"#,
            false,
            &[("hunter2", Secret)],
        ),
        (r#"[{"op":"add","path":"/data/x","value":"hunter2"}]"#, true, &[("hunter2", Secret)]),
        (r#"{"object":{"data":{"k":"czNjcjN0"},"kind":"Secret"}}"#, false, &[("czNjcjN0", Secret)]),
        (
            r#"{"copy":"{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"x\"}]}"}"#,
            false,
            &[(r#"{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"x\"}]}"#, Secret)],
        ),
        (
            r#"{"values":"db:\n  password: hunter2\n"}"#,
            false,
            &[(r"db:\n  password: hunter2\n", Secret)],
        ),
        (
            r#"{"values":"env:\n- name: API_TOKEN\n  value: x\n"}"#,
            false,
            &[(r"env:\n- name: API_TOKEN\n  value: x\n", Secret)],
        ),
        (r#"{"values":"oidc:\n  clientSecret: $oidc.secret\n"}"#, false, &[]),
        (r#"{"copy":"{\"env\":[{\"name\":\"LEVEL\",\"value\":\"x\"}]}\n"}"#, false, &[]),
    ];
    for (json, secret_object, expected) in table {
        assert_eq!(&cut_text(json, *secret_object), expected, "{json}");
    }
}

#[test]
fn secrets_that_try_to_hide() {
    use Class::Secret;
    let table: &[Row<'_>] = &[
        (
            r#"[{"op":"replace","path":"/data","value":{"k":"hunter2"}}]"#,
            true,
            &[("hunter2", Secret)],
        ),
        (r#"{"bearerToken":"hunter2"}"#, false, &[("hunter2", Secret)]),
        (r#"{"valuesObject":{"postgresPassword":"hunter2"}}"#, false, &[("hunter2", Secret)]),
        (r#"{"aws_secret_access_key":"hunter2"}"#, false, &[("hunter2", Secret)]),
        (r#"{"automountServiceAccountToken":false}"#, false, &[]),
        (r#"{"auth":{"existingSecret":"payments-db"}}"#, false, &[]),
        (r#"{"values":"password: hunter2"}"#, false, &[("password: hunter2", Secret)]),
        (
            r#"{"values":"auth: {password: hunter2}"}"#,
            false,
            &[("auth: {password: hunter2}", Secret)],
        ),
        (r#"{"v":"kind: 'Secret'\ndata: {}"}"#, false, &[(r"kind: 'Secret'\ndata: {}", Secret)]),
        (
            r#"{"url":"https:\/\/bot:pw@git.example"}"#,
            false,
            &[(r"https:\/\/bot:pw@git.example", Secret)],
        ),
        (r#"{"h":"Bearer abcdefgh\/rest"}"#, false, &[(r"Bearer abcdefgh\/rest", Secret)]),
        (
            r#"{"k":"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1J"}"#,
            false,
            &[("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1J", Secret)],
        ),
        (
            r#"{"kind":"SecretList","items":[{"data":{"k":"hunter2"}}]}"#,
            false,
            &[("hunter2", Secret)],
        ),
        (r#"{"args":["--password=hunter2","--level=3"]}"#, false, &[("hunter2", Secret)]),
        (r#"{"url":"/cb?access_token=hunter2&x=1"}"#, false, &[("hunter2", Secret)]),
        (
            r#"{"env":[{"name":"DB_P\u0041SSWORD","value":"hunter2"}]}"#,
            false,
            &[("hunter2", Secret)],
        ),
        (
            r#"{"c":"{\"passw\\u006frd\":\"hunter2\"}"}"#,
            false,
            &[(r#"{\"passw\\u006frd\":\"hunter2\"}"#, Secret)],
        ),
        (
            r#"{"d":"\u005c@h.ii eyJ\u0068bGciOiJSUzI1NiJ9.x"}"#,
            false,
            &[(r"\u005c@h.ii eyJ\u0068bGciOiJSUzI1NiJ9.x", Secret)],
        ),
        // An Application that manages a Secret keeps its ticket and its parameters.
        (
            r#"{"info":[{"name":"ticket","value":"CHG-1"}],"resources":[{"kind":"Secret"}]}"#,
            false,
            &[],
        ),
    ];
    for (json, secret_object, expected) in table {
        assert_eq!(&cut_text(json, *secret_object), expected, "{json}");
    }
}

/// Found by fuzzing: a token where an account is expected was kept with the personal values, and a
/// cut could begin within an escape, so that what was kept was no JSON.
#[test]
fn secrets_in_the_place_of_names_and_cuts_beside_escapes() {
    use Class::{Personal, Secret};
    let token = "ghp_0123456789abcdef";
    let (named, claimed) =
        (format!(r#"{{"username":"{token}"}}"#), format!(r#"{{"user":"got {token} too"}}"#));
    let claimed_whole = format!("got {token} too");
    let table: &[Row<'_>] = &[
        (&named, false, &[(token, Secret)]),
        (&claimed, false, &[(claimed_whole.as_str(), Secret)]),
        (
            r#"{"m":"b@c.example \u0022b@c.example"}"#,
            false,
            &[(r"b@c.example \u0022b@c.example", Personal)],
        ),
        // The `n` of the line end is no part of a name, and `anna` behind it is.
        (r#"{"m":"x\nanna"}"#, false, &[("anna", Personal)]),
        (r#"{"m":"by CORP\\cnunez"}"#, false, &[("cnunez", Personal)]),
    ];
    for (json, secret_object, expected) in table {
        assert_eq!(&cut_text(json, *secret_object), expected, "{json}");
    }
    let rules = Rules::new([r"CORP\lena", "nadia"]).expect("few names");
    for (json, expected) in [
        (r#"{"m":"by CORP\\lena"}"#, vec![Personal]),
        // `\nadia` is a line end and `adia`.
        (r#"{"m":"\nadia"}"#, vec![]),
    ] {
        assert_eq!(cut_classes(&rules, json, false), expected, "{json}");
    }
}

/// Found by fuzzing: a token that is written right behind a word was kept.
#[test]
fn a_token_within_a_word_is_cut_and_a_word_with_its_start_is_not() {
    use Class::Secret;
    let table: &[Row<'_>] = &[
        (r#"{"m":"git -ughp_0123456789abcdef x"}"#, false, &[("ghp_0123456789abcdef", Secret)]),
        (r#"{"c":["SHA256=3cghp_0123456789abcdef"]}"#, false, &[("ghp_0123456789abcdef", Secret)]),
        (r#"{"m":"asTokeneyJhbGciOiJSUzI1NiJ9.x"}"#, false, &[("eyJhbGciOiJSUzI1NiJ9.x", Secret)]),
        (r#"{"m":"highp_float_precision_of_it"}"#, false, &[]),
        (r#"{"m":"archvs.internal.example.com"}"#, false, &[]),
    ];
    for (json, secret_object, expected) in table {
        assert_eq!(&cut_text(json, *secret_object), expected, "{json}");
    }
}

/// Each byte of a text is looked at a bounded number of times: ten times the text takes about ten
/// times the steps, which a hundred thousand starts of a token would show by not ending.
#[test]
fn many_starts_of_tokens_are_one_run() {
    let text = format!(r#"{{"a":"{}"}}"#, "eyJ".repeat(300_000));
    assert_eq!(cut_text(&text, false).len(), 1);
}

#[test]
fn overlapping_cuts_take_the_stronger_class() {
    let cut = |range, class| Cut { range, class };
    let merged = merge(vec![
        cut(5..9, Class::Secret),
        cut(0..6, Class::Personal),
        cut(20..22, Class::Address),
    ]);
    assert_eq!(merged, [cut(0..9, Class::Secret), cut(20..22, Class::Address)]);
}
