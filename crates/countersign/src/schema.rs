//! JSON Schemas of the answers, and the `OpenAPI` description of what the server serves.
//!
//! Both are made of the types that write the answers, kept in `docs/schema/`, and served as they are
//! kept there. `cargo xtask schemas` writes the files again; a test compares.

use evidence::ask::change::{self, ChangeList, ChangeView, TransitionView};
use evidence::ask::drift::{self, DriftList};
use evidence::ask::running::{self, Running};
use evidence::ask::timeline::{self, Timeline};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::ask::Answered;
use crate::ask::status::{self, Status};

mod openapi;

/// A file that describes answers.
#[derive(Debug)]
pub struct Document {
    /// Its name, in `docs/schema/` and below `/v1/schema/`.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

macro_rules! document {
    ($name:literal, $media_type:literal) => {
        Document {
            name: $name,
            media_type: $media_type,
            text: include_str!(concat!("../../../docs/schema/", $name)),
        }
    };
}

/// The description of everything that the server serves.
pub static OPENAPI: Document = document!("openapi.json", "application/json");

/// The schemas.
static SCHEMAS: [Document; 7] = [
    document!("change_list.json", "application/schema+json"),
    document!("change_view.json", "application/schema+json"),
    document!("drift_list.json", "application/schema+json"),
    document!("running.json", "application/schema+json"),
    document!("status.json", "application/schema+json"),
    document!("timeline.json", "application/schema+json"),
    document!("transition_view.json", "application/schema+json"),
];

/// The schema of a name.
pub fn named(name: &str) -> Option<&'static Document> {
    SCHEMAS.iter().find(|document| document.name == name)
}

/// An answer: the member that holds its version, the version, and how its schema is made.
struct Answer {
    name: &'static str,
    version: u32,
    of: fn(&mut SchemaGenerator) -> Schema,
}

const fn answer<T: JsonSchema>(name: &'static str, version: u32) -> Answer {
    Answer { name, version, of: |generator| generator.root_schema_for::<Answered<T>>() }
}

/// Every answer.
const ANSWERS: [Answer; 7] = [
    answer::<ChangeList>("change_list", change::VERSION),
    answer::<ChangeView>("change_view", change::VERSION),
    answer::<DriftList>("drift_list", drift::VERSION),
    answer::<Running>("running", running::VERSION),
    answer::<Status>("status", status::VERSION),
    answer::<Timeline>("timeline", timeline::VERSION),
    answer::<TransitionView>("transition_view", change::VERSION),
];

/// Every file of `docs/schema/` as it should be: name and text.
pub fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = ANSWERS.iter().map(schema).collect();
    files.push((OPENAPI.name.to_owned(), text(&openapi::document())));
    files
}

fn schema(answer: &Answer) -> (String, String) {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = (answer.of)(&mut generator).to_value();
    schema["$id"] = json!(format!("urn:countersign:{}:{}", answer.name, answer.version));
    schema["title"] = json!(answer.name);
    versioned(&mut schema, answer);
    (format!("{}.json", answer.name), text(&schema))
}

/// A reader must refuse a version that it does not know: the schema does.
fn versioned(schema: &mut Value, answer: &Answer) {
    schema["properties"][answer.name] = json!({
        "const": answer.version,
        "description": "The version of this shape. A reader must refuse one that it does not know.",
    });
}

fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
