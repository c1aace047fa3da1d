//! The kit beneath the console: terminal, keys, themes, widgets.
