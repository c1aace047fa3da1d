//! The service: lease holder, periodic work.
