//! Why there is no answer to an HTTP request.

use std::io;
use std::time::Duration;

use volley_api::Error;

/// Why there is no answer, by how far it came. The texts name no URL.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL names no host.
    #[error("its URL names no host")]
    NoHost,
    /// The URL is neither http nor https.
    #[error("its URL has the scheme {0}, not http or https")]
    Scheme(String),
    /// The `ssl.*` keys cannot be followed.
    #[error("{0}")]
    TlsSettings(Error),
    /// No such name, or nobody took the connection.
    #[error("{0}")]
    Connect(io::Error),
    /// Nobody took the connection in time.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The handshake failed.
    #[error("{0}")]
    Tls(Error),
    /// The handshake took too long.
    #[error("no TLS handshake within {0:?}")]
    TlsTimeout(Duration),
    /// Method, path or headers are none.
    #[error("no request can be made to it: {0}")]
    Request(String),
    /// The connection broke, or what came is no HTTP, or too long.
    #[error("{0}")]
    Exchange(io::Error),
    /// The answer took too long.
    #[error("no answer within {0:?}")]
    AnswerTimeout(Duration),
}

/// `Result` of an HTTP request.
pub type HttpResult<T> = std::result::Result<T, HttpError>;

impl From<HttpError> for Error {
    /// `Config` where asking again does not help, else `Retriable`.
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::TlsSettings(error) | HttpError::Tls(error) => error,
            HttpError::NoHost | HttpError::Scheme(_) | HttpError::Request(_) => Self::config(error.to_string()),
            HttpError::Connect(_)
            | HttpError::ConnectTimeout(_)
            | HttpError::TlsTimeout(_)
            | HttpError::Exchange(_)
            | HttpError::AnswerTimeout(_) => Self::retriable(error.to_string()),
        }
    }
}
