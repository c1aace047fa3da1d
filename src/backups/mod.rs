//! The backup catalogue, plans, adherence.
