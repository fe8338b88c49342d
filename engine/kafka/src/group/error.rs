//! The errors of a member's calls.

use std::fmt;

use volley_api::Error;

/// The result of a member's calls.
pub type GroupResult<T> = Result<T, GroupError>;

/// The reaction that a failed call requires.
#[derive(Debug)]
pub enum GroupError {
    /// The group has a newer generation: join again. The member id is kept.
    Rejoin,
    /// The coordinator no longer knows this member, and may have given its work to others: join again, as a new member.
    Reset,
    /// The coordinator was not found within the heartbeat interval. The search goes on, and the next join waits for it.
    /// The owner must stop the work that the group assigned, since others may get it.
    Coordinator(Error),
    /// Joining again cannot succeed. With the kind `Config` it can after a change of the configuration or of the
    /// cluster.
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
