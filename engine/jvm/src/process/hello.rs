//! The first frame of each connection: who it is.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use thiserror::Error;

use crate::frames::{Frame, FrameError, Kind, PROTOCOL};

/// A host says HELLO at once.
const LIMIT: Duration = Duration::from_secs(10);
/// The oldest Java that runs a host.
const OLDEST_JAVA: u32 = 17;

/// What a connection is for.
#[derive(Debug, PartialEq)]
pub(super) enum Role {
    /// The worker's calls.
    Control,
    /// The host's calls.
    Callback,
    /// Calls of a task, by the lane's number.
    Lane(u64),
}

/// Why a connection is refused.
#[derive(Debug, Error)]
pub(super) enum HelloError {
    #[error("it did not say HELLO: {0}")]
    Frame(#[from] FrameError),
    #[error("it did not show the token that it was started with")]
    Token,
    #[error("it speaks protocol {0}, this worker {PROTOCOL}: install the Java host of this release")]
    Protocol(String),
    #[error("it runs on Java {0}: set `volley.java.home` to a Java {OLDEST_JAVA} or newer")]
    Java(String),
    #[error("it has the unknown role `{0}`")]
    Role(String),
}

/// Reads the HELLO of a connection.
pub(super) fn read(stream: &mut UnixStream, token: &str) -> Result<Role, HelloError> {
    stream.set_read_timeout(Some(LIMIT)).map_err(FrameError::from)?;
    let frame = Frame::read(stream)?;
    if frame.kind != Kind::Hello {
        return Err(FrameError::Unexpected(frame.kind).into());
    }
    let hello = frame.json()?;
    // the token first: nobody else learns what this side speaks
    if hello["token"] != token {
        return Err(HelloError::Token);
    }
    if hello["protocol"] != PROTOCOL {
        return Err(HelloError::Protocol(hello["protocol"].to_string()));
    }
    let role = match (hello["role"].as_str(), hello["lane"].as_u64()) {
        (Some("control"), _) => Role::Control,
        (Some("callback"), _) => Role::Callback,
        (Some("lane"), Some(lane)) => Role::Lane(lane),
        (role, _) => return Err(HelloError::Role(role.unwrap_or_default().to_owned())),
    };
    match hello["java"].as_str() {
        Some(java) if role == Role::Control && feature_version(java) < OLDEST_JAVA => {
            return Err(HelloError::Java(java.to_owned()));
        }
        _ => {}
    }
    stream.set_read_timeout(None).map_err(FrameError::from)?;
    Ok(role)
}

/// The number that a version of Java begins with; those before 9 began with `1.`.
fn feature_version(java: &str) -> u32 {
    let mut numbers = java.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    match numbers.next() {
        Some(1) => numbers.next().unwrap_or(1),
        first => first.unwrap_or(0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::frames::Outgoing;

    fn said(hello: &Value) -> Result<Role, HelloError> {
        let (mut worker, mut host) = UnixStream::pair().unwrap();
        Outgoing::json(Kind::Hello, hello).write(&mut host).unwrap();
        read(&mut worker, "t")
    }

    #[test]
    fn a_hello_says_what_a_connection_is_for() {
        let hello = json!({"protocol": 1, "token": "t", "role": "control", "java": "17.0.15"});
        assert_eq!(said(&hello).unwrap(), Role::Control);
        assert_eq!(said(&json!({"protocol": 1, "token": "t", "role": "lane", "lane": 7})).unwrap(), Role::Lane(7));
    }

    #[test]
    fn another_protocol_an_old_java_and_a_wrong_token_are_refused() {
        let refused = |hello| said(&hello).unwrap_err().to_string();
        let old = refused(json!({"protocol": 2, "token": "t", "role": "control"}));
        assert!(old.contains("protocol 2") && old.contains("this worker 1"), "{old}");
        let java = refused(json!({"protocol": 1, "token": "t", "role": "control", "java": "1.8.0_402"}));
        assert!(java.contains("1.8.0_402") && java.contains("Java 17"), "{java}");
        assert!(refused(json!({"protocol": 2, "token": "u", "role": "control"})).contains("token"));
    }

    #[test]
    fn versions_of_java_are_read_as_java_writes_them() {
        for (text, version) in [("17.0.15", 17), ("1.8.0_402", 8), ("25", 25), ("26-ea", 26), ("", 0)] {
            assert_eq!(feature_version(text), version, "{text}");
        }
    }
}
