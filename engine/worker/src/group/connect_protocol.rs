//! The versions of the group protocol, their names, and the versions that a worker offers.

use volley_api::Result;

use super::WorkerState;

/// A version of Connect's group protocol. The broker picks one that all members offer; it holds for a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectProtocol {
    /// v0: everything stops at each rebalance.
    Eager,
    /// v1: incremental and cooperative; only work that moves stops (KIP-415).
    Compatible,
    /// v2: as v1, and internal requests are signed (KIP-507).
    Sessioned,
}

impl ConnectProtocol {
    /// The protocol type of the group.
    pub const TYPE: &'static str = "connect";

    /// Its name in JoinGroup; that of [`Self::Eager`] is `default`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "default",
            Self::Compatible => "compatible",
            Self::Sessioned => "sessioned",
        }
    }

    /// The protocol with this name in JoinGroup, any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Eager, Self::Compatible, Self::Sessioned].into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// Parses `connect.protocol`: eager, compatible or sessioned, in any case.
    pub fn from_config(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "eager" => Some(Self::Eager),
            "compatible" => Some(Self::Compatible),
            "sessioned" => Some(Self::Sessioned),
            _ => None,
        }
    }

    /// The number at the start of its messages.
    pub fn version(self) -> i16 {
        match self {
            Self::Eager => 0,
            Self::Compatible => 1,
            Self::Sessioned => 2,
        }
    }

    /// The versions that a worker with this setting offers, the preferred one first.
    pub fn offers(self) -> &'static [Self] {
        match self {
            Self::Eager => &[Self::Eager],
            Self::Compatible => &[Self::Compatible, Self::Eager],
            Self::Sessioned => &[Self::Sessioned, Self::Compatible, Self::Eager],
        }
    }

    /// Names and metadata that a worker with this setting sends in JoinGroup, the preferred one first.
    ///
    /// # Errors
    /// If a name is too long for the format.
    pub fn join_metadata(self, state: &WorkerState) -> Result<Vec<(&'static str, Vec<u8>)>> {
        self.offers().iter().map(|protocol| Ok((protocol.name(), state.encode(*protocol)?))).collect()
    }

    /// Whether a rebalance stops only work that moves.
    pub fn is_cooperative(self) -> bool {
        self != Self::Eager
    }

    /// Whether internal requests are signed and verified.
    pub fn is_signed(self) -> bool {
        self == Self::Sessioned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again_in_any_case() {
        for protocol in ConnectProtocol::Sessioned.offers() {
            assert_eq!(ConnectProtocol::from_name(&protocol.name().to_uppercase()), Some(*protocol));
        }
        assert_eq!(ConnectProtocol::from_name("eager"), None);
        assert_eq!(ConnectProtocol::from_config("Eager"), Some(ConnectProtocol::Eager));
        assert_eq!(ConnectProtocol::from_config("default"), None);
    }
}
