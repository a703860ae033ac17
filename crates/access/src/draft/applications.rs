//! Which names of Applications belong to an environment, in as few patterns as tell it rightly.

use std::collections::BTreeMap;

use super::environment::{Member, STANDARD};
use crate::glob;
use crate::place::Place;

/// A pattern of names and how critical what it matches is.
pub(super) struct Rule {
    pub(super) pattern: String,
    pub(super) criticality: String,
    /// Why it is so critical.
    pub(super) why: String,
    pub(super) at: Option<Place>,
}

/// Rules for the Applications of an environment, of which none matches one of the others.
pub(super) fn rules(environment: &str, members: &[Member], others: &[&str]) -> Vec<Rule> {
    let shapes = [format!("*-{environment}"), format!("{environment}-*"), "*".to_owned()];
    let is_apart = |pattern: &String| !others.iter().any(|other| glob::matches(pattern, other));
    let shapes: Vec<String> = shapes.into_iter().filter(is_apart).collect();
    let mut groups: BTreeMap<Option<&str>, Vec<&Member>> = BTreeMap::new();
    for member in members {
        let shape = shapes.iter().find(|shape| glob::matches(shape, &member.name));
        groups.entry(shape.map(String::as_str)).or_default().push(member);
    }
    let (mut single, mut wide) = (Vec::new(), Vec::new());
    for (shape, members) in groups {
        let usual = shape.and_then(|_| usual(&members));
        for member in &members {
            let own = level(member);
            if shape.is_none() || Some(own) != usual {
                single.push(rule(member.name.clone(), member));
            }
        }
        if let (Some(shape), Some(usual)) = (shape, usual) {
            let of = members.iter().find(|m| level(m) == usual);
            wide.extend(of.map(|member| rule(shape.to_owned(), member)));
        }
    }
    // The first that matches decides.
    single.append(&mut wide);
    single
}

fn level(member: &Member) -> &str {
    member.criticality.as_ref().map_or(STANDARD, |(_, c)| c.value.as_str())
}

/// The level of most of them; of several, the first by name.
fn usual<'m>(members: &[&'m Member]) -> Option<&'m str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for member in members {
        *counts.entry(level(member)).or_default() += 1;
    }
    counts.into_iter().max_by(|a, b| (a.1, b.0).cmp(&(b.1, a.0))).map(|(level, _)| level)
}

fn rule(pattern: String, member: &Member) -> Rule {
    let (criticality, why, at) = match &member.criticality {
        Some((key, told)) => (told.value.clone(), format!("the label {key}"), told.place.clone()),
        None => (STANDARD.to_owned(), "no label says another".to_owned(), member.at.clone()),
    };
    Rule { pattern, criticality, why, at: Some(at) }
}
