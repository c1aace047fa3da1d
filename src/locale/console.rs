//! Messages of `console`.

crate::messages! {}
