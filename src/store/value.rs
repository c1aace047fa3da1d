//! Values into and out of either database.

use rusqlite::types::ValueRef;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Decode, Postgres, Row as _, Type};

use super::StoreError;
use super::lite::TableRow;

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

pub(super) fn bind_pg(mut query: Query<Postgres, PgArguments>, args: Args) -> Query<Postgres, PgArguments> {
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

/// One row of either database.
#[derive(Debug)]
pub enum Row<'a> {
    /// From SQLite.
    Sqlite(TableRow<'a>),
    /// From Postgres.
    Postgres(&'a PgRow),
}

/// A type that a cell of SQLite may be read as.
pub trait FromCell: Sized {
    /// What the cell must hold, as SQLite names it.
    const HOLDS: &'static str;

    /// Nothing when the cell holds something else.
    fn from_cell(cell: ValueRef<'_>) -> Option<Self>;
}

macro_rules! from_cell {
    ($($ty:ty, $holds:literal: $($cell:pat => $value:expr),+;)*) => {$(
        impl FromCell for $ty {
            const HOLDS: &'static str = $holds;
            fn from_cell(cell: ValueRef<'_>) -> Option<Self> {
                match cell { $($cell => $value,)+ _ => None }
            }
        }
    )*};
}
from_cell! {
    i64, "INTEGER": ValueRef::Integer(v) => Some(v);
    bool, "INTEGER": ValueRef::Integer(v) => Some(v != 0);
    f64, "REAL": ValueRef::Real(v) => Some(v), ValueRef::Integer(v) => Some(v as f64);
    String, "TEXT": ValueRef::Text(v) => std::str::from_utf8(v).ok().map(str::to_owned);
    Vec<u8>, "BLOB": ValueRef::Blob(v) => Some(v.to_vec()), ValueRef::Text(v) => Some(v.to_vec());
}

impl<T: FromCell> FromCell for Option<T> {
    const HOLDS: &'static str = T::HOLDS;

    fn from_cell(cell: ValueRef<'_>) -> Option<Self> {
        match cell {
            ValueRef::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// What a column may be read as: `i64`, `f64`, `bool`, `String`, `Vec<u8>`, and `Option` of them.
pub trait FromRow: FromCell + for<'r> Decode<'r, Postgres> + Type<Postgres> {}
impl<T> FromRow for T where T: FromCell + for<'r> Decode<'r, Postgres> + Type<Postgres> {}

impl Row<'_> {
    /// Column `index`, counted from 0.
    ///
    /// # Errors
    /// When the column is missing, NULL for a type that is no `Option`, or of another type; the error names it.
    pub fn get<T: FromRow>(&self, index: usize) -> Result<T, StoreError> {
        match self {
            Row::Sqlite(row) => row.get(index),
            Row::Postgres(row) => row.try_get(index).map_err(StoreError::from),
        }
    }
}

impl TableRow<'_> {
    fn get<T: FromCell>(&self, index: usize) -> Result<T, StoreError> {
        let cell = self.cell(index);
        cell.and_then(T::from_cell).ok_or_else(|| {
            let found = cell.map_or_else(|| "nothing".into(), |cell| cell.data_type().to_string().to_uppercase());
            let name = crate::text::clean(self.column(index)).into_owned();
            StoreError::Value(format!("column {index} ({name}): {found}, not {}", T::HOLDS))
        })
    }
}
