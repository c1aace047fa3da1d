//! The zhiban binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    zhiban::cli::main()
}
