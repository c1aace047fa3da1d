//! Rows that stay where they are while somebody works on them.

use std::collections::HashMap;
use std::hash::Hash;

use crate::clock::{Millis, SECOND};

/// How long after a key the order of a list stands.
const HOLD: Millis = 2 * SECOND;

/// Keeps the order of a list for two seconds after a key: what is under the finger does not move. The console touches
/// it at every key; the tab runs each new list through [`Steady::arrange`] and gets its due order a moment later,
/// when the console asks it to load again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steady {
    /// When the last key was pressed, and how long the order stands after it.
    touched: Option<(Millis, Millis)>,
    moves: usize,
}

impl Steady {
    /// A key was pressed; `pace` is how many seconds of shown time a second at the keyboard lasts.
    pub fn touch(&mut self, now: Millis, pace: f64) {
        self.touched = Some((now, (HOLD as f64 * pace) as Millis));
    }

    /// Another list is shown from now on: its first order is not held back.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Rows that would stand elsewhere if their order were not held.
    pub fn moves(&self) -> usize {
        self.moves
    }

    /// The instant at which the held order is due to change; `None` when nothing is held.
    pub fn until(&self) -> Option<Millis> {
        self.touched.filter(|_| self.moves > 0).map(|(at, hold)| at + hold)
    }

    /// `new` in the order of the ids `shown` while keys are pressed (rows that came last), else as it is.
    pub fn arrange<T, K: Eq + Hash>(&mut self, shown: &[K], new: Vec<T>, key: impl Fn(&T) -> K, now: Millis) -> Vec<T> {
        self.moves = 0;
        // a clock that was set back ends the hold
        if shown.is_empty() || !self.touched.is_some_and(|(at, hold)| (0..hold).contains(&(now - at))) {
            return new;
        }
        let places: HashMap<&K, usize> = shown.iter().enumerate().map(|(i, id)| (id, i)).collect();
        let old: Vec<Option<usize>> = new.iter().map(|row| places.get(&key(row)).copied()).collect();
        let known: Vec<usize> = old.iter().flatten().copied().collect();
        self.moves = new.len() - in_order(&known);
        let mut rows: Vec<(usize, T)> =
            old.into_iter().map(|place| place.unwrap_or(usize::MAX)).zip(new).collect::<Vec<_>>();
        rows.sort_by_key(|(place, _)| *place);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// Length of the longest run of `places` that rises: the rows that need not move.
fn in_order(places: &[usize]) -> usize {
    let mut ends: Vec<usize> = Vec::new();
    for place in places {
        let at = ends.partition_point(|end| end < place);
        if at == ends.len() {
            ends.push(*place);
        } else {
            ends[at] = *place;
        }
    }
    ends.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_stands_for_two_seconds_after_a_key_and_the_moves_are_counted() {
        let mut steady = Steady::default();
        let shown = vec!["a", "b", "c", "d"];
        let arrange = |steady: &mut Steady, now| steady.arrange(&shown, vec!["d", "a", "b", "e"], |r| *r, now);
        assert_eq!(arrange(&mut steady, 10_000), ["d", "a", "b", "e"]);
        steady.touch(10_000, 1.0);
        assert_eq!(arrange(&mut steady, 11_999), ["a", "b", "d", "e"]);
        assert_eq!((steady.moves(), steady.until()), (2, Some(12_000)));
        assert_eq!(arrange(&mut steady, 12_000), ["d", "a", "b", "e"]);
        assert_eq!((steady.moves(), steady.until()), (0, None));
        assert_eq!(arrange(&mut steady, 9_000), ["d", "a", "b", "e"], "a clock set back holds nothing");
        steady.touch(10_000, 10.0);
        assert_eq!(arrange(&mut steady, 29_999), ["a", "b", "d", "e"], "two seconds at the keyboard are twenty shown");
        assert_eq!((steady.moves(), steady.until()), (2, Some(30_000)));
    }
}
