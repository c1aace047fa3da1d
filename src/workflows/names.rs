//! Distinct names and their numbers.

use super::hash::Keyed;
use super::log::NOBODY;
use crate::text::encoding;

/// Distinct names and their numbers, in the order of first sight. Holds bytes as they stood in the file until
/// [`Names::decode`] has settled what they mean.
#[derive(Debug, Clone, Default)]
pub struct Names {
    text: Vec<u8>,
    ends: Vec<u32>,
    /// Open addressing: the upper half of the hash, then number + 1; 0 where free.
    table: Vec<u64>,
    keys: Keyed,
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

    /// Where `name` stands or would stand in the table, its hash, and its number + 1.
    #[inline]
    fn slot(&self, name: &[u8]) -> (usize, u64, u32) {
        let hash = self.keys.of(name);
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let entry = self.table[at];
            if entry == 0 {
                return (at, hash, 0);
            }
            if entry >> 32 == hash >> 32 && same(self.bytes(entry as u32 - 1), name) {
                return (at, hash, entry as u32);
            }
            at = (at + 1) & mask;
        }
    }

    /// The number of `name` if it is known.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        self.slot(name).2.checked_sub(1)
    }

    /// The numbers of those of `names` that are known, [`NOBODY`] for the others. Nothing else is done in between, so
    /// that the processor waits for the memory of many of them at once.
    pub fn find_all<'n>(&self, names: impl Iterator<Item = &'n [u8]>, into: &mut Vec<u32>) {
        into.clear();
        if self.table.is_empty() {
            into.extend(names.map(|_| NOBODY));
        } else {
            into.extend(names.map(|name| self.slot(name).2.checked_sub(1).unwrap_or(NOBODY)));
        }
    }

    /// The number of `name`, and whether it is new; `None` when all names together pass 4 GiB.
    pub fn intern(&mut self, name: &[u8]) -> Option<(u32, bool)> {
        if self.table.len() < 16 || self.ends.len() * 4 >= self.table.len() * 3 {
            self.grow();
        }
        let (at, hash, found) = self.slot(name);
        if found > 0 {
            return Some((found - 1, false));
        }
        let end = u32::try_from(self.text.len() + name.len()).ok()?;
        let n = u32::try_from(self.ends.len()).ok().filter(|n| *n < NOBODY - 1)?;
        self.text.extend_from_slice(name);
        self.ends.push(end);
        self.table[at] = hash >> 32 << 32 | u64::from(n + 1);
        Some((n, true))
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(64);
        self.table = vec![0; size];
        for n in 0..self.ends.len() as u32 {
            let hash = self.keys.of(self.bytes(n));
            let mut at = hash as usize & (size - 1);
            while self.table[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.table[at] = hash >> 32 << 32 | u64::from(n + 1);
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
            let decoded = encoding::gb18030(name);
            whole &= decoded.is_some();
            text.extend_from_slice(decoded.unwrap_or_default().as_bytes());
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

/// Whether two names are one. Most are short: eight bytes at a time, the last eight overlapping, settle those without a
/// call.
#[inline]
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(x), Some(y)) if a.len() <= 32 => {
            x == y && a.chunks_exact(8).zip(b.chunks_exact(8)).all(|(x, y)| x.first_chunk::<8>() == y.first_chunk())
        }
        (Some(_), Some(_)) => a == b,
        _ => a.iter().zip(b).all(|(x, y)| x == y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
