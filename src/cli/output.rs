//! Standard output that may be closed early: `volley plugins | head` is no error.

use std::fmt;
use std::io::Write;

/// Writes a line to standard output. Whoever does not want to read on misses nothing.
pub(super) fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// `println!` for an output that may be closed.
macro_rules! say {
    () => { $crate::cli::output::line(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::output::line(format_args!($($text)*)) };
}

pub(super) use say;
