//! Event logs and bottlenecks.
