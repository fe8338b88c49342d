//! The `volley` program with the built-in plug-ins.

use std::process::ExitCode;

fn main() -> ExitCode {
    volley::run(Vec::new())
}
