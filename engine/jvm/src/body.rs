//! Reads binary bodies of frames.

use thiserror::Error;

/// What is wrong with a body.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum BodyError {
    #[error("it ends too early")]
    Truncated,
    #[error("it has {0} bytes too many")]
    TooLong(usize),
    #[error("a text in it is not UTF-8")]
    Text,
    #[error("a length of {0}")]
    Length(i32),
    #[error("{0}")]
    Content(String),
}

/// What is left of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], BodyError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(BodyError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BodyError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(BodyError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, BodyError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, BodyError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, BodyError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, BodyError> {
        self.array().map(i64::from_le_bytes)
    }

    /// A number of things that follow, of at least `bytes_each`: no more than there is room for.
    pub(crate) fn count(&mut self, bytes_each: usize) -> Result<usize, BodyError> {
        let count = self.u32()? as usize;
        if count.checked_mul(bytes_each).is_none_or(|bytes| bytes > self.0.len()) {
            return Err(BodyError::Truncated);
        }
        Ok(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, BodyError> {
        let len = self.u32()? as usize;
        std::str::from_utf8(self.take(len)?).map_err(|_| BodyError::Text)
    }

    pub(crate) fn bytes(&mut self) -> Result<Option<&'a [u8]>, BodyError> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let len = usize::try_from(length).map_err(|_| BodyError::Length(length))?;
                self.take(len).map(Some)
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// If there is something left.
    pub(crate) fn end(self) -> Result<(), BodyError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(BodyError::TooLong(left)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_count_beyond_the_body_is_refused_before_memory_is_taken_for_it() {
        let bytes = u32::MAX.to_le_bytes();
        assert_eq!(Body::new(&bytes).count(1), Err(BodyError::Truncated));
        assert_eq!(Body::new(&bytes).count(usize::MAX), Err(BodyError::Truncated));
    }

    #[test]
    fn null_bytes_are_not_empty_ones_and_other_negative_lengths_are_wrong() {
        let mut null = Body::new(&[255; 4]);
        assert_eq!(null.bytes(), Ok(None));
        null.end().unwrap();
        assert_eq!(Body::new(&[0; 4]).bytes(), Ok(Some([].as_slice())));
        assert_eq!(Body::new(&(-2i32).to_le_bytes()).bytes(), Err(BodyError::Length(-2)));
        assert_eq!(Body::new(&[0; 5]).end(), Err(BodyError::TooLong(5)));
    }
}
