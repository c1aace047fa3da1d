//! Messages of `health`.

crate::messages! {}
