//! What a list shows of a ticket.

use crate::store::{Row, StoreError};
use crate::tickets::model::Ticket;

macro_rules! listed {
    ($first:ident $(, $column:ident)*) => {
        /// What to select of `ticket t` for [`read`].
        pub(super) const COLUMNS: &str = concat!("t.", stringify!($first) $(, ", t.", stringify!($column))*);
        /// The first column after them.
        pub(super) const WIDTH: usize = [stringify!($first) $(, stringify!($column))*].len();

        /// A ticket of a list; what is not listed of it is empty.
        pub(super) fn read(r: &Row<'_>) -> Result<Ticket, StoreError> {
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
