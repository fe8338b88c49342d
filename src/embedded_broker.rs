//! A Kafka-compatible broker in this process: tansu with memory storage. For the quickstart and quick tests; what it
//! holds is gone when the process ends.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tansu_broker::NODE_ID;
use tansu_broker::broker::Broker;
use tansu_broker::coordinator::group::administrator::Controller;
use tansu_storage::StorageContainer;
use tokio::sync::oneshot;
use url::Url;
use uuid::Uuid;

/// How long the broker may take to accept a connection.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// Threads of the broker's own runtime.
const THREADS: usize = 2;

/// A running broker; it ends when dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts a broker on a free port of 127.0.0.1 and waits until it accepts connections.
    ///
    /// # Errors
    /// If it does not within ten seconds.
    pub fn start() -> Result<Self> {
        let address = free_address()?;
        let url = Url::parse(&format!("tcp://{address}"))?;
        let storage = Url::parse("memory://tansu/")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("embedded-broker")
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("embedded-broker".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    outcome = serve(url, storage) => {
                        if let Err(error) = outcome {
                            tracing::error!(%error, "the embedded broker ended");
                        }
                    }
                }
            });
            runtime.shutdown_background();
        })?;
        let broker = Self { address, stop: Some(stop), thread: Some(thread) };
        broker.await_ready()?;
        Ok(broker)
    }

    /// For `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        self.address.to_string()
    }

    fn await_ready(&self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if TcpStream::connect_timeout(&self.address, Duration::from_millis(100)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("the embedded broker did not come up on {}", self.address)
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?)
}

async fn serve(url: Url, storage: Url) -> Result<()> {
    let mut broker = Broker::<Controller<StorageContainer>, StorageContainer>::builder()
        .node_id(NODE_ID)
        .cluster_id("volley-quickstart")
        .incarnation_id(Uuid::new_v4())
        .advertised_listener(url.clone())
        .storage(storage)
        .listener(url)
        .silent(true)
        .build()
        .await
        .map_err(|error| anyhow!("{error:?}"))?;
    broker.serve(tokio::time::Instant::now()).await.map_err(|error| anyhow!("{error:?}"))
}
