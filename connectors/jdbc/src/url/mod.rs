//! `connection.url`, and the other settings of a connection.

mod jdbc_url;
mod network_address;
mod settings;

pub use jdbc_url::JdbcUrl;
pub use network_address::{Host, NetworkAddress};
pub use settings::{ConnectionSettings, Parameters};
