//! The ticket queue and its SLA clocks.

pub mod eval;
pub mod sla;
