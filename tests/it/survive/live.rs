//! A change made in one console is on the screen of another.

use std::time::{Duration, Instant};

use crate::pty::Pty;

crate::both! {
    fn a_change_here_is_on_the_screen_there(home: Home) {
        home.json(&["ticket", "new", "--title", "the first"]);
        let mut one = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
        let mut other = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
        for pty in [&mut one, &mut other] {
            pty.wait_for("the first");
        }
        // what one console does, the other shows
        one.keys("a");
        other.wait("the claim", |s| s.lines().any(|l| l.contains("the first") && l.contains("root")));
        let mut took: Vec<Duration> = (0..15)
            .map(|i| {
                let title = format!("arrived {i}");
                home.json(&["ticket", "new", "--title", &title]);
                let acknowledged = Instant::now();
                other.wait_for(&title);
                acknowledged.elapsed()
            })
            .collect();
        took.sort_unstable();
        let kind = home.store.split(':').next().unwrap_or_default();
        println!("{kind}: on the other screen {:?} (median of {}) after the command ended", took[took.len() / 2], took.len());
        // the bounds of a quiet machine are 500 ms and 200 ms
        assert!(took[took.len() / 2] < Duration::from_secs(1), "{took:?}");
        for pty in [&mut one, &mut other] {
            assert_eq!(pty.quit(), 0);
        }
    }
}
