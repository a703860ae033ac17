//! `people propose`: whose accounts these probably are, as a draft of the people map.

pub mod propose;
pub mod sighting;
