//! The `OpenAPI` 3.1 description.

use evidence::ask::change::{ChangeList, ChangeView, TransitionView};
use evidence::ask::drift::DriftList;
use evidence::ask::running::Running;
use evidence::ask::timeline::Timeline;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};

use super::{ANSWERS, versioned};
use crate::ask::Answered;
use crate::ask::status::Status;

/// Parameters: name, what it says, an example.
const PARAMETERS: [(&str, &str, &str); 11] = [
    (
        "at",
        "The moment, as people say it. To the minute: that minute; to the second: ten seconds around it",
        "mon 21:46",
    ),
    ("window", "How far before and after `at` to look", "30m"),
    ("from", "Beginning of a period", "2026-11-23 21:40"),
    ("to", "End of a period, itself part of it; now, unless said", "2026-11-23 21:50"),
    ("whole", "Everything that the ledger holds", "true"),
    (
        "now",
        "What \"now\" and \"today\" mean; the server's clock, unless said",
        "2026-11-24T08:00:00Z",
    ),
    ("tz", "Time zone of the question; UTC, unless said", "Europe/Madrid"),
    ("env", "Only this environment: the label `env` or `environment` of Applications", "prod"),
    ("app", "Only this Application: name, or namespace/name", "payments-prod"),
    ("namespace", "Only what concerns this namespace", "payments-prod"),
    (
        "min_size",
        "Answer only from a story of at least so many entries; waits a little, then 409",
        "2304",
    ),
];

/// A path: what it answers, its parameters, the names of its answers.
struct Question {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: &'static [&'static str],
    answers: &'static [&'static str],
}

const PATHS: [Question; 6] = [
    Question {
        path: "/v1/timeline",
        id: "timeline",
        summary: "What happened then",
        parameters: &[
            "at",
            "window",
            "from",
            "to",
            "whole",
            "now",
            "tz",
            "env",
            "app",
            "namespace",
            "min_size",
        ],
        answers: &["TimelineAnswer"],
    },
    Question {
        path: "/v1/changes",
        id: "changes",
        summary: "Which changes there were, and what happened outside of them",
        parameters: &["env", "min_size"],
        answers: &["ChangeListAnswer"],
    },
    Question {
        path: "/v1/changes/{selector}",
        id: "change",
        summary: "One change: who had which part, what ran, which conditions the records show met; or the transition that belongs to none",
        parameters: &["min_size"],
        answers: &["ChangeViewAnswer", "TransitionViewAnswer"],
    },
    Question {
        path: "/v1/running",
        id: "running",
        summary: "What ran at a moment",
        parameters: &["at", "now", "tz", "env", "min_size"],
        answers: &["RunningAnswer"],
    },
    Question {
        path: "/v1/drift",
        id: "drift",
        summary: "Where the live state left the desired one",
        parameters: &["env", "app", "min_size"],
        answers: &["DriftListAnswer"],
    },
    Question {
        path: "/v1/coverage",
        id: "coverage",
        summary: "What the ledger covers, and what it cannot show",
        parameters: &["min_size"],
        answers: &["StatusAnswer"],
    },
];

/// Statuses of a question beside 200.
const ASKED: [(&str, &str); 8] = [
    ("400", "The question cannot be understood; the detail names the part"),
    ("401", "Not authenticated"),
    ("403", "No reader is configured"),
    ("404", "Nothing of this name is in the records"),
    ("405", "Only GET"),
    ("409", "The story does not go up to min_size yet"),
    ("429", "More than this reader's rate allows; Retry-After"),
    (
        "503",
        "The story is being derived, too many answers are being made, or the ledger does not verify; Retry-After",
    ),
];

/// Statuses of a delivery beside 200.
const SENT: [(&str, &str); 9] = [
    ("400", "No JSON that all readers read alike, empty, broken off, no whole gzip"),
    ("401", "Not authenticated; the detail names the header that is expected"),
    ("404", "No source has this path"),
    ("408", "Headers or body took too long"),
    ("413", "Over body-bytes or record-bytes of the source"),
    ("415", "An encoding other than gzip, or a form"),
    ("422", "No record of a known channel, or of another than the source's"),
    ("429", "Over the rate of the source; Retry-After"),
    ("503", "The ledger does not keep up; nothing was lost and nothing promised; Retry-After"),
];

/// The whole document.
pub(super) fn document() -> Value {
    let mut paths = serde_json::Map::new();
    for path in &PATHS {
        paths.insert(path.path.to_owned(), json!({ "get": question(path) }));
    }
    paths.insert("/v1/checkpoint".to_owned(), json!({ "get": plain(
        "checkpoint", "The newest checkpoint, as a signed note", "text/plain", &json!({ "type": "string" }),
    ) }));
    paths.insert(
        "/v1/openapi.json".to_owned(),
        json!({ "get": plain(
        "openapi", "This document", "application/json", &json!({ "type": "object" }),
    ) }),
    );
    paths.insert("/v1/schema/{name}".to_owned(), schema_path());
    paths.insert("/ingest/{source}".to_owned(), ingest());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Records in, answers out. An answer is derived from the first n entries of the ledger, under the checkpoint that it carries (`derived`). What the records do not show is data, not an error.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": schemas(), "securitySchemes": security() },
    })
}

fn schemas() -> Value {
    let path = "/components/schemas";
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.with(|s| s.definitions_path = path.into()).into_generator();
    add::<ChangeList>(&mut generator);
    add::<ChangeView>(&mut generator);
    add::<DriftList>(&mut generator);
    add::<Running>(&mut generator);
    add::<Status>(&mut generator);
    add::<Timeline>(&mut generator);
    add::<TransitionView>(&mut generator);
    let mut schemas = Value::Object(generator.take_definitions(true));
    for answer in &ANSWERS {
        let words = answer.name.split('_').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        let name: String = words.collect();
        versioned(&mut schemas[format!("{name}Answer")], answer);
    }
    schemas["Problem"] = json!({
        "description": "What is wrong and what to do (RFC 9457).",
        "type": "object",
        "properties": {
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
        },
        "required": ["title", "status", "detail"],
    });
    schemas["Accepted"] = accepted();
    schemas
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<Answered<T>>();
}

fn accepted() -> Value {
    let count = |words: &str| json!({ "type": "integer", "minimum": 0, "description": words });
    json!({
        "description": "What became of a delivery: all of it is durable.",
        "type": "object",
        "properties": {
            "accepted": count("New."),
            "known": count("There before."),
            "dropped": count("Not kept by rule: reads by people."),
            "refused": count("Not taken."),
            "entries": {
                "description": "The smallest and the largest index of the delivery's records.",
                "type": ["array", "null"], "items": { "type": "integer" }, "minItems": 2, "maxItems": 2,
            },
            "refusals": {
                "description": "The first refused records.",
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "record": { "type": "integer" }, "reason": { "type": "string" } },
                    "required": ["record", "reason"],
                },
            },
        },
        "required": ["accepted", "known", "dropped", "refused", "entries"],
    })
}

fn security() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "certificate": { "type": "mutualTLS" },
        "signature": {
            "type": "apiKey", "in": "header", "name": "X-Hub-Signature-256",
            "description": "`sha256=` and the HMAC-SHA-256 of the body; the header's name is the source's",
        },
        "gitlab": { "type": "apiKey", "in": "header", "name": "X-Gitlab-Token" },
    })
}

fn problems(statuses: &[(&str, &str)]) -> serde_json::Map<String, Value> {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    let of = |(status, words): &(&str, &str)| {
        let content = json!({ "application/problem+json": { "schema": schema } });
        ((*status).to_owned(), json!({ "description": words, "content": content }))
    };
    statuses.iter().map(of).collect()
}

fn operation(
    id: &str,
    summary: &str,
    parameters: &[Value],
    (media_type, schema): (&str, &Value),
    statuses: &[(&str, &str)],
) -> Value {
    let mut responses = problems(statuses);
    let content = json!({ media_type: { "schema": schema } });
    responses.insert("200".to_owned(), json!({ "description": summary, "content": content }));
    json!({
        "operationId": id, "summary": summary, "parameters": parameters,
        "security": [{ "bearer": [] }, { "certificate": [] }],
        "responses": responses,
    })
}

fn question(path: &Question) -> Value {
    let known = |name: &&str| PARAMETERS.iter().find(|p| p.0 == *name);
    let mut parameters: Vec<Value> =
        path.parameters.iter().filter_map(known).map(|p| parameter(p, path.id)).collect();
    if path.path.contains("{selector}") {
        parameters.push(json!({
            "name": "selector", "in": "path", "required": true,
            "description": "`pr:N`, a commit of at least 7 digits, a ticket's key, `operation:app@version`, `entry:N` or a change's id",
            "schema": { "type": "string" }, "example": "pr:103",
        }));
    }
    let refs: Vec<Value> = path
        .answers
        .iter()
        .map(|n| json!({ "$ref": format!("#/components/schemas/{n}") }))
        .collect();
    let schema = match refs.as_slice() {
        [one] => one.clone(),
        several => json!({ "oneOf": several }),
    };
    operation(path.id, path.summary, &parameters, ("application/json", &schema), &ASKED)
}

fn parameter((name, words, example): &(&str, &str, &str), of: &str) -> Value {
    let schema = match *name {
        "min_size" => json!({ "type": "integer", "minimum": 0 }),
        "whole" => json!({ "type": "boolean" }),
        _ => json!({ "type": "string" }),
    };
    json!({
        "name": name, "in": "query", "required": of == "running" && *name == "at",
        "description": words, "schema": schema, "example": example,
    })
}

fn plain(id: &str, summary: &str, media_type: &str, schema: &Value) -> Value {
    operation(id, summary, &[], (media_type, schema), &ASKED[..3])
}

fn schema_path() -> Value {
    let name = json!({
        "name": "name", "in": "path", "required": true,
        "schema": { "enum": super::SCHEMAS.iter().map(|d| d.name).collect::<Vec<_>>() },
    });
    let media_type = ("application/schema+json", &json!({ "type": "object" }));
    let summary = "The JSON Schema (2020-12) of an answer";
    json!({ "get": operation("schema", summary, &[name], media_type, &ASKED[..4]) })
}

fn ingest() -> Value {
    let source = json!({
        "name": "source", "in": "path", "required": true, "schema": { "type": "string" },
        "description": "A source of the sources file; its path may be another, where the file says so",
    });
    let summary = "Records, durable before they are acknowledged";
    let accepted = json!({ "$ref": "#/components/schemas/Accepted" });
    let mut operation =
        operation("ingest", summary, &[source], ("application/json", &accepted), &SENT);
    operation["security"] = json!([
        { "signature": [] }, { "bearer": [] }, { "gitlab": [] }, { "certificate": [] }, {},
    ]);
    let any = json!({ "schema": {} });
    operation["requestBody"] = json!({
        "required": true,
        "content": { "application/json": any, "application/x-ndjson": any, "application/cloudevents+json": any, "application/cloudevents-batch+json": any },
    });
    json!({ "post": operation })
}
