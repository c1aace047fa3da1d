//! Messages of `backups`.

crate::messages! {}
