//! Instants as people write them in a field: `14:27`, `+4h`, `10m ago`, `tomorrow 9:00`, `明天 9:00`, `11-24 14:27`.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use crate::clock::{DAY, HOUR, MINUTE, Millis, parse_rfc3339};

/// Reads `text`. A bare span (`4h`) and a bare time of day (`14:27`) lie ahead of `now` when `ahead`, else behind it.
pub(crate) fn parse(text: &str, now: Millis, zone: Tz, ahead: bool) -> Option<Millis> {
    let text = text.trim().replace('：', ":").to_lowercase();
    if ["now", "现在"].contains(&text.as_str()) {
        return Some(now);
    }
    if let Ok(at) = parse_rfc3339(&text.to_uppercase()) {
        return Some(at);
    }
    let (sign, rest) = if let Some(rest) = text.strip_prefix('+') {
        (1, rest)
    } else if let Some(rest) = text.strip_prefix('-') {
        (-1, rest)
    } else if let Some(rest) = text.strip_suffix("ago").or(text.strip_suffix("前")) {
        (-1, rest)
    } else if let Some(rest) = text.strip_suffix("后").or(text.strip_prefix("in ")) {
        (1, rest)
    } else {
        (if ahead { 1 } else { -1 }, text.as_str())
    };
    if let Some(span) = span(rest) {
        return Some(now + sign * span);
    }
    let here = zone.timestamp_millis_opt(now).single()?;
    let instant = |day: NaiveDate, time: NaiveTime| zone.from_local_datetime(&day.and_time(time)).earliest();
    let millis = |at: DateTime<Tz>| at.timestamp_millis();
    let (day, time) = match text.rsplit_once(' ') {
        Some((day, time)) => (Some(day.trim()), time_of_day(time)?),
        None => match time_of_day(&text) {
            Some(time) => (None, time),
            None => (Some(text.as_str()), NaiveTime::MIN),
        },
    };
    let Some(day) = day else {
        let at = millis(instant(here.date_naive(), time)?);
        return Some(match () {
            () if ahead && at < now => millis(instant(here.date_naive() + Days::new(1), time)?),
            () if !ahead && at > now => millis(instant(here.date_naive() - Days::new(1), time)?),
            () => at,
        });
    };
    let today = here.date_naive();
    let day = match day {
        "today" | "今天" => today,
        "tomorrow" | "明天" => today + Days::new(1),
        "yesterday" | "昨天" => today - Days::new(1),
        day => NaiveDate::parse_from_str(day, "%Y-%m-%d")
            .or_else(|_| NaiveDate::parse_from_str(&format!("{}-{day}", here.year()), "%Y-%m-%d"))
            .ok()?,
    };
    Some(millis(instant(day, time)?))
}

/// `90m`, `1h30m`, `2 d`, `4小时`, `1.5h`.
fn span(text: &str) -> Option<Millis> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.replace("分钟", "m").replace("小时", "h").replace('天', "d").replace("min", "m");
    let (mut total, mut number) = (0.0, String::new());
    for c in text.chars() {
        match c {
            '0'..='9' | '.' => number.push(c),
            's' | 'm' | 'h' | 'd' => {
                let unit = match c {
                    's' => 1_000,
                    'm' => MINUTE,
                    'h' => HOUR,
                    _ => DAY,
                };
                total += number.parse::<f64>().ok()? * unit as f64;
                number.clear();
            }
            _ => return None,
        }
    }
    (!text.is_empty() && number.is_empty() && total <= 3_660.0 * DAY as f64).then_some(total as Millis)
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    let with = |form: &str| NaiveDateTime::parse_from_str(&format!("2000-01-01 {text}"), &format!("%Y-%m-%d {form}"));
    with("%H:%M:%S").or_else(|_| with("%H:%M")).ok().map(|t| t.time())
}

/// The instant as a field shows it back.
pub(super) fn shown(at: Millis, zone: Tz) -> String {
    zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Shanghai;

    #[test]
    fn people_write_instants_in_many_ways() {
        let now = parse_rfc3339("2026-11-24T06:30:00Z").expect("instant"); // 14:30 in Shanghai
        let read = |text: &str, ahead: bool| parse(text, now, Shanghai, ahead).map(|at| shown(at, Shanghai));
        for (text, ahead, wanted) in [
            ("+4h", false, "2026-11-24 18:30"),
            ("4h", true, "2026-11-24 18:30"),
            ("90m", false, "2026-11-24 13:00"),
            ("1h30m ago", true, "2026-11-24 13:00"),
            ("10分钟前", true, "2026-11-24 14:20"),
            ("14:27", false, "2026-11-24 14:27"),
            ("14:27", true, "2026-11-25 14:27"),
            ("15:00", false, "2026-11-23 15:00"),
            ("明天 9:00", true, "2026-11-25 09:00"),
            ("yesterday 17:05", false, "2026-11-23 17:05"),
            ("11-30 08:00", true, "2026-11-30 08:00"),
            ("2026-12-01", true, "2026-12-01 00:00"),
            ("2026-11-24T07:00:00Z", true, "2026-11-24 15:00"),
            ("now", true, "2026-11-24 14:30"),
        ] {
            assert_eq!(read(text, ahead).as_deref(), Some(wanted), "{text}");
        }
        for text in ["", "soon", "25:00", "4", "h", "99999999d", "13-45 10:00"] {
            assert_eq!(read(text, true), None, "{text}");
        }
    }
}
