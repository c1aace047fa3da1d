//! Filters as they are typed: for `/`, saved queues and the command line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhiban::text::{filter, words};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(filter) = filter::parse(&text) {
        _ = words::fts5(&filter.words());
        _ = words::tsquery(&filter.words());
    }
    _ = words::index(&text);
});
