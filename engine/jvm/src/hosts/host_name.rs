//! What a process runs.

use std::fmt;

/// What the connectors' key `volley.java.process` begins with where it names a group.
const GROUP: &str = "group:";

/// What a process runs, and so its name. Displayed as messages name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostName {
    /// One connector.
    Connector(String),
    /// The connectors of a group.
    Group(String),
    /// What is asked of plug-ins that do not run.
    Discovery,
    /// The config providers.
    ConfigProviders,
}

impl HostName {
    /// The process of a connector whose key `volley.java.process` has this value.
    pub(crate) fn of_connector(connector: &str, process: Option<&str>) -> Self {
        let group = process.and_then(|process| process.trim().strip_prefix(GROUP));
        match group.map(str::trim).filter(|group| !group.is_empty()) {
            Some(group) => Self::Group(group.to_owned()),
            None => Self::Connector(connector.to_owned()),
        }
    }

    /// The same as a value among others: `connector:a`, `group:b`, `discovery`, `config-providers`.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Connector(name) => format!("connector:{name}"),
            Self::Group(name) => format!("{GROUP}{name}"),
            Self::Discovery => "discovery".to_owned(),
            Self::ConfigProviders => "config-providers".to_owned(),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connector(name) => write!(f, "connector `{name}`"),
            Self::Group(name) => write!(f, "group `{name}`"),
            Self::Discovery => f.write_str("plug-in discovery and validation"),
            Self::ConfigProviders => f.write_str("config providers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_has_a_process_of_its_own_unless_it_names_a_group() {
        let group = HostName::Group("small ones".to_owned());
        assert_eq!(HostName::of_connector("a", Some("group:small ones")), group);
        assert_eq!(group.label(), "group:small ones");
        for process in [None, Some("connector"), Some("group:")] {
            let own = HostName::of_connector("a", process);
            assert_eq!((own.label().as_str(), own.to_string().as_str()), ("connector:a", "connector `a`"));
        }
    }
}
