//! Callbacks of WeCom and DingTalk: the envelope, what is sealed in it, and the message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhiban::intake::wecom::crypto::Keys;
use zhiban::intake::wecom::message;

fuzz_target!(|bytes: &[u8]| {
    let keys = Keys::new("token", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "corp").expect("keys");
    if let Ok(sealed) = message::ciphertext(bytes) {
        _ = keys.open(&keys.signature("1", "n", &sealed), "1", "n", &sealed);
    }
    _ = message::read(bytes);
});
