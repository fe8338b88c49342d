//! Java's Connect worker with Apache Iceberg's sink, which writes Parquet on local disk.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::drained_files::DrainedFiles;
use crate::payments_topic::{Encoding, PaymentsTopic};
use crate::testbed::installed;
use crate::worker_files::{WorkerFiles, free_port};

/// The sink completes its files at each commit. The default, five minutes, would be waited for.
const COMMIT_INTERVAL_MS: u32 = 10_000;
/// As `connect-standalone.sh` has it.
const JVM: [&str; 6] =
    ["-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:+ExplicitGCInvokesConcurrent"];

/// Where it runs, and the cluster that it drains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JavaSink<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) bootstrap_servers: &'a str,
}

impl JavaSink<'_> {
    /// A worker with one sink of one task, into the table `bench.payments` below `output`.
    pub(crate) fn command(&self, name: &str, topic: &PaymentsTopic, output: &Path) -> Result<Command> {
        ensure!(matches!(topic.encoding, Encoding::Json(_)), "Java's worker is measured with JSON only");
        // Java's consumer has one client only, and does not look at the key
        let (directory, bootstrap_servers) = (self.directory, self.bootstrap_servers);
        let files = WorkerFiles { directory, bootstrap_servers, fetch_client: "librdkafka" };
        let worker = files.write_worker(free_port()?)?;
        let plugins = self.directory.join("plugins");
        fs::create_dir_all(&plugins)?;
        std::os::unix::fs::symlink(installed("iceberg"), plugins.join("iceberg"))?;
        let mut text = fs::read_to_string(&worker)?;
        // the sink looks for requests to complete its files when it is called, which is this often where no records come
        text.push_str(&format!("plugin.path={}\noffset.flush.interval.ms=1000\n", plugins.display()));
        fs::write(&worker, text)?;
        let sink = self.directory.join("sink.properties");
        let text = format!(
            "name=drain-{name}\n\
             connector.class=org.apache.iceberg.connect.IcebergSinkConnector\n\
             tasks.max=1\n\
             topics={}\n\
             consumer.override.auto.offset.reset=earliest\n\
             iceberg.tables=bench.payments\n\
             iceberg.tables.auto-create-enabled=true\n\
             iceberg.catalog.type=hadoop\n\
             iceberg.catalog.warehouse=file://{}\n\
             iceberg.control.topic=control-{name}\n\
             iceberg.control.commit.interval-ms={COMMIT_INTERVAL_MS}\n",
            topic.name,
            output.display()
        );
        fs::write(&sink, text)?;
        let class_path = format!("{}/*", installed("connect").display());
        let mut command = Command::new("java");
        command.args(JVM);
        let logging = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/connect-log4j2.properties");
        command.arg(format!("-Dlog4j2.configurationFile={logging}"));
        command.args(["-cp", &class_path, "org.apache.kafka.connect.cli.ConnectStandalone"]);
        command.args([worker, sink]).current_dir(self.directory);
        Ok(command)
    }

    /// Whether all `rows` are in complete files.
    pub(crate) fn has_written(&self, output: &Path, rows: u64) -> bool {
        // a file that is not complete cannot be read
        DrainedFiles::under(output).is_ok_and(|drained| drained.rows >= rows)
    }
}
