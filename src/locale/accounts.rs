//! Messages of `accounts`.

crate::messages! {}
