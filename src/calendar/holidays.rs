//! Lists of holidays and make-up working days.

use chrono::{Datelike as _, NaiveDate};

/// A year's holidays and make-up days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayList {
    /// The year the notice is for; its last days may be ruled in the next year's.
    pub year: i32,
    /// Day, and whether it is off (false: a make-up working day). Ordinary weekends are not listed.
    pub days: Vec<(NaiveDate, bool)>,
}

/// First and last day off, then make-up days: (month, day). Facts of the State Council's notices on the holiday
/// arrangements of 2025 (of November 2024) and 2026 (of November 2025).
const OFF_2025: &[((u32, u32), (u32, u32))] =
    &[((1, 1), (1, 1)), ((1, 28), (2, 4)), ((4, 4), (4, 6)), ((5, 1), (5, 5)), ((5, 31), (6, 2)), ((10, 1), (10, 8))];
const MAKE_UP_2025: &[(u32, u32)] = &[(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)];
const OFF_2026: &[((u32, u32), (u32, u32))] = &[
    ((1, 1), (1, 3)),
    ((2, 15), (2, 23)),
    ((4, 4), (4, 6)),
    ((5, 1), (5, 5)),
    ((6, 19), (6, 21)),
    ((9, 25), (9, 27)),
    ((10, 1), (10, 7)),
];
const MAKE_UP_2026: &[(u32, u32)] = &[(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)];

/// The lists that are built in.
pub fn built_in() -> Vec<HolidayList> {
    [(2025, OFF_2025, MAKE_UP_2025), (2026, OFF_2026, MAKE_UP_2026)]
        .into_iter()
        .map(|(year, off, make_up)| {
            let date = |(m, d): (u32, u32)| NaiveDate::from_ymd_opt(year, m, d);
            let mut days = Vec::new();
            for (first, last) in off {
                let (Some(first), Some(last)) = (date(*first), date(*last)) else { continue };
                days.extend(first.iter_days().take_while(|d| *d <= last).map(|d| (d, true)));
            }
            days.extend(make_up.iter().filter_map(|d| date(*d)).map(|d| (d, false)));
            HolidayList { year, days }
        })
        .collect()
}

impl HolidayList {
    /// Reads a list of the shape `{"year", "days": [{"date", "isOffDay"}]}`; other keys are ignored.
    ///
    /// # Errors
    /// A sentence naming what is missing or wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| e.to_string())?;
        let year = value["year"].as_i64().and_then(|y| i32::try_from(y).ok()).ok_or("`year` is missing")?;
        if !(2000..=2199).contains(&year) {
            return Err(format!("`year` is {year}; 2000 to 2199 is expected"));
        }
        let days = value["days"].as_array().ok_or("`days` is missing")?;
        let mut seen = std::collections::BTreeSet::new();
        let days = days
            .iter()
            .enumerate()
            .map(|(i, day)| {
                let date: NaiveDate =
                    day["date"].as_str().and_then(|d| d.parse().ok()).ok_or(format!("days[{i}].date is no date"))?;
                let off = day["isOffDay"].as_bool().ok_or(format!("days[{i}].isOffDay is missing"))?;
                // a notice rules the days of its year and the last ones of the year before
                if !(year - 1..=year).contains(&date.year()) {
                    return Err(format!("days[{i}].date {date} does not belong to the list of {year}"));
                }
                if !seen.insert(date) {
                    return Err(format!("days[{i}].date {date} is there twice"));
                }
                Ok((date, off))
            })
            .collect::<Result<Vec<_>, String>>()?;
        if days.is_empty() {
            return Err("`days` is empty".into());
        }
        Ok(Self { year, days })
    }

    /// The list in the shape that [`HolidayList::parse`] reads.
    pub fn to_json(&self) -> serde_json::Value {
        let day = |(date, off): &(NaiveDate, bool)| serde_json::json!({"date": date.to_string(), "isOffDay": off});
        serde_json::json!({"year": self.year, "days": self.days.iter().map(day).collect::<Vec<_>>()})
    }
}
