//! `[ui]` and `[keys]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// Context (`global`, `tickets`, …) → key or sequence (`"g g"`) → command; an empty command unbinds.
pub type Keys = BTreeMap<String, BTreeMap<String, String>>;

/// `[ui]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ui {
    /// `auto` (by the locale), `zh` or `en`.
    pub lang: String,
    /// Name of a built-in theme or of a file `NAME.toml` in the `themes` folder beside the configuration file.
    pub theme: String,
    /// `auto`, `truecolor`, `256`, `16` or `none`.
    pub color: String,
    /// `unicode` or `ascii`.
    pub glyphs: String,
    /// Smallest gap between two frames that data caused; a key is drawn at once.
    pub frame_gap: Dur,
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// Whether times are shown in this zone, an IANA name; empty: the zone of the office calendar.
    pub zone: String,
    /// Program that long text is written with (ctrl-e in a form): `auto` takes `$VISUAL` or `$EDITOR`; empty: none.
    pub editor: String,
    /// How long a context page of the wall stays.
    pub wall_rotation: Dur,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            lang: "auto".into(),
            theme: "dark".into(),
            color: "auto".into(),
            glyphs: "unicode".into(),
            frame_gap: Dur(33),
            mouse: false,
            zone: String::new(),
            editor: "auto".into(),
            wall_rotation: Dur(20_000),
        }
    }
}

impl Ui {
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut one_of = |key: &str, value: &str, allowed: &[&str]| {
            if !allowed.contains(&value) {
                problems.add(&["ui", key], format!("`{value}`; one of {}", allowed.join(", ")));
            }
        };
        one_of("lang", &self.lang, &["auto", "zh", "zh-CN", "en"]);
        one_of("color", &self.color, &["auto", "truecolor", "256", "16", "none"]);
        one_of("glyphs", &self.glyphs, &["unicode", "ascii"]);
        if !self.zone.is_empty() && self.zone.parse::<chrono_tz::Tz>().is_err() {
            problems.add(&["ui", "zone"], format!("`{}` is no IANA time zone, such as Asia/Shanghai", self.zone));
        }
        if !(5_000..=600_000).contains(&self.wall_rotation.0) {
            problems.add(&["ui", "wall_rotation"], "between 5s and 10m");
        }
    }
}
