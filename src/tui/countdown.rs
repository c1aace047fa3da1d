//! Durations on screen: at most two units, remaining rounded down, overdue up.

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};

/// Time that is left: `3d04h`, `1h52m`, under an hour `48:30`. Rounded down to the unit shown.
pub fn remaining(ms: Millis) -> String {
    shown(ms.max(0))
}

/// Time that is over: `+13:40`. Rounded up to the unit shown.
pub fn overdue(ms: Millis) -> String {
    let ms = ms.max(0);
    let up = |unit: Millis| (ms + unit - 1) / unit * unit;
    let rounded = if ms < HOUR {
        up(SECOND)
    } else if ms < DAY {
        up(MINUTE)
    } else {
        up(HOUR)
    };
    format!("+{}", shown(rounded))
}

/// How long ago: `now`, `45s`, `12m`, `3h`, `9d`. Rounded down.
pub fn age(ms: Millis) -> String {
    match ms.max(0) {
        ms if ms < MINUTE => format!("{}s", ms / SECOND),
        ms if ms < HOUR => format!("{}m", ms / MINUTE),
        ms if ms < DAY => format!("{}h", ms / HOUR),
        ms => format!("{}d", ms / DAY),
    }
}

fn shown(ms: Millis) -> String {
    if ms < HOUR {
        format!("{}:{:02}", ms / MINUTE, ms % MINUTE / SECOND)
    } else if ms < DAY {
        format!("{}h{:02}m", ms / HOUR, ms % HOUR / MINUTE)
    } else {
        format!("{}d{:02}h", ms / DAY, ms % DAY / HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_never_promises_time_that_is_gone() {
        assert_eq!(remaining(48 * MINUTE + 30_999), "48:30");
        assert_eq!(remaining(HOUR + 52 * MINUTE + 59_999), "1h52m");
        assert_eq!(remaining(3 * DAY + 4 * HOUR), "3d04h");
        assert_eq!(overdue(13 * MINUTE + 39_001), "+13:40");
        assert_eq!(overdue(HOUR - 1), "+1h00m");
        assert_eq!(overdue(HOUR + 1), "+1h01m");
        assert_eq!(remaining(-5), "0:00");
    }
}
