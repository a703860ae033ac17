//! A mapping, taken apart key by key; what is left over is an unknown key.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::Problem;
use crate::place::{Located, Place};
use crate::yaml::{Node, Value};

/// A mapping of the policy, and the problems found so far.
pub(super) struct Fields<'a> {
    node: &'a Node,
    known: Vec<&'static str>,
    pub(super) problems: &'a mut Vec<Problem>,
}

/// A problem with what to do about it.
pub(super) fn problem(place: &Place, what: String, help: &str) -> Problem {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Problem { place: place.clone(), what, help }
}

/// A name that is none of the known ones; one that is close is proposed.
pub(super) fn unknown(kind: &str, name: &str, known: &[&str], place: &Place) -> Problem {
    let close = known.iter().map(|k| (distance(name, k), k)).min();
    let help = match close {
        Some((distance, close)) if distance <= 1 + name.len() / 4 => {
            format!("did you mean {close:?}?")
        }
        _ if known.is_empty() => "none is defined".to_owned(),
        _ => format!("known are {}", known.join(", ")),
    };
    problem(place, format!("unknown {kind} {name:?}"), &help)
}

/// How many letters have to be changed, added or taken away to come from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

impl<'a> Fields<'a> {
    /// The fields of a mapping; a problem and `None` when it is none.
    pub(super) fn of(node: &'a Node, what: &str, problems: &'a mut Vec<Problem>) -> Option<Self> {
        if matches!(node.value, Value::Mapping(_)) {
            return Some(Self { node, known: Vec::new(), problems });
        }
        let found = node.type_name();
        problems.push(problem(&node.place, format!("{what} is {found}, not a mapping"), ""));
        None
    }

    pub(super) fn place(&self) -> &Place {
        &self.node.place
    }

    /// The value of a key.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.node.get(key)
    }

    /// The value of a key that has to be there.
    pub(super) fn need(&mut self, key: &'static str) -> Option<&'a Node> {
        let value = self.take(key);
        if value.is_none() {
            let what = format!("the key {key:?} is missing");
            self.problems.push(problem(&self.node.place, what, ""));
        }
        value
    }

    fn wrong(&mut self, node: &Node, key: &str, expected: &str) {
        let what = format!("{key} is {}, not {expected}", node.type_name());
        let is_word = matches!(node.value, Value::Bool(_) | Value::Number(..));
        let help = if is_word && expected.contains("text") { "put it in quotes" } else { "" };
        self.problems.push(problem(&node.place, what, help));
    }

    fn as_text(&mut self, node: &Node, key: &str) -> Option<Located<String>> {
        match node.as_text() {
            Some("") => {
                self.problems.push(problem(&node.place, format!("{key} is empty"), ""));
                None
            }
            Some(text) => Some(Located::new(text.to_owned(), &node.place)),
            None => {
                self.wrong(node, key, "text");
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let node = self.take(key)?;
        self.as_text(node, key)
    }

    pub(super) fn needed_text(&mut self, key: &'static str) -> Option<Located<String>> {
        let node = self.need(key)?;
        self.as_text(node, key)
    }

    /// The items of a list; none when the key is not there.
    pub(super) fn items(&mut self, key: &'static str) -> &'a [Node] {
        let Some(node) = self.take(key) else { return &[] };
        if let Value::Sequence(items) = &node.value {
            return items;
        }
        self.wrong(node, key, "a list");
        &[]
    }

    /// The texts of a list.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<Located<String>> {
        let items = self.items(key);
        items.iter().filter_map(|item| self.as_text(item, key)).collect()
    }

    pub(super) fn truth(&mut self, key: &'static str, otherwise: bool) -> bool {
        let Some(node) = self.take(key) else { return otherwise };
        node.as_bool().unwrap_or_else(|| {
            self.wrong(node, key, "true or false");
            otherwise
        })
    }

    pub(super) fn number(&mut self, key: &'static str, most: u64) -> Option<u64> {
        let node = self.take(key)?;
        let number = node.as_u64().filter(|number| *number <= most);
        if number.is_none() {
            let what = format!("{key} is not a whole number from 0 to {most}");
            self.problems.push(problem(&node.place, what, ""));
        }
        number
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Located<T>> {
        let node = self.take(key)?;
        self.as_word(node, key, words)
    }

    pub(super) fn as_word<T: Copy>(
        &mut self,
        node: &Node,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<Located<T>> {
        // `off` without quotes is a truth value to Kubernetes' YAML, and a word to whoever wrote it.
        let text = match node.value {
            Value::Bool(false) if words.iter().any(|(word, _)| *word == "off") => "off",
            _ => node.as_text().unwrap_or_default(),
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(Located::new(*value, &node.place));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let shown = node.scalar_text().unwrap_or(node.type_name());
        self.problems.push(unknown(&format!("{key} value"), shown, &known, &node.place));
        None
    }

    pub(super) fn duration(&mut self, key: &'static str) -> Option<SignedDuration> {
        let node = self.take(key)?;
        let duration = node.as_text().and_then(duration);
        if duration.is_none() {
            let what = format!("{key} is no duration");
            self.problems.push(problem(
                &node.place,
                what,
                "write days, hours, minutes, seconds: 1d, 2h30m, 90s",
            ));
        }
        duration
    }

    pub(super) fn date(&mut self, key: &'static str) -> Option<Located<Date>> {
        let node = self.need(key)?;
        let text = node.as_text().filter(|text| text.len() == 10);
        let date = text.and_then(|text| text.parse::<Date>().ok());
        if date.is_none() {
            let what = format!("{key} is no date");
            self.problems.push(problem(&node.place, what, "write year, month and day: 2027-01-31"));
        }
        date.map(|date| Located::new(date, &node.place))
    }

    /// Every key that nobody took is unknown.
    pub(super) fn finish(self) {
        for entry in self.node.entries() {
            if !self.known.contains(&&*entry.key.text) {
                let place = &entry.key.place;
                self.problems.push(unknown("key", &entry.key.text, &self.known, place));
            }
        }
    }
}

/// `1d2h3m4s`: each unit at most once, the larger first.
fn duration(text: &str) -> Option<SignedDuration> {
    let units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    let (mut rest, mut seconds, mut next) = (text, 0_i64, 0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| (1..=9).contains(end))?;
        let unit = rest[end..].chars().next()?;
        let at = next + units[next..].iter().position(|(u, _)| *u == unit)?;
        seconds += rest[..end].parse::<i64>().ok()? * units[at].1;
        (rest, next) = (&rest[end + 1..], at + 1);
    }
    (next > 0).then(|| SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_days_hours_minutes_seconds() {
        let table = [
            ("15m", Some(900)),
            ("1h30m", Some(5_400)),
            ("2d", Some(172_800)),
            ("90s", Some(90)),
            ("", None),
            ("1", None),
            ("m", None),
            ("1m1h", None),
            ("1m1m", None),
            ("1.5h", None),
            ("9999999999s", None),
        ];
        for (text, seconds) in table {
            assert_eq!(duration(text), seconds.map(SignedDuration::from_secs), "{text}");
        }
    }
}
