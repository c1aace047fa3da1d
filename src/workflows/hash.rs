//! A quick hash with keys that nobody can know beforehand: no log can be made whose names or variants fall together.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers with the keys of this process.
#[derive(Debug, Clone)]
pub struct Keyed {
    seed: u64,
    factor: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        let random = RandomState::new();
        Self { seed: random.hash_one(1u8), factor: random.hash_one(2u8) | 1 }
    }
}

impl Keyed {
    /// The hash of a name.
    #[inline]
    pub fn of(&self, name: &[u8]) -> u64 {
        let mut hash = self.seed ^ name.len() as u64;
        let mut rest = name;
        while let Some((eight, after)) = rest.split_first_chunk::<8>() {
            hash = self.fold(hash ^ u64::from_le_bytes(*eight));
            rest = after;
        }
        // what is left, overlapping what was taken where there is enough of it
        let tail = match (name.last_chunk::<8>(), rest.len()) {
            (_, 0) => return self.fold(hash),
            (Some(last), _) => u64::from_le_bytes(*last),
            (None, _) => rest.iter().fold(0, |n, b| n << 8 | u64::from(*b)),
        };
        self.fold(self.fold(hash ^ tail))
    }

    /// Both halves of the product, so that every bit counts.
    #[inline]
    fn fold(&self, v: u64) -> u64 {
        let wide = u128::from(v) * u128::from(self.factor);
        (wide as u64) ^ (wide >> 64) as u64 ^ self.seed.rotate_left(32)
    }
}

impl BuildHasher for Keyed {
    type Hasher = Quick;
    fn build_hasher(&self) -> Quick {
        Quick { keys: self.clone(), state: self.seed }
    }
}

/// Hashes a few numbers.
#[derive(Debug)]
pub struct Quick {
    keys: Keyed,
    state: u64,
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        self.state = self.keys.fold(self.state ^ self.keys.of(bytes));
    }
    fn write_u32(&mut self, v: u32) {
        self.write_u64(v.into());
    }
    fn write_u16(&mut self, v: u16) {
        self.write_u64(v.into());
    }
    fn write_u64(&mut self, v: u64) {
        self.state = self.keys.fold(self.state ^ v);
    }
    fn write_u128(&mut self, v: u128) {
        self.write_u64(v as u64);
        self.write_u64((v >> 64) as u64);
    }
    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_that_differ_a_little_hash_apart() {
        let keys = Keyed::default();
        let names = (0..20_000).map(|i| format!("BX-{i:08}")).chain((0..300).map(|n| "x".repeat(n)));
        let hashes: HashSet<u64> = names.map(|n| keys.of(n.as_bytes())).collect();
        assert_eq!(hashes.len(), 20_300);
    }

    #[test]
    fn the_low_bits_spread_too() {
        let keys = Keyed::default();
        let low: HashSet<u64> = (0..4_096u32).map(|i| keys.hash_one((i, i / 7)) & 0xffff).collect();
        assert!(low.len() > 3_500, "{}", low.len());
    }
}
