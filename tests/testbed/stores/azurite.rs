//! Azurite, which is Azure Blob Storage on local disk, where `install.sh` could install it. It needs Node.

use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, ObjectStore};

use crate::testbed::server_process::{ServerProcess, data_directory, free_port, testbed};
use crate::testbed::wait_until;

const READY: Duration = Duration::from_secs(120);

pub(crate) struct Azurite {
    process: ServerProcess,
    port: u16,
}

impl Azurite {
    pub(crate) const ACCOUNT: &'static str = "devstoreaccount1";
    /// The one that is known to everybody.
    pub(crate) const KEY: &'static str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// The server that all tests share; each test makes containers of its own. `None` where it is not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Azurite>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let main = testbed().join("azurite/node_modules/azurite/dist/src/blob/main.js");
        if !main.exists() {
            println!("passed over on Azure: Azurite is not installed, which needs Node and npm");
            return None;
        }
        let (directory, port) = (data_directory("azurite"), free_port());
        let options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobHost", "127.0.0.1"];
        let mut command = vec!["node".to_owned(), main.display().to_string()];
        command.extend(options.map(str::to_owned));
        command.extend(["--blobPort".to_owned(), port.to_string(), "--location".to_owned()]);
        command.push(directory.join("data").display().to_string());
        let server = Self { process: ServerProcess::start(&directory, &command), port };
        wait_until(READY, "Azurite answers", || {
            assert!(server.process.is_running(), "Azurite ended:\n{}", server.process.log_tail());
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Some(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn create_container(&self, container: &str) {
        self.ask("PUT", &format!("{container}?restype=container"));
    }

    /// A client of a container.
    pub(crate) fn client(&self, container: &str) -> Arc<dyn ObjectStore> {
        let builder = MicrosoftAzureBuilder::new()
            .with_account(Self::ACCOUNT)
            .with_access_key(Self::KEY)
            .with_container_name(container)
            .with_endpoint(format!("http://127.0.0.1:{}/{}", self.port, Self::ACCOUNT))
            .with_allow_http(true);
        Arc::new(builder.build().unwrap())
    }

    /// What it answers to a request below the account.
    pub(crate) fn ask(&self, method: &str, target: &str) -> String {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.parse().unwrap();
        let url = format!("http://127.0.0.1:{}/{}/{target}", self.port, Self::ACCOUNT);
        *request.uri_mut() = url.parse().unwrap();
        request.headers_mut().insert("content-length", "0".parse().unwrap());
        let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(Self::KEY).unwrap());
        AzureAuthorizer::new(&credential, Self::ACCOUNT).authorize(&mut request);
        let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (head, body) = client.execute(request).await.unwrap().into_parts();
            let text = String::from_utf8_lossy(&body.bytes().await.unwrap()).into_owned();
            assert!(head.status.is_success(), "{method} {target}: {} {text}", head.status);
            text
        })
    }
}
