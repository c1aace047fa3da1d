//! The zhiban binary: parses arguments and chooses a face.

fn main() {}
