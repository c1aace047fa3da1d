//! `[accounts]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// `[accounts]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Zone in which a leaving day ends, and of times without an offset in files.
    pub zone: String,
    /// Not logged in for longer than this: dormant.
    pub dormant: Dur,
    /// The same for privileged accounts.
    pub dormant_privileged: Dur,
    /// Never logged in for longer than this after it was made.
    pub never_used: Dur,
    /// Passwords older than this are too old.
    pub password_age: Dur,
    /// The same for privileged accounts.
    pub password_age_privileged: Dur,
    /// Rights not confirmed for longer than this are due for review.
    pub review: Dur,
    /// The same for privileged accounts.
    pub review_privileged: Dur,
    /// A roster older than this judges nobody.
    pub roster_age: Dur,
    /// How long an asked owner has to answer.
    pub answer_within: Dur,
    /// So many colleagues in the same position are needed for a comparison.
    pub peers: usize,
    /// What less than this share of them holds (percent) is unusual.
    pub peer_percent: u8,
    /// Roles and permissions that make an account privileged, by a word they contain.
    pub privileged: Vec<String>,
    /// Accounts that need no person in the roster.
    pub exceptions: Vec<String>,
    /// Names of accounts that several people use.
    pub generic: Vec<String>,
    /// Names of accounts that come with a system.
    pub builtin: Vec<String>,
    /// The three administrators who must be three people.
    pub three: ThreeAdmins,
    /// What a position may hold: position = its roles and permissions.
    pub positions: BTreeMap<String, Vec<String>>,
    /// What one person must not hold together.
    pub conflict: Vec<Conflict>,
    /// Column names of account files that differ from ours: ours = theirs.
    pub columns: BTreeMap<String, String>,
}

/// `[accounts.three]`: the roles of the three administrators, by their whole name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThreeAdmins {
    /// Makes accounts.
    pub system: Vec<String>,
    /// Gives roles.
    pub security: Vec<String>,
    /// Reads the records.
    pub audit: Vec<String>,
}

impl Default for ThreeAdmins {
    fn default() -> Self {
        let words = |all: [&str; 2]| all.map(str::to_owned).to_vec();
        Self {
            system: words(["system-admin", "系统管理员"]),
            security: words(["security-admin", "安全管理员"]),
            audit: words(["audit-admin", "审计管理员"]),
        }
    }
}

/// `[[accounts.conflict]]`: nobody may hold one of `left` and one of `right`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conflict {
    /// What it is called.
    pub name: String,
    /// Roles and permissions of the one side.
    pub left: Vec<String>,
    /// Roles and permissions of the other.
    pub right: Vec<String>,
}

impl Default for Accounts {
    fn default() -> Self {
        let days = |n: i64| Dur(n * 86_400_000);
        let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect();
        Self {
            zone: "Asia/Shanghai".into(),
            dormant: days(90),
            dormant_privileged: days(45),
            never_used: days(30),
            password_age: days(90),
            password_age_privileged: days(1095),
            review: days(180),
            review_privileged: days(90),
            roster_age: days(1),
            answer_within: days(7),
            peers: 5,
            peer_percent: 10,
            privileged: words(&["admin", "root"]),
            exceptions: vec![],
            generic: words(&["public", "shared", "office", "common", "公共", "共享"]),
            builtin: words(&["guest", "test", "demo", "vendor", "administrator", "来宾", "测试"]),
            three: ThreeAdmins::default(),
            positions: BTreeMap::new(),
            conflict: vec![],
            columns: BTreeMap::new(),
        }
    }
}

impl Accounts {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.zone.parse::<chrono_tz::Tz>().is_err() {
            problems.add(&["accounts", "zone"], format!("`{}` is no IANA time zone, such as Asia/Shanghai", self.zone));
        }
        if !(1..=100).contains(&self.peer_percent) {
            problems.add(&["accounts", "peer_percent"], "a share from 1 to 100 percent");
        }
        for rule in &self.conflict {
            if rule.name.is_empty() || rule.left.is_empty() || rule.right.is_empty() {
                problems.add(&["accounts", "conflict"], "a conflict needs a name and what stands on each side");
            }
        }
    }
}
