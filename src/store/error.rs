//! What can go wrong with the store, as sentences.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, or it was lost.
    #[error("{}", crate::locale::cli::store_unreachable(.0))]
    Unreachable(String),
    /// Another process holds the write lock for too long.
    #[error("{}", crate::locale::cli::store_locked())]
    Locked,
    /// The file or database may only be read.
    #[error("{}", crate::locale::cli::store_read_only())]
    ReadOnly,
    /// No room left.
    #[error("{}", crate::locale::cli::store_full())]
    Full,
    /// The disk beneath refused to read or write.
    #[error("{}", crate::locale::cli::store_disk(.0))]
    Disk(String),
    /// The connection broke while the change was made durable: it may have been made or not.
    #[error("{}", crate::locale::cli::store_unsure(.0))]
    Unsure(String),
    /// Not a zhiban store, or damaged.
    #[error("{}", crate::locale::cli::store_corrupt(.0))]
    Corrupt(String),
    /// Written by a newer zhiban.
    #[error("{}", crate::locale::cli::store_newer(*.found, *.known))]
    Newer {
        /// Schema version in the store.
        found: i64,
        /// Newest schema version this binary knows.
        known: i64,
    },
    /// The URL cannot be read.
    #[error("{}", crate::locale::cli::store_url(.0))]
    Url(String),
    /// Two rows with the same key.
    #[error("{}", crate::locale::cli::store_duplicate(.0))]
    Duplicate(String),
    /// A stored value that cannot be understood: names table, column and row where known.
    #[error("{}", crate::locale::cli::store_value(.0))]
    Value(String),
    /// Any other refusal by the database.
    #[error("{}", crate::locale::cli::store_refused(.0))]
    Refused(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let say = |e: &dyn std::fmt::Display| crate::text::clean(&e.to_string()).into_owned();
        match &error {
            sqlx::Error::Database(db) => {
                let code = db.code().unwrap_or_default();
                let message = crate::text::clean(db.message()).into_owned();
                if db.is_unique_violation() {
                    return Self::Duplicate(message);
                }
                // SQLite: the low byte of the extended code is the code; Postgres: five characters of SQLSTATE
                let lite = Some(code.as_ref()).filter(|c| c.len() < 5).and_then(|c| c.parse::<u32>().ok());
                match (lite.map(|c| c & 0xff), code.as_ref()) {
                    (Some(5 | 6 | 15), _) => Self::Locked,
                    (Some(8), _) => Self::ReadOnly,
                    // no room for the shared-memory file is told as an I/O error
                    (Some(13), _) | (_, "4874") => Self::Full,
                    (Some(10), _) => Self::Disk(message),
                    (Some(11 | 26), _) => Self::Corrupt(message),
                    (Some(14), _) => Self::Unreachable(message),
                    (Some(_), _) => Self::Refused(message),
                    (_, "25006") => Self::ReadOnly,
                    (_, "53100") => Self::Full,
                    (_, "58030") => Self::Disk(message),
                    (_, "XX001" | "XX002") => Self::Corrupt(message),
                    (_, "55P03" | "40P01" | "40001") => Self::Locked,
                    (_, "57014") => Self::Unreachable(crate::locale::cli::store_no_answer()),
                    (_, "57P01" | "57P02" | "57P03" | "28P01" | "28000" | "3D000" | "53300") => {
                        Self::Unreachable(message)
                    }
                    (_, code) if code.starts_with("08") => Self::Unreachable(message),
                    _ => Self::Refused(message),
                }
            }
            // the handshake tells a certificate it does not take as an I/O error
            sqlx::Error::Tls(_) | sqlx::Error::Io(_) if error.to_string().contains("certificate") => {
                Self::Unreachable(crate::locale::cli::store_certificate(&say(&error)))
            }
            sqlx::Error::Tls(e) => Self::Unreachable(say(e)),
            sqlx::Error::Io(e) => Self::Unreachable(say(e)),
            sqlx::Error::PoolTimedOut => Self::Unreachable(crate::locale::cli::store_no_answer()),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Unreachable(say(&error)),
            sqlx::Error::Protocol(e) => Self::Unreachable(say(e)),
            sqlx::Error::Configuration(e) => Self::Url(say(e)),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
                Self::Value(say(&error))
            }
            _ => Self::Refused(say(&error)),
        }
    }
}
