//! What a record says about itself, before anything follows from it: when, and which version of
//! which Application. By this a selection is made.

use super::fold::Facts;
use crate::parse::ResourceVersion;
use crate::record::Record;
use crate::time::Moment;

/// What one record says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The time that it states.
    pub at: Option<Moment>,
    /// The Application's uid and version, of a record that shows one.
    pub application: Option<(String, ResourceVersion)>,
}

/// Reads one record by itself.
pub fn of(record: &Record) -> Header {
    let channel = record.cite.channel;
    let mut facts = Facts::default();
    facts.add(record);
    let at = facts.seen.get(&channel).and_then(|seen| seen.coverage(channel).first);
    let mut applications = facts.applications.into_iter();
    let application = applications.next().and_then(|(uid, versions)| {
        let version = versions.into_keys().next()?;
        Some((uid, version))
    });
    Header { at, application }
}
