//! Decodes schemaless JSON of one kind with the schema inferred so far, and widens the schema for rows that do not fit.
//!
//! ```text
//!  decode row by row ── all fit ─────────────────────────────► one run
//!        └─ a row needs a wider schema ─► widen by all rows from there on ─► decode the batch again
//! ```
//! So a batch is decoded at most twice, whatever it contains, and always gives one run.

use std::sync::Arc;

use volley_api::{Column, Result};

use super::infer::widen;
use super::pins::Pinned;
use super::shape::Shape;
use crate::json::columns::{Node, decode_message};
use crate::json::syntax::{Cause, Decoded, Failure, validate, without_duplicates};

/// The inferred schema of some values.
#[derive(Debug)]
pub(crate) struct Inference {
    shape: Shape,
    /// Builders of `shape`; `None` as long as all values were null.
    root: Option<Node>,
    pins: Option<Node>,
}

/// Decoded rows.
#[derive(Debug)]
pub(crate) struct Decode {
    /// The values of all rows except the rejected ones.
    pub(crate) column: Column,
    /// Rows that could not be decoded, ascending, with the reason.
    pub(crate) rejected: Vec<(usize, Failure)>,
}

/// The messages of a batch.
#[derive(Debug)]
pub(crate) struct Messages<F> {
    /// Number of rows.
    pub(crate) len: usize,
    /// Whether all rows are known to be UTF-8.
    pub(crate) utf8: bool,
    /// The message of a row; `None` = null.
    pub(crate) get: F,
}

impl<'a, F: Fn(usize) -> Option<&'a [u8]>> Messages<F> {
    /// The message of a row, or the failure if it is not UTF-8. `None` = null; a message with only white space is null,
    /// too.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Decoded<Option<&'a [u8]>> {
        let message = (self.get)(row);
        match message {
            Some(bytes @ ([] | [b' ' | b'\n' | b'\r' | b'\t', ..])) if is_blank(bytes) => Ok(None),
            Some(bytes) if !self.utf8 => check_utf8(bytes).map(|()| message),
            _ => Ok(message),
        }
    }
}

/// Whether a message contains only JSON's white space: Connect's JsonConverter reads that as null.
#[cold]
pub(crate) fn is_blank(message: &[u8]) -> bool {
    message.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
}

/// Whether `bytes` are UTF-8.
#[cold]
pub(crate) fn check_utf8(bytes: &[u8]) -> Decoded<()> {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::syntax("invalid UTF-8", error.valid_up_to())),
    }
}

impl Inference {
    /// Starts with the columns from the user only.
    pub(crate) fn new(pins: &[Pinned]) -> Self {
        let shape = Shape::of_pins(pins);
        Self { root: shape.root(), pins: shape.pinned_root(), shape }
    }

    /// Decodes a batch. The schema covers all rows so far.
    ///
    /// # Errors
    /// None caused by rows.
    pub(crate) fn decode<'a, F: Fn(usize) -> Option<&'a [u8]>>(&mut self, messages: &Messages<F>) -> Result<Decode> {
        let mut rejected = Vec::new();
        let mut at = 0;
        let mut row = 0;
        let mut widened = false;
        while row < messages.len {
            let failure = match messages.text(row) {
                Ok(message) => match self.decode_row(message, at) {
                    Ok(()) => None,
                    Err(failure) if matches!(failure.cause(), Cause::Wider) && !widened => {
                        widened = true;
                        if self.widen_by(messages, row) {
                            self.root = self.shape.root();
                            rejected.clear();
                            (row, at) = (0, 0);
                            continue;
                        }
                        self.decode_again(message, at, failure).err()
                    }
                    Err(failure) => self.decode_again(message, at, failure).err(),
                },
                Err(failure) => Some(failure),
            };
            match failure {
                None => at += 1,
                Some(failure) => rejected.push((row, failure)),
            }
            row += 1;
        }
        Ok(Decode { column: self.finish(at)?, rejected })
    }

    /// Decodes a message into row `at`. A failure removes all of the row.
    #[inline]
    fn decode_row(&mut self, message: Option<&[u8]>, at: usize) -> Decoded<()> {
        let Some(root) = &mut self.root else {
            return match message {
                None => Ok(()),
                Some(message) if message.trim_ascii() == b"null" => Ok(()),
                Some(_) => Err(Failure::wider()),
            };
        };
        match message {
            None => {
                root.append_null(at);
                Ok(())
            }
            Some(message) => decode_message(root, message, at).inspect_err(|_| root.truncate(at)),
        }
    }

    /// Decodes a row again that failed after the schema was widened by all good rows. Either the row is bad, or a
    /// duplicate member, which does not count, caused the failure.
    #[cold]
    fn decode_again(&mut self, message: Option<&[u8]>, at: usize, failure: Failure) -> Decoded<()> {
        let Some(message) = message.filter(|_| !matches!(failure.cause(), Cause::Syntax { .. })) else {
            return Err(failure);
        };
        validate(message)?;
        if let Some(unique) = without_duplicates(message) {
            self.check_pins(&unique)?;
            return self.decode_row(Some(&unique), at);
        }
        self.check_pins(message)?;
        Err(failure)
    }

    /// Widens the shape by the good rows from `first` on. Returns whether it has changed.
    #[cold]
    fn widen_by<'a, F: Fn(usize) -> Option<&'a [u8]>>(&mut self, messages: &Messages<F>, first: usize) -> bool {
        let before = self.shape.clone();
        for row in first..messages.len {
            if let Ok(Some(message)) = messages.text(row)
                && validate(message).is_ok()
            {
                let unique = without_duplicates(message);
                let message = unique.as_deref().unwrap_or(message);
                if self.check_pins(message).is_ok() {
                    // A row that does not fit the shape fails again when it is decoded, and is rejected then.
                    let _ = widen(&mut self.shape, message);
                }
            }
        }
        self.shape != before
    }

    /// Whether the pinned columns accept a message, which MUST be valid and without duplicates.
    fn check_pins(&mut self, message: &[u8]) -> Decoded<()> {
        let Some(pins) = &mut self.pins else { return Ok(()) };
        let outcome = decode_message(pins, message, 0);
        pins.truncate(0);
        outcome
    }

    fn finish(&mut self, len: usize) -> Result<Column> {
        let Some(root) = &mut self.root else { return Ok(Column::nulls(len)) };
        let array = root.finish(len)?;
        match root.field() {
            Some(field) => Ok(Column::new(Arc::clone(field), array)),
            None => Ok(Column::nulls(len)),
        }
    }
}
