//! The one error type of the API: its kind tells the caller what to do.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

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
/// `Display` names the thing, says what is wrong and what to do, and does not repeat the [`source`](StdError::source); its
/// alternate form, `{:#}`, has the causes behind it, on one line.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    exception: Option<Cow<'static, str>>,
    place: Option<String>,
    java_trace: Option<Arc<str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with a message for the user.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), exception: None, place: None, java_trace: None, source: None }
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
        self.source = Some(source.into().into());
        self
    }

    /// The same error under the Java class name that Kafka Connect's users know it by.
    #[must_use]
    pub fn with_exception(mut self, class: impl Into<Cow<'static, str>>) -> Self {
        self.exception = Some(class.into());
        self
    }

    /// The same error with where it happened, which traces show as Java's show places: in a line below the message. For
    /// errors whose message is Kafka Connect's to the letter.
    #[must_use]
    pub fn with_place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The same error with the stack trace that Java wrote for it, causes included, which traces show as it is.
    #[must_use]
    pub fn with_java_trace(mut self, trace: impl Into<Arc<str>>) -> Self {
        self.java_trace = Some(trace.into());
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
    pub fn exception(&self) -> &str {
        self.exception.as_deref().unwrap_or(match self.kind {
            ErrorKind::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            ErrorKind::Data => "org.apache.kafka.connect.errors.DataException",
            ErrorKind::Config => "org.apache.kafka.common.config.ConfigException",
            ErrorKind::Fatal => "org.apache.kafka.connect.errors.ConnectException",
        })
    }

    /// The message and those of all causes, as a status trace shows them: `class: message`, then `Caused by: …` lines, each
    /// with its place below it where that is known. Where Java wrote a trace, the rest is Java's.
    pub fn trace(&self) -> String {
        let mut trace = traced(self);
        let mut cause = self.cause_to_trace();
        while let Some(error) = cause {
            trace.push_str("\nCaused by: ");
            trace.push_str(&traced(error));
            cause = match error.downcast_ref::<Self>() {
                Some(error) => error.cause_to_trace(),
                None => error.source(),
            };
        }
        trace
    }

    /// The cause, unless Java's trace has it already.
    fn cause_to_trace(&self) -> Option<&(dyn StdError + 'static)> {
        if self.java_trace.is_some() { None } else { self.source() }
    }
}

fn traced(error: &(dyn StdError + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<Error>() {
        if let Some(trace) = &error.java_trace {
            return trace.to_string();
        }
        let place = error.place.as_ref().map_or_else(String::new, |place| format!("\n\tat {place}"));
        // Java leaves out the message of an exception that has none
        let separator = if error.message.is_empty() { "" } else { ": " };
        return format!("{}{separator}{}{place}", error.exception(), error.message);
    }
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(kind) => format!("{}: {error}", io_exception(kind)),
        None => error.to_string(),
    }
}

/// What Java calls a failure of the system.
fn io_exception(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "java.nio.file.NoSuchFileException",
        io::ErrorKind::PermissionDenied => "java.nio.file.AccessDeniedException",
        io::ErrorKind::AlreadyExists => "java.nio.file.FileAlreadyExistsException",
        io::ErrorKind::ConnectionRefused => "java.net.ConnectException",
        _ => "java.io.IOException",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return f.write_str(&self.message);
        }
        // some of Kafka Connect's messages end with a colon
        f.write_str(self.message.trim_end_matches([':', ' ']))?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {}", error.to_string().trim_end_matches([':', ' ']))?;
            cause = error.source();
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_names_the_class_of_every_cause_and_its_place() {
        let missing = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let cause = Error::data("bad: ").with_place("offset 3 of t-0").with_source(missing);
        let error = Error::fatal("Exiting").with_source(cause);
        assert_eq!(
            error.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Exiting\n\
             Caused by: org.apache.kafka.connect.errors.DataException: bad: \n\
             \tat offset 3 of t-0\n\
             Caused by: java.nio.file.NoSuchFileException: no such file"
        );
        assert_eq!(error.to_string(), "Exiting");
        assert_eq!(format!("{error:#}"), "Exiting: bad: no such file");
    }

    #[test]
    fn what_java_traced_is_shown_as_java_wrote_it() {
        let java = "a.B: no\n\tat a.C.put(C.java:7)\nCaused by: a.D\n\t... 1 more";
        let error =
            Error::fatal("no").with_exception("a.B").with_java_trace(java).with_source(Error::data("told by Java"));
        assert_eq!(error.trace(), java);
        let outer = Error::fatal("Exiting").with_source(error);
        let expected = format!("org.apache.kafka.connect.errors.ConnectException: Exiting\nCaused by: {java}");
        assert_eq!(outer.trace(), expected);
        assert_eq!(outer.to_string(), "Exiting");
    }

    #[test]
    fn a_copy_has_the_same_trace() {
        let error = Error::retriable("later").with_source(Error::config("wrong").with_exception("a.B"));
        assert_eq!(error.clone().trace(), error.trace());
    }
}
