//! The failure to decode a value.

use std::fmt;

use volley_api::Error;

use crate::rejections::serialization_error;

/// A failure to decode one value. Boxed, so that the hot path returns a single pointer.
#[derive(Debug)]
pub(crate) struct Failure(Box<Cause>);

/// The cause of a failure.
#[derive(Debug)]
pub(crate) enum Cause {
    /// Not JSON. `at` is a byte offset into the message.
    Syntax {
        /// The expected element.
        message: &'static str,
        /// Byte offset.
        at: usize,
    },
    /// The inferred schema does not cover the value: it has to be widened.
    Wider,
    /// The value does not fit a schema that cannot be widened. `path` leads to the value, outermost name last.
    Unfit {
        /// The reason.
        message: String,
        /// Names of the fields around it, innermost first.
        path: Vec<String>,
    },
}

/// `Result` of decoding.
pub(crate) type Decoded<T> = Result<T, Failure>;

impl Failure {
    /// Not JSON.
    #[cold]
    pub(crate) fn syntax(message: &'static str, at: usize) -> Self {
        Self(Box::new(Cause::Syntax { message, at }))
    }

    /// The schema has to be widened.
    #[cold]
    pub(crate) fn wider() -> Self {
        Self(Box::new(Cause::Wider))
    }

    /// The value does not fit.
    #[cold]
    pub(crate) fn unfit(message: impl Into<String>) -> Self {
        Self(Box::new(Cause::Unfit { message: message.into(), path: Vec::new() }))
    }

    /// The same failure, within the field `name`.
    #[cold]
    pub(crate) fn within(mut self, name: &str) -> Self {
        if let Cause::Unfit { path, .. } = &mut *self.0 {
            path.push(name.to_owned());
        }
        self
    }

    /// The error of its row. A syntax error has Kafka Connect's message, which users know.
    pub(crate) fn into_error(self) -> Error {
        match *self.0 {
            Cause::Syntax { .. } => {
                Error::data("Converting byte[] to Kafka Connect data failed due to serialization error: ")
                    .with_source(serialization_error(self.to_string()))
            }
            _ => Error::data(self.to_string()),
        }
    }

    /// The cause.
    pub(crate) fn cause(&self) -> &Cause {
        &self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Syntax { message, at } => write!(f, "invalid JSON at byte {at}: {message}"),
            Cause::Wider => f.write_str("value does not fit the inferred schema"),
            Cause::Unfit { message, path } if path.is_empty() => f.write_str(message),
            Cause::Unfit { message, path } => {
                let path: Vec<&str> = path.iter().rev().map(String::as_str).collect();
                write!(f, "field `{}`: {message}", path.join("."))
            }
        }
    }
}
