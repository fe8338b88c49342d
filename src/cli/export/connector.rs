//! The connector that an export runs.

use std::path::Path;

use url::Url;
use volley_api::ConfigMap;
use volley_sql::works_row_by_row;

use super::arguments::Arguments;
use super::file_format::FileFormat;
use super::value_converter::ValueConverter;

/// The connector of an export: its name and its configuration.
#[derive(Debug)]
pub(super) struct ExportConnector {
    pub(super) name: String,
    pub(super) config: ConfigMap,
}

impl ExportConnector {
    /// The connector that these arguments describe.
    ///
    /// # Errors
    /// What does not go together.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, String> {
        let topics = arguments.topics.join(",");
        let name = arguments.name.clone().unwrap_or_else(|| format!("export-{}", arguments.topics.join("-")));
        let mut config = ConfigMap::new();
        let mut set = |key: &str, value: &str| drop(config.insert(key.to_owned(), value.to_owned()));
        set("name", &name);
        set("connector.class", "ObjectStoreSink");
        set("tasks.max", &arguments.tasks.to_string());
        set("topics", &topics);
        set("volley.mode", "bounded");
        set("volley.bounded.start", &arguments.from);
        set("volley.bounded.end", &arguments.until);
        set("store.url", &store_url(&arguments.to)?);
        match &arguments.sql {
            None => {}
            Some(query) if works_row_by_row(query).map_err(|refusal| format!("--sql: {refusal}"))? => {
                set("transforms", "sql");
                set("transforms.sql.type", "Sql");
                set("transforms.sql.query", query);
            }
            Some(query) => set("query", query),
        }
        config.extend(arguments.format.keys(arguments.compression.as_deref())?);
        if let Some(layout) = &arguments.partition_by {
            config.extend(layout.keys(arguments.time_field.as_deref(), arguments.timezone.as_deref())?);
        }
        match converter(arguments) {
            Some(converter) => config.extend(converter.keys(arguments.schema_registry.as_deref())?),
            None if arguments.schema_registry.is_some() => {
                return Err("--schema-registry is for --value-converter avro or protobuf".to_owned());
            }
            None => {}
        }
        config.extend(arguments.config.iter().cloned());
        Ok(Self { name: config.get("name").cloned().unwrap_or(name), config })
    }

    /// The connector as `POST /connectors` takes it.
    pub(super) fn json(&self) -> serde_json::Value {
        let entries = self.config.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        let config = serde_json::Map::from_iter(entries);
        serde_json::json!({ "name": self.name, "config": config })
    }

    /// The directory with the files: that of the directories of topics, or that of a query's result.
    pub(super) fn directory(&self) -> String {
        let result = self.config.get("query.name").unwrap_or(&self.name);
        match self.is_query() {
            true => format!("{}/{result}", self.topics_directory().trim_end_matches('/')),
            false => self.topics_directory(),
        }
    }

    /// Whether it writes the result of a query over all records.
    pub(super) fn is_query(&self) -> bool {
        self.config.get("query").is_some_and(|query| !query.trim().is_empty())
    }

    fn topics_directory(&self) -> String {
        let url = self.config.get("store.url").map(String::as_str).unwrap_or_default();
        let dir = self.config.get("topics.dir").map_or("topics", String::as_str).trim_matches('/');
        let local = Url::parse(url).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
        match local {
            Some(path) if dir.is_empty() => path.display().to_string(),
            Some(path) => path.join(dir).display().to_string(),
            None => format!("{}/{dir}", url.trim_end_matches('/')).trim_end_matches('/').to_owned(),
        }
    }
}

/// `None`: that of the worker's configuration.
fn converter(arguments: &Arguments) -> Option<ValueConverter> {
    let default = match arguments.format {
        FileFormat::Bytes => Some(ValueConverter::Bytes),
        _ if arguments.worker_config.is_none() => Some(ValueConverter::Json),
        _ => None,
    };
    arguments.value_converter.or(default)
}

/// A URL as it is; anything else is a local path.
fn store_url(place: &str) -> Result<String, String> {
    if place.contains("://") || place.starts_with("file:") {
        return Ok(place.to_owned());
    }
    if place.trim().is_empty() {
        return Err("--to needs a directory or a URL".to_owned());
    }
    let path = std::path::absolute(Path::new(place)).map_err(|error| format!("--to {place}: {error}"))?;
    let url = Url::from_file_path(&path).map_err(|()| format!("--to {place}: this is no path"))?;
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn connector(arguments: &[&str]) -> Result<ExportConnector, String> {
        let line = ["export", "--bootstrap-servers", "b:9092", "--topic", "orders"].iter().chain(arguments);
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        ExportConnector::of(&line.arguments)
    }

    #[test]
    fn the_least_that_can_be_given_is_all_of_the_topic_as_parquet() {
        let export = connector(&["--to", "s3://lake/raw"]).unwrap();
        assert_eq!(export.name, "export-orders");
        let expected = [
            ("name", "export-orders"),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "1"),
            ("topics", "orders"),
            ("volley.mode", "bounded"),
            ("volley.bounded.start", "earliest"),
            ("volley.bounded.end", "now"),
            ("store.url", "s3://lake/raw"),
            ("format.class", "Parquet"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.schemas.enable", "false"),
        ];
        let given: Vec<_> = export.config.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(given, expected);
        assert_eq!(export.directory(), "s3://lake/raw/topics");
    }

    #[test]
    fn a_key_of_its_own_comes_before_what_other_arguments_say() {
        let export = connector(&["--to", "x", "--topic", "b,c", "-c", "tasks.max=3", "-c", "topics.dir=a=b/"]).unwrap();
        assert_eq!((export.config["tasks.max"].as_str(), export.config["topics"].as_str()), ("3", "orders,b,c"));
        assert_eq!(export.name, "export-orders-b-c");
        assert!(export.directory().ends_with("/x/a=b"), "{}", export.directory());
        let directory = |to| connector(&["--to", to, "-c", "topics.dir="]).unwrap().directory();
        assert_eq!((directory("/tmp/x").as_str(), directory("s3://lake/raw/").as_str()), ("/tmp/x", "s3://lake/raw"));
        let export = connector(&["--to", "x", "--sql", "SELECT 1 FROM records", "-c", "name=n"]).unwrap();
        assert_eq!(
            (export.name.as_str(), export.config["transforms.sql.query"].as_str()),
            ("n", "SELECT 1 FROM records")
        );
    }

    #[test]
    fn a_query_over_all_records_is_none_of_a_transformation() {
        let sum = "SELECT country, sum(amount) AS s FROM orders GROUP BY country";
        let export = connector(&["--to", "s3://lake/raw", "--sql", sum, "--name", "sums"]).unwrap();
        assert_eq!(
            (export.config.get("query").map(String::as_str), export.config.get("transforms")),
            (Some(sum), None)
        );
        assert_eq!(export.directory(), "s3://lake/raw/topics/sums");
        let error = connector(&["--to", "x", "--sql", "SELECT sun(amount) FROM records"]).unwrap_err();
        assert!(error.contains("--sql: line 1, column 8: unknown function `sun`"), "{error}");
    }

    #[test]
    fn a_path_is_made_a_url_that_means_the_same_path() {
        let url = store_url("/tmp/a b#c?d/ü%20").unwrap();
        assert_eq!(Url::parse(&url).unwrap().to_file_path().unwrap(), Path::new("/tmp/a b#c?d/ü%20"));
        let relative = Url::parse(&store_url("out").unwrap()).unwrap().to_file_path().unwrap();
        assert_eq!(relative, std::env::current_dir().unwrap().join("out"));
        assert_eq!(store_url("s3://b/p").unwrap(), "s3://b/p");
        assert!(store_url(" ").is_err());
    }

    #[test]
    fn what_does_not_go_together_is_refused_before_anything_is_done() {
        for (arguments, expected) in [
            (&["--to", "x", "--until", "soon"][..], "write now, an offset"),
            (&["--to", "x", "--from", "1796025600000"], "write `timestamp:1796025600000`"),
            (&["--to", "x", "--format", "arrow", "--compression", "gzip"], "give one of none, lz4, zstd"),
            (&["--to", "x", "--value-converter", "avro"], "need --schema-registry"),
            (&["--to", "x", "--partition-by", "field:a", "--timezone", "UTC"], "directories by day or hour"),
            (&["--to", "x", "--timezone", "UTC"], "--partition-by"),
            (&["--to", "x", "-c", "novalue"], "KEY=VALUE"),
            (&[], "--to"),
        ] {
            let error = connector(arguments).unwrap_err();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
    }
}
