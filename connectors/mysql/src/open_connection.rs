//! Opens connections: to the first server that answers.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error as Failure, Opts, SslOpts};
use tokio::time::timeout;
use volley_api::{Error, Result};

use crate::parameters::Server;
use crate::server_error::server_error;

/// Which server it is: behind one name there may be several.
const SERVER: &str = "SELECT CONCAT_WS(':', @@hostname, @@port, @@datadir)";

/// A connection and how to open another one to the same server.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Conn,
    pub(crate) origin: Origin,
}

/// Where a connection leads to.
#[derive(Debug)]
pub(crate) struct Origin {
    options: Opts,
    /// What the server calls itself.
    server: String,
    /// The connection's number in it.
    id: u32,
}

impl Origin {
    /// Ends the connection in the server, or only its query, over another connection.
    ///
    /// # Cancellation
    /// Dropping the future closes the other connection.
    pub(crate) async fn kill(&self, only_query: bool) -> std::result::Result<(), Failure> {
        let mut other = Conn::new(self.options.clone()).await?;
        let server: Option<String> = other.query_first(SERVER).await?;
        // another server has other connections under the same numbers
        if server.as_ref() == Some(&self.server) {
            let what = if only_query { "QUERY " } else { "" };
            other.query_drop(format!("KILL {what}{}", self.id)).await?;
        }
        other.disconnect().await
    }
}

/// Connects to the first of the servers that answers.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub(crate) async fn open(server: &Server) -> Result<Opened> {
    let mut failure = Error::config("`connection.url` names no server");
    for (host, port) in &server.hosts {
        let doing = format!("could not connect to MySQL at {host}:{port}");
        failure = match timeout(server.connect_timeout, open_one(server, host, *port)).await {
            Err(_) => Error::retriable(format!("{doing}: no answer in {:?}", server.connect_timeout)),
            Ok(Err(error)) => server_error(&doing, error),
            Ok(Ok(opened)) => return Ok(opened),
        };
    }
    Err(failure)
}

/// Connects to a server; without TLS if it has none and that may be.
async fn open_one(server: &Server, host: &str, port: u16) -> std::result::Result<Opened, Failure> {
    let options = |tls: Option<SslOpts>| -> Opts {
        server.options.clone().ip_or_hostname(host).tcp_port(port).ssl_opts(tls).into()
    };
    let mut failure = Failure::Driver(DriverError::NoClientSslFlagFromServer);
    for tls in server.tls.attempts() {
        let options = options(tls);
        match Conn::new(options.clone()).await {
            Ok(connection) => return begin_session(server, connection, options).await,
            Err(Failure::Driver(DriverError::NoClientSslFlagFromServer)) => {}
            Err(error) => {
                failure = error;
                break;
            }
        }
    }
    Err(failure)
}

/// Sets what each session has: what the user sets, then what reading relies on.
async fn begin_session(server: &Server, mut connection: Conn, options: Opts) -> std::result::Result<Opened, Failure> {
    if let Some(variables) = &server.session_variables {
        let scope = if variables.trim_start().starts_with('@') { "" } else { "SESSION " };
        connection.query_drop(format!("SET {scope}{variables}")).await?;
    }
    let seconds = server.write_timeout.as_secs();
    connection.query_drop(format!("SET SESSION time_zone = '+00:00', net_write_timeout = {seconds}")).await?;
    let server = connection.query_first(SERVER).await?.unwrap_or_default();
    let origin = Origin { options, server, id: connection.id() };
    Ok(Opened { connection, origin })
}
