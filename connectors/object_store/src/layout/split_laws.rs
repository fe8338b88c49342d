//! What holds for every split, and the directories that users know.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, Int64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Field;
use proptest::prelude::*;
use volley_api::testing::{column, config_map, consumed, texts};
use volley_api::{Column, ConfigDef, Records};

use super::partitioner::{Partitioner, Rows, Split};
use super::partitioner_config::PartitionerConfig;
use super::partitioner_keys::partitioner_keys;
use super::path_text::is_plain_path;

const HOUR_MS: i64 = 3_600_000;
/// 2026-11-30T20:15:30Z
const THEN: i64 = 1_796_069_730_000;

fn partitioner(entries: &[(&str, &str)]) -> Box<dyn Partitioner> {
    let def = partitioner_keys().into_iter().fold(ConfigDef::new(), ConfigDef::key);
    let config = def.parse(&config_map(&[&[("locale", "en"), ("timezone", "UTC")], entries].concat())).unwrap();
    PartitionerConfig::from_config(&config).unwrap().partitioner().unwrap()
}

fn value(columns: Vec<(&str, ArrayRef)>, nulls: Option<NullBuffer>) -> Column {
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    column(StructArray::new(fields.into(), columns.into_iter().map(|(_, array)| array).collect(), nulls))
}

/// Records of these countries, cities and times; the times are Kafka's and those of the field `at`.
fn records(countries: Vec<Option<&str>>, cities: Vec<Option<i32>>, times: Vec<i64>) -> Records {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("country", Arc::new(StringArray::from(countries))),
        ("city", Arc::new(Int32Array::from(cities))),
        ("at", Arc::new(Int64Array::from(times.clone()))),
    ];
    Records { timestamps: times.into(), ..consumed("t", 3, 0, value(columns, None)) }
}

fn shown(split: &Split) -> Vec<(&str, Vec<usize>)> {
    split.parts.iter().map(|(directory, rows)| (&**directory, rows.iter().collect())).collect()
}

#[test]
fn directories_are_those_that_users_know() {
    let one = records(vec![Some("DE")], vec![Some(7)], vec![THEN]);
    let field_and_time = "com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner";
    let hourly = [("path.format", "YYYY/MM/dd/HH"), ("partition.duration.ms", "3600000")];
    let daily = [("path.format", "'dt'=YYYY-MM-dd"), ("partition.duration.ms", "86400000")];
    let record = ("timestamp.extractor", "Record");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "partition=3"),
        (&[("partitioner.class", "Field"), ("partition.field.name", "country")], "country=DE"),
        (&[("partitioner.class", "Field"), ("partition.field.name", "city,country")], "city=7/country=DE"),
        (
            &[("partitioner.class", "Field"), ("partition.field.name", "city,country"), ("directory.delim", "_")],
            "city=7_country=DE",
        ),
        (&[("partitioner.class", "Daily"), record], "year=2026/month=11/day=30"),
        (&[("partitioner.class", "Hourly"), record], "year=2026/month=11/day=30/hour=20"),
        (&[("partitioner.class", "Hourly"), record, ("directory.delim", "to")], "year=2026tomonth=11today=30tohour=20"),
        (&[("partitioner.class", "Hourly"), record, ("timezone", "Asia/Seoul")], "year=2026/month=12/day=01/hour=05"),
        (&[("partitioner.class", "TimeBased"), record, hourly[0], hourly[1]], "2026/11/30/20"),
        (&[("partitioner.class", "TimeBased"), record, daily[0], daily[1]], "dt=2026-11-30"),
        (
            &[
                ("partitioner.class", field_and_time),
                record,
                daily[0],
                daily[1],
                ("partition.field.name", "country,city"),
            ],
            "country=DE/city=7/dt=2026-11-30",
        ),
        (
            &[
                ("partitioner.class", field_and_time),
                record,
                daily[0],
                daily[1],
                ("partition.field.name", "country,city"),
                ("partition.field.format.path", "false"),
                ("directory.delim", "_"),
            ],
            "DE/7_dt=2026-11-30",
        ),
    ];
    for (entries, expected) in cases {
        let split = partitioner(entries).split(&one, 0).unwrap();
        assert_eq!(shown(&split), [(*expected, vec![0])]);
    }
}

#[test]
fn a_batch_of_one_directory_is_not_cut() {
    let rows = records(vec![Some("DE"); 4], vec![Some(1); 4], vec![THEN, THEN + 1, THEN + 2, THEN + HOUR_MS / 2]);
    for entries in [
        &[("partitioner.class", "Default")][..],
        &[("partitioner.class", "Field"), ("partition.field.name", "country,city")],
        &[("partitioner.class", "Hourly"), ("timestamp.extractor", "Record")],
        &[("partitioner.class", "Hourly"), ("timestamp.extractor", "RecordField"), ("timestamp.field", "at")],
        &[("partitioner.class", "Hourly")],
    ] {
        let split = partitioner(entries).split(&rows, THEN).unwrap();
        assert_eq!(split.parts.iter().map(|part| part.1.clone()).collect::<Vec<_>>(), [Rows::Range(0..4)]);
    }
}

#[test]
fn null_is_a_value_and_a_row_of_it_keeps_its_place() {
    let rows = records(vec![None, Some("DE"), Some("null"), None], vec![Some(1); 4], vec![THEN; 4]);
    let by_country = partitioner(&[("partitioner.class", "Field"), ("partition.field.name", "country")]);
    let split = by_country.split(&rows, 0).unwrap();
    assert_eq!(shown(&split), [("country=null", vec![0, 2, 3]), ("country=DE", vec![1])]);
    let split = by_country.split(&rows.slice(1, 2), 0).unwrap();
    assert_eq!(shown(&split), [("country=DE", vec![0]), ("country=null", vec![1])]);
    assert_eq!(split.parts[1].1.of(&rows.slice(1, 2)).unwrap().offset(0), Some(2));
}

#[test]
fn a_row_without_a_directory_is_rejected_and_takes_no_other_along() {
    let rows = records(vec![Some("DE"), Some("FR")], vec![Some(1), None], vec![THEN, -1]);
    let hourly = partitioner(&[("partitioner.class", "Hourly"), ("timestamp.extractor", "Record")]);
    let split = hourly.split(&rows, 0).unwrap();
    assert_eq!(shown(&split), [("year=2026/month=11/day=30/hour=20", vec![0])]);
    assert_eq!(split.rejected.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1]);
    assert_eq!(split.times.unwrap().of_row(0), THEN);

    let missing = partitioner(&[("partitioner.class", "Field"), ("partition.field.name", "town")]);
    let split = missing.split(&rows, 0).unwrap();
    assert!(split.parts.is_empty());
    assert_eq!(split.rejected[1], (1, "town is not a valid field name".to_owned()));

    let long = "x".repeat(300);
    let rows = records(vec![Some(&long), Some("DE")], vec![Some(1); 2], vec![THEN; 2]);
    let split =
        partitioner(&[("partitioner.class", "Field"), ("partition.field.name", "country")]).split(&rows, 0).unwrap();
    assert_eq!(shown(&split), [("country=DE", vec![1])]);
    assert!(split.rejected[0].1.contains("would have 308 bytes; at most 255 do"), "{}", split.rejected[0].1);

    let texts = consumed("t", 3, 0, texts(["a"]));
    let split = partitioner(&[("partitioner.class", "Field"), ("partition.field.name", "a")]).split(&texts, 0).unwrap();
    assert!(split.rejected[0].1.contains("of type Utf8, not a struct"));
}

#[test]
fn a_null_value_has_no_fields() {
    let countries: ArrayRef = Arc::new(StringArray::from(vec!["DE", "FR"]));
    let value = value(vec![("country", countries)], Some(NullBuffer::from(vec![true, false])));
    let rows = consumed("t", 3, 0, value);
    let split =
        partitioner(&[("partitioner.class", "Field"), ("partition.field.name", "country")]).split(&rows, 0).unwrap();
    assert_eq!(shown(&split), [("country=DE", vec![0])]);
    assert!(split.rejected[0].1.starts_with("the value is null"), "{}", split.rejected[0].1);
}

#[test]
fn an_empty_batch_has_no_directory() {
    let none = records(Vec::new(), Vec::new(), Vec::new());
    for class in ["Default", "Field", "Hourly", "FieldAndTime"] {
        let extractors = ["Wallclock", "Record", "RecordField"];
        for extractor in extractors {
            let entries = [
                ("partitioner.class", class),
                ("partition.field.name", "country"),
                ("timestamp.extractor", extractor),
                ("timestamp.field", "at"),
                ("path.format", "YYYY"),
                ("partition.duration.ms", "1"),
            ];
            let split = partitioner(&entries).split(&none, THEN).unwrap();
            assert!(split.parts.is_empty() && split.rejected.is_empty(), "{class} {extractor}");
        }
    }
}

fn country() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop_oneof![Just("DE".to_owned()), "[./%a\\\\]{0,3}", Just("y".repeat(260))])
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-1), -9_000_000..9_000_000_i64, any::<i64>()]
}

proptest! {
    #[test]
    fn every_row_is_in_one_part_or_rejected_and_where_it_would_be_alone(
        rows in proptest::collection::vec(
            (country(), proptest::option::of(0..3i32), time()),
            0..40,
        ),
        with_names in any::<bool>(),
        zone in proptest::sample::select(vec!["UTC", "Europe/London", "-03:30"]),
        cut in 0usize..40,
    ) {
        let countries = rows.iter().map(|(country, ..)| country.as_deref()).collect();
        let all = records(countries, rows.iter().map(|row| row.1).collect(), rows.iter().map(|row| row.2).collect());
        let all = all.slice(cut.min(rows.len()), rows.len() - cut.min(rows.len()));
        let with_names = with_names.to_string();
        let entries = [
            ("partitioner.class", "FieldAndTime"),
            ("partition.field.name", "country,city"),
            ("partition.field.format.path", &with_names),
            ("path.format", "YYYY/MM/dd/HH-mm"),
            ("partition.duration.ms", "900000"),
            ("timestamp.extractor", "Record"),
            ("timezone", zone),
        ];
        let partitioner = partitioner(&entries);
        let split = partitioner.split(&all, 0).unwrap();
        let mut seen: Vec<(usize, Option<&str>)> = split.rejected.iter().map(|(row, _)| (*row, None)).collect();
        for (directory, rows) in &split.parts {
            prop_assert!(is_plain_path(directory) && rows.len() > 0, "{}", directory);
            let rows: Vec<_> = rows.iter().collect();
            prop_assert!(rows.is_sorted());
            seen.extend(rows.into_iter().map(|row| (row, Some(&**directory))));
        }
        seen.sort_unstable();
        prop_assert_eq!(seen.iter().map(|(row, _)| *row).collect::<Vec<_>>(), (0..all.len()).collect::<Vec<_>>());
        let mut directories: Vec<_> = split.parts.iter().map(|part| &part.0).collect();
        directories.sort();
        directories.dedup();
        prop_assert_eq!(directories.len(), split.parts.len());
        for (row, directory) in seen {
            let alone = partitioner.split(&all.slice(row, 1), 0).unwrap();
            prop_assert_eq!(alone.parts.first().map(|part| &*part.0), directory);
        }
    }
}
