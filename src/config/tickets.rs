//! `[tickets]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::place::locate;
use super::{ConfigError, Dur, Problems, line_column, with_suggestion};

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
    /// Filters that stand beside the queues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<SavedQueue>,
}

/// `[[tickets.queues]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedQueue {
    /// As it is shown.
    pub name: String,
    /// What is in it, in the language of `/`.
    pub filter: String,
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
            queues: vec![],
        }
    }
}

/// Puts what `over` says into `table`, table by table.
fn lay_over(table: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(value)) if key != "next_response" => {
                lay_over(there, value);
            }
            (_, value) => _ = table.insert(key, value),
        }
    }
}

impl Tickets {
    /// This with what `text` says otherwise: TOML with the options of `[tickets]`, at the top or below `[tickets]`;
    /// `name` is shown in errors.
    ///
    /// # Errors
    /// With every problem found, each with file, line and column.
    pub fn overlaid(&self, name: &str, text: &str) -> Result<Self, ConfigError> {
        let place = |(line, column): (usize, usize), what: &str| {
            crate::locale::cli::config_problem(&format!("{name}:{line}:{column}"), what)
        };
        let at = |e: &toml::de::Error| e.span().map_or((1, 1), |span| line_column(text, span.start));
        let read = |e: toml::de::Error| ConfigError(vec![place(at(&e), &with_suggestion(e.message()))]);
        let mut over: toml::Table = toml::from_str(text).map_err(read)?;
        let below = over.contains_key("tickets");
        // read by itself first: only so an error has a place
        if below {
            toml::from_str::<super::Config>(text).map_err(read)?;
            over = over.remove("tickets").and_then(|t| t.as_table().cloned()).unwrap_or_default();
        } else {
            toml::from_str::<Self>(text).map_err(read)?;
        }
        let whole = |e: String| ConfigError(vec![place((1, 1), &e)]);
        let mut table = toml::Table::try_from(self).map_err(|e| whole(e.to_string()))?;
        lay_over(&mut table, over);
        let made: Self = table.try_into().map_err(|e: toml::de::Error| whole(e.to_string()))?;
        let mut problems = Problems::default();
        made.check(&mut problems);
        if problems.0.is_empty() {
            return Ok(made);
        }
        let told = problems.0.into_iter().map(|(path, why)| {
            let shown = if below { &path[..] } else { path.get(1..).unwrap_or_default() };
            place(locate(text, shown), &format!("{}: {why}", shown.join(".")))
        });
        Err(ConfigError(told.collect()))
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        for percent in self.thresholds.iter().filter(|p| !(1..=1_000).contains(*p)) {
            problems.add(&["tickets", "thresholds"], format!("{percent} is not between 1 and 1000"));
        }
        for level in self.review_levels.iter().filter(|l| !self.levels.contains_key(*l)) {
            problems.add(&["tickets", "review_levels"], format!("there is no level `{level}`"));
        }
        for queue in &self.queues {
            if queue.name.trim().is_empty() {
                problems.add(&["tickets", "queues"], "a queue without a name");
            }
            if let Err(e) = crate::text::filter::parse(&queue.filter) {
                problems.add(&["tickets", "queues"], format!("filter of `{}`: {e}", queue.name));
            }
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
