//! The URLs of MySQL and MariaDB: as those of other databases, with a plan before the hosts and a login in front.

use volley_api::{Error, Result, Secret};
use volley_jdbc::{ConnectionSettings, Host, JdbcUrl, NetworkAddress, Parameters};

/// Plans for several servers: here they are tried in their order.
const PLANS: [&str; 6] = ["sequential:", "failover:", "loadbalance:", "load-balance:", "replication:", "aurora:"];
const DEFAULT_PORT: u16 = 3306;

/// A URL taken apart.
pub(crate) struct Address {
    /// Names and ports; at least one.
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) parameters: Parameters,
}

impl Address {
    /// Takes the URL of the settings apart.
    ///
    /// # Errors
    /// `Config` with what is wrong; neither the login nor parameters are shown.
    pub(crate) fn of(settings: &ConnectionSettings) -> Result<Self> {
        let refused = |why: String| Error::config(format!("invalid `connection.url`: {why}"));
        let rest = &settings.url.rest;
        let rest = PLANS.iter().find_map(|plan| rest.strip_prefix(plan)).unwrap_or(rest);
        let address = rest.strip_prefix("//").ok_or_else(|| {
            refused(
                "two slashes and a host follow the name of the database system, as in jdbc:mysql://host:3306/shop"
                    .to_owned(),
            )
        })?;
        let end = address.find(['/', '?']).unwrap_or(address.len());
        let (hosts, tail) = address.split_at(end);
        if hosts.contains('(') {
            return Err(refused(
                "hosts in parentheses are not possible: write host:port, with commas between".to_owned(),
            ));
        }
        let (login, hosts) = hosts.rsplit_once('@').map_or((None, hosts), |(login, hosts)| (Some(login), hosts));
        let url = JdbcUrl { subprotocol: settings.url.subprotocol.clone(), rest: format!("//{hosts}{tail}") };
        let bare = ConnectionSettings { url, ..settings.clone() };
        let (found, parameters) = bare.on_network().map_err(refused)?;
        let NetworkAddress { hosts, database, .. } = found;
        let hosts: Vec<_> = hosts.into_iter().map(|Host { name, port }| (name, port.unwrap_or(DEFAULT_PORT))).collect();
        let hosts = if hosts.is_empty() { vec![("localhost".to_owned(), DEFAULT_PORT)] } else { hosts };
        let (user, password) = match login {
            None => (None, None),
            Some(login) => {
                let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
                (Some(user.to_owned()), password.map(Secret::new))
            }
        };
        let of_parameter = |name: &str| parameters.get(name).map(str::to_owned);
        Ok(Self {
            hosts,
            database,
            user: of_parameter("user").or(user).or_else(|| settings.user.clone()),
            password: of_parameter("password").map(Secret::new).or(password).or_else(|| settings.password.clone()),
            parameters,
        })
    }
}
