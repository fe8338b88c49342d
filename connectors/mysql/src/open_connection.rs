//! Opens connections: to the first server that answers.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error as Failure, Opts, SslOpts};
use tokio::time::timeout;
use volley_api::{Error, Result};

use crate::parameters::Server;
use crate::server_error::server_error;

/// A connection and how to open another one to the same server.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Conn,
    pub(crate) options: Opts,
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
            Ok(Ok(mut opened)) => {
                opened.begin_session(server).await.map_err(|error| server_error(&doing, error))?;
                return Ok(opened);
            }
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
            Ok(connection) => return Ok(Opened { connection, options }),
            Err(Failure::Driver(DriverError::NoClientSslFlagFromServer)) => {}
            Err(error) => {
                failure = error;
                break;
            }
        }
    }
    Err(failure)
}

impl Opened {
    /// Sets what each session has: those of the user, then those that reading relies on.
    async fn begin_session(&mut self, server: &Server) -> std::result::Result<(), Failure> {
        if let Some(variables) = &server.session_variables {
            let scope = if variables.trim_start().starts_with('@') { "" } else { "SESSION " };
            self.connection.query_drop(format!("SET {scope}{variables}")).await?;
        }
        let seconds = server.write_timeout.as_secs();
        self.connection.query_drop(format!("SET SESSION time_zone = '+00:00', net_write_timeout = {seconds}")).await
    }
}
