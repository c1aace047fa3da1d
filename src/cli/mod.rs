//! The command tree: one file per noun, thin.
