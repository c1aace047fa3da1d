//! Mails as they come from a mailbox.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhiban::intake::mail::{actions, model};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mail) = model::read(bytes) {
        _ = actions::loops(&mail, "key");
        _ = model::proven_tickets(&mail, "key");
        _ = model::number_in_subject(&mail.subject);
    }
});
