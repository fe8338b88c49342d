//! The property files of a worker and its sink, as a user writes them.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use url::Url;

/// Where the files go, and the cluster that they name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerFiles<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) bootstrap_servers: &'a str,
    /// `volley.fetch.client` of its consumers
    pub(crate) fetch_client: &'a str,
}

impl WorkerFiles<'_> {
    /// A standalone worker with its REST server on `port`.
    pub(crate) fn write_worker(&self, port: u16) -> Result<PathBuf> {
        let text = format!(
            "bootstrap.servers={}\n\
             listeners=http://127.0.0.1:{port}\n\
             offset.storage.file.filename={}\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter.schemas.enable=false\n\
             consumer.volley.fetch.client={}\n",
            self.bootstrap_servers,
            self.directory.join("offsets").display(),
            self.fetch_client
        );
        self.write("worker.properties", &text)
    }

    /// A bounded sink that writes `topic` as Parquet under `output`, with `more` settings.
    pub(crate) fn write_sink(
        &self,
        name: &str,
        topic: &str,
        output: &Path,
        flush_size: usize,
        more: &str,
    ) -> Result<PathBuf> {
        let store = Url::from_directory_path(output).map_err(|()| anyhow!("{} is no full path", output.display()))?;
        let text = format!(
            "name={name}\n\
             connector.class=ObjectStoreSink\n\
             tasks.max=1\n\
             topics={topic}\n\
             volley.mode=bounded\n\
             store.url={store}\n\
             flush.size={flush_size}\n\
             {more}"
        );
        self.write("sink.properties", &text)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.directory.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
