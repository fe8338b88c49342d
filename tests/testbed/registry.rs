//! A Schema Registry (Apicurio's, by its interface for Confluent's clients): in memory.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::http::send;
use super::server_process::{ServerProcess, data_directory, free_port, installed};
use super::wait_until;

/// Where the interface for Confluent's clients begins.
const PATH: &str = "/apis/ccompat/v7";
const CONTENT: (&str, &str) = ("Content-Type", "application/vnd.schemaregistry.v1+json");

pub(crate) struct Registry {
    _process: ServerProcess,
    port: u16,
}

impl Registry {
    /// The server that all tests share; each test has subjects of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Registry> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let directory = data_directory("registry");
        let port = free_port();
        let jar = installed("registry").join("apicurio-registry-app-2.6.13.Final-runner.jar").display().to_string();
        let command = [
            "java",
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dquarkus.http.host=127.0.0.1",
            &format!("-Dquarkus.http.port={port}"),
            "-jar",
            &jar,
        ];
        let process = ServerProcess::start(&directory, &command.map(str::to_owned));
        let registry = Self { _process: process, port };
        wait_until(Duration::from_secs(120), "the schema registry answers", || {
            let answer = send(&registry.address(), "GET", &format!("{PATH}/subjects"), &[], None).ok()?;
            (answer.status == 200).then_some(())
        });
        // as Confluent's begins
        registry.ask("PUT", "/config", Some(&json!({"compatibility": "BACKWARD"})));
        registry
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// For `schema.registry.url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address())
    }

    /// For `apicurio.registry.url`.
    pub(crate) fn core_url(&self) -> String {
        format!("http://{}/apis/registry/v2", self.address())
    }

    /// Asks it; the body of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let body = body.map(Value::to_string);
        let bytes = body.as_ref().map(String::as_bytes);
        send(&self.address(), method, &format!("{PATH}{path}"), &[CONTENT], bytes).unwrap().json()
    }

    /// Registers a schema; its id.
    pub(crate) fn register(&self, subject: &str, schema: &str) -> u32 {
        let answer = self.ask("POST", &format!("/subjects/{subject}/versions"), Some(&json!({"schema": schema})));
        answer["id"].as_u64().unwrap_or_else(|| panic!("{subject}: {answer}")) as u32
    }
}
