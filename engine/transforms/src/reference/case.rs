//! One case: a transformation, its configuration, and a record.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, StringArray};
use serde_json::Value as Json;
use volley_api::testing::origin;
use volley_api::{
    Column, ConfigMap, Converter, HeaderConverter, PluginFactory, RawBatch, RawHeader, Records, Result, RowIndex, Side,
    Transformation, TransformationContext, schema,
};
use volley_converters::{JsonConverter, SimpleHeaderConverter};

use crate::plugins;

/// How a column holds a value without a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// With inferred types.
    Inferred,
    /// As JSON text, since the user wants it so.
    Text,
    /// As JSON text, since the values have several types.
    Mixed,
}

pub(super) struct Case {
    pub(super) given: Json,
    pub(super) answer: Json,
    /// Why the answer differs from Java's, where it may.
    pub(super) differs: Option<String>,
}

impl Case {
    pub(super) fn read(line: &str) -> Self {
        let mut parts = line.split('\t');
        let mut json = || serde_json::from_str(parts.next().expect("a case and its answer")).expect("JSON");
        let (given, answer) = (json(), json());
        Self { given, answer, differs: parts.next().map(str::to_owned) }
    }

    /// Forms that the record can have. A case without schemaless data has one.
    pub(super) fn carriers(&self) -> Vec<Carrier> {
        let is_schemaless = |side: &str| self.given.get(side).is_some_and(|data| data["schema"].is_null());
        let has_payload = |side: &str| self.given.get(side).is_some_and(|data| !data["payload"].is_null());
        match ["key", "value"].iter().any(|side| is_schemaless(side) && has_payload(side)) {
            true => vec![Carrier::Inferred, Carrier::Text, Carrier::Mixed],
            false => vec![Carrier::Inferred],
        }
    }

    pub(super) fn transformation(&self) -> Result<Box<dyn Transformation>> {
        let class = match self.given["class"].as_str().unwrap() {
            class if class.contains('.') => class.to_owned(),
            class => format!("org.apache.kafka.connect.transforms.{class}"),
        };
        let entries = self.given["config"].as_object().unwrap().iter();
        let config: ConfigMap = entries.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
        let plugin = plugins().into_iter().find(|plugin| plugin.class == class).expect("a class that there is");
        match &plugin.factory {
            PluginFactory::Transformation(new) => new(TransformationContext::default(), &config),
            _ => panic!("{class} is no transformation"),
        }
    }

    pub(super) fn partition(&self) -> i32 {
        self.given["partition"].as_i64().unwrap_or(0) as i32
    }

    pub(super) fn records(&self, carrier: Carrier) -> Records {
        let partition = self.partition();
        let topic = self.given["topic"].as_str().unwrap_or("t");
        let headers = self.given["headers"].as_array().map(|headers| {
            let one = |header: &Json| {
                let text = |place: usize| header[place].as_str().unwrap();
                let raw = RawHeader { name: text(0).into(), value: Some(text(1).as_bytes().to_vec()) };
                SimpleHeaderConverter::new(&ConfigMap::new()).unwrap().to_connect("t", &raw).unwrap()
            };
            Arc::new(vec![headers.iter().map(one).collect()])
        });
        Records {
            topic: topic.into(),
            kafka_partition: Some(partition),
            key: self.column("key", carrier),
            value: self.column("value", carrier),
            timestamps: vec![self.given["timestamp"].as_i64().unwrap_or(-1)].into(),
            headers,
            rows: RowIndex::all(1),
            origin: (self.given["source"] != true).then(|| origin(topic, partition, 7, 1)),
        }
    }

    fn column(&self, side: &str, carrier: Carrier) -> Column {
        let Some(envelope) = self.given.get(side) else { return Column::nulls(1) };
        if !envelope["schema"].is_null() {
            return read(envelope, true);
        }
        let payload = &envelope["payload"];
        let text = || -> ArrayRef { Arc::new(StringArray::from(vec![payload.to_string()])) };
        match carrier {
            _ if payload.is_null() => Column::nulls(1),
            Carrier::Inferred => read(payload, false),
            Carrier::Text => Column::new(Arc::new(schema::without_schema(schema::json_text_field("value"))), text()),
            Carrier::Mixed => Column::new(Arc::new(schema::without_schema(schema::mixed_field("value"))), text()),
        }
    }
}

pub(super) fn converter(has_schema: bool) -> JsonConverter {
    let flag = |flag: bool| flag.to_string();
    let config = [("schemas.enable", flag(has_schema)), ("replace.null.with.default", flag(false))];
    let config = config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    JsonConverter::new(&config, Side::Value).unwrap()
}

fn read(json: &Json, has_schema: bool) -> Column {
    let values = BinaryArray::from_iter_values([json.to_string().as_bytes()]);
    let raw = RawBatch { origin: origin("t", 0, 7, 1), keys: BinaryArray::new_null(1), values, headers: None };
    let converted = converter(has_schema).to_connect(&raw, Side::Value).unwrap();
    match converted.runs.into_iter().next() {
        Some(run) => run.column,
        None => panic!("{json} is refused: {:?}", converted.rejected),
    }
}
