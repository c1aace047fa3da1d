//! The console: loop, tabs, layers, wall.
