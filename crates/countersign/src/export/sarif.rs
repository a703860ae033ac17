//! Findings as SARIF 2.1.0, the form that forges and editors show beside the code.
//!
//! Our own subset of `oasis-tcs/sarif-spec` `sarif-2.1/schema/sarif-schema-2.1.0.json`: one run, its
//! rules, and a result a finding. An excepted finding is a suppressed one with its justification; a
//! known one has `baselineState` `unchanged`. What could not be said is a result of kind `open`,
//! which is neither pass nor fail.

use std::collections::BTreeMap;

use evidence::control::exception::{Exception, Judged, Standing};
use evidence::control::{Control, NotAssessed, Place, Severity};
use serde::Serialize;
use serde_json::{Value, json};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
struct Run<'a> {
    tool: Value,
    results: Vec<SarifResult<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: Option<usize>,
    level: &'static str,
    kind: &'static str,
    message: Value,
    locations: Vec<Value>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Value>,
}

/// Writes findings, and what could not be said, as a SARIF log: the same bytes for the same input.
pub fn to_sarif(
    judged: &[Judged],
    not_assessed: &[NotAssessed],
    catalogue: &[&'static Control],
) -> Vec<u8> {
    let found = judged.iter().map(|j| result_of(j, catalogue));
    let open = not_assessed.iter().map(|n| open_result(n, catalogue));
    let run = Run { tool: tool(catalogue), results: found.chain(open).collect() };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    serde_json::to_vec(&log).unwrap_or_default()
}

fn tool(catalogue: &[&'static Control]) -> Value {
    let rules: Vec<Value> = catalogue.iter().map(|control| rule(control)).collect();
    json!({"driver": {"name": "countersign", "version": env!("CARGO_PKG_VERSION"), "rules": rules}})
}

fn rule(control: &Control) -> Value {
    let relates: Vec<String> =
        control.relates.iter().map(|r| format!("{} {}", r.framework, r.id)).collect();
    json!({
        "id": control.id,
        "shortDescription": {"text": control.condition},
        "fullDescription": {"text": control.statement},
        "help": {"text": format!("{} To mend it: {}", control.asks, control.fix)},
        "defaultConfiguration": {"level": level(control.severity)},
        "properties": {"relatesTo": relates},
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn index(id: &str, catalogue: &[&'static Control]) -> Option<usize> {
    catalogue.iter().position(|control| control.id == id)
}

fn result_of<'a>(judged: &'a Judged, catalogue: &[&'static Control]) -> SarifResult<'a> {
    let finding = &judged.finding;
    let (state, suppressions) = match &judged.standing {
        Standing::New => (Some("new"), Vec::new()),
        Standing::Known => (Some("unchanged"), Vec::new()),
        Standing::Excepted { exception } => (None, vec![suppression(exception)]),
    };
    SarifResult {
        rule_id: finding.control,
        rule_index: index(finding.control, catalogue),
        level: level(finding.severity),
        kind: "fail",
        message: json!({"text": format!("{}: {}", finding.subject, finding.message)}),
        locations: locations(&finding.subject, &finding.places),
        partial_fingerprints: fingerprint(finding.control, &finding.subject),
        baseline_state: state,
        suppressions,
    }
}

fn open_result<'a>(open: &'a NotAssessed, catalogue: &[&'static Control]) -> SarifResult<'a> {
    SarifResult {
        rule_id: open.control,
        rule_index: index(open.control, catalogue),
        // The level of every kind but `fail` must be `none` (SARIF 2.1.0, 3.27.10).
        level: "none",
        kind: "open",
        message: json!({"text": format!("{}: undetermined, {}", open.subject, open.reason)}),
        locations: locations(&open.subject, &[]),
        partial_fingerprints: fingerprint(open.control, &open.subject),
        baseline_state: None,
        suppressions: Vec::new(),
    }
}

fn suppression(exception: &Exception) -> Value {
    let justification = format!(
        "{}; approved by {}, until {}",
        exception.reason, exception.approver, exception.expires
    );
    json!({"kind": "external", "status": "accepted", "justification": justification})
}

fn fingerprint(control: &str, subject: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("controlSubject/v1", format!("{control}:{subject}"))])
}

/// Files with their lines; everything else as a logical location.
fn locations(subject: &str, places: &[Place]) -> Vec<Value> {
    let logical = |name: &str| json!([{"fullyQualifiedName": name}]);
    if places.is_empty() {
        return vec![json!({"logicalLocations": logical(subject)})];
    }
    let location = |place: &Place| match place {
        Place::File { path, line } => {
            let mut physical = json!({"artifactLocation": {"uri": path}});
            if let Some(line) = line {
                physical["region"] = json!({"startLine": line});
            }
            json!({"physicalLocation": physical, "logicalLocations": logical(subject)})
        }
        Place::Json { document, pointer } => {
            json!({"logicalLocations": logical(&format!("{document}#{pointer}"))})
        }
        Place::Record { cite } => json!({"logicalLocations": logical(cite)}),
    };
    places.iter().map(location).collect()
}
