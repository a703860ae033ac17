//! `drift`: where the live state left the desired one.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::story::Story;
use crate::story::act::{Act, What};

/// The version of this answer's JSON. A reader must refuse a version it does not know.
pub const VERSION: u32 = 1;

/// All drift that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DriftList {
    /// The version of this shape: [`VERSION`].
    pub drift_list: u32,
    /// The drift, by onset. An empty list means that none is in the records, not that there was none.
    pub drift: Vec<Act>,
}

/// Lists the drift of an environment, of an Application, or all.
pub fn list(story: &Story, environment: Option<&str>, app: Option<&str>) -> DriftList {
    let mut environments: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for operation in &story.operations {
        let app = &operation.app;
        environments.entry(&app.name).or_insert(app.environment.as_deref());
    }
    let wanted = |act: &&Act| {
        let of = act.app.as_deref();
        let placed = of.and_then(|name| environments.get(name).copied().flatten());
        matches!(act.what, What::Drift { .. })
            && (app.is_none() || of == app)
            && (environment.is_none() || placed == environment)
    };
    DriftList { drift_list: VERSION, drift: story.acts.iter().filter(wanted).cloned().collect() }
}
