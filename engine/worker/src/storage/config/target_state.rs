//! The state that a user requests for a connector.

/// The desired state; the observed one is [`crate::storage::State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Connector and tasks run.
    Started,
    /// Connector and tasks keep their places but transfer nothing.
    Paused,
    /// Connector and tasks are shut down; the configuration remains.
    Stopped,
}

impl TargetState {
    /// Parses `initial_state` of a request: RUNNING, PAUSED or STOPPED, in any case.
    pub fn from_request(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "RUNNING" => Some(Self::Started),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }

    /// The name in `initial_state` of a request.
    pub fn request_name(self) -> &'static str {
        match self {
            Self::Started => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// The name in the config topic.
    pub fn record_name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// Parses the name in the config topic.
    pub fn from_record_name(text: &str) -> Option<Self> {
        match text {
            "STARTED" => Some(Self::Started),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}
