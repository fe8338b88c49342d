//! An HDFS (Hadoop's MiniDFSCluster, `tests/java/MiniHdfs.java`), whose name node can be stopped.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::testbed::server_process::{ServerProcess, data_directory, installed};
use crate::testbed::wait_until;

/// Compiling it, starting Java, formatting, and the first report of the data node, on a busy machine.
const START: Duration = Duration::from_secs(180);
/// A name node leaves its safe mode when the data node has reported again.
const ORDER: Duration = Duration::from_secs(60);

pub(crate) struct Hdfs {
    process: ServerProcess,
    directory: PathBuf,
    name_node_ports: Vec<u16>,
    order_port: u16,
}

impl Hdfs {
    /// One name node.
    pub(crate) fn start() -> Self {
        Self::start_as("plain")
    }

    /// Two name nodes of the name service `volley`, the first of them active.
    pub(crate) fn with_two_name_nodes() -> Self {
        Self::start_as("ha")
    }

    /// One name node that wants Kerberos.
    pub(crate) fn with_kerberos() -> Self {
        Self::start_as("kerberos")
    }

    fn start_as(kind: &str) -> Self {
        let directory = data_directory("hdfs");
        let class_path = installed("hdfs").join("*").display().to_string();
        let command = [
            "java",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            &class_path,
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/MiniHdfs.java"),
            &directory.display().to_string(),
            kind,
        ];
        let process = ServerProcess::start(&directory, &command.map(str::to_owned));
        // Java takes them itself: while it starts, somebody else could take a port that was free before.
        let ports = wait_until(START, "HDFS is ready", || {
            assert!(process.is_running(), "HDFS ended:\n{}", process.log_tail());
            let ports = fs::read_to_string(directory.join("ports")).ok()?;
            Some(ports.split(' ').map(|port| port.parse().unwrap()).collect::<Vec<u16>>())
        });
        Self { process, directory, order_port: ports[0], name_node_ports: ports[1..].to_vec() }
    }

    /// URL of a directory, by the address of the first name node.
    pub(crate) fn url(&self, path: &str) -> String {
        // the name by which Kerberos knows it
        format!("hdfs://localhost:{}/{path}", self.name_node_ports[0])
    }

    /// Keys of Hadoop with which the name service is found.
    pub(crate) fn name_service(&self) -> [(&'static str, String); 3] {
        let address = |place: usize| format!("localhost:{}", self.name_node_ports[place]);
        [
            ("dfs.ha.namenodes.volley", "nn1,nn2".to_owned()),
            ("dfs.namenode.rpc-address.volley.nn1", address(0)),
            ("dfs.namenode.rpc-address.volley.nn2", address(1)),
        ]
    }

    /// Where servers and clients find their KDC.
    pub(crate) fn krb5_conf(&self) -> PathBuf {
        self.directory.join("krb5.conf")
    }

    /// The key of `volley@EXAMPLE.COM`.
    pub(crate) fn keytab(&self) -> PathBuf {
        self.directory.join("client.keytab")
    }

    pub(crate) fn stop_name_node(&self) {
        self.order("stop name node");
    }

    pub(crate) fn start_name_node(&self) {
        self.order("start name node");
    }

    /// Stops the first name node and makes the second the active one.
    pub(crate) fn fail_over(&self) {
        self.order("fail over");
    }

    pub(crate) fn stop_data_node(&self) {
        self.order("stop data node");
    }

    pub(crate) fn start_data_node(&self) {
        self.order("start data node");
    }

    fn order(&self, order: &str) {
        let answer = self.ask(order).unwrap();
        assert_eq!(answer.trim(), "OK", "{order}:\n{}", self.process.log_tail());
    }

    fn ask(&self, order: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.order_port))?;
        stream.set_read_timeout(Some(ORDER))?;
        writeln!(stream, "{order}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// Writes Hadoop's configuration into a directory.
pub(crate) fn write_hadoop_configuration(directory: &Path, keys: &[(&str, String)]) {
    let property =
        |(name, value): &(&str, String)| format!("  <property><name>{name}</name><value>{value}</value></property>\n");
    let properties: String = keys.iter().map(property).collect();
    let text = format!("<?xml version=\"1.0\"?>\n<configuration>\n{properties}</configuration>\n");
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("hdfs-site.xml"), text).unwrap();
}
