//! Opening a store: the URL, the pools, the schema.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};

use super::lite::{Readers, Slot, Use};
use super::{Pools, Store, StoreError, feed, schema};

/// Longest a single statement may run on Postgres, in milliseconds.
const STATEMENT_TIMEOUT_MS: &str = "15000";

/// Parts of a Postgres address that name files.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];
/// How long a connection may lie idle and still be trusted without a round trip.
const TRUSTED: Duration = Duration::from_secs(1);

/// Where a store is. Shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl {
    kind: Kind,
    full: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Sqlite(PathBuf),
    Postgres,
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Kind::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Kind::Postgres => f.write_str(&without_password(&self.full)),
        }
    }
}

impl std::fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

/// The URL with everything between the user name and the host, and every `password=`, left out.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // a password that should have been percent-encoded may hold anything: the last @ ends it
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let split = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, tail) = rest.split_at(split);
    let authority = match user {
        Some(user) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        // without an @ a colon is followed by a port or by somebody's mistake
        None => match host.rsplit_once(':') {
            Some((name, port)) if !port.bytes().all(|b| b.is_ascii_digit() || b == b']') => name.to_owned(),
            _ => host.to_owned(),
        },
    };
    let tail = match tail.split_once('?') {
        None => tail.to_owned(),
        Some((path, query)) => {
            let kept: Vec<&str> = query.split('&').filter(|p| !p.starts_with("password=")).collect();
            if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
        }
    };
    format!("{scheme}://{authority}{tail}")
}

impl FromStr for StoreUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        let kind = if let Some(path) = text.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(StoreError::Url(text.to_owned()));
            }
            Kind::Sqlite(PathBuf::from(path))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Kind::Postgres
        } else {
            return Err(StoreError::Url(without_password(text)));
        };
        Ok(Self { kind, full: text.to_owned() })
    }
}

impl StoreUrl {
    /// A SQLite store in `path`.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { full: format!("sqlite://{}", path.display()), kind: Kind::Sqlite(path) }
    }

    /// Whether a password stands in it.
    pub fn has_password(&self) -> bool {
        self.kind == Kind::Postgres && without_password(&self.full) != self.full
    }

    /// The file of a SQLite store.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres => None,
        }
    }

    /// Whether the connection to Postgres is encrypted or local; true for SQLite.
    pub fn is_protected(&self) -> bool {
        match &self.kind {
            Kind::Sqlite(_) => true,
            Kind::Postgres => PgConnectOptions::from_str(&self.full).is_ok_and(|o| {
                o.get_socket().is_some()
                    || ["localhost", "127.0.0.1", "::1"].contains(&o.get_host())
                    || !matches!(o.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer)
            }),
        }
    }
}

impl Store {
    /// Opens a store, creating a SQLite file (and its folder) where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// When the store cannot be reached or read, is damaged, or was written by a newer zhiban.
    pub async fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        match &url.kind {
            Kind::Sqlite(path) => Self::open_sqlite(url, path).await,
            Kind::Postgres => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(url: &StoreUrl, path: &Path) -> Result<Self, StoreError> {
        let at = |e: std::io::Error| StoreError::Unreachable(format!("{}: {e}", path.display()));
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(at)?;
        }
        if path.is_dir() {
            return Err(StoreError::Unreachable(format!("{}: is a directory", path.display())));
        }
        let write = Slot::new(path, Use::Write);
        let mut turn = write.lend().await?;
        if !schema::is_current_sqlite(turn.lite()?)? {
            let lock = schema::lock_sqlite(path).await?;
            schema::bring_up_to_date_sqlite(turn.lite()?)?;
            drop(lock);
        }
        drop(turn);
        let (measure, read) = (Slot::new(path, Use::Measure), Readers::new(path));
        let pools = Pools::Sqlite { read, write, measure };
        Ok(Self { pools, url: url.clone(), local: feed::Local::default() })
    }

    async fn open_postgres(url: &StoreUrl) -> Result<Self, StoreError> {
        for file in url.full.split(['?', '&']).filter_map(|p| p.split_once('=')).filter(|(k, _)| FILES.contains(k)) {
            // the driver would only say that some file is missing
            std::fs::metadata(file.1).map_err(|e| StoreError::Unreachable(format!("{}: {}: {e}", file.0, file.1)))?;
        }
        let options = PgConnectOptions::from_str(&url.full)
            .map_err(|e| StoreError::Url(format!("{}: {e}", without_password(&url.full))))?
            .application_name("zhiban")
            .options([("statement_timeout", STATEMENT_TIMEOUT_MS), ("lock_timeout", "10000"), ("timezone", "UTC")]);
        let pool = PgPoolOptions::new()
            .max_connections(6)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(5))
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    // a server that was restarted has taken the connections of before with it
                    let tried = meta.idle_for >= TRUSTED;
                    Ok(!tried || tokio::time::timeout(super::ANSWER, conn.ping()).await.is_ok_and(|r| r.is_ok()))
                })
            })
            .connect_lazy_with(options.clone());
        if let Err(error) = schema::bring_up_to_date_postgres(&pool).await {
            pool.close().await;
            // the pool waits for a server that starts up and then knows no more than that: ask for the reason
            return Err(match error {
                StoreError::Unreachable(_) => {
                    let direct = tokio::time::timeout(super::ANSWER, PgConnection::connect_with(&options)).await;
                    direct.ok().and_then(Result::err).map_or(error, StoreError::from)
                }
                error => error,
            });
        }
        Ok(Self { pools: Pools::Postgres(pool), url: url.clone(), local: feed::Local::default() })
    }
}

impl StoreError {
    pub(super) fn from_migrate(error: MigrateError, known: i64) -> Self {
        match error {
            MigrateError::VersionMissing(found) => Self::Newer { found, known },
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => e.into(),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url: StoreUrl = "postgres://oa:s3cret@db.example/zhiban?sslmode=require&password=x".parse().expect("url");
        assert_eq!(url.to_string(), "postgres://oa@db.example/zhiban?sslmode=require");
        assert!(!format!("{url:?}").contains("s3cret"));
        for wrong in ["postgres://oa:s3/cr@et@db/z", "postgres://oa:s3?cr#et@db/z", "postgres://oa:s3cret"] {
            assert!(!without_password(wrong).contains("s3"), "{wrong}");
        }
        assert_eq!(without_password("postgres://db:5432/z"), "postgres://db:5432/z");
        assert!(!"mysql://a:b@c/d".parse::<StoreUrl>().expect_err("refused").to_string().contains(":b@"));
    }

    #[test]
    fn a_plain_connection_across_the_network_is_known_as_such() {
        let protected = |u: &str| u.parse::<StoreUrl>().expect("url").is_protected();
        assert!(protected("postgres://a@localhost/z"));
        assert!(protected("postgres://a@db/z?sslmode=verify-full"));
        assert!(!protected("postgres://a@db/z?sslmode=disable"));
        assert!(protected("sqlite:///tmp/x.db"));
    }
}
