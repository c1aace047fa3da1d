//! `zhiban calendar`

use std::path::PathBuf;

use chrono::Datelike as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::calendar::{HolidayList, built_in};
use crate::clock::rfc3339;
use crate::locale::tickets as say;
use crate::tickets::actions::Import;
use crate::tickets::store;

/// `zhiban calendar`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Take in the holiday list of a year: JSON of the shape {"year", "days": [{"name", "date", "isOffDay"}]}
    Import {
        /// The file
        file: PathBuf,
    },
    /// The holiday lists in force and the versions of the calendar
    List,
    /// The days of one year that differ from its weeks
    Show {
        /// The year; this one where it is not given
        year: Option<i32>,
    },
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::Import { file } => {
            let shown = file.display();
            let text = std::fs::read_to_string(&file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            let list = HolidayList::parse(&text).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            cx.done(&cx.door().await?.run(&Import { list, source: shown.to_string() }).await?);
            Ok(())
        }
        Cmd::List => list(cx).await,
        Cmd::Show { year } => show(cx, year).await,
    }
}

/// Built-in and imported lists by year, an imported one in place of a built-in; with who imported it when.
async fn lists(cx: &Cx) -> Result<Vec<(HolidayList, Option<store::ListRow>)>, CliError> {
    let imported = store::holiday_lists(cx.store().await?).await?;
    let own = built_in().into_iter().filter(|list| imported.iter().all(|row| row.list.year != list.year));
    let mut all: Vec<_> = own.map(|list| (list, None)).collect();
    all.extend(imported.into_iter().map(|row| (row.list.clone(), Some(row))));
    all.sort_by_key(|(list, _)| list.year);
    Ok(all)
}

async fn list(cx: &Cx) -> Result<(), CliError> {
    let (all, now) = (lists(cx).await?, cx.clock().now());
    let store = cx.store().await?;
    let policy = store::policy(store, &cx.config().tickets).await?;
    let versions = store::versions(store).await?;
    let missing = policy.calendars.get("office").and_then(|c| c.missing_year(now));
    let off = |list: &HolidayList| list.days.iter().filter(|(_, off)| *off).count();
    let object = |(list, row): &(HolidayList, Option<store::ListRow>)| {
        json!({"year": list.year, "off_days": off(list), "make_up_days": list.days.len() - off(list),
            "source": if row.is_some() { "imported" } else { "built_in" },
            "imported_at": row.as_ref().map(|r| rfc3339(r.at)), "imported_by": row.as_ref().map(|r| &r.actor),
            "file": row.as_ref().map(|r| &r.source)})
    };
    let version = |v: &store::Version| json!({"version": v.version, "digest": v.digest, "since": rfc3339(v.at)});
    let value = json!({"lists": all.iter().map(object).collect::<Vec<Value>>(), "missing_year": missing,
        "version": policy.version, "versions": versions.iter().map(version).collect::<Vec<Value>>()});
    cx.out(&value, || {
        let line = |(list, row): &(HolidayList, Option<store::ListRow>)| {
            let source = row.as_ref().map_or_else(say::list_built_in, |r| say::list_by(&r.actor, &rfc3339(r.at)));
            say::list_line(list.year, off(list), list.days.len() - off(list), &source)
        };
        let versions = versions.iter().map(|v| say::version_line(v.version, &v.digest, &rfc3339(v.at)));
        all.iter().map(line).chain(versions).chain(missing.map(say::list_missing)).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

async fn show(cx: &Cx, year: Option<i32>) -> Result<(), CliError> {
    let policy = store::policy(cx.store().await?, &cx.config().tickets).await?;
    let office = policy.calendars.get("office").ok_or_else(|| CliError::NotFound("office".into()))?;
    let year = year.unwrap_or_else(|| office.date(cx.clock().now()).year());
    if !office.years.contains(&year) {
        return Err(CliError::NotFound(say::no_list(year)));
    }
    let text = |m: u32| format!("{:02}:{:02}", m / 60, m % 60);
    let off = office.holidays.iter().filter(|d| d.year() == year).map(|d| (*d, vec![]));
    let open =
        office.overrides.iter().filter(|(d, _)| d.year() == year).map(|(d, hours)| {
            (*d, hours.iter().map(|(a, b)| format!("{}-{}", text(*a), text(*b))).collect::<Vec<_>>())
        });
    let mut days: Vec<_> = off.chain(open).collect();
    days.sort();
    let value: Value = days
        .iter()
        .map(|(day, hours)| json!({"date": day.to_string(), "off": hours.is_empty(), "hours": hours}))
        .collect();
    cx.out(&json!({"year": year, "version": policy.version, "days": value}), || {
        let word = |hours: &[String]| if hours.is_empty() { say::day_off() } else { say::day_open(&hours.join(", ")) };
        days.iter().map(|(day, hours)| format!("{day}  {}\n", word(hours))).collect()
    });
    Ok(())
}
