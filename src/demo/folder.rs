//! The folder of the demo's store: made for it, gone with it.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A folder that only this user may read, removed with everything in it when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder below `parent`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(parent: &Path) -> io::Result<Self> {
        let path = parent.join(format!("zhiban-demo-{}-{:08x}", std::process::id(), fastrand::u32(..)));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // a connection that is just being closed may still put a file in
        for _ in 0..5 {
            if std::fs::remove_dir_all(&self.0).is_ok() || !self.0.exists() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_with_what_it_holds() {
        let parent = tempfile::tempdir().expect("folder");
        let folder = Folder::new(parent.path()).expect("made");
        std::fs::write(folder.path().join("z.db"), "x").expect("written");
        drop(folder);
        assert_eq!(std::fs::read_dir(parent.path()).expect("there").count(), 0);
    }
}
