//! Things with a time, found by the time that is asked about and not by looking at all of them.

use jiff::Timestamp;

use crate::time::Moment;

/// Things in order of their beginning.
pub(crate) struct Timed<T>(Vec<Entry<T>>);

struct Entry<T> {
    at: Moment,
    /// The latest end of this and of all that began before: what ends the search backwards.
    reach: Timestamp,
    /// The place among the things as they were given.
    place: usize,
    what: T,
}

impl<T: Copy> Timed<T> {
    pub(crate) fn of(things: impl IntoIterator<Item = (Moment, T)>) -> Self {
        let entry =
            |(place, (at, what)): (_, (Moment, T))| Entry { at, reach: at.latest(), place, what };
        let mut all: Vec<Entry<T>> = things.into_iter().enumerate().map(entry).collect();
        all.sort_by_key(|entry| (entry.at.earliest(), entry.place));
        let mut reach = Timestamp::MIN;
        for entry in &mut all {
            reach = reach.max(entry.reach);
            entry.reach = reach;
        }
        Self(all)
    }

    /// What began at `to` or before it and ended at `from` or after it, in the order in which it
    /// was given.
    pub(crate) fn within(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = T> {
        let until = self.0.partition_point(|entry| entry.at.earliest() <= to);
        let reaching = self.0[..until].iter().rev().take_while(|entry| entry.reach >= from);
        let mut found: Vec<&Entry<T>> =
            reaching.filter(|entry| entry.at.latest() >= from).collect();
        found.sort_by_key(|entry| entry.place);
        found.into_iter().map(|entry| entry.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against looking at all of them: every interval of a small clock, with one thing that lasts.
    #[test]
    fn what_is_found_is_what_looking_at_all_finds() {
        let second = |s: i64| Timestamp::from_second(s).expect("a time");
        let spans = [(5, 6), (2, 3), (0, 9), (2, 2), (7, 12), (11, 12), (5, 6)];
        let moments = spans.map(|(from, to)| Moment::window(second(from), second(to)));
        let timed = Timed::of(moments.into_iter().zip(0..));
        for (from, to) in (-1..14).flat_map(|from| (from..14).map(move |to| (from, to))) {
            let found: Vec<usize> = timed.within(second(from), second(to)).collect();
            let all = spans.iter().enumerate().filter(|(_, s)| s.0 <= to && s.1 >= from);
            assert_eq!(found, all.map(|(place, _)| place).collect::<Vec<_>>(), "{from}..{to}");
        }
    }
}
