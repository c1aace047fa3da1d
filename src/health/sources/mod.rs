//! Where samples come from: this machine, read straight from the kernel.

mod local;
mod mounts;
mod proc;
mod procs;

pub use local::Sampler;
