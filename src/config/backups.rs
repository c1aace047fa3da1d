//! `[backups]`

use serde::{Deserialize, Serialize};

use super::Problems;

/// `[backups]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backups {}

impl Backups {
    #[expect(clippy::unused_self, reason = "no options yet")]
    pub(super) fn check(&self, _problems: &mut Problems) {}
}
