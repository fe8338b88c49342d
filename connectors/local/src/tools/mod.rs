//! The connectors that Kafka's own tools and system tests use, under their Java class names
//! (`org.apache.kafka.connect.tools.*`).
//!
//! What they print on the standard output, member for member, is what Kafka's test suites read: one JSON object a line.
//! None of them defines its keys, in Java neither: what is missing or wrong shows when a task starts.
//!
//! ```properties
//! connector.class=VerifiableSource
//! topic=numbers
//! throughput=100
//! tasks.max=2
//! ```

mod message_lines;
mod mock_connector;
mod mock_failure;
mod mock_sink_task;
mod mock_source_task;
mod schema_source;
mod sequence;
mod verifiable_sink;
mod verifiable_source;

use volley_api::Plugin;

/// All of them.
pub(crate) fn plugins() -> Vec<Plugin> {
    vec![
        mock_connector::sink_plugin(),
        mock_connector::source_plugin(),
        schema_source::source_plugin(),
        verifiable_sink::sink_plugin(),
        verifiable_source::source_plugin(),
    ]
}
