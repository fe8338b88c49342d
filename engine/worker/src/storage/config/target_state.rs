//! What a user wants of a connector.

/// The state wanted; what is observed is [`crate::storage::State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Connector and tasks run.
    Started,
    /// They keep their places but move nothing.
    Paused,
    /// They are shut down; the configuration stays.
    Stopped,
}

impl TargetState {
    /// From `initial_state` of a request: RUNNING, PAUSED or STOPPED, any case.
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

    /// From the name in the config topic.
    pub fn from_record_name(text: &str) -> Option<Self> {
        match text {
            "STARTED" => Some(Self::Started),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}
