//! Values into and out of either database.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use super::StoreError;

/// One argument of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Val {
    /// BIGINT
    Int(Option<i64>),
    /// DOUBLE PRECISION
    Float(Option<f64>),
    /// BOOLEAN
    Bool(Option<bool>),
    /// TEXT
    Text(Option<String>),
    /// BLOB or BYTEA
    Bytes(Option<Vec<u8>>),
}

/// The arguments of a statement, in order of `$1`, `$2`, …
pub type Args = Vec<Val>;

macro_rules! val_from {
    ($variant:ident: $($ty:ty => $conv:expr),* $(,)?) => {$(
        impl From<$ty> for Val { fn from(v: $ty) -> Self { Val::$variant(Some($conv(v))) } }
        impl From<Option<$ty>> for Val { fn from(v: Option<$ty>) -> Self { Val::$variant(v.map($conv)) } }
    )*};
}
val_from!(Int: i64 => std::convert::identity, i32 => i64::from, u32 => i64::from, u16 => i64::from, u8 => i64::from,
    u64 => |v| i64::try_from(v).unwrap_or(i64::MAX), usize => |v| i64::try_from(v).unwrap_or(i64::MAX));
val_from!(Float: f64 => std::convert::identity, f32 => f64::from);
val_from!(Bool: bool => std::convert::identity);
val_from!(Text: String => no_nul, &str => |v: &str| no_nul(v.to_owned()), &String => |v: &String| no_nul(v.clone()));
val_from!(Bytes: Vec<u8> => std::convert::identity, &[u8] => |v: &[u8]| v.to_vec());

/// Postgres text cannot hold U+0000; its visible picture stands for it, on both stores alike.
fn no_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "␀") } else { text }
}

macro_rules! bind {
    ($name:ident, $db:ty, $args:ty) => {
        pub(super) fn $name(mut query: Query<$db, $args>, args: Args) -> Query<$db, $args> {
            for arg in args {
                query = match arg {
                    Val::Int(v) => query.bind(v),
                    Val::Float(v) => query.bind(v),
                    Val::Bool(v) => query.bind(v),
                    Val::Text(v) => query.bind(v),
                    Val::Bytes(v) => query.bind(v),
                };
            }
            query
        }
    };
}
bind!(bind_sqlite, Sqlite, SqliteArguments);
bind!(bind_pg, Postgres, PgArguments);

/// One row of either database.
#[derive(Debug)]
pub enum Row<'a> {
    /// From SQLite.
    Sqlite(&'a SqliteRow),
    /// From Postgres.
    Postgres(&'a PgRow),
}

/// What a column may be read as: `i64`, `f64`, `bool`, `String`, `Vec<u8>`, and `Option` of them.
pub trait FromRow:
    for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> + Type<Sqlite> + Type<Postgres> + Sized
{
}
impl<T> FromRow for T where T: for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> + Type<Sqlite> + Type<Postgres> {}

impl Row<'_> {
    /// Column `index`, counted from 0.
    ///
    /// # Errors
    /// When the column is missing, NULL for a type that is no `Option`, or of another type; the error names it.
    pub fn get<T: FromRow>(&self, index: usize) -> Result<T, StoreError> {
        match self {
            Row::Sqlite(row) => row.try_get(index),
            Row::Postgres(row) => row.try_get(index),
        }
        .map_err(StoreError::from)
    }
}
