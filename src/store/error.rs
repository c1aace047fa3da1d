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
                let message = say(db);
                if db.is_unique_violation() {
                    return Self::Duplicate(message);
                }
                match code.as_ref() {
                    // SQLite primary and extended result codes
                    "5" | "6" | "261" | "517" | "262" => Self::Locked,
                    "8" | "264" | "520" | "776" | "1032" | "1288" | "1544" => Self::ReadOnly,
                    "13" => Self::Full,
                    "11" | "26" | "267" | "523" | "779" => Self::Corrupt(message),
                    "14" | "270" | "526" | "782" | "1038" => Self::Unreachable(message),
                    // Postgres SQLSTATE
                    "25006" => Self::ReadOnly,
                    "53100" => Self::Full,
                    "55P03" | "40P01" | "40001" => Self::Locked,
                    "57P01" | "57P02" | "57P03" | "28P01" | "28000" | "3D000" | "53300" => Self::Unreachable(message),
                    _ if message.contains("disk I/O error") || message.contains("database or disk is full") => {
                        Self::Full
                    }
                    _ => Self::Refused(message),
                }
            }
            sqlx::Error::Io(e) => Self::Unreachable(say(e)),
            sqlx::Error::Tls(e) => Self::Unreachable(say(e)),
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
