//! Sync windows: schedules against brute force, the table of precedence, and the odd clock.

use access::argocd::cron::{Cron, CronFault, duration};
use access::argocd::window::{App, Verdict, Why, Window, may_sync};
use access::origin::Origin;
use jiff::civil::date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const APP: App<'_> =
    App { name: "pay-prod", server: "https://k", cluster: "", namespace: "pay-prod" };

/// One zone that moves from +1 to +2 at the end of March, written as POSIX has it.
fn zones(name: &str) -> Option<TimeZone> {
    match name {
        "Europe/Madrid" => TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").ok(),
        "Fixed/Two" => Some(TimeZone::fixed(Offset::constant(2))),
        _ => None,
    }
}

fn windows(values: &[Value]) -> Vec<Window> {
    let origin = |at: usize| Origin::whole(&format!("w{at}"));
    values.iter().enumerate().map(|(at, value)| Window::read(value, &origin(at))).collect()
}

fn window(kind: &str, schedule: &str, length: &str, more: &Value) -> Value {
    let mut value =
        json!({"kind": kind, "schedule": schedule, "duration": length, "applications": ["*"]});
    for (key, item) in more.as_object().into_iter().flatten() {
        value[key] = item.clone();
    }
    value
}

fn ask(values: &[Value], at: &str, manual: bool, started: Option<&str>) -> Verdict {
    let started = started.map(|text| text.parse().unwrap());
    may_sync(&windows(values), &APP, at.parse().unwrap(), manual, started, &zones)
}

#[test]
fn precedence_is_argo_cds() {
    type Row = (Vec<Value>, &'static str, bool, Option<&'static str>, bool);
    let none = json!({});
    let manual = json!({"manualSync": true});
    let overrun = json!({"syncOverrun": true});
    let deny = |more: &Value| window("deny", "0 22 * * *", "1h", more);
    let permit = |more: &Value| window("allow", "0 8 * * *", "2h", more);
    let (night, morning, noon) =
        ("2026-06-01T22:30:00Z", "2026-06-01T08:30:00Z", "2026-06-01T12:00:00Z");
    let table: Vec<Row> = vec![
        (vec![], noon, false, None, true),
        (vec![deny(&none)], night, false, None, false),
        (vec![deny(&none)], noon, false, None, true),
        (vec![deny(&manual)], night, true, None, true),
        (vec![deny(&manual)], night, false, None, false),
        (vec![deny(&manual), deny(&none)], night, true, None, false),
        (vec![deny(&none), window("allow", "0 22 * * *", "1h", &none)], night, false, None, false),
        (vec![permit(&none)], morning, false, None, true),
        (vec![permit(&none)], noon, false, None, false),
        (vec![permit(&none)], noon, true, None, false),
        (vec![permit(&manual)], noon, true, None, true),
        (vec![permit(&manual), permit(&none)], noon, true, None, false),
        // A manual sync in a deny is let through without a look at the closed allows.
        (vec![deny(&manual), permit(&none)], night, true, None, true),
        (vec![deny(&overrun)], night, false, Some("2026-06-01T21:59:00Z"), true),
        (vec![deny(&overrun)], night, false, Some("2026-06-01T22:10:00Z"), false),
        (vec![permit(&overrun)], noon, false, Some("2026-06-01T09:59:00Z"), true),
        (vec![permit(&overrun)], noon, false, Some("2026-06-01T10:30:00Z"), false),
        (vec![permit(&overrun), permit(&none)], noon, false, Some("2026-06-01T09:00:00Z"), false),
    ];
    for (at, (values, when, manual, started, expected)) in table.iter().enumerate() {
        let verdict = ask(values, when, *manual, *started);
        assert_eq!(verdict.may, Some(*expected), "row {at}: {:?}", verdict.why);
    }
}

#[test]
fn a_window_is_open_strictly_between_its_ends() {
    let deny = [window("deny", "0 22 * * *", "1h", &json!({}))];
    let table = [
        ("2026-06-01T21:59:59.999999999Z", true, "2026-06-01T22:00:00Z"),
        // At its start a window is closed, and opens right after.
        ("2026-06-01T22:00:00Z", true, "2026-06-01T22:00:00Z"),
        ("2026-06-01T22:00:00.000000001Z", false, "2026-06-01T23:00:00Z"),
        ("2026-06-01T22:59:59.999999999Z", false, "2026-06-01T23:00:00Z"),
        ("2026-06-01T23:00:00Z", true, "2026-06-02T22:00:00Z"),
    ];
    for (at, may, changes) in table {
        let verdict = ask(&deny, at, false, None);
        assert_eq!(verdict.may, Some(may), "{at}");
        assert_eq!(verdict.changes_after, Some(changes.parse().unwrap()), "{at}");
    }
}

#[test]
fn the_clock_uses_the_offset_of_the_moment_of_the_check() {
    // Clocks move at 01:00 UTC on 29 March 2026. A window from Saturday 23:00 for four hours began
    // when the offset was +1; after the change it is looked for with +2, and is over an hour early.
    let deny = [window("deny", "0 23 * * 6", "4h", &json!({"timeZone": "Europe/Madrid"}))];
    let table = [
        ("2026-03-28T21:59:00Z", true),
        ("2026-03-28T22:01:00Z", false),
        ("2026-03-29T00:59:00Z", false),
        ("2026-03-29T01:01:00Z", true),
        ("2026-03-29T01:59:00Z", true),
    ];
    for (at, may) in table {
        assert_eq!(ask(&deny, at, false, None).may, Some(may), "{at}");
    }
    let verdict = ask(&deny, "2026-03-28T22:30:00Z", false, None);
    assert_eq!(verdict.changes_after, Some("2026-03-29T01:00:00Z".parse().unwrap()));
    // An unknown zone is UTC.
    let unknown = [window("deny", "0 23 * * *", "1h", &json!({"timeZone": "Nowhere"}))];
    assert_eq!(ask(&unknown, "2026-06-01T23:30:00Z", false, None).may, Some(false));
}

#[test]
fn a_schedule_that_never_comes_due_is_open_for_good() {
    let deny = [window("deny", "0 0 30 2 *", "1h", &json!({}))];
    let verdict = ask(&deny, "2026-06-01T12:00:00Z", false, None);
    assert_eq!(verdict.may, Some(false));
    assert_eq!(verdict.changes_after, None);
}

#[test]
fn what_cannot_be_read_refuses() {
    for (schedule, length) in [("0 22 * *", "1h"), ("61 * * * *", "1h"), ("0 22 * * *", "1 hour")] {
        let verdict = ask(
            &[window("allow", schedule, length, &json!({}))],
            "2026-06-01T12:00:00Z",
            true,
            None,
        );
        assert_eq!(verdict.may, Some(false));
        assert!(matches!(verdict.why, Why::Unreadable(..)), "{schedule} {length}");
    }
}

#[test]
fn a_schedule_with_a_zone_of_its_own_is_undetermined_and_refuses_nothing() {
    let zoned = |schedule: &str, length: &str| window("deny", schedule, length, &json!({}));
    let other = |value: &mut Value| value["applications"] = json!(["web"]);
    let mut elsewhere = zoned("TZ=UTC 0 22 * * *", "1h");
    other(&mut elsewhere);
    let table = [
        (vec![zoned("TZ=Asia/Tokyo 0 22 * * *", "1h")], None),
        (vec![zoned("CRON_TZ=UTC 0 22 * * *", "1h"), zoned("0 2 * * *", "1h")], None),
        // What Argo CD cannot read either refuses all the same.
        (vec![zoned("TZ=UTC 0 22 * * *", "1h"), zoned("61 * * * *", "1h")], Some(false)),
        (vec![zoned("TZ=UTC 0 22 * * *", "1 hour")], Some(false)),
        (vec![elsewhere], Some(true)),
    ];
    for (values, may) in table {
        let verdict = ask(&values, "2026-06-01T12:00:00Z", false, None);
        assert_eq!(verdict.may, may, "{values:?}");
        assert_eq!(matches!(verdict.why, Why::Undetermined(..)), may.is_none(), "{values:?}");
    }
}

#[test]
fn the_search_ends_in_the_fifth_year_after_the_upcoming_second() {
    let leap = Cron::parse("0 0 29 2 *").unwrap();
    let last = date(2098, 12, 31);
    assert_eq!(leap.next_after(last.at(23, 59, 58, 0)), None);
    let found = Some(date(2104, 2, 29).at(0, 0, 0, 0));
    assert_eq!(leap.next_after(last.at(23, 59, 59, 0)), found);
    assert!(Cron::parse("0/9223372036854775807 * * * *").is_ok(), "a step that Go can hold");
    assert!(Cron::parse("0/9223372036854775808 * * * *").is_err(), "and one that it cannot");
}

#[test]
fn a_window_is_meant_for_what_its_lists_say() {
    let table = [
        (json!({"applications": ["pay-*"]}), true),
        (json!({"applications": ["web"]}), false),
        (json!({"applications": ["web"], "namespaces": ["pay-prod"]}), true),
        (json!({"applications": ["web"], "namespaces": ["pay-prod"], "andOperator": true}), false),
        (json!({"applications": ["pay-*"], "clusters": ["https://k"], "andOperator": true}), true),
        (json!({"applications": ["pay-*"], "clusters": ["other"], "andOperator": true}), false),
        (json!({"clusters": ["https://*"]}), true),
        (json!({}), false),
        (json!({"andOperator": true}), false),
        (json!({"applications": ["!web"]}), false),
    ];
    for (value, expected) in table {
        assert_eq!(Window::read(&value, &Origin::whole("w")).is_for(&APP), expected, "{value}");
    }
}

#[test]
fn durations_are_gos() {
    let table = [
        ("240h", Some(864_000)),
        ("1h30m", Some(5_400)),
        ("1.5h", Some(5_400)),
        ("-1m", Some(-60)),
        ("0", Some(0)),
        ("90", None),
        ("", None),
        ("1d", None),
        ("h", None),
    ];
    for (text, seconds) in table {
        let read = duration(text).ok();
        assert_eq!(read, seconds.map(SignedDuration::from_secs), "{text}");
    }
}

#[test]
fn schedules_are_robfigs() {
    let table = [
        // Day and weekday: either, unless one is a star.
        ("0 0 13 * 5", date(2026, 2, 6), true),
        ("0 0 13 * *", date(2026, 2, 6), false),
        ("0 0 * * 5", date(2026, 2, 6), true),
        // A star with a step is no star for that rule: 2026-02-06 is a Friday and an even day.
        ("0 0 */2 * 5", date(2026, 2, 6), true),
        ("0 0 */1 * 5", date(2026, 2, 5), false),
        ("0 0 1/2 FEB fri", date(2026, 2, 5), true),
        ("0 0 ? feb-mar ?", date(2026, 3, 5), true),
    ];
    for (schedule, day, expected) in table {
        let schedule = schedule.to_owned();
        let fields = schedule.split_whitespace().count();
        if fields != 5 {
            assert_eq!(Cron::parse(&schedule), Err(CronFault::Fields(fields)));
            continue;
        }
        let cron = Cron::parse(&schedule).unwrap();
        assert_eq!(cron.contains(day.at(0, 0, 0, 0)), expected, "{schedule}");
    }
    for bad in [
        "0 0 * * 7",
        "0 24 * * *",
        "@daily",
        "0 0 * * MON-FUN",
        "*/0 * * * *",
        "5-1 * * * *",
        "TZ=UTC 0 0 * * *",
    ] {
        assert!(Cron::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn the_next_time_is_the_first_minute_that_fits(
        minute in "(\\*|[0-5]|\\*/20|5-50/15)",
        hour in "(\\*|[0-9]|2[0-3])",
        day in "(\\*|[1-9]|\\*/3)",
        weekday in "(\\*|[0-6]|1-5)",
        from in 0i64..(86_400 * 60),
    ) {
        let cron = Cron::parse(&format!("{minute} {hour} {day} * {weekday}")).unwrap();
        let start = date(2026, 1, 15).at(0, 0, 0, 0) + SignedDuration::from_secs(from);
        let mut probe = start.date().at(start.hour(), start.minute(), 0, 0);
        loop {
            probe += SignedDuration::from_mins(1);
            if cron.contains(probe) {
                break;
            }
        }
        prop_assert_eq!(cron.next_after(start), Some(probe));
    }

    /// Open at an instant means: some start of the schedule lies less than the duration before it.
    #[test]
    fn open_is_what_brute_force_says(
        hour in 0u32..24,
        minutes in 1i64..3_000,
        at in 0i64..(86_400 * 20),
        zoned in any::<bool>(),
    ) {
        let schedule = format!("30 {hour} * * *");
        let zone = if zoned { "Fixed/Two" } else { "" };
        let value = window("deny", &schedule, &format!("{minutes}m"), &json!({"timeZone": zone}));
        let at: Timestamp = "2026-05-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(at);
        let shift = if zoned { 7_200 } else { 0 };
        let wall = at.as_second() + shift;
        let first = (wall.div_euclid(86_400) - 3) * 86_400 + i64::from(hour) * 3_600 + 1_800;
        let open = (0..5).map(|day| first + day * 86_400)
            .any(|start| start < wall && wall < start + minutes * 60);
        let again = windows(&[value]);
        let verdict = may_sync(&again, &APP, at, false, None, &zones);
        prop_assert_eq!(verdict.may, Some(!open));
        if let Some(change) = verdict.changes_after {
            let after = change + SignedDuration::from_nanos(1);
            prop_assert!(change >= at);
            prop_assert_ne!(may_sync(&again, &APP, after, false, None, &zones).may, verdict.may);
        }
    }
}
