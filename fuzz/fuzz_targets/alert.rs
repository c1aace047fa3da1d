//! Alertmanager's messages, and any JSON by a mapping.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhiban::config::{Serve, Webhook};
use zhiban::intake::alerts::sources::{Alertmanager, mapped};

fuzz_target!(|bytes: &[u8]| {
    let serve = Serve::default();
    if let Ok(sent) = serde_json::from_slice::<Alertmanager>(bytes) {
        _ = sent.heard("am", &serve);
    }
    if let Ok(sent) = serde_json::from_slice(bytes) {
        let by = Webhook {
            items: "/items".into(),
            key: "/id".into(),
            title: "/title".into(),
            starts_at: "/starts_at".into(),
            ..Webhook::default()
        };
        _ = mapped(&sent, "zabbix", &by, &serve, 1_795_482_000_000);
    }
});
