//! The client of one HDFS, and its calls.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use hdfs_native::client::FileStatus;
use hdfs_native::{Client, ClientBuilder, HdfsError, WriteOptions};
use parking_lot::Mutex;
use tokio::time::timeout;
use volley_api::{Error, Result};
use volley_store::StoreConfig;

use super::error::storage_error;
use crate::store::Contents;
use crate::store::claim::{Entry, FileSystem, Outcome};
use crate::store::runtime;
use crate::store::storage::StorageError;

/// Where a name node listens whose URL says no port.
const DEFAULT_PORT: u16 = 8020;
/// Files of Hadoop's configuration.
const CONF_FILES: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];
/// Less than the sink waits for a look, or a dead connection would never be found to be one.
const LOOK_LIMIT: Duration = Duration::from_secs(15);
const TIDYING_LIMIT: Duration = Duration::from_secs(5);
/// How often the client asks again by itself, with pauses of a second and more: the sink tries again too, and says why.
const FEW_ATTEMPTS: (&str, &str) = ("dfs.client.failover.max.attempts", "2");
/// Directories of a tree that are listed at the same time.
const PARALLEL_LISTINGS: usize = 8;
/// A block is a multiple of what a checksum covers.
const CHECKSUM_BYTES: u64 = 512;
/// The smallest block that name nodes allow unless told otherwise.
const SMALLEST_BLOCK: u64 = 1 << 20;
/// Bytes in a second that a pipeline of data nodes takes at least, if it takes any.
const SLOWEST: u64 = 4 << 20;
/// Bytes that are given to the client at once.
const CHUNK: u64 = 8 << 20;

/// An HDFS, by its settings. Paths are absolute.
#[derive(Debug)]
pub(super) struct Connection {
    settings: StoreConfig,
    client: Mutex<Client>,
}

impl Connection {
    /// Does not touch the name node yet.
    pub(super) fn open(settings: &StoreConfig) -> Result<Self> {
        Ok(Self { client: Mutex::new(new_client(settings)?), settings: settings.clone() })
    }

    /// Runs calls that write a file of so many bytes, or read a part of one.
    pub(super) async fn transferred<T>(
        &self,
        path: &str,
        bytes: u64,
        calls: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let limit = self.settings.request_timeout.saturating_add(Duration::from_secs(bytes / SLOWEST));
        self.within(limit, path, calls).await
    }

    /// Runs calls that look at what is there.
    pub(super) async fn looked<T>(&self, path: &str, calls: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        self.within(self.settings.request_timeout.min(LOOK_LIMIT), path, calls).await
    }

    /// Runs calls that remove what has become of no use.
    pub(super) async fn tidied<T>(&self, path: &str, calls: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        self.within(TIDYING_LIMIT, path, calls).await
    }

    /// A client that has not answered within `limit` is given up: its connection may be dead without anybody having said so.
    ///
    /// # Cancellation
    /// What has been asked of the name node may happen nevertheless.
    async fn within<T>(&self, limit: Duration, path: &str, calls: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        if let Ok(outcome) = timeout(limit, calls).await {
            return outcome;
        }
        // the settings have made a client before
        if let Ok(client) = new_client(&self.settings) {
            *self.client.lock() = client;
        }
        let reason = format!("no answer within {} s", limit.as_secs());
        Err(StorageError::Unavailable { path: self.shown(path), reason })
    }

    /// The names of the files directly in a directory, those that begin with a dot included; none if it does not exist.
    pub(super) async fn names(&self, directory: &str) -> Outcome<Vec<String>> {
        let entries = absent(self.client().list_status(directory, false).await);
        let entries = entries.map_err(|error| self.error(directory, &error))?.unwrap_or_default();
        let name = |entry: FileStatus| Some(entry.path.rsplit_once('/')?.1.to_owned());
        Ok(entries.into_iter().filter(|entry| !entry.isdir).filter_map(name).collect())
    }

    /// The paths of all files below `directory`; none if it does not exist. Several directories are listed at a time,
    /// and each listing has the time of a look.
    pub(super) async fn paths_below(&self, directory: &str) -> Outcome<Vec<String>> {
        let mut paths = Vec::new();
        let mut directories = vec![directory.to_owned()];
        while !directories.is_empty() {
            let listed = directories.split_off(directories.len().saturating_sub(PARALLEL_LISTINGS));
            let listings = listed.iter().map(|directory| async move {
                let mut children = Vec::new();
                self.for_each_child(directory, |child| children.push((child.isdir, child.path))).await?;
                Ok(children)
            });
            for (is_directory, path) in try_join_all(listings).await?.into_iter().flatten() {
                if is_directory { &mut directories } else { &mut paths }.push(path);
            }
        }
        Ok(paths)
    }

    /// What is directly in a directory, one after the other: the name node is asked for a page at a time. Nothing if it does
    /// not exist; the file itself, if it is one.
    pub(super) async fn for_each_child(&self, directory: &str, mut each: impl FnMut(FileStatus)) -> Outcome<()> {
        let children = self.client().list_status_iter(directory, false);
        let next =
            || async { absent(children.next().await.transpose()).map_err(|error| self.error(directory, &error)) };
        while let Some(child) = self.looked(directory, next()).await?.flatten() {
            each(child);
        }
        Ok(())
    }

    /// What the name node says about a path; `None` if nothing is there.
    pub(super) async fn status(&self, path: &str) -> Outcome<Option<FileStatus>> {
        absent(self.client().get_file_info(path).await).map_err(|error| self.error(path, &error))
    }

    /// The bytes of a range of a file, as far as they can be read: not those of a block that is still being written. `None` if
    /// there is no such file.
    pub(super) async fn range(&self, path: &str, range: Range<u64>) -> Outcome<Option<Bytes>> {
        let failed = |error: HdfsError| self.error(path, &error);
        let Some(reader) = absent(self.client().read(path).await).map_err(failed)? else { return Ok(None) };
        // the reader panics at ranges that are not within the file
        let within = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(reader.file_length());
        let (start, end) = (within(range.start), within(range.end));
        let bytes = reader.read_range(start, end.saturating_sub(start)).await.map_err(failed)?;
        match bytes.len() == end.saturating_sub(start) {
            true => Ok(Some(bytes)),
            false => Err(StorageError::Unavailable {
                path: self.shown(path),
                reason: format!("{} of the bytes {start} to {end} came", bytes.len()),
            }),
        }
    }

    /// The last `length` bytes of a file, or all of a shorter one; `None` if there is no such file.
    pub(super) async fn tail(&self, path: &str, length: u64) -> Outcome<Option<Bytes>> {
        let failed = |error: HdfsError| self.error(path, &error);
        let Some(reader) = absent(self.client().read(path).await).map_err(failed)? else { return Ok(None) };
        let size = reader.file_length();
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(size);
        reader.read_range(size - length, length).await.map(Some).map_err(failed)
    }

    /// Gives a file another name, in place of the file that has it.
    pub(super) async fn replace(&self, from: &str, to: &str) -> Outcome<()> {
        self.client().rename(from, to, true).await.map_err(|error| self.error(to, &error))
    }

    fn client(&self) -> Client {
        self.client.lock().clone()
    }

    fn error(&self, path: &str, error: &HdfsError) -> StorageError {
        storage_error(self.shown(path), error)
    }
}

impl FileSystem for Connection {
    async fn entry(&self, path: &str) -> Outcome<Option<Entry>> {
        let entry =
            |status: FileStatus| if status.isdir { Entry::Directory } else { Entry::File(status.length as u64) };
        Ok(self.status(path).await?.map(entry))
    }

    async fn read(&self, path: &str) -> Outcome<Option<Bytes>> {
        self.tail(path, u64::MAX).await
    }

    async fn make_directory(&self, path: &str) -> Outcome<()> {
        match self.client().mkdirs(path, 0o755, true).await {
            Err(HdfsError::AlreadyExists(_)) => {
                Err(StorageError::NotFound { path: self.shown(path), reason: "it is not a directory".to_owned() })
            }
            outcome => outcome.map_err(|error| self.error(path, &error)),
        }
    }

    /// The file is one block: the next one of a file may be placed on a data node that has just failed, and then the file
    /// is lost.
    async fn write(&self, path: &str, contents: Contents) -> Outcome<()> {
        let failed = |error: HdfsError| match error {
            // nobody else writes to this name, so that it is no answer to anybody's question
            HdfsError::AlreadyExists(reason) => StorageError::Unavailable { path: self.shown(path), reason },
            error => self.error(path, &error),
        };
        let options = WriteOptions::default().block_size(block_size(contents.len()));
        // the client's futures are large
        let mut writer = self.client().create(path, options).await.map_err(failed)?;
        for range in contents.ranges(CHUNK) {
            let from_disk = |error: std::io::Error| StorageError::Unavailable {
                path: self.shown(path),
                reason: format!("could not read what is to be written: {error}"),
            };
            let bytes = contents.read_beside(range).await.map_err(from_disk)?;
            Box::pin(writer.write_bytes(bytes)).await.map_err(failed)?;
        }
        // nothing is proven before: a writer that has lost its file goes on writing
        Box::pin(writer.close()).await.map_err(failed)
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.client().rename(from, to, false).await.map_err(|error| self.error(to, &error))
    }

    async fn remove(&self, path: &str) -> Outcome<()> {
        self.client().delete(path, false).await.map(|_| ()).map_err(|error| self.error(path, &error))
    }

    fn shown(&self, path: &str) -> String {
        let url = &self.settings.url;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
    }
}

/// Nothing where there is no such file.
fn absent<T>(outcome: hdfs_native::Result<T>) -> hdfs_native::Result<Option<T>> {
    match outcome {
        Err(HdfsError::FileNotFound(_)) => Ok(None),
        Err(HdfsError::RPCError(class, _)) if class == "java.io.FileNotFoundException" => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Larger than the file, and as name nodes want it.
fn block_size(length: u64) -> u64 {
    (length + 1).next_multiple_of(CHECKSUM_BYTES).max(SMALLEST_BLOCK)
}

fn new_client(settings: &StoreConfig) -> Result<Client> {
    let hdfs = &settings.hdfs;
    if let Some(directory) = &hdfs.conf_dir
        && !CONF_FILES.iter().any(|name| Path::new(directory).join(name).is_file())
    {
        return Err(Error::config(format!(
            "`store.hdfs.conf.dir` {directory} has neither `core-site.xml` nor `hdfs-site.xml`; give the directory of \
             Hadoop's configuration"
        )));
    }
    let url = &settings.url;
    let client = match build(settings, url.as_str())? {
        // no name service is called that, so that it is the host of a name node
        Err(HdfsError::InvalidArgument(_)) if url.scheme() == "hdfs" && url.has_host() && url.port().is_none() => {
            let mut with_port = url.clone();
            // an error would mean a URL without a host
            let _ = with_port.set_port(Some(DEFAULT_PORT));
            build(settings, with_port.as_str())?
        }
        outcome => outcome,
    };
    client.map_err(|error| {
        Error::config(format!(
            "could not open `store.url` {url}: {error}; correct it, or the configuration in `store.hdfs.conf.dir`"
        ))
    })
}

fn build(settings: &StoreConfig, url: &str) -> Result<hdfs_native::Result<Client>> {
    let hdfs = &settings.hdfs;
    let (attempts_key, attempts) = FEW_ATTEMPTS;
    let mut hadoop = BTreeMap::from([(attempts_key.to_owned(), attempts.to_owned())]);
    hadoop.extend(hdfs.hadoop.clone());
    let mut builder =
        ClientBuilder::new().with_url(url).with_config(hadoop).with_io_runtime(runtime::handle()?.clone());
    if let Some(directory) = &hdfs.conf_dir {
        builder = builder.with_config_dir(directory);
    }
    if let Some(user) = &hdfs.user {
        builder = builder.with_user(user);
    }
    if let Some(principal) = &hdfs.kerberos_principal {
        builder = builder.with_kerberos_principal(principal);
    }
    if let Some(keytab) = &hdfs.kerberos_keytab {
        builder = builder.with_kerberos_keytab(keytab);
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpListener;
    use std::time::Instant;

    use volley_api::ConfigDef;
    use volley_api::testing::config_map;
    use volley_store::store_keys;

    use super::*;

    fn open(entries: &[(&str, &str)]) -> Result<Connection> {
        let def = store_keys("").into_iter().fold(ConfigDef::new(), ConfigDef::key);
        let config = StoreConfig::from_config(&def.parse(&config_map(entries))?)?;
        Connection::open(&config.with_hadoop_keys(&config_map(entries)))
    }

    #[test]
    fn a_block_is_larger_than_the_file_and_as_name_nodes_want_it() {
        for (length, expected) in
            [(0, 1 << 20), (1 << 20, (1 << 20) + 512), ((1 << 20) - 1, 1 << 20), (5_000_000, 5_000_192)]
        {
            assert_eq!(block_size(length), expected, "{length}");
        }
    }

    #[test]
    fn a_name_service_comes_from_hadoop_s_files_or_from_single_keys() {
        let directory = tempfile::tempdir().unwrap();
        let conf_dir = directory.path().display().to_string();
        let property =
            |name: &str, value: &str| format!("<property><name>{name}</name><value>{value}</value></property>");
        let site = format!(
            "<?xml version=\"1.0\"?><configuration>{}{}</configuration>",
            property("dfs.ha.namenodes.blue", "nn1"),
            property("dfs.namenode.rpc-address.blue.nn1", "127.0.0.1:1")
        );
        let url = ("store.url", "hdfs://blue/x");
        let error = open(&[url, ("store.hdfs.conf.dir", &conf_dir)]).unwrap_err().to_string();
        assert!(error.contains(&format!("`store.hdfs.conf.dir` {conf_dir} has neither")), "{error}");
        fs::write(directory.path().join("hdfs-site.xml"), site).unwrap();
        open(&[url, ("store.hdfs.conf.dir", &conf_dir)]).unwrap();
        fs::write(directory.path().join("hdfs-site.xml"), "<configuration>").unwrap();
        let error = open(&[url, ("store.hdfs.conf.dir", &conf_dir)]).unwrap_err().to_string();
        assert!(error.contains("XML") && error.contains("`store.url` hdfs://blue/x"), "{error}");
        open(&[
            ("store.url", "viewfs://all/x"),
            ("store.hdfs.config.fs.viewfs.mounttable.all.linkFallback", "hdfs://127.0.0.1:1/"),
        ])
        .unwrap();
    }

    #[test]
    fn a_host_that_is_no_name_service_is_that_of_a_name_node() {
        open(&[("store.url", "hdfs://node.example.com/x")]).unwrap();
        let error = open(&[("store.url", "viewfs://none/x")]).unwrap_err().to_string();
        assert!(error.starts_with("could not open `store.url` viewfs://none/x"), "{error}");
    }

    #[test]
    fn a_call_that_hangs_ends_at_its_limit() {
        // takes connections and says nothing
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("hdfs://{}/x", silent.local_addr().unwrap());
        let connection = open(&[("store.url", &url), ("store.request.timeout.ms", "1000")]).unwrap();
        let began = Instant::now();
        let outcome = runtime::handle().unwrap().block_on(connection.looked("/x", connection.entry("/x")));
        let error = outcome.unwrap_err().to_string();
        assert_eq!(error, format!("{url}: no answer within 1 s"));
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
