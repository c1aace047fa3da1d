//! `[tickets]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// `[tickets]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tickets {
    /// What each level promises: `general`, `important`, `urgent`.
    pub levels: BTreeMap<String, LevelRule>,
    /// Level by severity, then scope (individual, department, company).
    pub matrix: BTreeMap<String, [String; 3]>,
    /// The office calendar.
    pub office: Office,
    /// Shares of the budget, in percent, at which a clock is noted.
    pub thresholds: Vec<u32>,
    /// Open time before a due instant at which a clock is noted too.
    pub warn_before: Vec<Dur>,
    /// Office time after a solution within which a ticket can be reopened.
    pub reopen_window: Dur,
    /// Least characters of the note with which an owner may pause an urgent ticket of company scope.
    pub urgent_pause_note: u64,
    /// How far back a report may be dated without a reason.
    pub backdate_limit: Dur,
    /// Levels whose tickets are reviewed once they are resolved.
    pub review_levels: Vec<String>,
}

/// What a level promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRule {
    /// Until the first answer.
    pub response: Dur,
    /// Until an answer to a later message of the user; none: no such promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_response: Option<Dur>,
    /// Until the solution.
    pub resolution: Dur,
    /// `office` or `always`.
    pub calendar: String,
}

/// `[tickets.office]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Office {
    /// IANA zone.
    pub zone: String,
    /// Working days, `mon` to `sun`.
    pub days: Vec<String>,
    /// Open hours of a working day.
    pub hours: Vec<[String; 2]>,
    /// Whether Chinese holidays and make-up days count: the lists that are built in, and those that were imported.
    pub chinese_holidays: bool,
}

impl Default for Office {
    fn default() -> Self {
        Self {
            zone: "Asia/Shanghai".into(),
            days: ["mon", "tue", "wed", "thu", "fri"].map(String::from).to_vec(),
            hours: vec![["09:00".into(), "12:00".into()], ["13:00".into(), "18:00".into()]],
            chinese_holidays: true,
        }
    }
}

impl Default for Tickets {
    fn default() -> Self {
        let level = |response: i64, resolution: i64, calendar: &str| LevelRule {
            response: Dur(response * 60_000),
            next_response: None,
            resolution: Dur(resolution * 60_000),
            calendar: calendar.into(),
        };
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        Self {
            levels: [
                ("general".to_owned(), level(120, 480, "office")),
                ("important".to_owned(), level(60, 240, "office")),
                ("urgent".to_owned(), level(30, 120, "always")),
            ]
            .into(),
            matrix: [
                ("general".to_owned(), row("general", "general", "important")),
                ("important".to_owned(), row("important", "important", "urgent")),
                ("urgent".to_owned(), row("urgent", "urgent", "urgent")),
            ]
            .into(),
            office: Office::default(),
            thresholds: vec![50, 75, 100, 150],
            warn_before: vec![],
            reopen_window: Dur(24 * 3_600_000),
            urgent_pause_note: 20,
            backdate_limit: Dur(24 * 3_600_000),
            review_levels: vec!["urgent".into()],
        }
    }
}

impl Tickets {
    pub(super) fn check(&self, problems: &mut Problems) {
        for percent in self.thresholds.iter().filter(|p| !(1..=1_000).contains(*p)) {
            problems.add(&["tickets", "thresholds"], format!("{percent} is not between 1 and 1000"));
        }
        for level in self.review_levels.iter().filter(|l| !self.levels.contains_key(*l)) {
            problems.add(&["tickets", "review_levels"], format!("there is no level `{level}`"));
        }
        for before in self.warn_before.iter().filter(|d| d.millis() <= 0) {
            problems.add(&["tickets", "warn_before"], format!("{before} is no time before a due instant"));
        }
        for name in ["general", "important", "urgent"] {
            match self.levels.get(name) {
                None => problems.add(&["tickets", "levels"], format!("the level {name} is missing")),
                Some(rule) if !["office", "always"].contains(&rule.calendar.as_str()) => {
                    problems.add(&["tickets", "levels", name], "calendar must be office or always");
                }
                Some(_) => {}
            }
            match self.matrix.get(name) {
                None => problems.add(&["tickets", "matrix"], format!("the row {name} is missing")),
                Some(row) => {
                    for cell in row.iter().filter(|c| !self.levels.contains_key(*c)) {
                        problems.add(&["tickets", "matrix", name], format!("there is no level `{cell}`"));
                    }
                }
            }
        }
        if self.office.zone.parse::<chrono_tz::Tz>().is_err() {
            problems.add(
                &["tickets", "office", "zone"],
                format!("`{}` is no IANA time zone, such as Asia/Shanghai", self.office.zone),
            );
        }
        for day in &self.office.days {
            if !["mon", "tue", "wed", "thu", "fri", "sat", "sun"].contains(&day.as_str()) {
                problems.add(&["tickets", "office", "days"], format!("`{day}` is no weekday (mon … sun)"));
            }
        }
        for [from, to] in &self.office.hours {
            if let Err(e) = crate::calendar::hours(from, to) {
                problems.add(&["tickets", "office", "hours"], e);
            }
        }
    }
}
