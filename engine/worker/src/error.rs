//! Why the herder did not do what it was asked; each variant has its HTTP status.

use std::fmt;

/// `Result` with [`HerderError`].
pub type HerderResult<T> = Result<T, HerderError>;

/// Why a request failed. Messages are Kafka Connect's.
#[derive(Clone, Debug)]
pub enum HerderError {
    /// 400: the request makes no sense in this state.
    BadRequest(String),
    /// 404: there is no such thing.
    NotFound(String),
    /// 409: it exists already, or something else is in its way for the moment.
    Conflict(String),
    /// 403: switched off.
    Forbidden(String),
    /// 503: not yet.
    Unavailable(String),
    /// Another worker has to answer: the one at this URL (`http://host:port/`). REST forwards the request there, or answers
    /// 409 where the URL is not known.
    Forward(Option<String>),
    /// 500: something else.
    Internal(String),
    /// 500: a plug-in or a store failed.
    Plugin(volley_api::Error),
}

impl HerderError {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Conflict(_) | Self::Forward(_) => 409,
            Self::Internal(_) | Self::Plugin(_) => 500,
            Self::Unavailable(_) => 503,
        }
    }

    /// There is no connector `name`.
    pub(crate) fn connector_not_found(name: &str) -> Self {
        Self::NotFound(format!("Connector {name} not found"))
    }

    /// There is no connector `name`, in the words of the calls that change its state.
    pub(crate) fn unknown_connector(name: &str) -> Self {
        Self::NotFound(format!("Unknown connector {name}"))
    }

    /// The worker ends.
    pub(crate) fn shutting_down() -> Self {
        Self::Internal("Worker is shutting down".to_owned())
    }
}

impl fmt::Display for HerderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest(message)
            | Self::NotFound(message)
            | Self::Conflict(message)
            | Self::Forbidden(message)
            | Self::Unavailable(message)
            | Self::Internal(message) => f.write_str(message),
            Self::Forward(None) => f.write_str(
                "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.",
            ),
            Self::Forward(Some(_)) => f.write_str(
                "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
            ),
            Self::Plugin(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for HerderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Plugin(error) => std::error::Error::source(error),
            _ => None,
        }
    }
}

impl From<volley_api::Error> for HerderError {
    fn from(error: volley_api::Error) -> Self {
        Self::Plugin(error)
    }
}
