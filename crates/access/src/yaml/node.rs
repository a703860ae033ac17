//! The tree: values with their places, and how they are asked.

use serde_json::{Map, Number};

use crate::place::{Located, Place, Span};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; of an alias, where its anchor stands.
    pub place: Place,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, and how it is written.
    Number(Number, Box<str>),
    /// Text.
    Text(Box<str>),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in its order, without equal keys.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A key as text, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The key.
    pub text: Box<str>,
    /// Where it stands.
    pub place: Place,
}

impl Node {
    /// A text at a place.
    pub fn text_at(text: &str, place: &Place) -> Self {
        Self { value: Value::Text(text.into()), place: place.clone() }
    }

    /// The value under a key; `None` if this is no mapping or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A key with its value.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key.text == key)
    }

    /// The value under a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The value under a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Mapping(entries) => {
                entries.iter_mut().find(|e| &*e.key.text == key).map(|e| &mut e.value)
            }
            _ => None,
        }
    }

    /// Sets the value under a key; the key gets the value's place when it is new.
    pub fn set(&mut self, key: &str, value: Self) {
        if let Some(old) = self.get_mut(key) {
            *old = value;
        } else if let Value::Mapping(entries) = &mut self.value {
            let key = Key { text: key.into(), place: value.place.clone() };
            entries.push(Entry { key, value });
        }
    }

    /// The keys and values of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none of anything else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text, or what was written for a number or a truth value: `1.0` without quotes is a number to
    /// YAML, and a version to whoever wrote it.
    pub fn scalar_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(_, text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number as a whole one, if it is one.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.value {
            Value::Number(number, _) => number.as_u64(),
            _ => None,
        }
    }

    /// Whether this is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The text under a key, with its place; see [`Node::scalar_text`]. Empty text is none.
    pub fn located(&self, key: &str) -> Option<Located<String>> {
        let node = self.get(key)?;
        let text = node.scalar_text().filter(|text| !text.is_empty())?;
        Some(Located::new(text.to_owned(), &node.place))
    }

    /// The texts of the sequence under a key, with their places.
    pub fn located_items(&self, key: &str) -> Vec<Located<String>> {
        let items = self.get(key).map(Self::items).unwrap_or_default();
        let one = |node: &Self| Some(Located::new(node.scalar_text()?.to_owned(), &node.place));
        items.iter().filter_map(one).collect()
    }

    /// What a message calls the type of this value.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(..) => "a number",
            Value::Text(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The same value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number, _) => number.clone().into(),
            Value::Text(text) => (&**text).into(),
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(entries) => {
                let pairs = entries.iter().map(|e| (e.key.text.to_string(), e.value.to_json()));
                serde_json::Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// An object of an API as a tree; every value gets its path in the object as its place.
    pub fn from_json(object: &str, json: &serde_json::Value) -> Self {
        from_json(object, "", json)
    }

    /// Gives this value and everything in it one place.
    pub(crate) fn move_to(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::Sequence(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Value::Mapping(entries) => {
                for entry in entries {
                    entry.key.place = place.clone();
                    entry.value.move_to(place);
                }
            }
            _ => {}
        }
    }

    /// How many values this is, itself included.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Sequence(items) => items.iter().map(Self::count).sum(),
            Value::Mapping(entries) => entries.iter().map(|e| e.value.count()).sum::<usize>(),
            _ => 0,
        }
    }

    /// Where the value ends: of a mapping or a sequence where its last part ends.
    pub(super) fn end(&self) -> (u32, u32) {
        let last = match &self.value {
            Value::Sequence(items) => items.last().map(|node| &node.place),
            Value::Mapping(entries) => entries.last().map(|entry| &entry.value.place),
            _ => None,
        };
        let end = |span: Span| (span.end_line, span.end_column);
        let own = self.place.span().map(end).unwrap_or_default();
        last.and_then(Place::span).map(end).map_or(own, |last| last.max(own))
    }
}

fn from_json(object: &str, path: &str, json: &serde_json::Value) -> Node {
    let value = match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            Value::Number(number.clone(), number.to_string().into())
        }
        serde_json::Value::String(text) => Value::Text(text.as_str().into()),
        serde_json::Value::Array(items) => {
            let one = |(i, item)| from_json(object, &format!("{path}[{i}]"), item);
            Value::Sequence(items.iter().enumerate().map(one).collect())
        }
        serde_json::Value::Object(members) => {
            let one = |(key, member): (&String, _)| {
                let dot = if path.is_empty() { "" } else { "." };
                let value = from_json(object, &format!("{path}{dot}{key}"), member);
                let key = Key { text: key.as_str().into(), place: value.place.clone() };
                Entry { key, value }
            };
            Value::Mapping(members.iter().map(one).collect())
        }
    };
    Node { value, place: Place::object(object, path) }
}
