//! A folder of Markdown files.

use std::path::{Path, PathBuf};

use crate::knowledge::model::Article;
use crate::locale::knowledge as say;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// Deepest folder that is looked into.
const DEEPEST: usize = 8;

/// A file that is no article, and why.
pub type Refused = (PathBuf, String);

/// The articles below `folder`, by path, and the files that are none.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn read_folder(folder: &Path) -> Result<(Vec<Article>, Vec<Refused>), String> {
    let mut files = Vec::new();
    let fail = |e: std::io::Error| format!("{}: {e}", folder.display());
    walk(folder, 0, &mut files).map_err(fail)?;
    files.sort();
    let (mut articles, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        let key = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        match read_file(&file, &key) {
            Ok(article) => articles.push(article),
            Err(why) => refused.push((file, why)),
        }
    }
    Ok((articles, refused))
}

fn walk(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        // links are not followed: a folder may link to itself
        if kind.is_dir() && depth < DEEPEST {
            walk(&path, depth + 1, out)?;
        } else if kind.is_file() && path.extension().is_some_and(|e| e == "md" || e == "markdown") {
            out.push(path);
        }
    }
    Ok(())
}

fn read_file(file: &Path, key: &str) -> Result<Article, String> {
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    if size > LARGEST {
        return Err(say::file_too_large(LARGEST));
    }
    let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = memchr::memchr_iter(b'\n', &e.as_bytes()[..e.utf8_error().valid_up_to()]).count() + 1;
        say::file_not_utf8(line)
    })?;
    parse(&text, key)
}

/// Reads an article: lines `name: value` between two lines `---` at its head, then Markdown. Its title is that of the
/// head, else the first heading, else the name of the file.
///
/// # Errors
/// When a line of the head is not understood, or nothing is left.
pub fn parse(text: &str, key: &str) -> Result<Article, String> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut article = Article {
        kind: "article".into(),
        audience: "everybody".into(),
        state: "published".into(),
        source_key: Some(key.to_owned()),
        version: 1,
        ..Article::default()
    };
    let mut body = text.as_str();
    if let Some(rest) = text.strip_prefix("---\n") {
        let (head, after) = rest.split_once("\n---").ok_or_else(say::head_without_end)?;
        for (i, line) in head.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let wrong = || say::head_line(i + 2, line);
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            let value = value.trim().trim_matches(['"', '\'']);
            match name.trim() {
                "title" => value.clone_into(&mut article.title),
                "tags" => {
                    let list = value.trim_matches(['[', ']']).split([',', '，']);
                    article.tags = list.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect();
                }
                "audience" => value.clone_into(&mut article.audience),
                "kind" if ["article", "case"].contains(&value) => value.clone_into(&mut article.kind),
                "state" if ["draft", "published", "archived"].contains(&value) => value.clone_into(&mut article.state),
                "review" => {
                    value.parse::<chrono::NaiveDate>().map_err(|_| wrong())?;
                    article.review_on = Some(value.to_owned());
                }
                _ => return Err(wrong()),
            }
        }
        body = after.split_once('\n').map_or("", |(_, rest)| rest);
    }
    body = body.trim();
    if article.title.is_empty() {
        let heading = body.lines().find_map(|l| l.strip_prefix("# "));
        let name = Path::new(key).file_stem().map(|s| s.to_string_lossy().into_owned());
        article.title = heading.map(|h| h.trim().to_owned()).or(name).unwrap_or_default();
    }
    if body.is_empty() {
        return Err(say::file_empty());
    }
    body.clone_into(&mut article.body);
    Ok(article)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_body_are_read() {
        let text = "---\ntitle: 登录不了怎么办\ntags: 登录, VPN\nreview: 2027-01-01\n---\n# 别的\n先重启。\n";
        let a = parse(text, "faq/login.md").expect("article");
        assert_eq!((a.title.as_str(), a.tags.len(), a.review_on.as_deref()), ("登录不了怎么办", 2, Some("2027-01-01")));
        assert!(a.body.starts_with("# 别的"));
        assert_eq!(parse("# 标题\n正文", "x.md").map(|a| a.title).as_deref(), Ok("标题"));
        assert_eq!(parse("正文", "faq/如何打印.md").map(|a| a.title).as_deref(), Ok("如何打印"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        assert!(parse("---\ntitle: a\nreview: soon\n---\nx", "x.md").expect_err("refused").contains('3'));
        assert!(parse("---\ntitle: a\n", "x.md").is_err());
        assert!(parse("---\ntitle: a\n---\n", "x.md").is_err());
    }
}
