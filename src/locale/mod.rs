//! Messages in English and Chinese. Both languages stand on one line, so a missing one does not compile.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering};

pub mod accounts;
pub mod backups;
pub mod cli;
pub mod common;
pub mod console;
pub mod health;
pub mod intake;
pub mod knowledge;
pub mod notify;
pub mod oncall;
pub mod tickets;
pub mod workflows;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

static PROCESS: AtomicU8 = AtomicU8::new(0);
thread_local! { static HERE: Cell<Option<Lang>> = const { Cell::new(None) }; }

/// Sets the language of this process.
pub fn set_lang(lang: Lang) {
    PROCESS.store(u8::from(lang == Lang::Zh), Ordering::Relaxed);
}

/// The language in force on this thread.
pub fn lang() -> Lang {
    HERE.get().unwrap_or(if PROCESS.load(Ordering::Relaxed) == 1 { Lang::Zh } else { Lang::En })
}

/// Runs `f` with `lang` in force on this thread (tests draw both languages in one process).
pub fn with<R>(lang: Lang, f: impl FnOnce() -> R) -> R {
    let before = HERE.replace(Some(lang));
    let result = f();
    HERE.set(before);
    result
}

/// Chooses a language from `--lang` or configuration text ("zh", "zh-CN", "en", "auto") and the locale variables.
pub fn choose(wanted: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Lang {
    let named = |s: &str| {
        let s = s.to_ascii_lowercase();
        if s.starts_with("zh") {
            Some(Lang::Zh)
        } else if s.starts_with("en") {
            Some(Lang::En)
        } else {
            None
        }
    };
    if let Some(lang) = wanted.and_then(named) {
        return lang;
    }
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|key| env(key).filter(|v| !v.is_empty()))
        .and_then(|v| named(&v))
        .unwrap_or(Lang::En)
}

/// `text`, made of `message`, with each `1 case(s)` in it as `1 case` and each `2 case(s)` as `2 cases`. A message that
/// has no `(s)` is left as it is, whatever its arguments say.
pub fn counted(message: &str, text: String) -> String {
    if !message.contains("(s)") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("(s)") {
        out.push_str(before);
        let word = out.rsplit(' ').nth(1).unwrap_or_default();
        let number = word.rsplit(|c: char| !c.is_ascii_digit() && c != '+').next();
        out.push_str(match number {
            Some("1") => "",
            Some("") | None => "(s)",
            Some(_) => "s",
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Declares message functions: `name(arg: Type, …): "English {arg}" | "中文 {arg}";`. A noun behind a number is written
/// `{n} case(s)` in English, see [`counted`].
/// Each becomes `pub fn name(…) -> String`; `MESSAGES` lists every name with both raw texts.
#[macro_export]
macro_rules! messages {
    ($($(#[$meta:meta])* $name:ident ( $($arg:ident : $ty:ty),* $(,)? ) : $en:literal | $zh:literal ;)*) => {
        $( $(#[$meta])* #[doc = concat!("“", $en, "”")]
        pub fn $name($($arg: $ty),*) -> String {
            match $crate::locale::lang() {
                $crate::locale::Lang::En => $crate::locale::counted($en, format!($en)),
                $crate::locale::Lang::Zh => format!($zh),
            }
        } )*
        /// Every message of this file: name, English, Chinese.
        pub const MESSAGES: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $zh)),*];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_numbers() {
        for (text, shown) in [
            ("1 case(s) in 12 row(s)", "1 case in 12 rows"),
            ("⇅ 0 move(s), of 10+ move(s)", "⇅ 0 moves, of 10+ moves"),
            ("oa:1 case(s), (1 host(s))", "oa:1 case, (1 host)"),
            ("file(s)", "file(s)"),
        ] {
            assert_eq!(counted("(s)", text.to_owned()), shown);
        }
        assert_eq!(counted("{text}", "1 file(s)".to_owned()), "1 file(s)");
    }

    #[test]
    fn every_message_is_given_in_both_languages() {
        let all = [
            accounts::MESSAGES,
            backups::MESSAGES,
            cli::MESSAGES,
            common::MESSAGES,
            console::MESSAGES,
            health::MESSAGES,
            intake::MESSAGES,
            knowledge::MESSAGES,
            notify::MESSAGES,
            oncall::MESSAGES,
            tickets::MESSAGES,
            workflows::MESSAGES,
        ];
        for (name, en, zh) in all.into_iter().flatten() {
            assert!(!en.trim().is_empty() && !zh.trim().is_empty(), "{name} is empty in one language");
            assert!(en.is_ascii() || !en.chars().any(is_han), "{name}: Chinese characters in the English text");
            // a text without a single Han character must be a sign, a number or a proper name: spelled the same in both
            assert!(zh.chars().any(is_han) || en == zh, "{name}: Chinese text {zh:?} holds no Chinese");
        }
    }

    fn is_han(c: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&c)
    }

    #[test]
    fn the_language_comes_from_the_flag_then_the_locale() {
        let env = |key: &str| (key == "LANG").then(|| "zh_CN.UTF-8".to_owned());
        assert_eq!(choose(Some("en"), env), Lang::En);
        assert_eq!(choose(Some("auto"), env), Lang::Zh);
        assert_eq!(choose(None, |_| None), Lang::En);
    }
}
