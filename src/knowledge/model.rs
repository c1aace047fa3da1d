//! What an article is, and how well it answers. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::clock::Millis;
use crate::locale::knowledge as say;
use crate::text::words;

/// Most characters of a title.
pub const TITLE_MAX: usize = 300;
/// Most characters of a snippet.
const SNIPPET: usize = 120;
/// How much more a word in the title says than one in the body.
const TITLE_WEIGHT: f64 = 3.0;

/// An article.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Article {
    /// Its number.
    pub id: i64,
    /// `article`, or `case`: what an incident taught.
    pub kind: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Words it is filed under.
    pub tags: Vec<String>,
    /// For whom: `everybody`, `staff`, `operators`.
    pub audience: String,
    /// `draft`, `published` or `archived`.
    pub state: String,
    /// The day on which somebody looks whether it still holds, `2027-01-01`.
    pub review_on: Option<String>,
    /// Where it was imported from.
    pub source_key: Option<String>,
    /// The ticket that taught it.
    pub ticket_id: Option<i64>,
    /// From 1.
    pub version: i64,
    /// Who wrote this version.
    pub author: String,
    /// When.
    pub updated_at: Millis,
    /// Tickets that it answered.
    pub answered: i64,
}

/// An article that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its number.
    pub id: i64,
    /// One line.
    pub title: String,
    /// The larger, the better; only of use beside other hits of the same search.
    pub score: f64,
    /// Where it was found, the words between `**`.
    pub snippet: String,
}

/// What a solved ticket teaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lesson {
    /// Which ticket.
    pub ticket: i64,
    /// One line.
    pub title: String,
    /// What was reported.
    pub symptom: String,
    /// Why it was so.
    pub cause: String,
    /// What helped.
    pub solution: String,
    /// The part of the OA it is about; empty: not told.
    pub category: String,
}

impl Lesson {
    /// The text: symptom, cause, solution, where it comes from.
    pub fn body(&self) -> String {
        let mut out = String::new();
        for (title, text) in [
            (say::lesson_symptom(), &self.symptom),
            (say::lesson_cause(), &self.cause),
            (say::lesson_solution(), &self.solution),
        ] {
            let text = if text.trim().is_empty() { &self.title } else { text };
            out.push_str(&format!("## {title}\n\n{}\n\n", text.trim()));
        }
        out.push_str(&say::lesson_from(self.ticket));
        out
    }

    /// The draft of an article.
    pub fn article(&self) -> Article {
        let tag = self.category.replace(',', " ");
        Article {
            kind: "article".into(),
            title: self.title.chars().take(TITLE_MAX).collect(),
            body: self.body(),
            tags: Some(tag.trim().to_owned()).filter(|t| !t.is_empty()).into_iter().collect(),
            audience: "operators".into(),
            state: "draft".into(),
            ticket_id: Some(self.ticket),
            version: 1,
            ..Article::default()
        }
    }
}

/// The words of a text as they are searched for: English words, pairs of Chinese characters.
pub fn terms(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = words::index(text);
    let all: Vec<&str> = all.split(' ').filter(|t| !t.is_empty()).collect();
    // a last character stands alone in the index; in a question it only repeats what its pair says
    let lone = |t: &str| t.chars().count() == 1 && !t.is_ascii() && all.len() > 1;
    all.iter().filter(|t| !lone(t) && seen.insert(**t)).map(|t| (*t).to_owned()).collect()
}

/// Whether an article holds enough of what `question` says to be offered for it: a third of its words, and two of them
/// unless it has but one; half of them where its title holds none.
pub fn covers(a: &Article, question: &str) -> bool {
    let terms = terms(question);
    let (title, body, tags) = (counts(&a.title).0, counts(&a.body).0, counts(&a.tags.join(" ")).0);
    let held = terms.iter().filter(|t| [&title, &body, &tags].iter().any(|part| part.contains_key(*t))).count();
    let least = if terms.iter().any(|t| title.contains_key(t)) { 3 } else { 2 };
    held * least >= terms.len() && held >= terms.len().min(2)
}

fn counts(text: &str) -> (HashMap<String, f64>, f64) {
    let index = words::index(text);
    let mut counts = HashMap::new();
    let mut length = 0.0;
    for token in index.split(' ').filter(|t| !t.is_empty()) {
        *counts.entry(token.to_owned()).or_insert(0.0) += 1.0;
        length += 1.0;
    }
    (counts, length)
}

/// Ranks articles by how well they answer `question`: BM25 with the title counted three times, over the articles given.
/// Parameters k1 = 1.2, b = 0.75 as Robertson and Zaragoza 2009 recommend.
pub fn rank(question: &str, articles: &[Article]) -> Vec<Hit> {
    let (k1, b) = (1.2, 0.75);
    let terms = terms(question);
    let docs: Vec<_> = articles.iter().map(|a| (counts(&a.title), counts(&a.body))).collect();
    let n = articles.len() as f64;
    let mean = docs.iter().map(|(t, d)| TITLE_WEIGHT * t.1 + d.1).sum::<f64>() / n.max(1.0);
    let holds = |i: usize, term: &str| docs[i].0.0.contains_key(term) || docs[i].1.0.contains_key(term);
    let weight: HashMap<&str, f64> = terms
        .iter()
        .map(|t| {
            let df = (0..docs.len()).filter(|i| holds(*i, t)).count() as f64;
            (t.as_str(), (1.0 + (n - df + 0.5) / (df + 0.5)).ln())
        })
        .collect();
    let mut hits: Vec<Hit> = articles
        .iter()
        .zip(&docs)
        .filter_map(|(a, ((title, tl), (body, bl)))| {
            let length = TITLE_WEIGHT * tl + bl;
            let score: f64 = terms
                .iter()
                .map(|t| {
                    let tf = TITLE_WEIGHT * title.get(t).unwrap_or(&0.0) + body.get(t).unwrap_or(&0.0);
                    weight[t.as_str()] * tf * (k1 + 1.0) / (tf + k1 * (1.0 - b + b * length / mean.max(1.0)))
                })
                .sum();
            (score > 0.0).then(|| Hit {
                id: a.id,
                title: a.title.clone(),
                score: (score * 1_000.0).round() / 1_000.0,
                snippet: snippet(&a.body, question),
            })
        })
        .collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.id.cmp(&a.id)));
    hits
}

/// The words and runs of a question as they are marked in a text, the longest first.
fn needles(question: &str) -> Vec<String> {
    let mut needles: Vec<String> =
        question.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    needles.extend(terms(question));
    needles.sort_by_key(|w| std::cmp::Reverse(w.chars().count()));
    needles.dedup();
    needles
}

/// The line of `body` that holds most of the question, its words between `**`.
pub fn snippet(body: &str, question: &str) -> String {
    let needles = needles(question);
    let found = |line: &str| {
        let lower = line.to_lowercase();
        needles.iter().filter(|n| lower.contains(n.as_str())).map(|n| n.chars().count()).sum::<usize>()
    };
    let lines = body.lines().map(str::trim).filter(|l| !l.is_empty());
    let best = lines.clone().map(|l| (found(l), l)).fold((0, ""), |best, l| if l.0 > best.0 { l } else { best });
    let line = if best.0 == 0 { lines.clone().find(|l| !l.starts_with('#')).unwrap_or_default() } else { best.1 };
    let line = line.trim_start_matches(['#', '-', '*', '>', ' ']);
    mark(&around(line, &needles), &needles)
}

/// At most [`SNIPPET`] characters of `line`, the first needle among them.
fn around(line: &str, needles: &[String]) -> String {
    let chars: Vec<char> = line.chars().collect();
    if chars.len() <= SNIPPET {
        return line.to_owned();
    }
    let lower = line.to_lowercase();
    let at = needles.iter().find_map(|n| lower.find(n.as_str())).unwrap_or(0);
    // the place in characters; lowering may change lengths, so it is only a hint
    let at = lower[..at].chars().count().min(chars.len());
    let from = at.saturating_sub(SNIPPET / 3).min(chars.len() - SNIPPET);
    let middle: String = chars[from..from + SNIPPET].iter().collect();
    let start = if from > 0 { "…" } else { "" };
    let end = if from + SNIPPET < chars.len() { "…" } else { "" };
    format!("{start}{middle}{end}")
}

/// Puts `**` around what the needles name.
fn mark(text: &str, needles: &[String]) -> String {
    let chars: Vec<char> = text.chars().collect();
    let lower: Vec<char> = chars.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let mut hit = vec![false; chars.len()];
    for needle in needles {
        let needle: Vec<char> = needle.chars().collect();
        for at in 0..=lower.len().saturating_sub(needle.len()) {
            if !needle.is_empty() && lower[at..].starts_with(&needle) {
                hit[at..at + needle.len()].fill(true);
            }
        }
    }
    let mut out = String::new();
    let mut inside = false;
    for (c, hit) in chars.iter().zip(hit) {
        if hit != inside {
            out.push_str("**");
            inside = hit;
        }
        out.push(*c);
    }
    if inside {
        out.push_str("**");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(id: i64, title: &str, body: &str) -> Article {
        Article { id, title: title.into(), body: body.into(), ..Article::default() }
    }

    #[test]
    fn the_title_counts_more_than_the_body() {
        let all = [
            article(1, "打印机卡纸", "报销单打印时卡纸，先清理纸路。"),
            article(2, "报销流程说明", "差旅报销如何填写。"),
            article(3, "VPN 登录", "How to log in by VPN from home."),
        ];
        let ids = |q: &str| rank(q, &all).iter().map(|h| h.id).collect::<Vec<_>>();
        assert_eq!(ids("报销"), [2, 1]);
        assert_eq!(ids("vpn"), [3]);
        assert_eq!(ids("不存在"), [0_i64; 0]);
    }

    #[test]
    fn a_snippet_shows_where_it_was_found() {
        let body = "# 标题\n\n第一步重启。\n清除浏览器缓存后重新登录 OA。\n";
        assert_eq!(snippet(body, "浏览器缓存"), "清除**浏览器缓存**后重新登录 OA。");
        assert_eq!(snippet(body, "oa"), "清除浏览器缓存后重新登录 **OA**。");
        assert!(snippet(&"很长".repeat(200), "很长").chars().count() < 400);
    }
}
