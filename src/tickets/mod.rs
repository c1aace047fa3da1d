//! The ticket queue and its SLA clocks.
