//! `volley dlq show`

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use volley_api::Plugin;
use volley_worker::connector_config::moment_text;
use volley_worker::dead_letters::{Group, KeptBytes, KeptLetter, Summary, summarize};

use super::cluster::Cluster;
use super::filter::Filter;
use super::letter_text::{bytes_text, cut, line_width};
use crate::cli::Failure;
use crate::cli::output::say;
use crate::cli::records_text::printable;
use crate::cli::table::Table;

/// Characters of a cell of the table.
const CELL: usize = 60;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Dead letter topic
    #[arg(long)]
    topic: String,
    /// Number of records to show of each kind
    #[arg(long, default_value_t = 3)]
    records: usize,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    filter: Filter,
}

pub(super) fn run(arguments: &Arguments, plugins: Vec<Plugin>) -> Result<(), Failure> {
    let clients = arguments.cluster.clients(plugins)?;
    let topic = &arguments.topic;
    let filter = arguments.filter.letters();
    let summary = summarize(&clients, topic, &filter, arguments.records).map_err(Failure::connector)?;
    if arguments.json {
        let json = as_json(topic, &summary);
        say!("{}", serde_json::to_string_pretty(&json).map_err(Failure::connector)?);
        return Ok(());
    }
    print(topic, &summary);
    Ok(())
}

fn print(topic: &str, summary: &Summary) {
    say!("{}: {} dead letters", printable(topic), summary.count());
    if summary.count() == 0 {
        return;
    }
    say!();
    let mut table = Table::new(["COUNT", "REPLAYED", "STAGE", "EXCEPTION", "FROM TOPIC", "CONNECTOR", "FIRST", "LAST"]);
    for group in summary.groups() {
        let key = &group.key;
        let time = |time: Option<i64>| time.map_or_else(|| "-".to_owned(), moment_text);
        table.row([
            &group.count.to_string(),
            &group.replayed.to_string(),
            &cell(&key.stage),
            &cell(short(&key.exception)),
            &cell(&key.topic),
            &cell(&key.connector),
            &time(group.first),
            &time(group.last),
        ]);
    }
    table.print();
    for group in summary.groups() {
        print_group(topic, group);
    }
}

fn cell(text: &str) -> String {
    cut(&printable(text), Some(CELL))
}

fn print_group(topic: &str, group: &Group) {
    if group.letters.is_empty() {
        return;
    }
    let key = &group.key;
    let what = format!("{}, {}, from {}, {}", key.stage, key.exception, key.topic, key.connector);
    let which = match group.letters.len() as u64 == group.count {
        true => "all".to_owned(),
        false => format!("the first {} of", group.letters.len()),
    };
    say!("\n{}: {which} {}", printable(&what), group.count);
    let width = line_width();
    for letter in &group.letters {
        let place = format!("{topic}-{}@{}", letter.partition, letter.offset);
        let time = letter.timestamp.map_or_else(String::new, |time| format!("  {}", moment_text(time)));
        let replayed = if letter.is_replayed { "  replayed" } else { "" };
        say!("  {}{time}{}{replayed}", printable(&place), origin(group, letter));
        let text = |text: &Option<String>| text.as_deref().map(str::trim).map(|text| printable(text).into_owned());
        let lines = [
            ("key", Some(bytes_text(letter.key.as_ref()))),
            ("value", Some(bytes_text(letter.value.as_ref()))),
            ("error", text(&letter.message)),
            ("cause", text(&letter.cause)),
        ];
        for (name, line) in lines {
            if let Some(line) = line {
                say!("{}", cut(&format!("    {name:<5} {line}"), width));
            }
        }
    }
}

/// Where the record stood.
fn origin(group: &Group, letter: &KeptLetter) -> String {
    match (letter.original_partition, letter.original_offset) {
        (Some(partition), Some(offset)) => format!("  from {}-{partition}@{offset}", printable(&group.key.topic)),
        _ => String::new(),
    }
}

fn short(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

fn as_json(topic: &str, summary: &Summary) -> Value {
    let groups: Vec<_> = summary.groups().into_iter().map(group_json).collect();
    json!({ "topic": topic, "count": summary.count(), "groups": groups })
}

fn group_json(group: &Group) -> Value {
    json!({
        "stage": group.key.stage,
        "exception": group.key.exception,
        "original_topic": group.key.topic,
        "connector": group.key.connector,
        "count": group.count,
        "replayed": group.replayed,
        "first": group.first.map(moment_text),
        "last": group.last.map(moment_text),
        "records": group.letters.iter().map(letter_json).collect::<Vec<_>>(),
    })
}

fn letter_json(letter: &KeptLetter) -> Value {
    let mut json = Map::new();
    json.insert("partition".to_owned(), letter.partition.into());
    json.insert("offset".to_owned(), letter.offset.into());
    json.insert("timestamp".to_owned(), letter.timestamp.map(moment_text).into());
    json.insert("original_partition".to_owned(), letter.original_partition.into());
    json.insert("original_offset".to_owned(), letter.original_offset.into());
    add_bytes(&mut json, "key", letter.key.as_ref());
    add_bytes(&mut json, "value", letter.value.as_ref());
    json.insert("message".to_owned(), letter.message.clone().into());
    json.insert("cause".to_owned(), letter.cause.clone().into());
    json.insert("replayed".to_owned(), letter.is_replayed.into());
    Value::Object(json)
}

/// `key`, or `key_base64` if it is no text; and `key_bytes`, its length, if that is only the beginning.
fn add_bytes(json: &mut Map<String, Value>, name: &str, bytes: Option<&KeptBytes>) {
    let Some(bytes) = bytes else {
        json.insert(name.to_owned(), Value::Null);
        return;
    };
    match bytes.text() {
        Some(text) => json.insert(name.to_owned(), text.into()),
        None => json.insert(format!("{name}_base64"), BASE64_STANDARD.encode(&bytes.head).into()),
    };
    if bytes.is_cut() {
        json.insert(format!("{name}_bytes"), bytes.len.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_text_as_text_other_bytes_in_base64_and_says_what_is_cut() {
        let shown = |bytes: Option<&[u8]>| {
            let mut json = Map::new();
            add_bytes(&mut json, "value", bytes.map(KeptBytes::of).as_ref());
            Value::Object(json)
        };
        assert_eq!(shown(None), json!({ "value": null }));
        assert_eq!(shown(Some(b"a\n")), json!({ "value": "a\n" }));
        assert_eq!(shown(Some(&[0xff, 0])), json!({ "value_base64": "/wA=" }));
        let long = shown(Some(&[b'x'; 100_000]));
        assert_eq!((long["value"].as_str().map(str::len), &long["value_bytes"]), (Some(16384), &json!(100_000)));
    }

    #[test]
    fn a_class_is_known_by_its_last_word() {
        assert_eq!(short("org.apache.kafka.connect.errors.DataException"), "DataException");
        assert_eq!(short("unknown"), "unknown");
    }
}
