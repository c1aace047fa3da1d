//! Enterprise WeChat and DingTalk: encrypted callbacks, the same scheme for both; and the smart robot of WeCom, which
//! connects outwards.

pub mod bot;
pub mod crypto;
pub mod jobs;
pub mod message;
