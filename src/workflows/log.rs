//! An event log in columns: 18 bytes an event, names once.

use std::hash::{BuildHasher as _, RandomState};

use super::model::{Event, Transition};
use crate::clock::Millis;

/// No resource.
pub const NOBODY: u32 = u32::MAX;
/// Marks a missing start in [`Log::start`].
pub const NO_START: Millis = Millis::MIN;

/// Distinct names and their numbers, in the order of first sight. Holds bytes as they stood in the file until
/// [`Names::decode`] has settled what they mean.
#[derive(Debug, Clone, Default)]
pub struct Names {
    text: Vec<u8>,
    ends: Vec<u32>,
    /// Open addressing; number + 1, 0 where free.
    table: Vec<u32>,
    hasher: RandomState,
}

impl Names {
    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of number `i`; empty for a number that is not there.
    pub fn bytes(&self, i: u32) -> &[u8] {
        let i = i as usize;
        let Some(end) = self.ends.get(i) else { return &[] };
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.text[start as usize..*end as usize]
    }

    /// The name of number `i`; what is no UTF-8 shows as `�`.
    pub fn get(&self, i: u32) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(i))
    }

    /// All names in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|i| self.bytes(i as u32))
    }

    fn slot(&self, name: &[u8]) -> (usize, u32) {
        let mask = self.table.len() - 1;
        let mut at = self.hasher.hash_one(name) as usize & mask;
        loop {
            match self.table[at] {
                0 => return (at, 0),
                n if self.bytes(n - 1) == name => return (at, n),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// The number of `name` if it is known.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        self.slot(name).1.checked_sub(1)
    }

    /// The number of `name`, and whether it is new; `None` when all names together pass 4 GiB.
    pub fn intern(&mut self, name: &[u8]) -> Option<(u32, bool)> {
        if self.table.len() < 16 || self.ends.len() * 8 >= self.table.len() * 5 {
            self.grow();
        }
        let (at, found) = self.slot(name);
        if found > 0 {
            return Some((found - 1, false));
        }
        let end = u32::try_from(self.text.len() + name.len()).ok()?;
        let n = u32::try_from(self.ends.len()).ok().filter(|n| *n < NOBODY - 1)?;
        self.text.extend_from_slice(name);
        self.ends.push(end);
        self.table[at] = n + 1;
        Some((n, true))
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(64);
        self.table = vec![0; size];
        for n in 0..self.ends.len() as u32 {
            let mut at = self.hasher.hash_one(self.bytes(n)) as usize & (size - 1);
            while self.table[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.table[at] = n + 1;
        }
    }

    /// How many names are ASCII, valid UTF-8 beyond ASCII, and no UTF-8.
    pub fn census(&self) -> [usize; 3] {
        let mut out = [0; 3];
        for name in self.iter() {
            out[if name.is_ascii() { 0 } else { 1 + usize::from(std::str::from_utf8(name).is_err()) }] += 1;
        }
        out
    }

    /// Reads every name as GB18030 and keeps it as UTF-8; whether all of them could be read. Numbers stay.
    pub fn decode_gb18030(&mut self) -> bool {
        let mut text = Vec::with_capacity(self.text.len() * 3 / 2);
        let mut ends = Vec::with_capacity(self.ends.len());
        let mut whole = true;
        for name in self.iter() {
            let (decoded, bad) = encoding_rs::GB18030.decode_without_bom_handling(name);
            whole &= !bad;
            text.extend_from_slice(decoded.as_bytes());
            ends.push(text.len() as u32);
        }
        (self.text, self.ends) = (text, ends);
        self.table.clear();
        if !self.ends.is_empty() {
            self.table = vec![0; (self.ends.len() * 4).next_power_of_two().max(32)];
            self.grow();
        }
        whole
    }
}

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
            Some(last) if self.cases.bytes(last) == event.case => last,
            _ => self.cases.intern(event.case).ok_or(Overflow::Size)?.0,
        };
        self.last_case = Some(case);
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
        if event.start.is_some() && self.start.is_empty() {
            self.start = vec![NO_START; self.at.len()];
        }
        if event.transition != Transition::Complete && self.transition.is_empty() {
            self.transition = vec![Transition::Complete as u8; self.at.len()];
        }
        if event.start.is_some() || !self.start.is_empty() {
            self.start.push(event.start.unwrap_or(NO_START));
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

    /// The transition of event `i`.
    pub fn transition_of(&self, i: usize) -> Transition {
        self.transition.get(i).map_or(Transition::Complete, |t| Transition::from_code(*t))
    }

    /// The first and the last time in the log.
    pub fn period(&self) -> Option<(Millis, Millis)> {
        let first = self.at.iter().chain(self.start.iter().filter(|s| **s != NO_START)).min()?;
        Some((*first, *self.at.iter().max()?))
    }

    /// The events case by case, each case in the order of time.
    pub fn order(&self) -> Order {
        Order::of(self)
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
        let mut next = begins.clone();
        let mut events = vec![0u32; log.len()];
        for (i, case) in log.case.iter().enumerate() {
            let slot = &mut next[*case as usize];
            events[*slot as usize] = i as u32;
            *slot += 1;
        }
        for pair in begins.windows(2) {
            let part = &mut events[pair[0] as usize..pair[1] as usize];
            if !part.is_sorted_by_key(|i| log.at[*i as usize]) {
                part.sort_by_key(|i| log.at[*i as usize]);
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
    use proptest::prelude::*;

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

    #[test]
    fn chinese_names_in_gb18030_become_utf_8_and_keep_their_numbers() {
        let mut names = Names::default();
        for name in ["部门经理审批", "plain", "财务"] {
            names.intern(&encoding_rs::GB18030.encode(name).0).expect("room");
        }
        assert!(names.decode_gb18030());
        assert_eq!(names.get(0), "部门经理审批");
        assert_eq!(names.find("财务".as_bytes()), Some(2));
        assert_eq!(names.intern(b"plain"), Some((1, false)));
    }

    proptest! {
        #[test]
        fn a_name_keeps_its_number(names in prop::collection::vec("[a-d]{0,3}", 0..200)) {
            let mut all = Names::default();
            let mut seen: Vec<String> = vec![];
            for name in names {
                let (n, new) = all.intern(name.as_bytes()).expect("room");
                prop_assert_eq!(new, !seen.contains(&name));
                if new { seen.push(name.clone()); }
                prop_assert_eq!(all.get(n), name.as_str());
            }
            prop_assert_eq!(all.len(), seen.len());
        }
    }
}
