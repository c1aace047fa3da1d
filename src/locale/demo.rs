//! Messages of `demo`.

crate::messages! {}
