//! Messages of `tickets`.

crate::messages! {}
