//! Throw-away stores: a SQLite file, and a database of its own on a throw-away Postgres.
//!
//! `tests/run` starts one Postgres for the whole run and names it in `ZHIBAN_TEST_PG` (`postgres://…/`, without a
//! database). Without that variable a Postgres test fails: nothing is skipped silently.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use zhiban::action::{Actor, Door, Role};
use zhiban::clock::Clock;
use zhiban::config::Config;
use zhiban::store::{Store, StoreUrl};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Which database a test runs on.
#[derive(Debug, Clone, Copy)]
pub enum Db {
    Sqlite,
    Postgres,
}

/// A fresh store; gone when dropped.
pub struct Fresh {
    pub store: Store,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Fresh {
    /// A door for `name` in `role`, at the time of `clock`.
    pub fn door(&self, name: &str, role: Role, clock: &Clock) -> Door {
        let actor = Actor { name: name.into(), role, origin: "test".into(), unclaimed: false };
        Door::new(self.store.clone(), clock.clone(), Config::default().into(), actor, false)
    }
}

/// The address of the throw-away Postgres, with `database`.
pub fn postgres_url(database: &str) -> String {
    let base = std::env::var("ZHIBAN_TEST_PG")
        .expect("ZHIBAN_TEST_PG is not set: run ./tests/run, which starts a throw-away PostgreSQL");
    let (head, query) = base.split_once('?').map_or((base.as_str(), None), |(h, q)| (h, Some(q)));
    let head = head.trim_end_matches('/');
    match query {
        Some(query) => format!("{head}/{database}?{query}"),
        None => format!("{head}/{database}"),
    }
}

/// Makes an empty database and gives its address.
pub async fn fresh_postgres() -> String {
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let mut conn = PgConnection::connect(&postgres_url("postgres")).await.expect("the throw-away Postgres answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await.expect("create database");
    postgres_url(&name)
}

/// A fresh, empty store.
pub async fn fresh(db: Db) -> Fresh {
    let folder = tempfile::tempdir().expect("temporary folder");
    let url = match db {
        Db::Sqlite => StoreUrl::sqlite(folder.path().join("z.db")).to_string(),
        Db::Postgres => fresh_postgres().await,
    };
    let store = Store::open(&url.parse().expect("url")).await.expect("open");
    Fresh { store, url, _folder: folder }
}

/// Declares a test that runs on both databases, as `NAME::sqlite` and `NAME::postgres`:
/// `on_both! { async fn name(fresh: Fresh) { … } }`
#[macro_export]
macro_rules! on_both {
    ($( $(#[$meta:meta])* async fn $name:ident($fresh:ident : Fresh) $body:block )*) => {
        $(
            async fn $name($fresh: $crate::db::Fresh) $body

            mod $name {
                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() { super::$name($crate::db::fresh($crate::db::Db::Sqlite).await).await }
                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() { super::$name($crate::db::fresh($crate::db::Db::Postgres).await).await }
            }
        )*
    };
}
