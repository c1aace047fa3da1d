//! What a list shows of a ticket, as either database sends it.
//!
//! sqlx takes every value of a SQLite row apart by itself; a row that comes as one JSON array costs a third.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};

use crate::store::{Dialect, Row, StoreError};
use crate::tickets::model::Ticket;

/// A column as JSON has it.
trait Cell: Sized {
    type As: for<'de> Deserialize<'de>;
    fn of(cell: Self::As) -> Self;
}

macro_rules! cell {
    ($($ty:ty),*) => {$(
        impl Cell for $ty {
            type As = Self;
            fn of(cell: Self) -> Self { cell }
        }
    )*};
}
cell!(i64, Option<i64>, String, Option<String>);

impl Cell for bool {
    type As = i64;
    fn of(cell: i64) -> Self {
        cell != 0
    }
}

fn next<'de, T: Cell, A: SeqAccess<'de>>(cells: &mut A, column: &str) -> Result<T, A::Error> {
    let cell = cells.next_element().map_err(|e| A::Error::custom(format!("ticket.{column}: {e}")))?;
    cell.map(T::of).ok_or_else(|| A::Error::custom(format!("ticket.{column} is missing")))
}

macro_rules! listed {
    ($first:ident $(, $column:ident)*) => {
        /// The columns, of `ticket t`; the rest of a ticket is empty in a list.
        const COLUMNS: &str = concat!("t.", stringify!($first) $(, ", t.", stringify!($column))*);
        const PACKED: &str = concat!("json_array(t.", stringify!($first) $(, ", t.", stringify!($column))*, ")");

        /// How many columns of a result they are on Postgres.
        const WIDTH: usize = [stringify!($first) $(, stringify!($column))*].len();

        struct Cells;

        impl<'de> Visitor<'de> for Cells {
            type Value = Ticket;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "the {WIDTH} columns of a ticket")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Ticket, A::Error> {
                let ticket = Ticket {
                    $first: next(&mut cells, stringify!($first))?,
                    $($column: next(&mut cells, stringify!($column))?,)*
                    body: String::new(),
                    cause: None,
                    solution: None,
                    category: None,
                };
                while cells.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ticket)
            }
        }

        fn from_columns(r: &Row<'_>) -> Result<Ticket, StoreError> {
            let mut column = 0..;
            let mut at = || column.next().unwrap_or_default();
            Ok(Ticket {
                $first: r.get(at())?,
                $($column: r.get(at())?,)*
                body: String::new(),
                cause: None,
                solution: None,
                category: None,
            })
        }
    };
}
listed!(
    id,
    title,
    scope,
    severity,
    level,
    state,
    channel,
    reporter,
    owner,
    created_at,
    reported_at,
    follow_up_at,
    pause_reason,
    flag,
    response_due,
    response_breach_at,
    response_met_at,
    response_breached,
    response_excused,
    resolution_due,
    resolution_breach_at,
    resolved_at,
    resolution_breached,
    resolution_excused,
    born_late,
    urgency,
    risk_at,
    next_at,
    merged_into,
    continues,
    reports,
    version,
    next_due,
    next_breach_at,
    resolution_used,
    safe_start
);

/// What to select of `ticket t` for [`read`].
pub(super) fn columns(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => PACKED,
        Dialect::Postgres => COLUMNS,
    }
}

/// The first column after them.
pub(super) fn width(r: &Row<'_>) -> usize {
    match r {
        Row::Sqlite(_) => 1,
        Row::Postgres(_) => WIDTH,
    }
}

/// A ticket of a list.
pub(super) fn read(r: &Row<'_>) -> Result<Ticket, StoreError> {
    match r {
        Row::Sqlite(_) => {
            let cells: String = r.get(0)?;
            let ticket = serde_json::Deserializer::from_str(&cells).deserialize_seq(Cells);
            ticket.map_err(|e| StoreError::Value(e.to_string()))
        }
        Row::Postgres(_) => from_columns(r),
    }
}
