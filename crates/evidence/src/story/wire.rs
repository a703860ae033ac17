//! How a story's parts look in its JSON, where a derive would not say it well.

use std::collections::BTreeSet;

use serde::ser::{Serialize, Serializer};

use crate::record::Cite;

/// The records that a statement rests on, sorted; serialised as `channel:id` strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cites(
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))] pub BTreeSet<Cite>,
);

impl Cites {
    /// Adds all records of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// The records, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Cite> {
        self.0.iter()
    }

    /// The first record, in the order of channels and ids.
    pub fn first(&self) -> Option<&Cite> {
        self.0.first()
    }
}

impl From<Cite> for Cites {
    fn from(cite: Cite) -> Self {
        Self(BTreeSet::from([cite]))
    }
}

impl Serialize for Cites {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

/// Serialises one cite as `channel:id`.
pub(crate) fn cite<S: Serializer>(cite: &Cite, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(cite)
}
