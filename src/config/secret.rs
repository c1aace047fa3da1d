//! Values that may be secrets: written plainly, or kept elsewhere and named.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What stands for a secret wherever it would be shown.
pub(super) const HIDDEN: &str = "•••";

/// `"text"`, `"env:NAME"` or `"file:/path"`. Never printed, nor written out: [`Secret::shown`] stands for it.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret written as in the file.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it stands in the file itself.
    pub fn is_plain(&self) -> bool {
        !self.0.is_empty() && !self.0.starts_with("env:") && !self.0.starts_with("file:")
    }

    /// The value, fetched from where the reference points.
    ///
    /// # Errors
    /// When the variable is not set or the file cannot be read; the sentence names which.
    pub fn reveal(&self) -> Result<String, String> {
        if let Some(name) = self.0.strip_prefix("env:") {
            std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
        } else if let Some(path) = self.0.strip_prefix("file:") {
            std::fs::read_to_string(path)
                .map(|s| s.trim_end_matches(['\n', '\r']).to_owned())
                .map_err(|e| format!("{path}: {e}"))
        } else {
            Ok(self.0.clone())
        }
    }

    /// What may be shown: the reference, or dots for a plain value.
    pub fn shown(&self) -> String {
        if self.is_plain() { HIDDEN.into() } else { self.0.clone() }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.shown())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}
