//! The `volley` program with the built-in plug-ins.

use std::process::ExitCode;

/// Batches come and go by the megabyte. glibc gives each back to the system and has it zeroed again, which took a sixth of a
/// drain's time, and keeps what several threads free in turns.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    volley::run(Vec::new())
}
