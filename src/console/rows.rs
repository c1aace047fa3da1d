//! A list of a tab: its cursor, marks, held order, and how it is looked at.
//!
//! Everything is kept by the id of a row and not by its number: rows come and go under the cursor while one works.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::{Deref, DerefMut, Range, RangeInclusive};

use ratatui::layout::Rect;

use super::steady::Steady;
use crate::clock::Millis;

/// Narrowest area that a detail stands beside; a narrower one has it below.
const WIDE: u16 = 100;
/// Lowest area that a detail stands below.
const TALL: u16 = 16;

/// A list's place: the cursor, and what is in sight.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Row under the cursor.
    pub at: usize,
    /// First row shown.
    pub top: Cell<usize>,
    /// Rows that were in sight in the last frame; 0 before the first.
    height: Cell<usize>,
}

impl Place {
    /// Moves by a movement command over `len` rows; whether it was one. A page is what is in sight, less one row that
    /// shows where one came from.
    pub fn go(&mut self, command: &str, len: usize) -> bool {
        let last = len.saturating_sub(1);
        let page = match self.height.get() {
            0 => 15,
            height => height.saturating_sub(1).max(1),
        };
        self.at = match command {
            "down" => (self.at + 1).min(last),
            "up" => self.at.saturating_sub(1),
            "page_down" => (self.at + page).min(last),
            "page_up" => self.at.saturating_sub(page),
            "top" => 0,
            "bottom" => last,
            _ => return false,
        };
        true
    }

    /// Keeps the cursor on the row that `is` recognises; where it has gone, on the same line.
    pub fn follow<T>(&mut self, rows: &[T], is: impl Fn(&T) -> bool) {
        self.at = rows.iter().position(is).unwrap_or(self.at).min(rows.len().saturating_sub(1));
    }

    /// The rows to draw in `height` lines, the cursor among them.
    pub fn window(&self, len: usize, height: usize) -> Range<usize> {
        self.window_at(self.at, len, height)
    }

    /// The rows to draw in `height` lines, row `at` among them.
    pub fn window_at(&self, at: usize, len: usize, height: usize) -> Range<usize> {
        let mut top = self.top.get().min(len.saturating_sub(height));
        if at < top {
            top = at;
        } else if height > 0 && at >= top + height {
            top = at + 1 - height;
        }
        self.top.set(top);
        self.height.set(height);
        top..len.min(top + height)
    }

    /// The rows of the last frame, of `len`.
    pub fn in_sight(&self, len: usize) -> Range<usize> {
        let top = self.top.get().min(len);
        top..len.min(top + self.height.get().max(1))
    }
}

/// How a list is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Only rows that want something done.
    pub faults: bool,
    /// Index into [`Offers::orders`].
    pub order: usize,
    /// Whether the detail of the row under the cursor is shown.
    pub preview: bool,
    /// The detail stands below even where there is room beside.
    pub below: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { faults: false, order: 0, preview: true, below: false }
    }
}

impl Look {
    /// Room for the list and for the detail: `share` percent of the width for the list where they stand side by side.
    pub fn split(&self, area: Rect, share: u16) -> (Rect, Option<Rect>) {
        if !self.preview {
            return (area, None);
        }
        if !self.below && area.width >= WIDE {
            let list = (u32::from(area.width) * u32::from(share.min(100)) / 100) as u16;
            let right = Rect { x: area.x + list, width: area.width - list, ..area };
            return (Rect { width: list, ..area }, Some(right));
        }
        if area.height < TALL {
            return (area, None);
        }
        let detail = (area.height * 2 / 5).max(7);
        let list = area.height - detail;
        (Rect { height: list, ..area }, Some(Rect { y: area.y + list, height: detail, ..area }))
    }
}

/// What the list of a tab can do; the keys of the rest say that it cannot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offers {
    /// Marks: the tab's commands act on all marked rows.
    pub marks: bool,
    /// Faults only.
    pub faults: bool,
    /// A detail that can be put away.
    pub preview: bool,
    /// Names of its orders, the first the one it starts with.
    pub orders: &'static [fn() -> String],
}

/// What the console does with any list, whatever its rows are.
pub trait Listing {
    /// Marks the row under the cursor or takes its mark away, and goes on to the next.
    fn mark(&mut self);
    /// Begins a range at the cursor, or marks what lies between its begin and the cursor. Whether one is open now.
    fn range(&mut self) -> bool;
    /// Gives a begun range up; whether there was one.
    fn give_up_range(&mut self) -> bool;
    /// Takes all marks away; whether there were any.
    fn unmark(&mut self) -> bool;
    /// Rows marked, those of a begun range among them.
    fn marked(&self) -> usize;
    /// Its hold on the order of the rows.
    fn steady(&mut self) -> &mut Steady;
    /// How it is looked at.
    fn look(&mut self) -> &mut Look;
}

/// A list whose rows have ids of type `K`. It is its [`Place`] too.
#[derive(Debug, Clone)]
pub struct Rows<K> {
    place: Place,
    ids: Vec<K>,
    marks: BTreeSet<K>,
    /// Where a range was begun.
    anchor: Option<K>,
    /// Its hold on the order.
    pub steady: Steady,
    /// How it is looked at.
    pub look: Look,
}

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self {
            place: Place::default(),
            ids: vec![],
            marks: BTreeSet::new(),
            anchor: None,
            steady: Steady::default(),
            look: Look::default(),
        }
    }
}

impl<K> Deref for Rows<K> {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl<K> DerefMut for Rows<K> {
    fn deref_mut(&mut self) -> &mut Place {
        &mut self.place
    }
}

impl<K: Clone + Ord + Hash> Rows<K> {
    /// The rows shown from now on. The cursor stays with its row, and that on its line of the screen.
    pub fn put(&mut self, ids: impl IntoIterator<Item = K>) {
        let held = self.id().cloned();
        let line = self.place.at.saturating_sub(self.place.top.get());
        self.ids = ids.into_iter().collect();
        if let Some(held) = held {
            self.place.follow(&self.ids, |id| *id == held);
        }
        self.place.at = self.place.at.min(self.ids.len().saturating_sub(1));
        self.place.top.set(self.place.at.saturating_sub(line));
    }

    /// `new` rows in their own order, or, while keys are pressed, in the one that is shown.
    pub fn hold<T>(&mut self, new: Vec<T>, id: impl Fn(&T) -> K, now: Millis) -> Vec<T> {
        self.steady.arrange(&self.ids, new, id, now)
    }

    /// [`Rows::hold`] and [`Rows::put`] for a list that shows all its rows.
    pub fn take<T>(&mut self, new: Vec<T>, id: impl Fn(&T) -> K, now: Millis) -> Vec<T> {
        let rows = self.hold(new, &id, now);
        self.put(rows.iter().map(id));
        rows
    }

    /// Another list begins: cursor at the top, nothing held. Marks stay.
    pub fn start_over(&mut self) {
        self.place = Place::default();
        self.anchor = None;
        self.steady.reset();
    }

    /// The id under the cursor.
    pub fn id(&self) -> Option<&K> {
        self.ids.get(self.place.at)
    }

    fn open_range(&self) -> Option<RangeInclusive<usize>> {
        let anchor = self.anchor.as_ref()?;
        let from = self.ids.iter().position(|id| id == anchor)?;
        Some(from.min(self.place.at)..=from.max(self.place.at))
    }

    /// Whether row number `row` is marked or lies in the begun range.
    pub fn is_marked(&self, row: usize) -> bool {
        self.ids.get(row).is_some_and(|id| self.marks.contains(id))
            || self.open_range().is_some_and(|range| range.contains(&row))
    }

    /// Whether anything is marked.
    pub fn has_marks(&self) -> bool {
        !self.marks.is_empty() || self.anchor.is_some()
    }

    /// What a command acts on: the marked rows in the order of their ids, or the one under the cursor.
    pub fn chosen(&self) -> Vec<K> {
        let mut all = self.marks.clone();
        if let Some(range) = self.open_range() {
            all.extend(self.ids[range].iter().cloned());
        }
        if all.is_empty() { self.id().cloned().into_iter().collect() } else { all.into_iter().collect() }
    }

    /// Takes the marks away of rows that are no more.
    pub fn keep_marks(&mut self, is_there: impl Fn(&K) -> bool) {
        self.marks.retain(is_there);
    }
}

impl<K: Clone + Ord + Hash> Listing for Rows<K> {
    fn mark(&mut self) {
        if let Some(id) = self.id().cloned()
            && !self.marks.remove(&id)
        {
            self.marks.insert(id);
        }
        let len = self.ids.len();
        self.place.go("down", len);
    }

    fn range(&mut self) -> bool {
        if let Some(range) = self.open_range() {
            self.marks.extend(self.ids[range].iter().cloned());
            self.anchor = None;
        } else {
            self.anchor = self.id().cloned();
        }
        self.anchor.is_some()
    }

    fn give_up_range(&mut self) -> bool {
        self.anchor.take().is_some()
    }

    fn unmark(&mut self) -> bool {
        let any = self.has_marks();
        self.marks.clear();
        self.anchor = None;
        any
    }

    fn marked(&self) -> usize {
        let range = self.open_range().map(|r| self.ids[r].iter().filter(|id| !self.marks.contains(*id)).count());
        self.marks.len() + range.unwrap_or(0)
    }

    fn steady(&mut self) -> &mut Steady {
        &mut self.steady
    }

    fn look(&mut self) -> &mut Look {
        &mut self.look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[&'static str]) -> Rows<&'static str> {
        let mut rows = Rows::default();
        rows.put(ids.iter().copied());
        rows
    }

    #[test]
    fn cursor_and_marks_stay_with_their_rows() {
        let mut r = rows(&["a", "b", "c", "d"]);
        r.at = 2;
        r.mark();
        assert_eq!((r.at, r.chosen()), (3, vec!["c"]));
        r.put(["d", "x", "c"]);
        assert_eq!((r.id(), r.is_marked(2), r.is_marked(0)), (Some(&"d"), true, false));
        r.put(["x", "y"]);
        assert_eq!((r.at, r.chosen()), (0, vec!["c"]), "a mark out of sight still counts");
        r.keep_marks(|id| *id != "c");
        assert_eq!(r.chosen(), ["x"]);
    }

    #[test]
    fn a_range_is_what_lies_between_its_begin_and_the_cursor_wherever_they_move() {
        let mut r = rows(&["a", "b", "c", "d", "e"]);
        r.at = 3;
        assert!(r.range());
        r.go("up", 5);
        assert_eq!((r.chosen(), r.marked()), (vec!["c", "d"], 2));
        r.put(["z", "c", "b", "d"]);
        assert_eq!(r.chosen(), ["b", "c", "d"]);
        assert!(!r.range());
        r.go("top", 4);
        assert_eq!((r.chosen(), r.marked()), (vec!["b", "c", "d"], 3));
        assert!(r.unmark() && !r.unmark());
        assert_eq!(r.chosen(), ["z"]);
    }

    #[test]
    fn a_page_is_what_is_in_sight() {
        let mut place = Place::default();
        place.window(100, 30);
        place.go("page_down", 100);
        assert_eq!(place.at, 29);
        assert_eq!(place.window(100, 30), 0..30);
        place.go("page_down", 100);
        assert_eq!(place.window(100, 30), 29..59);
        place.go("page_up", 100);
        assert_eq!(place.at, 29);
        place.window(100, 1);
        place.go("down", 100);
        place.go("page_down", 100);
        assert_eq!(place.at, 31, "a list of one line still moves");
    }

    #[test]
    fn a_detail_goes_beside_below_or_away() {
        let look = Look::default();
        let area = |w, h| Rect::new(0, 1, w, h);
        let (list, detail) = look.split(area(120, 30), 60);
        assert_eq!((list, detail), (area(72, 30), Some(Rect::new(72, 1, 48, 30))));
        let (list, detail) = look.split(area(80, 20), 60);
        assert_eq!((list, detail), (area(80, 12), Some(Rect::new(0, 13, 80, 8))));
        assert_eq!(look.split(area(80, 12), 60), (area(80, 12), None));
        assert_eq!(Look { below: true, ..look }.split(area(120, 30), 60).1, Some(Rect::new(0, 19, 120, 12)));
        assert_eq!(Look { preview: false, ..look }.split(area(120, 30), 60), (area(120, 30), None));
    }
}
