//! Which dead letters are meant.

use volley_worker::connector_config::parse_moment;
use volley_worker::dead_letters::LetterFilter;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which dead letters (all conditions hold)")]
pub(super) struct Filter {
    /// Stage that rejected it: VALUE_CONVERTER, TRANSFORMATION, TASK_PUT, …
    #[arg(long)]
    stage: Option<String>,
    /// Java class of the exception, with or without its package
    #[arg(long, value_name = "CLASS")]
    exception: Option<String>,
    /// Topic that the record came from
    #[arg(long, value_name = "TOPIC")]
    original_topic: Option<String>,
    /// Connector that rejected it
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// Key of the record, as text
    #[arg(long)]
    key: Option<String>,
    /// Partition of the dead letter topic
    #[arg(long)]
    partition: Option<i32>,
    /// Offset in that partition
    #[arg(long, requires = "partition")]
    offset: Option<i64>,
    /// Records of this time or later: ISO 8601 (UTC, if it says nothing else), or milliseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<i64>,
    /// Records before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<i64>,
}

impl Filter {
    pub(super) fn letters(&self) -> LetterFilter {
        LetterFilter {
            stage: self.stage.clone(),
            exception: self.exception.clone(),
            original_topic: self.original_topic.clone(),
            connector: self.connector.clone(),
            key: self.key.clone(),
            partition: self.partition,
            offset: self.offset,
            from: self.from,
            to: self.to,
        }
    }
}

fn moment(text: &str) -> Result<i64, String> {
    parse_moment(text).map_err(|error| error.to_string())
}
