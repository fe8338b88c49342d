//! Container files, written and read. Those in `testdata/` are by Java: `tests/java/AvroFiles.java` wrote them.

use proptest::prelude::*;
use serde_json::{Value, json};
use volley_api::{Column, ConfigMap, Converter as _, ErrorKind, RowIndex, Side, Unserialized};

use super::{AvroBlock, AvroCodec, AvroContainerReader, AvroContainerWriter};
use crate::JsonConverter;
use crate::avro::AvroRows;
use crate::avro::reference_tests::{FROM_CONNECT, cases, envelope, json_converter, same};
use crate::protobuf::round_trip_tests::{any_schema, value_of};
use crate::rejections::raw_batch_of;

const SYNC: [u8; 16] = *b"0123456789abcdef";

fn config(settings: &[(&str, &str)]) -> ConfigMap {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn file(schema: &str, codec: AvroCodec, values: &[&[u8]]) -> Vec<u8> {
    let mut writer = AvroContainerWriter::new(schema, codec, SYNC, &[]).unwrap();
    values.iter().for_each(|value| writer.append(value).unwrap());
    writer.finish().unwrap()
}

fn reader(file: &[u8]) -> AvroContainerReader {
    AvroContainerReader::new(file.to_vec(), &ConfigMap::new()).unwrap()
}

fn blocks(file: &[u8]) -> Vec<AvroBlock> {
    reader(file).map(Result::unwrap).collect()
}

/// What a reader says about a file, if anything.
fn complaint(file: &[u8]) -> Option<String> {
    let error = match AvroContainerReader::new(file.to_vec(), &ConfigMap::new()) {
        Ok(mut reader) => {
            let error = reader.find_map(Result::err);
            assert!(error.is_none() || reader.next().is_none(), "something follows an error");
            error
        }
        Err(error) => Some(error),
    };
    error.map(|error| {
        assert_eq!(error.kind(), ErrorKind::Data);
        format!("{error:#}")
    })
}

/// The values of a column as JSON.
fn json_of(column: &Column) -> Vec<Value> {
    let plain = config(&[("schemas.enable", "false")]);
    let texts = JsonConverter::new(&plain, Side::Value).unwrap().from_connect(&Unserialized::new("topic", column));
    let texts = texts.unwrap().bytes;
    let value = |text: Option<&[u8]>| text.map_or(Value::Null, |text| serde_json::from_slice(text).unwrap());
    texts.iter().map(value).collect()
}

/// All values of a file whose values have one type.
fn values(file: &[u8]) -> Vec<Value> {
    let columns = blocks(file).into_iter().map(|block| {
        assert!(block.rejected.is_empty(), "{:?}", block.rejected);
        let [run] = &block.runs[..] else { panic!("{:?}", block.runs) };
        assert_eq!(run.rows, RowIndex::all(block.len));
        json_of(&run.column)
    });
    columns.flatten().collect()
}

#[test]
fn a_file_is_what_the_specification_says_byte_by_byte() {
    let metadata = [("who".to_owned(), b"me".to_vec())];
    let mut writer = AvroContainerWriter::new("\"string\"", AvroCodec::Null, SYNC, &metadata).unwrap();
    writer.append(b"\x02a").unwrap();
    writer.append(b"\0").unwrap();
    let header = b"Obj\x01\x06\x16avro.schema\x10\"string\"\x14avro.codec\x08null\x06who\x04me\0";
    let expected = [header, &SYNC[..], b"\x04\x06\x02a\0", &SYNC].concat();
    assert_eq!(writer.bytes_so_far(), header.len() + 16 + 3);
    let file = writer.finish().unwrap();
    assert_eq!(file, expected);
    let mut reader = reader(&file);
    assert_eq!((reader.schema(), reader.codec()), ("\"string\"", AvroCodec::Null));
    assert_eq!(reader.metadata(), metadata);
    assert_eq!(json_of(&reader.next().unwrap().unwrap().runs[0].column), ["a", ""]);
    assert!(reader.next().is_none());
}

#[test]
fn a_file_without_values_has_a_header_only() {
    let empty = file("\"long\"", AvroCodec::Snappy, &[]);
    assert_eq!(empty[empty.len() - 16..], SYNC);
    assert!(blocks(&empty).is_empty());
}

#[test]
fn names_that_belong_to_avro_are_refused() {
    let metadata = [("avro.codec".to_owned(), b"snappy".to_vec())];
    let error = AvroContainerWriter::new("\"long\"", AvroCodec::Null, SYNC, &metadata).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`avro.codec`"), "{error}");
}

#[test]
fn a_block_ends_with_the_value_that_fills_it() {
    // two bytes of length, and a thousand
    let value = [&[0xD0, 0x0F][..], &[b'x'; 1_000]].concat();
    for codec in AvroCodec::ALL {
        let file = file("\"string\"", codec, &vec![&value[..]; 150]);
        let lens: Vec<_> = blocks(&file).iter().map(|block| block.len).collect();
        assert_eq!(lens, [64, 64, 22], "{codec:?}");
    }
    let large = [&[0x80, 0x89, 0x7A][..], &[b'x'; 1_000_000]].concat();
    let lens: Vec<_> =
        blocks(&file("\"string\"", AvroCodec::Null, &[&[0], &large, &[0]])).iter().map(|b| b.len).collect();
    assert_eq!(lens, [2, 1]);
}

#[test]
fn values_without_bytes_are_as_many_as_there_were() {
    let schema = r#"{"type":"record","name":"R","fields":[]}"#;
    let lens: Vec<_> =
        blocks(&file(schema, AvroCodec::Deflate { level: 1 }, &vec![&[][..]; 100_000])).iter().map(|b| b.len).collect();
    assert_eq!(lens, [64_000, 36_000]);
}

#[test]
fn files_that_java_has_written_are_read() {
    let expected: Vec<Value> = (0..5i64)
        .map(|i| {
            use base64::Engine as _;
            let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
            let price = crate::decimal::to_be_bytes(arrow::datatypes::i256::from_i128(i128::from(i) * 12_345 - 200));
            json!({
                "id": i * 1000 - 1,
                "note": (i % 2 == 1).then(|| format!("Grüße {i}")),
                "price": base64(&price),
                "tags": if i == 0 { vec![] } else { vec!["a".to_owned(), format!("b{i}")] },
                "stock": if i == 1 { json!({}) } else { json!({"x": -i}) },
                "state": if i % 2 == 0 { "OPEN" } else { "SENT" },
                "key": base64(&[0, 1, 255, i as u8]),
                "weight": i as f64 / 4.0,
                "height": -i as f64 / 8.0,
                "good": i % 3 == 0,
                "at": i * 86_400_000 - 1,
            })
        })
        .collect();
    let files: [(&str, &[u8]); 5] = [
        ("null", include_bytes!("testdata/java_null.avro")),
        ("deflate", include_bytes!("testdata/java_deflate.avro")),
        ("snappy", include_bytes!("testdata/java_snappy.avro")),
        ("bzip2", include_bytes!("testdata/java_bzip2.avro")),
        ("zstandard", include_bytes!("testdata/java_zstandard.avro")),
    ];
    for (codec, file) in files {
        let reader = reader(file);
        assert_eq!(reader.codec().name(), codec);
        assert_eq!(reader.metadata(), [("written.by".to_owned(), b"Java".to_vec())]);
        let blocks = blocks(file);
        assert_eq!(blocks.iter().map(|block| block.len).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(blocks[0].runs[0].column.field.metadata()[volley_api::schema::NAME], "shop.Order");
        let values = values(file);
        assert!(same(&Value::from(values.clone()), &Value::from(expected.clone())), "{codec}: {values:?}");
    }
}

#[test]
fn what_java_makes_of_schemas_and_values_comes_back_from_a_file() {
    let mut written = 0;
    for case in cases(FROM_CONNECT) {
        let [options, given, _, _, back] = case[..] else { panic!("{case:?}") };
        let back = back.strip_prefix("ours ").unwrap_or(back);
        if back.starts_with("refused") {
            continue;
        }
        let pairs = options.split(',').filter_map(|pair| pair.split_once('='));
        let settings: Vec<_> = [("enhanced.avro.schema.support", "false")].into_iter().chain(pairs).collect();
        let given = raw_batch_of(&[Some(given.as_bytes())]);
        let column = json_converter().to_connect(&given, Side::Value).unwrap().runs.remove(0).column;
        let rows = AvroRows::new(&config(&settings)).unwrap().write(&column).unwrap();
        let file = file(&rows.schema, AvroCodec::Null, &[rows.values.value(0)]);
        let block = AvroContainerReader::new(file, &config(&settings)).unwrap().next().unwrap().unwrap();
        assert!(block.rejected.is_empty(), "{back}: {:?}", block.rejected);
        let ours = envelope(&block.runs[0].column);
        assert!(same(&ours, &serde_json::from_str(back).unwrap()), "java: {back}\nours: {ours}");
        written += 1;
    }
    assert!(written > 100);
}

/// The schema with a name of its own for whatever has one: Avro allows none twice.
fn with_own_names(schema: &Value, count: &mut usize) -> Value {
    match schema {
        Value::Object(members) => {
            let renamed = members.iter().map(|(member, value)| {
                let value = match (member.as_str(), value) {
                    ("name", Value::String(name)) if !name.starts_with("org.apache.kafka.connect.data.") => {
                        *count += 1;
                        json!(format!("x.N{count}"))
                    }
                    ("fields" | "items" | "keys" | "values", part) => with_own_names(part, count),
                    (_, other) => other.clone(),
                };
                (member.clone(), value)
            });
            Value::Object(renamed.collect())
        }
        Value::Array(schemas) => schemas.iter().map(|schema| with_own_names(schema, count)).collect(),
        other => other.clone(),
    }
}

fn any_values() -> impl Strategy<Value = (Value, Vec<Value>)> {
    (any_schema(), any::<bool>()).prop_flat_map(|(mut schema, optional)| {
        schema["optional"] = json!(optional);
        let values = prop::collection::vec(value_of(&schema), 1..8);
        (Just(schema), values).prop_map(|(schema, values)| (with_own_names(&schema, &mut 0), values))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_values_come_back_from_a_file_of_any_codec(
        (schema, given) in any_values(),
        codec in prop::sample::select(AvroCodec::ALL.to_vec()),
        offset in 0usize..3,
    ) {
        let texts: Vec<_> = given.iter().map(|value| json!({"schema": schema, "payload": value}).to_string()).collect();
        let messages: Vec<_> = texts.iter().map(|text| Some(text.as_bytes())).collect();
        let mut converted = json_converter().to_connect(&raw_batch_of(&messages), Side::Value).unwrap();
        prop_assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
        let column = converted.runs.remove(0).column;
        prop_assert_eq!(column.len(), given.len());
        let offset = offset.min(column.len() - 1);
        let column = column.slice(offset, column.len() - offset);
        let rows = AvroRows::new(&ConfigMap::new()).unwrap().write(&column).unwrap();
        prop_assert!(rows.rejected.is_empty(), "{}: {:?}", rows.schema, rows.rejected);
        let values_of: Vec<_> = rows.values.iter().flatten().collect();
        let back = values(&file(&rows.schema, codec, &values_of));
        let (back, wanted) = (Value::from(back), Value::from(json_of(&column)));
        prop_assert!(same(&back, &wanted), "{}\nback: {}\nnot:  {}", rows.schema, back, wanted);
    }

    #[test]
    fn no_byte_that_is_another_panics(place: usize, byte: u8) {
        let mut file = include_bytes!("testdata/java_snappy.avro").to_vec();
        let place = place % file.len();
        file[place] = byte;
        let _ = complaint(&file);
    }
}

#[test]
fn values_without_a_schema_come_back_without_one() {
    let texts = [r#"{"a":1,"b":[true,"x"]}"#, r#"{"a":2,"c":{"d":1.5}}"#, "5", r#"{"a":"now a text"}"#];
    let plain = config(&[("schemas.enable", "false")]);
    let messages: Vec<_> = texts.iter().map(|text| Some(text.as_bytes())).collect();
    let converted = JsonConverter::new(&plain, Side::Value).unwrap().to_connect(&raw_batch_of(&messages), Side::Value);
    let mut writer = None;
    let mut rows = AvroRows::new(&ConfigMap::new()).unwrap();
    let mut wanted = Vec::new();
    for run in converted.unwrap().runs {
        let written = rows.write(&run.column).unwrap();
        let new = || AvroContainerWriter::new(&written.schema, AvroCodec::Snappy, SYNC, &[]).unwrap();
        let writer = writer.get_or_insert_with(new);
        written.values.iter().flatten().for_each(|value| writer.append(value).unwrap());
        wanted.extend(json_of(&run.column));
    }
    let block = blocks(&writer.unwrap().finish().unwrap()).remove(0);
    assert!(block.rejected.is_empty(), "{:?}", block.rejected);
    let mut back = vec![Value::Null; block.len];
    for run in &block.runs {
        assert!(!volley_api::schema::has_schema(&run.column.field));
        run.rows.iter().zip(json_of(&run.column)).for_each(|(row, value)| back[row] = value);
    }
    assert_eq!(back, wanted);
}

#[test]
fn a_value_that_has_no_place_in_connect_is_left_out_alone() {
    let schema = r#"{"type":"bytes","logicalType":"decimal","precision":1000,"scale":0}"#;
    let large = [&[160][..], &[1], &[127; 80]].concat();
    let block = blocks(&file(schema, AvroCodec::Null, &[&[2, 5], &large, &[2, 6]])).remove(0);
    let [(1, error)] = &block.rejected[..] else { panic!("{:?}", block.rejected) };
    assert!(error.to_string().starts_with("value 1 of the block at byte "), "{error}");
    assert_eq!(block.runs.iter().map(|run| run.column.len()).sum::<usize>(), 2);
    // of a type that Connect does not have, each
    let block = blocks(&file("\"null\"", AvroCodec::Null, &[&[], &[]])).remove(0);
    assert_eq!((block.len, block.rejected.len(), block.runs.len()), (2, 2, 0));
}

#[test]
fn a_file_that_was_cut_off_says_where() {
    let value = [&[0xD0, 0x0F][..], &[b'x'; 1_000]].concat();
    let whole = file("\"string\"", AvroCodec::Snappy, &vec![&value[..]; 100]);
    let header = whole.windows(16).position(|bytes| bytes == SYNC).unwrap() + 16;
    let second = header + whole[header..].windows(16).position(|bytes| bytes == SYNC).unwrap() + 16;
    for cut in 0..whole.len() {
        let complaint = complaint(&whole[..cut]);
        match cut {
            _ if cut == header || cut == second => assert_eq!(complaint, None),
            _ => {
                let complaint = complaint.unwrap();
                let at = complaint.strip_prefix("byte ").and_then(|rest| rest.split(' ').next());
                let at: usize = at.and_then(|at| at.parse().ok()).unwrap_or_else(|| panic!("{complaint}"));
                assert!(at <= cut, "{cut}: {complaint}");
                assert!(cut <= second || at >= second, "{cut}: {complaint}");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let whole = file("\"string\"", AvroCodec::Null, &[b"\x02a", b"\x04bc"]);
    let at = whole.len() - 16 - 5 - 2;
    let changed = |place: usize, byte: u8| {
        let mut file = whole.clone();
        file[place] = byte;
        complaint(&file).unwrap()
    };
    assert!(complaint(b"PAR1").unwrap().starts_with("byte 0 of the Avro file: it does not begin with `Obj`"));
    assert!(changed(4, 1).contains("its header is broken"));
    assert!(changed(5 + 1, b'x').ends_with("has no `avro.schema`"));
    let end = whole.len() - 1;
    let marker = format!("byte {} of the Avro file: the block does not end with the sync marker of the file", end - 15);
    assert_eq!(changed(end, 0), marker);
    let start = format!("byte {at} of the Avro file: ");
    assert_eq!(changed(at, 3), format!("{start}a block cannot have -2 values and 5 bytes"));
    assert_eq!(changed(at, 2), format!("{start}3 bytes follow the 1 values of the block"));
    assert_eq!(
        changed(at, 6),
        format!("{start}value 2 of the block, at byte 5 of its data, is broken: the message ends within a value")
    );
    assert_eq!(
        changed(at + 2, 8),
        format!("{start}value 1 of the block, at byte 5 of its data, is broken: the message ends within a value")
    );
    let codec = file("\"string\"", AvroCodec::Snappy, &[b"\x02a"]);
    let place = codec.windows(6).position(|bytes| bytes == b"snappy").unwrap();
    let other = [&codec[..place], b"lzoxyz", &codec[place + 6..]].concat();
    let complaint_of_codec = complaint(&other).unwrap();
    assert!(complaint_of_codec.contains("use one of null, deflate, snappy, bzip2, zstandard"), "{complaint_of_codec}");
    let mut broken = codec.clone();
    *broken.get_mut(codec.len() - 17).unwrap() ^= 1;
    let broken = complaint(&broken).unwrap();
    assert!(broken.ends_with("the block cannot be decompressed with snappy: its checksum is another"), "{broken}");
    let schema = complaint(&file(r#"{"type":"x"}"#, AvroCodec::Null, &[])).unwrap();
    assert_eq!(schema, "the schema of the Avro file cannot be used: no type has the name `x`");
    let claims = [&file("\"null\"", AvroCodec::Null, &[])[..], &[0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0], &SYNC].concat();
    assert!(complaint(&claims).unwrap().ends_with("the block cannot have 2147483647 values in 0 bytes"));
}
