//! The one error type of the API: its kind tells the caller what to do.

use std::error::Error as StdError;
use std::fmt;

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The same call may succeed later; nothing of it took effect.
    Retriable,
    /// The data is bad; another record may be fine.
    Data,
    /// The configuration is wrong; nothing will be fine until the user changes it.
    Config,
    /// Neither retrying nor another record helps.
    Fatal,
}

/// An error of a plug-in or of the worker.
///
/// `Display` names the thing, says what is wrong and what to do, and does not repeat the [`source`](StdError::source).
pub struct Error {
    kind: ErrorKind,
    message: String,
    exception: Option<&'static str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with a message for the user.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), exception: None, source: None }
    }

    /// See [`ErrorKind::Retriable`].
    pub fn retriable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Retriable, message)
    }

    /// See [`ErrorKind::Data`].
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// See [`ErrorKind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// See [`ErrorKind::Fatal`].
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Fatal, message)
    }

    /// The same error with the cause that led to it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error under the Java class name that Kafka Connect's users know it by.
    #[must_use]
    pub fn with_exception(mut self, class: &'static str) -> Self {
        self.exception = Some(class);
        self
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.kind == ErrorKind::Retriable
    }

    /// The Java class name of this error: the one given, or the one that Kafka Connect would use for its kind.
    pub fn exception(&self) -> &'static str {
        self.exception.unwrap_or(match self.kind {
            ErrorKind::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            ErrorKind::Data => "org.apache.kafka.connect.errors.DataException",
            ErrorKind::Config => "org.apache.kafka.common.config.ConfigException",
            ErrorKind::Fatal => "org.apache.kafka.connect.errors.ConnectException",
        })
    }

    /// The message and those of all causes, one a line, as a status trace shows them:
    /// `class: message`, then `Caused by: …` lines.
    pub fn trace(&self) -> String {
        let mut trace = format!("{}: {}", self.exception(), self.message);
        let mut cause = self.source();
        while let Some(error) = cause {
            trace.push_str(&format!("\nCaused by: {error}"));
            cause = error.source();
        }
        trace
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.trace())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::data(error.to_string())
    }
}
