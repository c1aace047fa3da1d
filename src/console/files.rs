//! Files that came with a ticket, and where they are saved: never over another, never anywhere else.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::action::{BoxFuture, Door};
use crate::intake::store;
use crate::locale::console as say;
use crate::tickets::tab::File;

/// Most bytes of a name.
const NAME: usize = 120;
/// Names that are tried before giving up.
const TRIES: usize = 1_000;

/// The files of a ticket.
pub(super) fn of(door: Door, ticket: i64) -> BoxFuture<'static, Vec<File>> {
    Box::pin(async move {
        let all = store::attachments(door.store(), ticket).await.unwrap_or_default();
        all.into_iter().map(|a| File { id: a.id, name: a.name, mime: a.mime, bytes: a.size }).collect()
    })
}

/// Saves a file; says where.
pub(super) fn save(door: Door, file: File) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        let body = store::attachment(door.store(), file.id).await.map_err(|e| e.to_string())?;
        let body = body.ok_or_else(|| crate::locale::intake::attachment_named(file.id))?;
        let folder = folder().ok_or_else(crate::locale::cli::no_home)?;
        let written = tokio::task::spawn_blocking(move || write(&folder, &safe_name(&file.name, file.id), &body)).await;
        let path = written.map_err(|e| e.to_string())??;
        Ok(say::file_saved(&path.display().to_string()))
    })
}

/// The folder for downloads, or one of our own where there is none.
fn folder() -> Option<PathBuf> {
    let env = |key: &str| std::env::var_os(key).map(PathBuf::from).filter(|p| p.is_absolute());
    let downloads = env("XDG_DOWNLOAD_DIR").or_else(|| Some(env("HOME")?.join("Downloads"))).filter(|p| p.is_dir());
    downloads.or_else(|| Some(crate::config::state_folder()?.join("attachments")))
}

/// A name that can do no harm: no path, no hidden file, nothing that a shell or a terminal takes for a sign.
fn safe_name(name: &str, id: i64) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut out = String::new();
    for c in last.chars() {
        let c = if c.is_alphanumeric() || ".-_".contains(c) { c } else { '_' };
        if out.len() + c.len_utf8() > NAME {
            break;
        }
        out.push(c);
    }
    let out = out.trim_start_matches(['.', '-', '_']).trim_end_matches('.');
    if out.is_empty() { format!("attachment-{id}") } else { out.to_owned() }
}

/// Writes a new file, numbered where the name is taken.
fn write(folder: &Path, name: &str, body: &[u8]) -> Result<PathBuf, String> {
    let failed = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| failed(folder, e))?;
    let (stem, end) = match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        Some((stem, end)) => (stem, format!(".{end}")),
        None => (name, String::new()),
    };
    for n in 0..TRIES {
        let numbered = if n == 0 { name.to_owned() } else { format!("{stem}-{n}{end}") };
        let path = folder.join(numbered);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file {
            Ok(mut file) => {
                let done = file.write_all(body).and_then(|()| file.sync_all());
                return match done {
                    Ok(()) => Ok(path),
                    Err(e) => {
                        // half a file is none
                        _ = std::fs::remove_file(&path);
                        Err(failed(&path, e))
                    }
                };
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&path, e)),
        }
    }
    Err(say::file_names_taken(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_leads_nowhere_else() {
        for (name, safe) in [
            ("发票 2026.pdf", "发票_2026.pdf"),
            ("../../.ssh/authorized_keys", "authorized_keys"),
            ("..\\evil.exe", "evil.exe"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a\u{1b}[2J\u{202e}fdp.exe", "a__2J_fdp.exe"),
            ("...", "attachment-7"),
            ("", "attachment-7"),
        ] {
            assert_eq!(safe_name(name, 7), safe, "{name:?}");
        }
        assert!(safe_name(&"很".repeat(500), 7).len() <= NAME);
    }

    #[test]
    fn a_file_that_is_there_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let into = folder.path().join("new");
        let names: Vec<String> = (0..3)
            .map(|i| {
                write(&into, "a.tar.gz", &[i]).expect("written").file_name().expect("name").to_string_lossy().into()
            })
            .collect();
        assert_eq!(names, ["a.tar.gz", "a.tar-1.gz", "a.tar-2.gz"]);
        assert_eq!(std::fs::read(into.join("a.tar.gz")).expect("read"), [0]);
        std::os::unix::fs::symlink("/nonexistent/x", into.join("link")).expect("link");
        assert_eq!(write(&into, "link", b"x").expect("written").file_name().expect("name"), "link-1");
    }
}
