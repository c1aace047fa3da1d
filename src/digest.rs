//! Digests in hex, and comparing what only one side may know.

use sha2::{Digest as _, Sha256};

/// Bytes as hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, b| {
        _ = write!(hex, "{b:02x}");
        hex
    })
}

/// SHA-256 in 64 hex digits: of a token, of a body.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether two texts are the same, in a time that does not tell where they differ. Their lengths are no secret.
pub fn is_same(given: &str, right: &str) -> bool {
    given.len() == right.len() && given.bytes().zip(right.bytes()).fold(0, |d, (a, b)| d | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_one_that_everybody_knows() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        assert!(is_same(abc, abc) && !is_same(abc, &abc[1..]) && !is_same("", "a") && is_same("", ""));
        assert!(!is_same(abc, &abc.replace('d', "e")));
    }
}
