//! `[accounts]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// `[accounts]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Zone in which a leaving day ends.
    pub zone: String,
    /// Not logged in for longer than this: dormant.
    pub dormant: Dur,
    /// The same for privileged accounts.
    pub dormant_privileged: Dur,
    /// Never logged in for longer than this after it was made.
    pub never_used: Dur,
    /// Roles and permissions that make an account privileged, by a word they contain.
    pub privileged: Vec<String>,
    /// Column names of account files that differ from ours: ours = theirs.
    pub columns: BTreeMap<String, String>,
}

impl Default for Accounts {
    fn default() -> Self {
        let days = |n: i64| Dur(n * 86_400_000);
        Self {
            zone: "Asia/Shanghai".into(),
            dormant: days(90),
            dormant_privileged: days(45),
            never_used: days(30),
            privileged: vec!["admin".into(), "root".into()],
            columns: BTreeMap::new(),
        }
    }
}

impl Accounts {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.zone.parse::<chrono_tz::Tz>().is_err() {
            problems.add(&["accounts", "zone"], format!("`{}` is no IANA time zone, such as Asia/Shanghai", self.zone));
        }
    }
}
