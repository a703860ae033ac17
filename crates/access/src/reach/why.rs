//! One person's reach as sentences.

use super::answer::{Answer, Need, Path, Person, listed};

/// Tells how a person can, each path as one sentence with its places; `None` if nobody of that id can.
/// The first is the one that needs least of others.
pub fn why(answer: &Answer, person: &str) -> Option<Vec<String>> {
    let person = answer.people.iter().find(|p| p.id == person)?;
    Some(person.paths.iter().map(|path| sentence(answer, person, path)).collect())
}

fn sentence(answer: &Answer, person: &Person, path: &Path) -> String {
    let who = person
        .name
        .as_ref()
        .map_or_else(|| person.id.clone(), |name| format!("{name} ({})", person.id));
    let what = if path.applications.is_empty() {
        "what runs".to_owned()
    } else {
        listed(&path.applications)
    };
    let hops: Vec<String> = path
        .hops
        .iter()
        .map(|hop| {
            let at: Vec<String> = hop.at.iter().map(ToString::to_string).collect();
            if at.is_empty() {
                hop.says.clone()
            } else {
                format!("{} [{}]", hop.says, at.join("; "))
            }
        })
        .collect();
    let needs: Vec<String> = path.needs.iter().map(|need| Need::words(*need)).collect();
    let needs = if needs.is_empty() {
        "Nothing else is needed.".to_owned()
    } else {
        format!("Needed besides: {}.", needs.join("; "))
    };
    format!("{who} can {} {what}: {}. {needs}", answer.verb.words(), hops.join("; "))
}
