//! An event log in columns: 18 bytes an event and 8 for each further time that its rows tell; names once.

use super::model::{Event, Transition};
use super::names::{Names, same};
use crate::clock::Millis;

/// No resource.
pub const NOBODY: u32 = u32::MAX;
/// Marks a missing start in [`Log::start`].
pub const NO_START: Millis = Millis::MIN;

/// Why a log cannot take an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// More than 65 535 activities.
    Activities,
    /// More than 4 thousand million events, cases or bytes of names.
    Size,
}

/// An event log in columns.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Cases by number.
    pub cases: Names,
    /// Activities by number.
    pub activities: Names,
    /// Resources by number.
    pub resources: Names,
    /// The case of each event.
    pub case: Vec<u32>,
    /// The activity of each event.
    pub activity: Vec<u16>,
    /// The resource of each event, or [`NOBODY`].
    pub resource: Vec<u32>,
    /// The time of each event.
    pub at: Vec<Millis>,
    /// The start of each event or [`NO_START`]; empty when no event has one.
    pub start: Vec<Millis>,
    /// When each event's execution could have begun, as its row tells it, or [`NO_START`]; empty when no row tells it.
    pub enabled: Vec<Millis>,
    /// The transition of each event; empty when all are completions.
    pub transition: Vec<u8>,
    /// The case of the event before, for files that are grouped by case.
    last_case: Option<u32>,
}

impl Log {
    /// How many events.
    pub fn len(&self) -> usize {
        self.at.len()
    }
    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Takes an event in.
    ///
    /// # Errors
    /// When the log is full; the event is not taken then.
    pub fn push(&mut self, event: &Event<'_>) -> Result<(), Overflow> {
        let case = match self.last_case {
            Some(last) if same(self.cases.bytes(last), event.case) => last,
            _ => self.cases.intern(event.case).ok_or(Overflow::Size)?.0,
        };
        self.last_case = Some(case);
        self.push_to(case, event)
    }

    /// Takes many events in, `found` being room for its work.
    ///
    /// # Errors
    /// When the log is full: with the place of the first event that was not taken.
    pub fn push_all(&mut self, events: &[Event<'_>], found: &mut Vec<u32>) -> Result<(), (usize, Overflow)> {
        self.cases.find_all(events.iter().map(|e| e.case), found);
        for (place, (event, case)) in events.iter().zip(found.iter()).enumerate() {
            let taken = if *case == NOBODY { self.push(event) } else { self.push_to(*case, event) };
            taken.map_err(|full| (place, full))?;
        }
        Ok(())
    }

    #[inline]
    fn push_to(&mut self, case: u32, event: &Event<'_>) -> Result<(), Overflow> {
        let (activity, new) = self.activities.intern(event.activity).ok_or(Overflow::Size)?;
        let Ok(activity) = u16::try_from(activity) else { return Err(Overflow::Activities) };
        if new && activity == u16::MAX {
            return Err(Overflow::Activities);
        }
        let resource = if event.resource.is_empty() {
            NOBODY
        } else {
            self.resources.intern(event.resource).ok_or(Overflow::Size)?.0
        };
        if self.at.len() >= u32::MAX as usize {
            return Err(Overflow::Size);
        }
        fill(&mut self.start, event.start, self.at.len());
        fill(&mut self.enabled, event.enabled, self.at.len());
        if event.transition != Transition::Complete && self.transition.is_empty() {
            self.transition = vec![Transition::Complete as u8; self.at.len()];
        }
        if event.transition != Transition::Complete || !self.transition.is_empty() {
            self.transition.push(event.transition as u8);
        }
        self.case.push(case);
        self.activity.push(activity);
        self.resource.push(resource);
        self.at.push(event.at);
        Ok(())
    }

    /// The start of event `i`, where it has one.
    pub fn start_of(&self, i: usize) -> Option<Millis> {
        self.start.get(i).copied().filter(|s| *s != NO_START)
    }

    /// When the execution of event `i` could have begun, where its row tells it.
    pub fn enabled_of(&self, i: usize) -> Option<Millis> {
        self.enabled.get(i).copied().filter(|s| *s != NO_START)
    }

    /// The transition of event `i`.
    pub fn transition_of(&self, i: usize) -> Transition {
        self.transition.get(i).map_or(Transition::Complete, |t| Transition::from_code(*t))
    }

    /// The first and the last time in the log.
    pub fn period(&self) -> Option<(Millis, Millis)> {
        let told = self.start.iter().chain(&self.enabled).filter(|s| **s != NO_START);
        let first = self.at.iter().chain(told).min()?;
        Some((*first, *self.at.iter().max()?))
    }

    /// Puts the events in the order of [`Log::order`], so that whoever goes through them case by case goes straight
    /// through memory.
    pub fn settle(&mut self) {
        let Order { events, .. } = self.order();
        if events.is_sorted() {
            return;
        }
        put_in_order(&mut self.case, &events);
        put_in_order(&mut self.activity, &events);
        put_in_order(&mut self.resource, &events);
        put_in_order(&mut self.at, &events);
        put_in_order(&mut self.start, &events);
        put_in_order(&mut self.enabled, &events);
        put_in_order(&mut self.transition, &events);
    }

    /// The events case by case, each case in the order of time.
    pub fn order(&self) -> Order {
        Order::of(self)
    }
}

/// Adds a value to a column that is empty while nothing has one; `len` events stand before it.
#[inline]
fn fill(column: &mut Vec<Millis>, value: Option<Millis>, len: usize) {
    if value.is_some() && column.is_empty() {
        *column = vec![NO_START; len];
    }
    if value.is_some() || !column.is_empty() {
        column.push(value.unwrap_or(NO_START));
    }
}

/// A column in another order; an empty one stays so.
fn put_in_order<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
    if !column.is_empty() {
        *column = order.iter().map(|i| column[*i as usize]).collect();
    }
}

/// The events of a log case by case, in the order of time within each.
#[derive(Debug, Clone)]
pub struct Order {
    /// Where each case begins in `events`; one more than there are cases.
    begins: Vec<u32>,
    events: Vec<u32>,
}

impl Order {
    /// Counting sort by case, then by time within the cases that are not in order; equal times keep the file's order.
    fn of(log: &Log) -> Self {
        let mut begins = vec![0u32; log.cases.len() + 1];
        for case in &log.case {
            begins[*case as usize + 1] += 1;
        }
        for i in 1..begins.len() {
            begins[i] += begins[i - 1];
        }
        let mut events: Vec<u32>;
        if log.case.is_sorted() {
            events = (0..log.len() as u32).collect();
        } else {
            let mut next = begins.clone();
            events = vec![0u32; log.len()];
            for (i, case) in log.case.iter().enumerate() {
                let slot = &mut next[*case as usize];
                events[*slot as usize] = i as u32;
                *slot += 1;
            }
        }
        let mut keys: Vec<(Millis, u32)> = Vec::new();
        for pair in begins.windows(2) {
            let part = &mut events[pair[0] as usize..pair[1] as usize];
            if !part.is_sorted_by_key(|i| log.at[*i as usize]) {
                // the number of the event keeps the file's order of equal times
                keys.clear();
                keys.extend(part.iter().map(|i| (log.at[*i as usize], *i)));
                keys.sort_unstable();
                for (slot, (_, i)) in part.iter_mut().zip(&keys) {
                    *slot = *i;
                }
            }
        }
        Self { begins, events }
    }

    /// The events of case `case` in the order of time.
    pub fn case(&self, case: u32) -> &[u32] {
        &self.events[self.begins[case as usize] as usize..self.begins[case as usize + 1] as usize]
    }

    /// Every case with its events.
    pub fn cases(&self) -> impl Iterator<Item = (u32, &[u32])> {
        (0..self.begins.len().saturating_sub(1) as u32).map(|c| (c, self.case(c)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>(case: &'a str, activity: &'a str, at: Millis) -> Event<'a> {
        Event { case: case.as_bytes(), activity: activity.as_bytes(), at, ..Event::default() }
    }

    #[test]
    fn events_come_out_by_case_and_time_and_equal_times_keep_their_order() {
        let mut log = Log::default();
        for (case, activity, at) in [("a", "x", 5), ("b", "x", 1), ("a", "y", 3), ("a", "z", 5), ("a", "w", 3)] {
            log.push(&event(case, activity, at)).expect("room");
        }
        let order = log.order();
        let names: Vec<_> =
            order.case(0).iter().map(|i| log.activities.get(u32::from(log.activity[*i as usize]))).collect();
        assert_eq!(names, ["y", "w", "x", "z"]);
        assert_eq!(order.case(1), [1]);
    }

    #[test]
    fn a_start_or_a_transition_that_comes_late_fills_the_column_before_it() {
        let mut log = Log::default();
        log.push(&event("a", "x", 1)).expect("room");
        log.push(&Event { start: Some(2), transition: Transition::Start, ..event("a", "y", 3) }).expect("room");
        log.push(&event("a", "z", 4)).expect("room");
        assert_eq!((log.start_of(0), log.start_of(1), log.start_of(2)), (None, Some(2), None));
        assert_eq!(log.transition.len(), 3);
        assert_eq!(log.transition_of(1), Transition::Start);
    }

    #[test]
    fn the_65_536th_activity_is_refused() {
        let mut log = Log::default();
        for i in 0..65_535 {
            log.push(&event("a", &format!("n{i}"), 1)).expect("room");
        }
        assert_eq!(log.push(&event("a", "one more", 1)), Err(Overflow::Activities));
    }
}
