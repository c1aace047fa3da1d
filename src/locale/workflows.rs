//! Messages of `workflows`.

crate::messages! {}
