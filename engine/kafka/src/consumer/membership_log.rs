//! Reads a consumer's membership from librdkafka's log, since no call of librdkafka returns the member id.

use parking_lot::Mutex;

/// The value of librdkafka's `debug` that logs membership.
pub(crate) const DEBUG: &str = "cgrp";

/// librdkafka's state while a JoinGroup request is in flight.
const JOINING: &str = "wait-join";

/// Reads log lines.
#[derive(Debug, Default)]
pub(crate) struct MembershipLog(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The last member id.
    member_id: Option<String>,
    has_member_id: bool,
    is_joining: bool,
}

impl MembershipLog {
    /// Takes a line.
    pub(crate) fn read(&self, facility: &str, line: &str) {
        match facility {
            "MEMBERID" => {
                let Some((_, new)) = line.rsplit_once("\" -> \"") else { return };
                let new = new.strip_suffix('"').unwrap_or(new);
                let mut seen = self.0.lock();
                seen.has_member_id = !new.is_empty();
                if seen.has_member_id {
                    seen.member_id = Some(new.to_owned());
                }
            }
            "CGRPJOINSTATE" => {
                let Some((_, state)) = line.rsplit_once(" -> ") else { return };
                self.0.lock().is_joining = state.split(' ').next() == Some(JOINING);
            }
            _ => {}
        }
    }

    /// The consumer's current or last member id.
    pub(crate) fn member_id(&self) -> Option<String> {
        self.0.lock().member_id.clone()
    }

    /// Whether the consumer is no member and does not join yet: it may at any moment.
    pub(crate) fn is_about_to_join(&self) -> bool {
        let seen = self.0.lock();
        !seen.is_joining && !seen.has_member_id
    }

    /// Whether the consumer joins as a new member and has not received its member id yet.
    pub(crate) fn awaits_member_id(&self) -> bool {
        let seen = self.0.lock();
        seen.is_joining && !seen.has_member_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_join_is_told_from_one_with_a_member_id() {
        let log = MembershipLog::default();
        assert!(log.is_about_to_join() && !log.awaits_member_id());
        log.read("CGRPJOINSTATE", r#"[thrd:main]: Group "g" changed join state init -> wait-join (state up)"#);
        assert!(log.awaits_member_id() && !log.is_about_to_join() && log.member_id().is_none());
        log.read("MEMBERID", r#"[thrd:main]: Group "g": updating member id "" -> "c-1""#);
        assert!(!log.awaits_member_id() && !log.is_about_to_join());
        log.read("CGRPJOINSTATE", r#"[thrd:main]: Group "g" changed join state wait-join -> steady (state up)"#);
        log.read("HEARTBEAT", "a line of another kind");
        // librdkafka clears the id when it requests to leave, and the request may never be read
        log.read("MEMBERID", r#"[thrd:main]: Group "g": updating member id "c-1" -> """#);
        assert_eq!(log.member_id().as_deref(), Some("c-1"));
        log.read("CGRPJOINSTATE", r#"[thrd:main]: Group "g" changed join state init -> wait-join (state up)"#);
        assert!(log.awaits_member_id());
    }
}
