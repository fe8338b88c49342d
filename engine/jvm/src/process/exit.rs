//! Why a process ended, in words.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// What a JVM exits with under `-XX:+ExitOnOutOfMemoryError`.
const HEAP_EXHAUSTED: i32 = 3;
/// What a host exits with when its worker is gone.
const WORKER_GONE: i32 = 70;

/// What `status` means, as the end of a sentence about the process.
pub(super) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(HEAP_EXHAUSTED), _) => "its heap is exhausted (exit code 3): raise `volley.java.heap`".to_owned(),
        (Some(WORKER_GONE), _) => "it lost its connection to the worker (exit code 70)".to_owned(),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match signal_name(signal) {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {signal}"),
        },
        (None, None) => "for no known reason".to_owned(),
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT (the JVM crashed: look for hs_err_pid*.log)",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL (perhaps by the system, for lack of memory)",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_and_signals_are_said_in_words() {
        let words = |raw| in_words(ExitStatus::from_raw(raw));
        assert!(words(3 << 8).contains("heap is exhausted"));
        assert!(words(9).contains("SIGKILL"));
        assert_eq!(words(1 << 8), "exit code 1");
        assert_eq!(words(34), "killed by signal 34");
    }
}
