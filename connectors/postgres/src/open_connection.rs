//! Opens connections: to the first server that answers and is what is wanted.

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};
use volley_api::{Error, Result};

use crate::parameters::{Server, Wanted};
use crate::server_error::server_error;
use crate::tls::HostTls;

/// A connection and how to open another one to the same server.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) address: Address,
}

/// A server.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    host: String,
    port: u16,
    tls: HostTls,
}

impl Address {
    /// A connection without anything said yet, and what encrypts it.
    ///
    /// # Cancellation
    /// Dropping the future closes the connection.
    pub(crate) async fn stream(&self) -> std::io::Result<(TcpStream, HostTls)> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok((stream, self.tls.clone()))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Connects to the first of the servers that answers and is what is wanted.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub(crate) async fn open(server: &Server) -> Result<Opened> {
    let mut failure = Error::config("`connection.url` names no server");
    for (host, port) in &server.hosts {
        let address = Address { host: host.clone(), port: *port, tls: server.tls.to(host) };
        let doing = format!("could not connect to PostgreSQL at {address}");
        failure = match timeout(server.connect_timeout, open_one(server, &address, &doing)).await {
            Err(_) => Error::retriable(format!("{doing}: no answer in {:?}", server.connect_timeout)),
            Ok(Err(error)) => error,
            Ok(Ok(Some(client))) => return Ok(Opened { client, address }),
            Ok(Ok(None)) => Error::retriable(format!("{doing}: it is not what `targetServerType` wants")),
        };
    }
    Err(failure)
}

/// Connects to a server; `None` if it is not what is wanted.
async fn open_one(server: &Server, address: &Address, doing: &str) -> Result<Option<Client>> {
    let (stream, tls) =
        address.stream().await.map_err(|error| Error::retriable(format!("{doing}: {error}")).with_source(error))?;
    let (client, connection) =
        server.config.connect_raw(stream, tls).await.map_err(|error| server_error(doing, error))?;
    let name = address.to_string();
    #[expect(clippy::disallowed_methods, reason = "it ends with the runtime, which the connection has for itself")]
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(server = name, %error, "a connection to PostgreSQL has ended");
        }
    });
    let is_wanted = match server.wanted {
        Wanted::Any => true,
        Wanted::Primary => !is_read_only(&client).await.map_err(|error| server_error(doing, error))?,
        Wanted::Secondary => is_read_only(&client).await.map_err(|error| server_error(doing, error))?,
    };
    Ok(is_wanted.then_some(client))
}

async fn is_read_only(client: &Client) -> std::result::Result<bool, tokio_postgres::Error> {
    let answer = client.simple_query("SHOW transaction_read_only").await?;
    Ok(answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on"))))
}
