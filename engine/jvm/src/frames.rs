//! Frames: what travels over each connection between worker and host.
//!
//! ```text
//!  u32 length of what follows │ u8 kind │ body
//! ```

use std::io::{self, Read, Write};

use serde_json::Value;
use thiserror::Error;

/// The protocol that this side speaks.
pub(crate) const PROTOCOL: u64 = 1;
/// The most that a frame may have behind its length.
const MAX_LENGTH: u32 = i32::MAX as u32;
/// Memory that is taken for a frame before its bytes are there: a length that lies costs no more.
const FIRST_ALLOCATION: usize = 1 << 20;
/// Length and kind.
const HEAD: usize = 5;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Hello = 1,
    Request = 2,
    Answer = 3,
    Notice = 4,
    Start = 16,
    Stop = 17,
    Poll = 18,
    Acked = 19,
    Commit = 20,
    Open = 21,
    Close = 22,
    Put = 23,
    PutAgain = 24,
    PreCommit = 25,
    Drop = 26,
    Prepare = 27,
    PutPrepared = 28,
    Done = 32,
    Failed = 33,
    Messages = 34,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Hello,
            2 => Self::Request,
            3 => Self::Answer,
            4 => Self::Notice,
            16 => Self::Start,
            17 => Self::Stop,
            18 => Self::Poll,
            19 => Self::Acked,
            20 => Self::Commit,
            21 => Self::Open,
            22 => Self::Close,
            23 => Self::Put,
            24 => Self::PutAgain,
            25 => Self::PreCommit,
            26 => Self::Drop,
            27 => Self::Prepare,
            28 => Self::PutPrepared,
            32 => Self::Done,
            33 => Self::Failed,
            34 => Self::Messages,
            _ => return None,
        })
    }
}

/// What is wrong with what came over a connection, or why nothing came.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    #[error("the connection failed")]
    Io(#[from] io::Error),
    #[error("the connection ended")]
    Ended,
    #[error("the connection ended within a frame")]
    Truncated,
    #[error("a frame of {0} bytes")]
    Length(u32),
    #[error("a frame of the unknown kind {0}")]
    UnknownKind(u8),
    #[error("a frame of kind {0:?} where another was due")]
    Unexpected(Kind),
    #[error("a body of kind {0:?} that is not what the protocol says: {1}")]
    Body(Kind, String),
}

/// A frame that was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
}

impl Frame {
    /// Reads one.
    ///
    /// # Errors
    /// [`FrameError::Ended`] if the connection ended before it.
    pub(crate) fn read(from: &mut impl Read) -> Result<Self, FrameError> {
        let length = read_length(from)?;
        if !(1..=MAX_LENGTH).contains(&length) {
            return Err(FrameError::Length(length));
        }
        let mut kind = [0];
        from.read_exact(&mut kind).map_err(within_a_frame)?;
        let kind = Kind::of(kind[0]).ok_or(FrameError::UnknownKind(kind[0]))?;
        let length = u64::from(length) - 1;
        let mut body = Vec::with_capacity(FIRST_ALLOCATION.min(length as usize));
        if from.take(length).read_to_end(&mut body)? as u64 != length {
            return Err(FrameError::Truncated);
        }
        Ok(Self { kind, body })
    }

    /// Its body as JSON.
    pub(crate) fn json(&self) -> Result<Value, FrameError> {
        serde_json::from_slice(&self.body).map_err(|error| FrameError::Body(self.kind, error.to_string()))
    }
}

fn read_length(from: &mut impl Read) -> Result<u32, FrameError> {
    let mut length = [0; 4];
    let mut read = 0;
    while read < length.len() {
        match from.read(&mut length[read..]) {
            Ok(0) if read == 0 => return Err(FrameError::Ended),
            Ok(0) => return Err(FrameError::Truncated),
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(u32::from_le_bytes(length))
}

fn within_a_frame(error: io::Error) -> FrameError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => FrameError::Truncated,
        _ => FrameError::Io(error),
    }
}

/// A frame that is being written.
#[derive(Debug)]
pub(crate) struct Outgoing(Vec<u8>);

impl Outgoing {
    /// One without a body so far.
    pub(crate) fn new(kind: Kind) -> Self {
        Self(vec![0, 0, 0, 0, kind as u8])
    }

    /// One whose body is JSON.
    pub(crate) fn json(kind: Kind, body: &Value) -> Self {
        let mut this = Self::new(kind);
        serde_json::to_writer(&mut this.0, body).expect("a JSON value can be written to memory");
        this
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A number of things that follow.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => {
                self.i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                self.0.extend_from_slice(bytes);
            }
            None => self.i32(-1),
        }
    }

    /// Sends it, in one call where the system takes it whole.
    ///
    /// # Errors
    /// If the connection does not take it; [`FrameError::Length`] if it is longer than a frame may be.
    pub(crate) fn write(mut self, to: &mut impl Write) -> Result<(), FrameError> {
        let length = u32::try_from(self.0.len() - (HEAD - 1)).unwrap_or(u32::MAX);
        if length > MAX_LENGTH {
            return Err(FrameError::Length(length));
        }
        self.0[..HEAD - 1].copy_from_slice(&length.to_le_bytes());
        to.write_all(&self.0)?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(frame: Outgoing) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let bytes = written(Outgoing::json(Kind::Request, &serde_json::json!({"id": 1, "call": "DUMP"})));
        let mut rest = bytes.as_slice();
        let frame = Frame::read(&mut rest).unwrap();
        assert_eq!(frame.kind, Kind::Request);
        assert_eq!(frame.json().unwrap()["call"], "DUMP");
        assert!(matches!(Frame::read(&mut rest), Err(FrameError::Ended)));
    }

    #[test]
    fn a_length_that_lies_takes_no_memory() {
        let mut bytes = (i32::MAX as u32).to_le_bytes().to_vec();
        bytes.extend([Kind::Messages as u8, 1, 2, 3]);
        assert!(matches!(Frame::read(&mut bytes.as_slice()), Err(FrameError::Truncated)));
        for length in [0, u32::MAX, MAX_LENGTH + 1] {
            let bytes = [length.to_le_bytes().as_slice(), &[2, 0]].concat();
            assert!(matches!(Frame::read(&mut bytes.as_slice()), Err(FrameError::Length(_))));
        }
    }

    proptest! {
        #[test]
        fn a_truncated_frame_is_an_error(body in prop::collection::vec(any::<u8>(), 0..50), cut in 0usize..55) {
            let mut frame = Outgoing::new(Kind::Put);
            frame.bytes(Some(&body));
            let bytes = written(frame);
            let cut = cut.min(bytes.len() - 1);
            prop_assert!(Frame::read(&mut &bytes[..cut]).is_err());
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut rest = bytes.as_slice();
            while Frame::read(&mut rest).is_ok() {}
        }
    }
}
