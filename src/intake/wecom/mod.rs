//! Enterprise WeChat and DingTalk: encrypted callbacks, the same scheme for both.

pub mod crypto;
pub mod message;
