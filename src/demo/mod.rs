//! A synthetic company, seeded and alive.
