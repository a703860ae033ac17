//! The policy file: what is read, what is refused and where, and the schema that editors use.

use access::policy::Policy;

const BANK: &str = include_str!("../fixtures/bank/countersign.yaml");
const SCHEMA: &str = include_str!("../../../../docs/schema/countersign.schema.json");

const SMALL: &str = "\
version: 1
repository: {branch: main}
criticalities: [{name: high}]
teams: [{name: sre, people: [bob]}]
environments:
- name: prod
  applications: [{name: '*', criticality: high}]
";

fn problems(text: &str) -> Vec<String> {
    let reading = Policy::read("countersign.yaml", text.as_bytes());
    assert_eq!(reading.policy.is_none(), !reading.problems.is_empty(), "{text}");
    let one = |p: access::policy::Problem| {
        let span = p.place.span().expect("a file");
        let help = p.help.map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}:{} {}{help}", span.line, span.column, p.what)
    };
    reading.problems.into_iter().map(one).collect()
}

fn schema() -> impl Fn(&str) -> bool {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("JSON");
    move |text| {
        let parsed = access::yaml::parse("f", text.as_bytes(), &access::yaml::Limits::default());
        let json = parsed.documents.first().map(access::yaml::Node::to_json);
        parsed.problems.is_empty()
            && json.is_some_and(|json| super::schema::accepts(&schema, &json))
    }
}

#[test]
fn the_bank_s_policy_says_what_the_bank_does() {
    let reading = Policy::read("countersign.yaml", BANK.as_bytes());
    assert_eq!(reading.problems, []);
    let policy = reading.policy.expect("a policy");
    let names: Vec<_> = policy.environments.iter().map(|e| e.name.value.as_str()).collect();
    assert_eq!(names, ["dev", "staging", "prod"]);
    let of = |app: &str| policy.environment_of(app).map(|(e, c)| (e.name.value.as_str(), c));
    let table = [
        ("payments-prod", Some(("prod", "critical"))),
        ("ledger-prod", Some(("prod", "critical"))),
        ("web-prod", Some(("prod", "low"))),
        ("root-prod", Some(("prod", "critical"))),
        ("web-dev", Some(("dev", "low"))),
        ("payments-staging", Some(("staging", "critical"))),
        ("nobody", None),
    ];
    for (app, expected) in table {
        assert_eq!(of(app), expected, "{app}");
    }
    let rule = policy.rule_for("prod", "critical").expect("a rule");
    assert_eq!((rule.approvals, rule.ticket, rule.promotion), (2, true, true));
    assert!(policy.rule_for("prod", "low").is_some_and(|r| r.approvals == 1));
    assert_eq!(policy.environment_before("prod").map(|e| e.name.value.as_str()), Some("staging"));
    assert_eq!(policy.production().count(), 1);
    let teams: Vec<_> = policy.teams_of("bob").map(|t| t.name.value.as_str()).collect();
    assert_eq!(teams, ["payments", "sre"]);
    let pattern = &policy.tickets[0].patterns[0].value;
    assert_eq!(pattern.find("see CHG-2041, please"), ["CHG-2041"]);
}

/// A text of the small policy, what stands there instead, and the problems of it.
const PROBLEMS: [(&str, &str, &[&str]); 20] = [
    (
        "version: 1",
        "version: 2",
        &["1:10 version 2 of the policy file is not known (this program reads version 1)"],
    ),
    ("version: 1\n", "", &["1:1 the key \"version\" is missing"]),
    (
        "branch: main",
        "branh: main",
        &[
            "2:13 the key \"branch\" is missing",
            "2:14 unknown key \"branh\" (did you mean \"branch\"?)",
        ],
    ),
    ("teams:", "team:", &["4:1 unknown key \"team\" (did you mean \"teams\"?)"]),
    ("people: [bob]", "people: bob", &["4:29 people is text, not a list"]),
    ("name: prod", "name: on", &["6:9 name is true or false, not text (put it in quotes)"]),
    (
        "criticality: high}",
        "criticality: hihg}",
        &["7:43 unknown criticality \"hihg\" (did you mean \"high\"?)"],
    ),
    (
        "environments:",
        "environmentz:",
        &[
            "1:1 the key \"environments\" is missing (name them in the order in which a change is promoted)",
            "5:1 unknown key \"environmentz\" (did you mean \"environments\"?)",
        ],
    ),
    (
        "- name: prod",
        "- name: prod\n- name: prod",
        &["7:9 the environment \"prod\" is defined twice"],
    ),
    (
        "$",
        "rules: [{environments: [stage], approvals: -1, independent: all}]\n",
        &[
            "8:25 unknown environment \"stage\" (known are prod)",
            "8:44 approvals is not a whole number from 0 to 20",
            "8:61 unknown independent value \"all\" (known are every, at-least-one)",
        ],
    ),
    (
        "$",
        "controls: {sod-x: off, sod-y: 'off', sod-z: of, nope: low}\n",
        &[
            "8:45 unknown severity value \"of\" (did you mean \"off\"?)",
            "8:49 \"nope\" is no id of a control (an id begins with its family: sod-, trail-, secret-, drift-, change-, emergency-, adoption-)",
        ],
    ),
    (
        "$",
        "exceptions: [{control: sod-x, subject: a, reason: b, owner: bob, approver: bob, expires: 2027-01-31}]\n",
        &["8:76 bob grants an exception to themselves (name an approver other than the owner)"],
    ),
    (
        "$",
        "exceptions: [{control: sod-x, subject: a, reason: '', owner: bob, approver: al, expires: soon}]\n",
        &[
            "8:51 reason is empty",
            "8:90 expires is no date (write year, month and day: 2027-01-31)",
        ],
    ),
    (
        "$",
        "tickets: [{name: j, patterns: ['[A-Z]+-[0-9]+']}]\n",
        &[
            "8:32 the pattern \"[A-Z]+-[0-9]+\" has no letter before a #, which stands for the number: CHG-#",
        ],
    ),
    (
        "$",
        "calendar: {freezes: [{name: a, from: 2027-01-02, to: 2027-01-01}]}\n",
        &["8:54 the freeze ends before it begins"],
    ),
    (
        "{name: high}",
        "{name: high, drift: {grace: 5}}",
        &["3:45 grace is no duration (write days, hours, minutes, seconds: 1d, 2h30m, 90s)"],
    ),
    (
        "$",
        "rules: [5, {mergeTeams: [ops]}]\n",
        &[
            "8:9 an item of rules is a number, not a mapping",
            "8:26 unknown team \"ops\" (known are sre)",
        ],
    ),
    (
        "$",
        "teams: []\n",
        &[
            "8:1 has the key \"teams\" twice; readers take the later one, and stricter readers refuse the file",
        ],
    ),
    (
        "$",
        "---\nversion: 1\n",
        &["0:0 has more than one document (write one document; `countersign init` drafts it)"],
    ),
    ("$", "x: [\n", &["9:1 is not YAML: "]),
];

#[test]
fn every_problem_is_told_with_its_place() {
    assert_eq!(problems(SMALL), Vec::<String>::new());
    let mut wrong = Vec::new();
    for (old, new, expected) in PROBLEMS {
        let text = if old == "$" { format!("{SMALL}{new}") } else { SMALL.replacen(old, new, 1) };
        let found = problems(&text);
        let is_same = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(f, e)| f == e || (e.ends_with(": ") && f.starts_with(e)));
        if !is_same {
            wrong.push(format!("{text}\n{found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        problems(""),
        ["0:0 holds nothing (write one document; `countersign init` drafts it)"]
    );
}

#[test]
fn schema_and_reader_agree_on_forms() {
    let accepts = schema();
    assert!(accepts(SMALL) && accepts(BANK));
    let full = format!("{SMALL}{}", "\
rules:
- {environments: [prod], criticalities: [high], approvals: 2, independent: every, ownerApproval: true, mergeTeams: [sre], syncTeams: [sre], disjointTeams: true, sync: manual, ticket: true, promotion: true}
tickets: [{name: jira, patterns: [CHG-#], approved: [Approved], emergency: true}]
calendar: {timeZone: Europe/Madrid, files: [a.ics], freezes: [{name: a, from: 2027-01-02, to: 2027-01-03, environments: [prod]}]}
controls: {sod-x: 'off', drift-y: critical}
exceptions: [{control: sod-x, subject: a, reason: b, owner: c, approver: d, expires: 2027-01-31}]
");
    assert_eq!(problems(&full), Vec::<String>::new());
    assert!(accepts(&full));
    // Taking each line away, misspelling each key, and giving each key another type.
    let (mut agreed, mut refused) = (0, 0);
    let keys: Vec<(usize, usize)> = full
        .match_indices(": ")
        .map(|(at, _)| {
            (full[..at].rfind(|c: char| !c.is_alphanumeric() && c != '-').map_or(0, |i| i + 1), at)
        })
        .collect();
    for (start, end) in keys {
        for change in ["Xx", "name", "version"] {
            let text = format!("{}{change}{}", &full[..start], &full[end..]);
            if &full[start..end] == change {
                continue;
            }
            let by_reader = problems(&text);
            let is_meaning = by_reader.iter().all(|p| MEANING.iter().any(|m| p.contains(m)));
            if by_reader.is_empty() || !is_meaning {
                assert_eq!(accepts(&text), by_reader.is_empty(), "{text}\n{by_reader:?}");
                agreed += 1;
                refused += usize::from(!by_reader.is_empty());
            }
        }
        for value in [": 5", ": text", ": [1]", ": {a: b}", ": true", ": []", ": ''", ": null"] {
            let rest = &full[end + 2..];
            let stop = rest.find([',', '}', ']', '\n']).unwrap_or(rest.len());
            if rest.starts_with(['[', '{']) || rest[..stop].is_empty() {
                continue;
            }
            let text = format!("{}{value}{}", &full[..end], &rest[stop..]);
            let by_reader = problems(&text);
            let is_meaning = by_reader.iter().all(|p| MEANING.iter().any(|m| p.contains(m)));
            if by_reader.is_empty() || !is_meaning {
                assert_eq!(accepts(&text), by_reader.is_empty(), "{text}\n{by_reader:?}");
                agreed += 1;
                refused += usize::from(!by_reader.is_empty());
            }
        }
    }
    assert!(agreed > 200 && refused > 150, "{agreed} agreed, {refused} of them refused");
}

/// What the reader alone can know: that names are defined, dates real, people different.
const MEANING: [&str; 9] = [
    "unknown environment",
    "unknown criticality",
    "unknown team",
    "defined twice",
    "to themselves",
    "ends before",
    "is no date",
    "has the key",
    "is not YAML",
];

#[test]
fn controls_that_nobody_knows_are_named() {
    let text = format!(
        "{SMALL}controls: {{sod-a: low}}\nexceptions: [{{control: sod-a, subject: 'envs/**', reason: b, owner: c, approver: d, expires: 2027-01-31}}]\n"
    );
    let policy = Policy::read("p", text.as_bytes()).policy.expect("a policy");
    let unknown = policy.unknown_controls(&["sod-b"]);
    assert_eq!(unknown.len(), 2);
    assert_eq!(unknown[0].help.as_deref(), Some("did you mean \"sod-b\"?"));
}
