//! Findings on their way out: SARIF, JSON, exceptions, baseline, exit codes.

use countersign::ask::check::Checked;
use countersign::cli::Outcome;
use countersign::export::findings::{outcome, to_json};
use countersign::export::sarif::to_sarif;
use evidence::control::baseline::{Baseline, BaselineError};
use evidence::control::exception::{Exception, Judge, Judged, Lapsed, NotHeld, Standing, judge};
use evidence::control::{Control, Finding, NotAssessed, Place, Severity};
use evidence::people::People;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

const TODAY: Date = date(2026, 2, 3);

fn finding(subject: &str) -> Finding {
    Finding {
        control: "sod-two-people",
        subject: subject.to_owned(),
        message: "ann alone".to_owned(),
        places: vec![
            Place::File { path: "CODEOWNERS".to_owned(), line: Some(3) },
            Place::Record { cite: "github-webhook:1".to_owned() },
            Place::Json { document: "snapshot".to_owned(), pointer: "/teams/0".to_owned() },
        ],
        asks: "who?",
        fix: "two",
        severity: Severity::Error,
    }
}

fn exception(change: impl Fn(&mut Exception)) -> Exception {
    let mut exception = Exception {
        control: "sod-two-people".to_owned(),
        subject: "pr:1".to_owned(),
        owner: "ann".to_owned(),
        approver: "ben@x.example".to_owned(),
        reason: "a migration".to_owned(),
        expires: TODAY,
    };
    change(&mut exception);
    exception
}

fn people() -> People {
    let map = json!({"ann": {"email": "ann@x.example"}, "ben": {"email": "ben@x.example"}});
    People::from_json(map.to_string().as_bytes()).expect("a map")
}

fn judged(exception: &Exception, baseline: &Baseline) -> (Vec<Judged>, Vec<NotHeld>) {
    let (judged, lapsed) = stand(exception, baseline);
    (judged, lapsed.into_iter().map(|l| l.reason).collect())
}

/// How the finding about `pr:1` stands.
fn stand(exception: &Exception, baseline: &Baseline) -> (Vec<Judged>, Vec<Lapsed>) {
    let by = Judge {
        exceptions: std::slice::from_ref(exception),
        matches: |pattern, subject| pattern == "*" || pattern == subject,
        baseline,
        today: TODAY,
        people: &people(),
        controls: &["sod-two-people"],
    };
    judge(vec![finding("pr:1")], &by)
}

#[test]
fn an_exception_holds_only_if_another_person_approved_it_and_until_its_last_day() {
    let none = Baseline::default();
    let yesterday = date(2026, 2, 2);
    let table: [(Exception, Option<NotHeld>, bool); 9] = [
        (exception(|_| ()), None, true),
        (exception(|e| e.subject = "*".into()), None, true),
        (exception(|e| e.subject = "pr:2".into()), None, false),
        (exception(|e| e.expires = yesterday), Some(NotHeld::Expired(yesterday)), false),
        (exception(|e| e.approver = "ann".into()), Some(NotHeld::ByItsOwner), false),
        // Two accounts of one person.
        (exception(|e| e.approver = "ann@x.example".into()), Some(NotHeld::ByItsOwner), false),
        (exception(|e| e.approver = "zed".into()), Some(NotHeld::Unmapped("zed".into())), false),
        (exception(|e| e.reason = " ".into()), Some(NotHeld::NoReason), false),
        (
            exception(|e| e.control = "sod-nine".into()),
            Some(NotHeld::UnknownControl("sod-nine".into())),
            false,
        ),
    ];
    for (exception, lapsed, excepted) in table {
        let (found, why) = judged(&exception, &none);
        assert_eq!(why, Vec::from_iter(lapsed), "{exception:?}");
        let is_excepted = matches!(found[0].standing, Standing::Excepted { .. });
        assert_eq!(is_excepted, excepted, "{exception:?}");
    }
}

#[test]
fn the_baseline_knows_a_finding_by_control_and_subject_alone() {
    let baseline = Baseline::of(&[finding("pr:1"), finding("pr:9")]);
    let read = Baseline::from_json(&baseline.to_json()).expect("a baseline");
    assert_eq!(read, baseline);
    let mut other = finding("pr:1");
    (other.message, other.places) = ("told in other words".to_owned(), Vec::new());
    assert!(read.has(&other) && !read.has(&finding("pr:2")));
    assert_eq!(read.gone(&[other]).collect::<Vec<_>>(), [("sod-two-people", "pr:9")]);
    let newer = br#"{"baseline": 2, "known": []}"#;
    assert_eq!(Baseline::from_json(newer), Err(BaselineError::Version(2)));
    assert!(Baseline::from_json(b"[]").is_err());
}

#[test]
fn exit_codes_tell_new_known_excepted_and_undetermined_apart() {
    let lapsed = exception(|e| e.subject = "pr:2".into());
    let open = NotAssessed {
        control: "sod-two-people",
        subject: "pr:3".to_owned(),
        reason: "no record".to_owned(),
    };
    let known = Baseline::of(&[finding("pr:1")]);
    let none = Baseline::default();
    for (told, exception, baseline, open, expected) in [
        ("new", lapsed.clone(), &none, vec![], Outcome::Findings),
        ("known", lapsed.clone(), &known, vec![], Outcome::Done),
        ("excepted", exception(|_| ()), &none, vec![], Outcome::Done),
        ("expired", exception(|e| e.expires = date(2026, 1, 1)), &known, vec![], Outcome::Findings),
        ("known, and one that cannot be said", lapsed, &known, vec![open], Outcome::Undetermined),
    ] {
        let (judged, lapsed) = stand(&exception, baseline);
        let held_not = lapsed.len();
        let checked = Checked { judged, lapsed, not_assessed: open, ..Checked::default() };
        assert_eq!(outcome(&checked), expected, "{told}");
        let json: Value = serde_json::from_slice(&to_json(&checked, None)).expect("JSON");
        assert_eq!(json["findings_version"], 1);
        assert_eq!(json["lapsed"].as_array().map(Vec::len), Some(held_not), "{told}");
    }
}

fn sarif(judged: &[Judged], open: &[NotAssessed]) -> Value {
    let catalogue: Vec<&'static Control> = countersign::controls::catalogue();
    serde_json::from_slice(&to_sarif(judged, open, &catalogue)).expect("JSON")
}

#[test]
fn sarif_has_rules_results_places_and_suppressions() {
    let (mut found, _) = judged(&exception(|_| ()), &Baseline::default());
    found.push(Judged { finding: finding("pr:2"), standing: Standing::New });
    found.push(Judged { finding: finding("pr:3"), standing: Standing::Known });
    let open = NotAssessed {
        control: "sod-entitled",
        subject: "pr:4".to_owned(),
        reason: "no rules".to_owned(),
    };
    let log = sarif(&found, &[open]);
    assert_eq!(
        (&log["version"], &log["runs"][0]["tool"]["driver"]["name"]),
        (&json!("2.1.0"), &json!("countersign"))
    );
    let results = log["runs"][0]["results"].as_array().expect("results");
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in results {
        let index =
            usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        // SARIF 2.1.0, 3.27.10: a result that is no failure has level `none`.
        assert_eq!(result["kind"] == "fail", result["level"] != "none");
    }
    let excepted = &results[0]["suppressions"][0];
    assert_eq!((&excepted["kind"], &excepted["status"]), (&json!("external"), &json!("accepted")));
    assert!(excepted["justification"].to_string().contains("approved by ben@x.example"));
    assert!(results[1].get("suppressions").is_none() && results[1]["baselineState"] == "new");
    assert_eq!(results[2]["baselineState"], "unchanged");
    assert_eq!(results[3]["kind"], "open");
    let places = results[1]["locations"].as_array().expect("places");
    assert_eq!(places[0]["physicalLocation"]["region"]["startLine"], 3);
    assert_eq!(places[1]["logicalLocations"][0]["fullyQualifiedName"], "github-webhook:1");
    assert_eq!(results[1]["partialFingerprints"]["controlSubject/v1"], "sod-two-people:pr:2");
}
