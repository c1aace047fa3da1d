//! Words for the search index: English words, and pairs of Chinese characters, the same on both databases.

/// Most tokens of one ticket, and most bytes: a tsvector holds no more than a megabyte.
const MOST: usize = 20_000;
const MOST_BYTES: usize = 400_000;
/// Characters of the longest word; longer ones are cut.
const LONGEST: usize = 64;
/// Most words that a similar ticket is looked for by.
const MOST_ANY: usize = 12;

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Runs of the same kind: Chinese or a word, lower-cased.
fn runs(text: &str) -> Vec<(bool, String)> {
    let mut out: Vec<(bool, String)> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let cjk = is_cjk(c);
        if !cjk && !c.is_alphanumeric() {
            open = false;
            continue;
        }
        match out.last_mut() {
            Some((kind, run)) if open && *kind == cjk => run.extend(c.to_lowercase()),
            _ => out.push((cjk, c.to_lowercase().collect())),
        }
        open = true;
    }
    out
}

fn pairs(run: &str) -> Vec<String> {
    let chars: Vec<char> = run.chars().collect();
    chars.windows(2).map(|w| w.iter().collect()).collect()
}

/// The tokens of a text for the index, separated by blanks.
pub fn index(text: &str) -> String {
    let mut tokens = tokens(text);
    tokens.truncate(MOST);
    let mut bytes = 0;
    tokens.retain(|t| {
        bytes += t.len() + 1;
        bytes <= MOST_BYTES
    });
    tokens.join(" ")
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for (cjk, run) in runs(text) {
        if cjk {
            tokens.extend(pairs(&run));
            // the last character begins no pair: it stands alone so that it can be found
            tokens.extend(run.chars().last().map(String::from));
        } else {
            tokens.push(run.chars().take(LONGEST).collect());
        }
        if tokens.len() > MOST {
            break;
        }
    }
    tokens
}

/// The words by which something similar is looked for: pairs of Chinese characters, English words of some length.
pub fn telling(text: &str) -> Vec<String> {
    let mut words: Vec<String> =
        tokens(text).into_iter().filter(|t| t.chars().count() >= if t.is_ascii() { 3 } else { 2 }).collect();
    let mut seen = std::collections::BTreeSet::new();
    words.retain(|w| seen.insert(w.clone()));
    words.truncate(MOST_ANY);
    words
}

/// A query of SQLite's FTS5 for any of the words; `None` when there are none.
pub fn any_fts5(words: &[String]) -> Option<String> {
    let terms: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
    (!terms.is_empty()).then(|| terms.join(" OR "))
}

/// The same for Postgres.
pub fn any_tsquery(words: &[String]) -> Option<String> {
    let terms: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
    (!terms.is_empty()).then(|| terms.join(" | "))
}

/// The weight of the words that are in a text.
pub fn shared<'a>(text: &str, words: impl Iterator<Item = (&'a str, f64)>) -> f64 {
    let there: std::collections::BTreeSet<String> = tokens(text).into_iter().collect();
    words.filter(|(w, _)| there.contains(*w)).map(|(_, weight)| weight).sum()
}

/// A query for SQLite's FTS5; `None` when nothing can be searched for.
pub fn fts5(query: &str) -> Option<String> {
    let terms = fts5_terms(query);
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

/// What must all be found, each a query of SQLite's FTS5 by itself.
pub fn fts5_terms(query: &str) -> Vec<String> {
    let runs = runs(query).into_iter();
    let mut terms: Vec<String> = runs
        .map(|(cjk, run)| match pairs(&run) {
            pairs if cjk && !pairs.is_empty() => format!("\"{}\"", pairs.join(" ")),
            _ if cjk => format!("\"{run}\"*"),
            _ => format!("\"{run}\""),
        })
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    terms.retain(|term| seen.insert(term.clone()));
    terms
}

/// All of `terms`, which come the rarest first, so that the common ones are only looked up where the rare ones are:
/// FTS5 walks all terms of one AND side by side, and would join nested ANDs into one. What is left out of each pair (a
/// word longer than any in the index) keeps them apart.
pub fn fts5_rarest_first(terms: &[String]) -> String {
    let none = "q".repeat(LONGEST + 1);
    let mut query = String::new();
    for (i, term) in terms.iter().enumerate() {
        query = match i {
            0 => term.clone(),
            1 => format!("{query} AND {term}"),
            _ => format!("(({query}) NOT \"{none}\") AND {term}"),
        };
    }
    query
}

/// A query for Postgres' `to_tsquery('simple', …)`; `None` when nothing can be searched for.
pub fn tsquery(query: &str) -> Option<String> {
    let terms: Vec<String> = runs(query)
        .into_iter()
        .map(|(cjk, run)| match pairs(&run) {
            pairs if cjk && !pairs.is_empty() => {
                format!("({})", pairs.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(" <-> "))
            }
            _ if cjk => format!("'{run}':*"),
            _ => format!("'{run}'"),
        })
        .collect();
    (!terms.is_empty()).then(|| terms.join(" & "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_becomes_pairs_and_english_words() {
        assert_eq!(index("磁盘空间 Full, 502!"), "磁盘 盘空 空间 间 full 502");
        assert_eq!(fts5("磁盘空间 full").as_deref(), Some("\"磁盘 盘空 空间\" AND \"full\""));
        assert_eq!(tsquery("磁盘空").as_deref(), Some("('磁盘' <-> '盘空')"));
        assert_eq!(fts5("磁").as_deref(), Some("\"磁\"*"));
    }

    #[test]
    fn nothing_in_a_query_is_syntax() {
        assert_eq!(fts5("\" OR * NEAR("), Some("\"or\" AND \"near\"".into()));
        assert_eq!(tsquery("' | !"), None);
    }
}
