//! The configurations of the quickstart, as files that can be changed and run again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Topic of the orders.
pub(crate) const TOPIC: &str = "orders";

/// What differs from run to run.
#[derive(Debug)]
pub(crate) struct QuickstartConfig<'a> {
    /// Where everything is written; absolute.
    pub(crate) dir: &'a Path,
    /// The broker.
    pub(crate) bootstrap_servers: &'a str,
    /// Where REST listens.
    pub(crate) listener: &'a str,
    /// Number of orders.
    pub(crate) records: u64,
}

/// The files, in the order in which `volley standalone` takes them.
#[derive(Debug)]
pub(crate) struct ConfigFiles {
    pub(crate) worker: PathBuf,
    pub(crate) source: PathBuf,
    pub(crate) sink: PathBuf,
}

impl QuickstartConfig<'_> {
    /// Writes the files and returns where they are.
    pub(crate) fn write(&self) -> Result<ConfigFiles> {
        let dir = self.dir.join("config");
        std::fs::create_dir_all(&dir).with_context(|| format!("could not create {}", dir.display()))?;
        let write = |name: &str, text: String| -> Result<PathBuf> {
            let path = dir.join(name);
            std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
            Ok(path)
        };
        Ok(ConfigFiles {
            worker: write("worker.properties", self.worker())?,
            source: write("orders-source.properties", self.source())?,
            sink: write("orders-parquet.properties", self.sink())?,
        })
    }

    fn worker(&self) -> String {
        format!(
            "# a Kafka Connect worker configuration; bootstrap.servers is the embedded broker of one run of the quickstart
bootstrap.servers={}
listeners={}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
offset.storage.file.filename={}/connect.offsets
offset.flush.interval.ms=1000
# the embedded broker answers a fetch only after this time
consumer.fetch.max.wait.ms=10
",
            self.bootstrap_servers,
            self.listener,
            self.dir.display()
        )
    }

    fn source(&self) -> String {
        format!(
            "# makes orders and produces them as JSON
name=orders-source
connector.class=Datagen
tasks.max=1
topic={TOPIC}
schema=orders
rows={}
",
            self.records
        )
    }

    fn sink(&self) -> String {
        format!(
            "# consumes the orders, takes them through SQL, writes Parquet
name=orders-parquet
connector.class=ObjectStoreSink
tasks.max=1
topics={TOPIC}
store.url=file://{}
flush.size=250000
rotate.idle.ms=1000
transforms=sql
transforms.sql.type=Sql
transforms.sql.query=SELECT order_id, customer_id, upper(product) AS product, quantity, round(quantity * amount, 2) AS total, to_timestamp_millis(created_at) AS created_at FROM records WHERE status <> 'cancelled'
",
            self.dir.display()
        )
    }
}
