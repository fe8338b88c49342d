//! Everything that a driver is told about a connection.

use std::fmt;

use indexmap::IndexMap;
use volley_api::Secret;

use super::{JdbcUrl, NetworkAddress};

/// What is set about a connection, in Java's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// `connection.url`.
    pub url: JdbcUrl,
    /// `connection.user`.
    pub user: Option<String>,
    /// `connection.password`.
    pub password: Option<Secret>,
    /// Every other key below `connection.`, without that prefix: properties of the driver.
    pub properties: Parameters,
}

impl ConnectionSettings {
    /// The URL of a database on the network taken apart, and all that is set: the driver's properties, then the URL's
    /// parameters, which count more.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn on_network(&self) -> Result<(NetworkAddress, Parameters), String> {
        let mut address = NetworkAddress::parse(&self.url.rest)?;
        let mut parameters = self.properties.0.clone();
        parameters.extend(std::mem::take(&mut address.parameters));
        Ok((address, Parameters(parameters)))
    }
}

/// Parameters of a driver, by name. `Debug` shows the names only: a value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(pub IndexMap<String, String>);

impl Parameters {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
