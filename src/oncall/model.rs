//! The rota. Pure.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use crate::clock::Millis;

/// How far ahead the end of a shift is looked for, in days.
const AHEAD: u64 = 400;

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rota {
    /// In the order of their turns; several share one as `wang+li`.
    pub people: Vec<String>,
    /// On public holidays these take turns, by the day; empty: the same as always.
    pub holiday_people: Vec<String>,
    /// The first day of the first of `people`.
    pub starts_on: NaiveDate,
    /// When one hands over to the next, in the zone of the office.
    pub hand_over: NaiveTime,
    /// How many days a turn lasts.
    pub days: i64,
}

/// Somebody takes over for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its number.
    pub id: i64,
    /// Who.
    pub person: String,
    /// From this instant …
    pub from: Millis,
    /// … until this.
    pub until: Millis,
    /// Why.
    pub reason: String,
}

/// Who is on duty at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Who.
    pub person: String,
    /// Until when, unless the rota changes; `None`: longer than is looked ahead.
    pub until: Option<Millis>,
    /// Who is next.
    pub next: Option<String>,
    /// `rota`, `holiday` or `override`.
    pub source: &'static str,
}

/// Everything that says who is on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The rota, where one was set.
    pub rota: Option<Rota>,
    /// The later one wins.
    pub overrides: Vec<Override>,
    /// Public holidays.
    pub holidays: BTreeSet<NaiveDate>,
    /// The zone of hand-overs.
    pub zone: Tz,
}

impl Duty {
    /// The people of this turn: several may share one, written `wang+li`.
    pub fn people(&self) -> Vec<String> {
        people_of(&self.person)
    }
}

/// The people who share a turn.
pub fn people_of(turn: &str) -> Vec<String> {
    turn.split('+').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl Plan {
    /// The day whose shift covers `at`: before the hand-over it is still the day before.
    fn day(&self, rota: &Rota, at: Millis) -> Option<NaiveDate> {
        let local = self.zone.timestamp_millis_opt(at).single()?.naive_local();
        let early = local.time() < rota.hand_over;
        Some(local.date() - Days::new(u64::from(early)))
    }

    /// The instant at which the shift of `day` begins.
    fn begins(&self, rota: &Rota, day: NaiveDate) -> Option<Millis> {
        Some(self.zone.from_local_datetime(&day.and_time(rota.hand_over)).earliest()?.timestamp_millis())
    }

    fn by_rota(&self, at: Millis) -> Option<(String, &'static str)> {
        let rota = self.rota.as_ref()?;
        let day = self.day(rota, at)?;
        let passed = (day - rota.starts_on).num_days();
        let turn = |people: &[String], n: i64| {
            let count = i64::try_from(people.len()).ok().filter(|c| *c > 0)?;
            people.get(usize::try_from(n.rem_euclid(count)).ok()?).cloned()
        };
        if self.holidays.contains(&day)
            && let Some(person) = turn(&rota.holiday_people, passed)
        {
            return Some((person, "holiday"));
        }
        Some((turn(&rota.people, passed.div_euclid(rota.days.max(1)))?, "rota"))
    }

    fn person_at(&self, at: Millis) -> Option<(String, &'static str)> {
        let over = self.overrides.iter().rev().find(|o| o.from <= at && at < o.until);
        over.map(|o| (o.person.clone(), "override")).or_else(|| self.by_rota(at))
    }

    /// Who is on duty at `at`; `None` when nobody was named.
    pub fn on_duty(&self, at: Millis) -> Option<Duty> {
        let (person, source) = self.person_at(at)?;
        let mut edges: BTreeSet<Millis> = self.overrides.iter().flat_map(|o| [o.from, o.until]).collect();
        if let Some(rota) = &self.rota
            && let Some(day) = self.day(rota, at)
        {
            edges.extend((1..=AHEAD).filter_map(|n| self.begins(rota, day.checked_add_days(Days::new(n))?)));
        }
        let change = edges.range(at + 1..).find_map(|edge| {
            let next = self.person_at(*edge).map(|(p, _)| p);
            (next.as_deref() != Some(person.as_str())).then_some((*edge, next))
        });
        let (until, next) = change.map_or((None, None), |(edge, next)| (Some(edge), next));
        Some(Duty { person, until, next, source })
    }
}

/// Whether `at` lies in one of `hours` (`["22:00", "07:00"]`, across midnight too), and when it ends.
pub fn quiet_until(hours: &[[String; 2]], zone: Tz, at: Millis) -> Option<Millis> {
    let local = zone.timestamp_millis_opt(at).single()?.naive_local();
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
    hours.iter().find_map(|[from, to]| {
        let (from, to, now) = (time(from)?, time(to)?, local.time());
        let over_midnight = to <= from;
        let inside = if over_midnight { now >= from || now < to } else { from <= now && now < to };
        let later = u64::from(over_midnight && now >= from);
        let end = (local.date() + Days::new(later)).and_time(to);
        inside.then(|| zone.from_local_datetime(&end).earliest()).flatten().map(|t| t.timestamp_millis())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{parse_rfc3339, rfc3339};

    fn plan() -> Plan {
        let day = |text: &str| text.parse::<NaiveDate>().expect("date");
        Plan {
            rota: Some(Rota {
                people: ["wang", "li", "chen"].map(String::from).to_vec(),
                holiday_people: vec!["zhao".into()],
                starts_on: day("2026-11-23"),
                hand_over: NaiveTime::from_hms_opt(9, 0, 0).expect("time"),
                days: 7,
            }),
            overrides: vec![],
            holidays: [day("2027-01-01")].into(),
            zone: chrono_tz::Asia::Shanghai,
        }
    }

    fn at(text: &str) -> Millis {
        parse_rfc3339(text).expect("instant")
    }

    #[test]
    fn turns_follow_each_other_at_the_hand_over() {
        let plan = plan();
        let duty = plan.on_duty(at("2026-11-24T02:00:00+08:00")).expect("somebody");
        assert_eq!((duty.person.as_str(), duty.source, duty.next.as_deref()), ("wang", "rota", Some("li")));
        assert_eq!(duty.until.map(rfc3339).as_deref(), Some("2026-11-30T01:00:00Z"));
        let who = |t: &str| plan.on_duty(at(t)).expect("somebody").person;
        assert_eq!(who("2026-11-30T08:59:59+08:00"), "wang");
        assert_eq!(who("2026-11-30T09:00:00+08:00"), "li");
        assert_eq!(who("2026-11-22T10:00:00+08:00"), "chen", "before the first day the rota runs backwards");
    }

    #[test]
    fn holidays_and_overrides_go_before_turns() {
        let mut plan = plan();
        let who = |plan: &Plan, t: &str| plan.on_duty(at(t)).map(|d| (d.person, d.source));
        assert_eq!(who(&plan, "2027-01-01T10:00:00+08:00"), Some(("zhao".into(), "holiday")));
        assert_eq!(who(&plan, "2027-01-02T08:00:00+08:00"), Some(("zhao".into(), "holiday")), "until the hand-over");
        let (from, until) = (at("2027-01-01T12:00:00+08:00"), at("2027-01-01T18:00:00+08:00"));
        plan.overrides.push(Override { id: 1, person: "qian".into(), from, until, reason: String::new() });
        assert_eq!(who(&plan, "2027-01-01T12:00:00+08:00"), Some(("qian".into(), "override")));
        assert_eq!(who(&plan, "2027-01-01T18:00:00+08:00"), Some(("zhao".into(), "holiday")));
        let duty = plan.on_duty(at("2027-01-01T13:00:00+08:00")).expect("somebody");
        assert_eq!((duty.until, duty.next.as_deref()), (Some(until), Some("zhao")));
    }

    #[test]
    fn quiet_hours_may_cross_midnight() {
        let hours = [["22:00".to_owned(), "07:00".to_owned()]];
        let end = |t: &str| quiet_until(&hours, chrono_tz::Asia::Shanghai, at(t)).map(rfc3339);
        assert_eq!(end("2026-11-24T23:00:00+08:00").as_deref(), Some("2026-11-24T23:00:00Z"));
        assert_eq!(end("2026-11-25T06:59:00+08:00").as_deref(), Some("2026-11-24T23:00:00Z"));
        assert_eq!(end("2026-11-25T07:00:00+08:00"), None);
    }
}
