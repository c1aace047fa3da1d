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

fn say(error: &dyn std::fmt::Display) -> String {
    crate::text::clean(&error.to_string()).into_owned()
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let (failure, message) = match &error {
            rusqlite::Error::SqliteFailure(failure, message) => (failure, message.as_deref()),
            rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.as_str())),
            rusqlite::Error::FromSqlConversionFailure(..) => return Self::Value(say(&error)),
            _ => return Self::Refused(say(&error)),
        };
        let message = message.map_or_else(|| say(failure), |m| say(&m));
        // the low byte of the extended code is the code
        match (failure.extended_code & 0xff, failure.extended_code) {
            (_, 1555 | 2067) => Self::Duplicate(message),
            (5 | 6 | 15, _) => Self::Locked,
            (8, _) => Self::ReadOnly,
            (9, _) => Self::Unreachable(crate::locale::cli::store_no_answer()),
            // no room for the shared-memory file is told as an I/O error
            (13, _) | (_, 4874) => Self::Full,
            (10, _) => Self::Disk(message),
            (11 | 26, _) => Self::Corrupt(message),
            (14, _) => Self::Unreachable(message),
            _ => Self::Refused(message),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) => {
                let message = say(&db.message());
                if db.is_unique_violation() {
                    return Self::Duplicate(message);
                }
                match db.code().unwrap_or_default().as_ref() {
                    "25006" => Self::ReadOnly,
                    "53100" => Self::Full,
                    "58030" => Self::Disk(message),
                    "XX001" | "XX002" => Self::Corrupt(message),
                    "55P03" | "40P01" | "40001" => Self::Locked,
                    "57014" => Self::Unreachable(crate::locale::cli::store_no_answer()),
                    "57P01" | "57P02" | "57P03" | "28P01" | "28000" | "3D000" | "53300" => Self::Unreachable(message),
                    code if code.starts_with("08") => Self::Unreachable(message),
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
