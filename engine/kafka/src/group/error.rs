//! Why a call did not make its caller a member.

use std::fmt;

use volley_api::Error;

/// What a member's calls answer.
pub type GroupResult<T> = Result<T, GroupError>;

/// What to do after a call that failed.
#[derive(Debug)]
pub enum GroupError {
    /// The group moved on: join again. The member id is kept.
    Rejoin,
    /// The coordinator does not know this member any more, and may have given its work to others: join again, as a new member.
    Reset,
    /// The coordinator is not known, and was not found within the heartbeat interval. The search goes on; joining again waits
    /// for it. Whoever runs work that the group assigned must stop it, since it may be given to others.
    Coordinator(Error),
    /// Joining again will not help until somebody changes something, if the error's kind is `Config`, or at all.
    Fatal(Error),
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejoin => f.write_str("the group is rebalancing"),
            Self::Reset => f.write_str("the group does not know this member any more"),
            Self::Coordinator(error) | Self::Fatal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GroupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejoin | Self::Reset => None,
            Self::Coordinator(error) | Self::Fatal(error) => error.source(),
        }
    }
}

impl From<GroupError> for Error {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Rejoin | GroupError::Reset => Self::retriable(error.to_string()),
            GroupError::Coordinator(error) | GroupError::Fatal(error) => error,
        }
    }
}
