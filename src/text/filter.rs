//! The language of ticket filters: `level:urgent owner:none age>2h -channel:mail "exact words"`. Pure.
//!
//! Terms are separated by blanks and all of them must hold; `-` in front of one asks for the opposite. A word that is
//! no term of a field is looked for in title and body.

use std::fmt;

use crate::clock::Millis;
use crate::config::{Dur, distance};
use crate::locale::tickets as say;

/// What one term asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `level:`
    Level(String),
    /// `state:`; `open` is any that is neither resolved nor merged, `any` every one.
    State(String),
    /// `owner:`
    Owner(Owner),
    /// `channel:`
    Channel(String),
    /// `scope:`
    Scope(String),
    /// `severity:`
    Severity(String),
    /// `dept:`, `from:`: occurs in who reported it.
    From(String),
    /// `age>`: reported longer ago.
    Older(Millis),
    /// `age<`: reported less long ago.
    Younger(Millis),
    /// `due<`: the running clock ends within; what is over is within.
    DueWithin(Millis),
    /// `due>`: the running clock ends later.
    DueAfter(Millis),
    /// `breached`
    Breached,
    /// `paused`
    Paused,
    /// A word in title or body.
    Word(String),
    /// `"…"`: exactly so in title or body.
    Phrase(String),
}

/// Whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Of who asks.
    Me,
    /// Nobody's.
    Nobody,
    /// Of an operator.
    Named(String),
}

/// A term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Asks for the opposite.
    pub not: bool,
    /// What it asks for.
    pub ask: Ask,
}

/// A filter: all of its terms must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The terms, as written.
    pub terms: Vec<Term>,
}

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The character at which it is wrong, from 1.
    pub at: usize,
    /// Why.
    pub why: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&say::filter_wrong(self.at, &self.why))
    }
}

/// The fields, as they are written.
const FIELDS: [&str; 10] = ["level", "state", "owner", "channel", "scope", "severity", "dept", "from", "age", "due"];
const LEVELS: [&str; 3] = ["general", "important", "urgent"];
const STATES: [&str; 7] = ["open", "any", "new", "waiting", "resolved", "merged", "working"];
const SCOPES: [&str; 3] = ["individual", "department", "company"];

impl Filter {
    /// Whether only open tickets can be meant: nothing is said of the state, and no words are looked for.
    pub fn open_only(&self) -> bool {
        let closed = |t: &Term| match &t.ask {
            Ask::State(s) => t.not || ["any", "resolved", "merged"].contains(&s.as_str()),
            Ask::Word(_) | Ask::Phrase(_) => true,
            _ => false,
        };
        let asks_open = |t: &Term| {
            let open = matches!(&t.ask, Ask::State(s) if ["open", "new", "waiting", "working"].contains(&s.as_str()));
            !t.not && (open || matches!(t.ask, Ask::DueWithin(_) | Ask::DueAfter(_) | Ask::Paused))
        };
        self.terms.iter().any(asks_open) || !self.terms.iter().any(closed)
    }

    /// The words that must occur, separated by blanks.
    pub fn words(&self) -> String {
        let words = self.terms.iter().filter(|t| !t.not).filter_map(|t| match &t.ask {
            Ask::Word(w) | Ask::Phrase(w) => Some(w.as_str()),
            _ => None,
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            if term.not {
                f.write_str("-")?;
            }
            let quoted = |name: &str, value: &str| {
                let bare = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"');
                if bare { format!("{name}:{value}") } else { format!("{name}:\"{}\"", value.replace('"', "\\\"")) }
            };
            let text = match &term.ask {
                Ask::Level(v) => quoted("level", v),
                Ask::State(v) => quoted("state", v),
                Ask::Owner(Owner::Me) => "owner:me".to_owned(),
                Ask::Owner(Owner::Nobody) => "owner:none".to_owned(),
                Ask::Owner(Owner::Named(v)) => quoted("owner", v),
                Ask::Channel(v) => quoted("channel", v),
                Ask::Scope(v) => quoted("scope", v),
                Ask::Severity(v) => quoted("severity", v),
                Ask::From(v) => quoted("from", v),
                Ask::Older(d) => format!("age>{}", Dur(*d)),
                Ask::Younger(d) => format!("age<{}", Dur(*d)),
                Ask::DueWithin(d) => format!("due<{}", Dur(*d)),
                Ask::DueAfter(d) => format!("due>{}", Dur(*d)),
                Ask::Breached => "breached".to_owned(),
                Ask::Paused => "paused".to_owned(),
                Ask::Word(w) => w.clone(),
                Ask::Phrase(w) => format!("\"{}\"", w.replace('"', "\\\"")),
            };
            f.write_str(&text)?;
        }
        Ok(())
    }
}

/// The nearest of `names`, if one is near.
fn near<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let (d, name) = names.iter().map(|n| (distance(wrong, n), *n)).min()?;
    (d <= 1 + wrong.chars().count() / 3).then_some(name)
}

fn unknown(at: usize, wrong: &str, names: &[&str]) -> FilterError {
    let why = match near(wrong, names) {
        Some(right) => say::filter_meant(wrong, right),
        None => say::filter_names(wrong, &names.join(" ")),
    };
    FilterError { at, why }
}

/// Reads the characters of a filter.
struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// What stands between quotes; `\"` is a quote.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let from = self.at + 1;
        self.at += 1;
        let mut out = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(out),
                '\\' if self.peek() == Some('"') => {
                    self.at += 1;
                    out.push('"');
                }
                c => out.push(c),
            }
        }
        Err(FilterError { at: from, why: say::filter_unclosed() })
    }

    fn word(&mut self, ends: impl Fn(char) -> bool) -> String {
        let from = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !ends(c)) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    fn value(&mut self) -> Result<String, FilterError> {
        let at = self.at + 1;
        let value = if self.peek() == Some('"') { self.quoted()? } else { self.word(|_| false) };
        if value.trim().is_empty() { Err(FilterError { at, why: say::filter_no_value() }) } else { Ok(value) }
    }

    fn one_of(&mut self, names: &[&str]) -> Result<String, FilterError> {
        let at = self.at + 1;
        let value = self.value()?.to_lowercase();
        if names.contains(&value.as_str()) { Ok(value) } else { Err(unknown(at, &value, names)) }
    }

    fn field(&mut self, name: &str, at: usize, op: char) -> Result<Ask, FilterError> {
        let timed = ["age", "due"].contains(&name);
        if FIELDS.contains(&name) && timed == (op == ':') {
            let right = if timed { format!("{name}<2h {name}>2h") } else { format!("{name}:…") };
            return Err(FilterError {
                at: at + name.chars().count(),
                why: say::filter_meant(&format!("{name}{op}"), &right),
            });
        }
        Ok(match name {
            "level" => Ask::Level(self.one_of(&LEVELS)?),
            "state" => Ask::State(self.one_of(&STATES)?),
            "scope" => Ask::Scope(self.one_of(&SCOPES)?),
            "severity" => Ask::Severity(self.one_of(&LEVELS)?),
            "channel" => Ask::Channel(self.value()?),
            "dept" | "from" => Ask::From(self.value()?),
            "owner" => Ask::Owner(match self.value()?.as_str() {
                "me" => Owner::Me,
                "none" => Owner::Nobody,
                name => Owner::Named(name.to_owned()),
            }),
            "age" | "due" => {
                let at = self.at + 1;
                let text = self.value()?;
                let span = text.parse::<Dur>().map_err(|_| FilterError { at, why: say::filter_span(&text) })?.millis();
                match (name, op) {
                    ("age", '>') => Ask::Older(span),
                    ("age", _) => Ask::Younger(span),
                    (_, '<') => Ask::DueWithin(span),
                    _ => Ask::DueAfter(span),
                }
            }
            _ => return Err(unknown(at, name, &FIELDS)),
        })
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let dash = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| !c.is_whitespace());
        self.at += usize::from(dash);
        let at = self.at + 1;
        if self.peek() == Some('"') {
            let phrase = self.quoted()?;
            return if phrase.trim().is_empty() {
                Err(FilterError { at, why: say::filter_no_value() })
            } else {
                Ok(Term { not: dash, ask: Ask::Phrase(phrase) })
            };
        }
        let from = self.at;
        let name = self.word(|c| [':', '<', '>', '"'].contains(&c));
        let op = self.peek().filter(|c| [':', '<', '>'].contains(c));
        // an address or a message of a program is no field
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
        let address = self.chars.get(self.at + 1) == Some(&'/');
        if let Some(op) = op.filter(|_| is_name && !address) {
            self.at += 1;
            return Ok(Term { not: dash, ask: self.field(&name, at, op)? });
        }
        self.at = from;
        let word = self.word(|c| c == '"');
        let ask = match word.as_str() {
            "breached" => Ask::Breached,
            "paused" => Ask::Paused,
            _ => Ask::Word(word),
        };
        Ok(Term { not: dash, ask })
    }
}

/// Reads a filter.
///
/// # Errors
/// At the first term that is none, with its place and the nearest right word.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0 };
    let mut terms = Vec::new();
    loop {
        while reader.peek().is_some_and(char::is_whitespace) {
            reader.at += 1;
        }
        if reader.peek().is_none() {
            return Ok(Filter { terms });
        }
        terms.push(reader.term()?);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(text: &str) -> (usize, String) {
        let e = parse(text).expect_err(text);
        (e.at, e.why)
    }

    #[test]
    fn every_term_is_read() {
        let text = "level:urgent from:财务 state:open owner:wang -channel:mail age>2h due<1h breached paused 打印机 \"no paper\"";
        let filter = parse(text).expect("filter");
        assert_eq!(filter.terms.len(), 11);
        assert!(filter.terms[4].not);
        assert_eq!(filter.words(), "打印机 no paper");
        assert_eq!(filter.to_string(), text);
        assert_eq!(
            parse("owner:me owner:none dept:\"财 务\"").expect("filter").to_string(),
            "owner:me owner:none from:\"财 务\""
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_the_nearest_word() {
        crate::locale::with(crate::locale::Lang::En, || {
            assert_eq!(wrong("breached levle:urgent").0, 10);
            assert!(wrong("levle:urgent").1.contains("level"));
            let (at, why) = wrong("level:urgnt");
            assert_eq!((at, why.contains("urgent")), (7, true));
            assert_eq!(wrong("age>soon").0, 5);
            assert_eq!(wrong("age:2h").0, 4);
            assert_eq!(wrong("打印 \"offen").0, 4);
            assert_eq!(wrong("owner:").0, 7);
        });
        assert_eq!(parse("http://oa.example/x").expect("an address").terms.len(), 1);
        assert_eq!(parse("错误:502").expect("a message").terms.len(), 1);
    }

    #[test]
    fn open_tickets_are_meant_unless_the_filter_says_otherwise() {
        for (text, open) in [
            ("", true),
            ("level:urgent", true),
            ("state:any", false),
            ("打印机", false),
            ("打印机 state:open", true),
            ("-state:open", false),
            ("owner:me due<1h 打印机", true),
        ] {
            assert_eq!(parse(text).expect("filter").open_only(), open, "{text}");
        }
    }

    fn ask() -> impl Strategy<Value = Ask> {
        let value = "[a-z财务:\" \\\\]{0,6}[a-z财]";
        prop_oneof![
            proptest::sample::select(&LEVELS[..]).prop_map(|v| Ask::Level(v.into())),
            proptest::sample::select(&STATES[..]).prop_map(|v| Ask::State(v.into())),
            Just(Ask::Owner(Owner::Me)),
            Just(Ask::Owner(Owner::Nobody)),
            value
                .prop_filter("means somebody else", |v| v != "me" && v != "none")
                .prop_map(|v| Ask::Owner(Owner::Named(v))),
            value.prop_map(Ask::Channel),
            value.prop_map(Ask::From),
            (0_i64..1 << 40).prop_map(Ask::Older),
            (0_i64..1 << 40).prop_map(Ask::DueWithin),
            Just(Ask::Breached),
            Just(Ask::Paused),
            "[a-z财务]{1,8}".prop_filter("a flag", |w| w != "breached" && w != "paused").prop_map(Ask::Word),
            value.prop_map(Ask::Phrase),
        ]
    }

    proptest! {
        #[test]
        fn a_filter_written_down_is_read_back(terms in proptest::collection::vec((any::<bool>(), ask()), 0..6)) {
            // a backslash before a quote is the one thing that a quoted text cannot hold
            let filter = Filter { terms: terms.into_iter().map(|(not, ask)| Term { not, ask }).collect() };
            let text = filter.to_string();
            prop_assume!(!text.contains("\\\\"));
            prop_assert_eq!(parse(&text).map(|f| f.to_string()), Ok(text));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,40}") {
            let length = text.chars().count();
            if let Err(e) = parse(&text) {
                prop_assert!(e.at >= 1 && e.at <= length + 1);
            }
        }
    }
}
