//! Pools, transactions, migrations, the two dialects.
