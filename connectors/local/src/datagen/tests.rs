//! What the source promises as a whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Int64Type};
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::RecordBatch;
use proptest::prelude::*;
use serde_json::Value;
use volley_api::testing::{config_map, json_object, resumes_from_every_offset};
use volley_api::{
    Column, ConfigMap, Connector, ConnectorContext, ErrorKind, PluginFactory, Polled, Records, Result, SourceBatch,
    SourceContext, SourceOffset, SourcePartition, SourceTask,
};

use super::source::{DatagenTask, source_plugin};

fn connector() -> Arc<dyn Connector> {
    Arc::clone(source_plugin().factory.connector().unwrap())
}

fn start(context: SourceContext, config: &ConfigMap) -> Result<Box<dyn SourceTask>> {
    match source_plugin().factory {
        PluginFactory::Source { task, .. } => task(context, config),
        _ => unreachable!("a source"),
    }
}

type Stored = Arc<Mutex<BTreeMap<String, SourceOffset>>>;

fn context(task: usize, stored: &Stored) -> SourceContext {
    let stored = Arc::clone(stored);
    let offset = move |partition: &SourcePartition| {
        Ok(stored.lock().unwrap().get(&Value::from(partition.clone()).to_string()).cloned())
    };
    SourceContext::new("d", task).with_offsets(Arc::new(offset))
}

fn keep(stored: &Stored, batch: &SourceBatch) {
    let partition = Value::from(batch.partition.clone()).to_string();
    stored.lock().unwrap().insert(partition, batch.offset.clone());
}

fn started(config: &ConfigMap, task: usize, tasks: usize, stored: &Stored) -> Box<dyn SourceTask> {
    let mut running = connector().start(ConnectorContext::new("d"), config).unwrap();
    let config = running.task_configs(tasks).unwrap().swap_remove(task);
    start(context(task, stored), &config).unwrap()
}

/// Polls until the end, or until `polls` batches have come; each is stored as delivered.
fn run(task: &mut dyn SourceTask, stored: &Stored, polls: usize) -> Vec<Records> {
    let mut all = Vec::new();
    while all.len() < polls {
        match task.poll(Duration::ZERO).unwrap() {
            Polled::Finished => break,
            Polled::Idle | Polled::IdleFor(_) => {}
            Polled::Batches(batches) => {
                for batch in batches {
                    keep(stored, &batch);
                    all.push(batch.records);
                }
            }
        }
    }
    all
}

fn values(batches: &[Records]) -> Column {
    let arrays: Vec<_> = batches.iter().map(|records| records.value.array.as_ref()).collect();
    Column::new(Arc::clone(&batches[0].value.field), concat(&arrays).unwrap())
}

fn json(column: &Column) -> String {
    let values = column.array.as_struct();
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&RecordBatch::from(values.clone())).unwrap();
    writer.finish().unwrap();
    String::from_utf8(writer.into_inner()).unwrap()
}

fn rows_of(entries: &[(&str, &str)]) -> Column {
    let stored = Stored::default();
    values(&run(&mut *started(&config_map(entries), 0, 1, &stored), &stored, usize::MAX))
}

fn issues(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    let issues = connector().validate(&config_map(entries));
    issues.into_iter().map(|issue| (issue.key, issue.message)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn same_seed_same_rows_for_any_batch_size_and_restart_point(
        schema in prop::sample::select(super::preset::NAMES),
        seed: i64,
        rows in 1usize..400,
        batch_size in 1usize..120,
        stop_after in 0usize..10,
    ) {
        let (seed, count, size) = (seed.to_string(), rows.to_string(), batch_size.to_string());
        let base = [("topic", "t"), ("schema", schema), ("seed", &*seed), ("rows", &*count)];
        let expected = rows_of(&base);
        prop_assert_eq!(expected.len(), rows);
        let config = config_map(&[&base[..], &[("batch.size", &*size)]].concat());
        let stored = Stored::default();
        let mut batches = run(&mut *started(&config, 0, 1, &stored), &stored, stop_after);
        batches.extend(run(&mut *started(&config, 0, 1, &stored), &stored, usize::MAX));
        prop_assert!(batches.iter().all(|records| records.len() <= batch_size));
        prop_assert_eq!(&values(&batches).array, &expected.array);
    }

    #[test]
    fn any_number_of_tasks_makes_the_same_rows(rows in 0usize..300, tasks in 1usize..9, batch_size in 1usize..50) {
        let (count, size) = (rows.to_string(), batch_size.to_string());
        let base = [("topic", "t"), ("rows", &*count)];
        let config = config_map(&[&base[..], &[("batch.size", &*size)]].concat());
        let mut lines = Vec::new();
        for task in 0..tasks {
            let stored = Stored::default();
            let batches = run(&mut *started(&config, task, tasks, &stored), &stored, usize::MAX);
            batches.iter().for_each(|records| lines.extend(json(&records.value).lines().map(str::to_owned)));
        }
        let mut expected = Vec::new();
        if rows > 0 {
            expected.extend(json(&rows_of(&base)).lines().map(str::to_owned));
        }
        lines.sort();
        expected.sort();
        prop_assert_eq!(lines, expected);
    }
}

#[test]
fn known_rows_stay_known() {
    let column = rows_of(&[("topic", "t"), ("schema", "orders"), ("rows", "2")]);
    assert_eq!(json(&column), KNOWN_ORDERS);
}

const KNOWN_ORDERS: &str = r#"{"order_id":1,"customer_id":873,"product":"salt","quantity":2,"amount":268.99,"status":"paid","created_at":"2025-01-01T00:00:00.044Z"}
{"order_id":2,"customer_id":3656,"product":"honey","quantity":8,"amount":163.41,"status":"paid","created_at":"2025-01-01T00:00:00.286Z"}
"#;

#[test]
fn orders_take_about_a_hundred_bytes_each() {
    let text = json(&rows_of(&[("topic", "t"), ("rows", "1000")]));
    let mean = text.len() / 1_000;
    assert!((90..160).contains(&mean), "{mean} bytes");
}

#[test]
fn a_bounded_source_ends_and_stays_at_its_end_after_a_restart() {
    let config = config_map(&[("topic", "t"), ("rows", "10")]);
    let stored = Stored::default();
    let first: usize = run(&mut *started(&config, 0, 1, &stored), &stored, usize::MAX).iter().map(Records::len).sum();
    assert_eq!(first, 10);
    assert_eq!(stored.lock().unwrap()[r#"{"id":0}"#]["row"], 10);
    assert!(matches!(started(&config, 0, 1, &stored).poll(Duration::ZERO).unwrap(), Polled::Finished));
}

#[test]
fn the_user_changes_and_chooses_fields_of_a_preset() {
    let column = rows_of(&[
        ("topic", "t"),
        ("rows", "50"),
        ("schema", "orders"),
        ("fields", "order_id, quantity"),
        ("fields.quantity.max", "1"),
        ("fields.order_id.start", "7"),
    ]);
    let first = json(&column).lines().next().unwrap().to_owned();
    assert_eq!(first, r#"{"order_id":7,"quantity":1}"#);
}

#[test]
fn every_type_and_generator_can_be_described() {
    let column = rows_of(&[
        ("topic", "t"),
        ("rows", "200"),
        ("fields", "a,b,c,d,e,f,g,h,i,j,k,l"),
        ("fields.a.type", "int8"),
        ("fields.a.generator", "sequence"),
        ("fields.b.type", "decimal"),
        ("fields.b.min", "-1.5"),
        ("fields.b.max", "1.5"),
        ("fields.c.type", "date"),
        ("fields.c.generator", "walk"),
        ("fields.c.start", "2024-02-28"),
        ("fields.d.type", "timestamp"),
        ("fields.d.generator", "choice"),
        ("fields.d.values", "2024-01-01T00:00:00Z,2024-06-01T12:00:00Z"),
        ("fields.e.type", "boolean"),
        ("fields.f.type", "float32"),
        ("fields.g.type", "float64"),
        ("fields.g.scale", "3"),
        ("fields.h.type", "string"),
        ("fields.h.generator", "zipf"),
        ("fields.h.prefix", "h-"),
        ("fields.i.type", "int16"),
        ("fields.i.generator", "choice"),
        ("fields.i.values", "1,22,333"),
        ("fields.j.pattern", "##-??"),
        ("fields.j.type", "string"),
        ("fields.k.type", "int64"),
        ("fields.k.min", "-9223372036854775808"),
        ("fields.k.max", "9223372036854775807"),
        ("fields.l.null.rate", "1"),
    ]);
    let DataType::Struct(fields) = column.field.data_type() else { panic!("not a struct") };
    let nullable: Vec<_> =
        fields.iter().filter(|field| field.is_nullable()).map(|field| field.name().as_str()).collect();
    assert_eq!(nullable, ["l"]);
    assert_eq!(fields[1].data_type(), &DataType::Decimal128(38, 2));
    let lines: Vec<Value> = json(&column).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[127]["a"], &lines[128]["a"]), (&Value::from(127), &Value::from(-128)));
    assert_eq!((&lines[0]["c"], &lines[2]["c"]), (&Value::from("2024-02-28"), &Value::from("2024-03-01")));
    assert!(
        lines
            .iter()
            .all(|line| line["h"].as_str().unwrap().starts_with("h-") && line["j"].as_str().unwrap().len() == 5)
    );
    assert!(lines.iter().all(|line| line.get("l").is_none_or(Value::is_null)));
}

#[test]
fn nulls_come_at_their_rate_and_change_no_other_value() {
    let with = rows_of(&[("topic", "t"), ("rows", "5000"), ("fields", "a"), ("fields.a.null.rate", "0.25")]);
    let without = rows_of(&[("topic", "t"), ("rows", "5000"), ("fields", "a")]);
    let numbers = |column: &Column| column.array.as_struct().column(0).as_primitive::<Int64Type>().clone();
    let (with, without) = (numbers(&with), numbers(&without));
    assert!((1_100..1_400).contains(&with.null_count()), "{} nulls", with.null_count());
    assert!(with.iter().zip(&without).all(|(with, without)| with.is_none() || with == without));
}

#[test]
fn key_and_record_timestamp_come_from_the_named_fields() {
    let stored = Stored::default();
    let named =
        config_map(&[("topic", "t"), ("rows", "3"), ("key.field", "order_id"), ("timestamp.field", "created_at")]);
    let batches = run(&mut *started(&named, 0, 1, &stored), &stored, usize::MAX);
    assert_eq!(batches[0].key.field.data_type(), &DataType::Int64);
    assert!(batches[0].timestamps.iter().all(|time| (1_735_689_600_000..1_735_689_602_000).contains(time)));
    let plain = run(
        &mut *started(&config_map(&[("topic", "t"), ("rows", "3")]), 0, 1, &Stored::default()),
        &stored,
        usize::MAX,
    );
    assert!(plain[0].key.is_null(0) && plain[0].timestamps.iter().all(|time| *time == -1));
}

#[test]
fn a_paced_source_is_idle_between_its_rows() {
    let stored = Stored::default();
    let mut task = started(&config_map(&[("topic", "t"), ("rows.per.second", "0.001")]), 0, 1, &stored);
    assert_eq!(run(&mut *task, &stored, 1)[0].len(), 1);
    assert!(matches!(task.poll(Duration::ZERO).unwrap(), Polled::Idle));
}

#[test]
fn every_mistake_in_the_description_of_a_field_is_named_by_its_key() {
    for (entries, key) in [
        (&[("fields", "a"), ("fields.a.mim", "1")][..], "fields.a.mim"),
        (&[("fields", "a"), ("fields.a.type", "int")], "fields.a.type"),
        (&[("fields", "a"), ("fields.a.generator", "random")], "fields.a.generator"),
        (&[("fields", "a"), ("fields.a.generator", "sequence"), ("fields.a.max", "1")], "fields.a.max"),
        (&[("fields", "a"), ("fields.b.max", "1")], "fields.b.max"),
        (&[("fields", "a,a")], "fields"),
        (&[("fields", "a,")], "fields"),
        (&[("fields", "a"), ("fields.a.type", "int8"), ("fields.a.max", "200")], "fields.a.max"),
        (&[("fields", "a"), ("fields.a.min", "5"), ("fields.a.max", "1")], "fields.a.max"),
        (&[("fields", "a"), ("fields.a.generator", "choice")], "fields.a.values"),
        (
            &[("fields", "a"), ("fields.a.type", "int8"), ("fields.a.generator", "choice"), ("fields.a.values", "1,x")],
            "fields.a.values",
        ),
        (
            &[("fields", "a"), ("fields.a.generator", "choice"), ("fields.a.values", "x,y"), ("fields.a.weights", "1")],
            "fields.a.weights",
        ),
        (
            &[("fields", "a"), ("fields.a.generator", "choice"), ("fields.a.values", "x"), ("fields.a.weights", "0")],
            "fields.a.weights",
        ),
        (
            &[("fields", "a"), ("fields.a.generator", "zipf"), ("fields.a.cardinality", "99999999")],
            "fields.a.cardinality",
        ),
        (&[("fields", "a"), ("fields.a.generator", "pattern"), ("fields.a.pattern", "\\")], "fields.a.pattern"),
        (&[("fields", "a"), ("fields.a.null.rate", "1.5")], "fields.a.null.rate"),
        (&[("fields", "a"), ("fields.a.type", "decimal"), ("fields.a.scale", "10")], "fields.a.scale"),
        (&[("schema", "orders"), ("key.field", "nothing")], "key.field"),
        (&[("schema", "orders"), ("timestamp.field", "amount")], "timestamp.field"),
    ] {
        let found = issues(entries);
        assert_eq!(found.iter().map(|issue| issue.0.as_str()).collect::<Vec<_>>(), [key], "{entries:?}: {found:?}");
        let error = start(context(0, &Stored::default()), &config_map(&[entries, &[("topic", "t")]].concat()));
        assert_eq!(error.err().unwrap().kind(), ErrorKind::Config, "{entries:?}");
    }
}

#[test]
fn only_offsets_that_the_task_understands_can_be_set() {
    let alter = |partition: &str, offset: Option<&str>| {
        connector().alter_offsets(&config_map(&[]), &[(json_object(partition), offset.map(json_object))])
    };
    assert!(alter(r#"{"id":0}"#, Some(r#"{"row":5}"#)).unwrap());
    assert!(alter(r#"{"x":0}"#, None).unwrap());
    assert!(alter(r#"{"x":0}"#, Some(r#"{"row":5}"#)).is_err());
    assert!(alter(r#"{"id":0}"#, Some(r#"{"row":-5}"#)).is_err());
    assert!(alter(r#"{"id":0}"#, Some(r#"{"rows":5}"#)).is_err());
}

#[test]
fn the_rows_are_resumed_from_every_offset() {
    for keys in [&[("rows", "40")][..], &[]] {
        let config = config_map(&[&[("topic", "t"), ("batch.size", "7")], keys].concat());
        let mut running = connector().start(ConnectorContext::new("d"), &config).unwrap();
        let config = running.task_configs(2).unwrap().swap_remove(0);
        resumes_from_every_offset(30, |context| DatagenTask::start(context, &config));
    }
}
