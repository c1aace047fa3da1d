//! Where samples come from.

mod local;

pub use local::Sampler;
