//! Long text in the operator's own editor: a private file, the editor, and back.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::locale::console as say;

/// Most bytes taken back.
const MOST: u64 = 64 * 1024;

/// A private file with the text in it; gone with this value.
pub(super) struct Sheet {
    folder: PathBuf,
}

impl Sheet {
    /// Puts `text` into a new file that only this user can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(text: &str) -> std::io::Result<Self> {
        let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_dir());
        let base = base.unwrap_or_else(std::env::temp_dir);
        let name: String = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect();
        let folder = base.join(format!("zhiban-{name}"));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let sheet = Self { folder };
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(sheet.path())?;
        file.write_all(text.as_bytes())?;
        Ok(sheet)
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("text.md")
    }

    /// What stands in it now, without the line end that editors add.
    ///
    /// # Errors
    /// When it has gone, is too long or is not text; a sentence.
    pub(super) fn read(&self) -> Result<String, String> {
        read(&self.path())
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| say::editor_failed(&e.to_string()))?.len();
    if size > MOST {
        return Err(say::editor_too_long(MOST / 1024));
    }
    let bytes = std::fs::read(path).map_err(|e| say::editor_failed(&e.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| say::editor_not_text())?;
    let text = text.replace("\r\n", "\n");
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

impl Drop for Sheet {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The editor `command` on `sheet`, in this terminal.
///
/// # Errors
/// When it cannot be started; a sentence.
pub(super) fn start(command: &[String], sheet: &Sheet) -> Result<tokio::process::Child, String> {
    let (program, arguments) = command.split_first().ok_or_else(say::editor_none)?;
    tokio::process::Command::new(program)
        .args(arguments)
        .arg(sheet.path())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| say::editor_failed(&format!("{program}: {e}")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn an_editor_changes_a_private_file_that_is_gone_afterwards() {
        let sheet = Sheet::new("one").expect("sheet");
        let path = sheet.path();
        let mode = |p: &Path| std::fs::metadata(p).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("folder"))), (0o600, 0o700));
        let command = ["sh", "-c", "printf ' two\\r\\nthree\\n' >> \"$1\"", "sh"].map(str::to_owned);
        let mut child = start(&command, &sheet).expect("started");
        assert!(child.wait().await.expect("ended").success());
        assert_eq!(sheet.read().as_deref(), Ok("one two\nthree"));
        drop(sheet);
        assert!(!path.exists() && !path.parent().expect("folder").exists());
    }

    #[test]
    fn what_is_no_text_or_too_long_is_not_taken() {
        let sheet = Sheet::new("").expect("sheet");
        std::fs::write(sheet.path(), [0xff, 0xfe]).expect("written");
        assert!(sheet.read().is_err());
        std::fs::write(sheet.path(), vec![b'a'; 65 * 1024]).expect("written");
        assert!(sheet.read().is_err());
        assert!(start(&["/nonexistent/editor".to_owned()], &sheet).is_err());
    }
}
