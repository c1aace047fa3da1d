//! `[backups]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems, Secret};

/// `[backups]`: the plan and the limits of every system, unless `[[backups.system]]` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backups {
    /// When the daily run is due, `HH:MM` in `zone`.
    pub daily_at: String,
    /// The weekday whose run must be a full (`mon` … `sun`), or `none`.
    pub full_on: String,
    /// IANA zone of the plan; empty: the zone of the office.
    pub zone: String,
    /// For restic and borg, which have no chain: `marked` (by tag or archive name) or `verified` (any snapshot that a
    /// clean check of the data has followed).
    pub full: String,
    /// The restic tag of a full.
    pub full_tag: String,
    /// Patterns of the borg archive names of a full.
    pub full_names: Vec<String>,
    /// How long after its slot a run still counts as on time.
    pub grace: Dur,
    /// How old the newest restorable data may be.
    pub rpo: Dur,
    /// How far the off-site copy may lag behind.
    pub offsite: Dur,
    /// How old the last verification may be.
    pub verify: Dur,
    /// How old the last passed restore test may be.
    pub restore_test: Dur,
    /// How long a restore may take.
    pub rto: Dur,
    /// How long a run may take.
    pub run_limit: Dur,
    /// Fulls that every repository must hold, also after its next prune: at least 1.
    pub keep_full: u32,
    /// How long a full must be kept.
    pub keep_for: Dur,
    /// Zone of the times in imported borg files, which carry none. Our own scans run borg in UTC.
    pub borg_zone: String,
    /// How often the repositories of `[[backups.system]]` are looked at.
    pub scan_every: Dur,
    /// How long a look may take.
    pub scan_timeout: Dur,
    /// How long a verification may take.
    pub check_timeout: Dur,
    /// One entry a repository; a second one with the same name and `offsite = true` is the off-site copy.
    pub system: Vec<BackupSystem>,
}

impl Default for Backups {
    fn default() -> Self {
        const H: i64 = 3_600_000;
        Self {
            daily_at: "02:00".into(),
            full_on: "sun".into(),
            zone: String::new(),
            full: "marked".into(),
            full_tag: "weekly-full".into(),
            full_names: vec!["*weekly*".into(), "*full*".into()],
            grace: Dur(2 * H),
            rpo: Dur(26 * H),
            offsite: Dur(24 * H),
            verify: Dur(8 * 24 * H),
            restore_test: Dur(31 * 24 * H),
            rto: Dur(2 * H),
            run_limit: Dur(4 * H),
            keep_full: 2,
            keep_for: Dur(28 * 24 * H),
            borg_zone: "UTC".into(),
            scan_every: Dur(H),
            scan_timeout: Dur(120_000),
            check_timeout: Dur(6 * H),
            system: vec![],
        }
    }
}

/// `[[backups.system]]`: a repository that this machine can reach.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupSystem {
    /// The system.
    pub name: String,
    /// `restic`, `borg` or `pgbackrest`.
    pub tool: String,
    /// Where the repository is, as the tool takes it; for pgbackrest the stanza.
    pub repository: String,
    /// Whether it is the off-site copy.
    pub offsite: bool,
    /// Password or passphrase, itself or by reference (`env:NAME`, `file:/path`).
    pub password: Secret,
    /// A command that prints the password.
    pub password_command: String,
    /// The program; empty: the tool's name, looked up in PATH.
    pub command: String,
    /// Options before everything else: `["--config=/etc/pgbackrest.conf", "--repo=2"]`.
    pub options: Vec<String>,
    /// More variables of its environment, themselves or by reference.
    pub env: BTreeMap<String, Secret>,
    /// restic: only snapshots of this host; empty: all.
    pub host: String,
    /// restic: only snapshots that hold this path; empty: all.
    pub path: String,
    /// As in `[backups]`; empty: as there.
    pub daily_at: String,
    /// As in `[backups]`; empty: as there.
    pub full_on: String,
    /// As in `[backups]`; empty: as there.
    pub full: String,
    /// As in `[backups]`; empty: as there.
    pub full_tag: String,
    /// As in `[backups]`; empty: as there.
    pub full_names: Vec<String>,
    /// As in `[backups]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Dur>,
    /// As in `[backups]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_full: Option<u32>,
    /// As in `[backups]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_for: Option<Dur>,
    /// What the repository lies on, in one's own word (`disk`, `tape`, `object`), for 3-2-1-1-0; empty: not said.
    pub medium: String,
    /// Whether it is offline or immutable, for 3-2-1-1-0; left out: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
}

const DAYS: [&str; 8] = ["none", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Backups {
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut bad = |key: &str, why: String| problems.add(&["backups", key], why);
        if let Err(e) = crate::calendar::minutes(&self.daily_at) {
            bad("daily_at", e);
        }
        if !DAYS.contains(&self.full_on.as_str()) {
            bad("full_on", format!("`{}`; one of {}", self.full_on, DAYS.join(", ")));
        }
        if !["marked", "verified"].contains(&self.full.as_str()) {
            bad("full", format!("`{}`; marked or verified", self.full));
        }
        for (key, zone) in [("zone", &self.zone), ("borg_zone", &self.borg_zone)] {
            if !(zone.is_empty() && key == "zone") && zone.parse::<chrono_tz::Tz>().is_err() {
                bad(key, format!("`{zone}` is no IANA time zone, such as Asia/Shanghai"));
            }
        }
        for (key, dur, least) in [
            ("grace", self.grace, 0),
            ("rpo", self.rpo, 60_000),
            ("offsite", self.offsite, 60_000),
            ("verify", self.verify, 60_000),
            ("restore_test", self.restore_test, 60_000),
            ("rto", self.rto, 60_000),
            ("run_limit", self.run_limit, 60_000),
            ("keep_for", self.keep_for, 86_400_000),
            ("scan_every", self.scan_every, 60_000),
            ("scan_timeout", self.scan_timeout, 1_000),
            ("check_timeout", self.check_timeout, 1_000),
        ] {
            if dur.0 < least || dur.0 > 366 * 86_400_000 {
                bad(key, format!("between {} and 366d", Dur(least)));
            }
        }
        if self.grace.0 > 12 * 3_600_000 {
            bad("grace", "at most 12h: slots a day apart would overlap".into());
        }
        let sets = 1..=520;
        if !sets.contains(&self.keep_full) {
            bad("keep_full", "between 1 and 520".into());
        }
        let mut seen = std::collections::BTreeSet::new();
        for s in &self.system {
            let name = &s.name;
            if name.trim().is_empty() {
                bad("system", "an entry has no name".into());
            }
            if !["restic", "borg", "pgbackrest"].contains(&s.tool.as_str()) {
                bad("system", format!("{name}: tool `{}`; one of restic, borg, pgbackrest", s.tool));
            }
            if s.keep_full.is_some_and(|n| !sets.contains(&n)) {
                bad("system", format!("{name}: keep_full between 1 and 520"));
            }
            if s.keep_for.is_some_and(|d| !(86_400_000..=366 * 86_400_000).contains(&d.0)) {
                bad("system", format!("{name}: keep_for between 1d and 366d"));
            }
            if let Err(e) = repository(&s.repository) {
                bad("system", format!("{name}: {e}"));
            }
            if !s.daily_at.is_empty() && crate::calendar::minutes(&s.daily_at).is_err() {
                bad("system", format!("{name}: daily_at `{}` is no time of day", s.daily_at));
            }
            if !s.full_on.is_empty() && !DAYS.contains(&s.full_on.as_str()) {
                bad("system", format!("{name}: full_on `{}`; one of {}", s.full_on, DAYS.join(", ")));
            }
            if !["", "marked", "verified"].contains(&s.full.as_str()) {
                bad("system", format!("{name}: full `{}`; marked or verified", s.full));
            }
            if !s.password.is_empty() && !s.password_command.is_empty() {
                bad("system", format!("{name}: password or password_command, not both"));
            }
            if !seen.insert((name, s.offsite)) {
                bad("system", format!("{name}: a second {} repository", if s.offsite { "off-site" } else { "local" }));
            }
        }
    }
}

/// Whether `text` may stand for a repository: nothing that a program could take for an option.
///
/// # Errors
/// With the reason.
pub fn repository(text: &str) -> Result<(), String> {
    let host = text.split_once("://").or_else(|| text.split_once(':')).map_or("", |(_, rest)| rest);
    let host = host.split('@').next_back().unwrap_or_default();
    if text.starts_with('-') || host.starts_with('-') || text.chars().any(char::is_control) {
        return Err(format!("`{}` cannot be a repository", text.escape_debug()));
    }
    Ok(())
}
