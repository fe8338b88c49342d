//! Rows and files that cannot be read.

use serde_json::json;
use volley_api::ErrorKind;

use super::conformance::parquet;
use super::reading::{Stored, config, context, read_all, read_for, write};
use crate::source::task::ObjectStoreSourceTask;

#[test]
fn a_bad_line_fails_the_task_with_its_place_and_what_comes_before_is_delivered() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "dir/x.json", "{\"a\":1}\n\n{\"a\":2}\n{\"a\":\n{\"a\":3}\n");
    let seen = read_all(&config(root.path(), &[]), &Stored::new());
    assert_eq!(seen.values(), [json!({"a": 1}), json!({"a": 2})]);
    let error = seen.error.as_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("`dir/x.json`") && error.to_string().contains("line 4"), "{error}");
    // a restart fails in the same place, and repeats nothing
    let stored = seen.offsets(&Stored::new());
    let again = read_all(&config(root.path(), &[]), &stored);
    assert!(again.values().is_empty() && again.error.unwrap().to_string().contains("line 4"));
    // until it is tolerated
    let tolerant = config(root.path(), &[("errors.tolerance", "all")]);
    assert_eq!(read_all(&tolerant, &stored).values(), [json!({"a": 3})]);
}

#[test]
fn bad_lines_are_left_out_and_counted_where_that_is_tolerated() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "x.json", b"{\"a\":1}\nnope\n\xff\xfd\n{\"a\":2}\n");
    write(root.path(), "y.json", "nope");
    let context = context(0, &Stored::new());
    let metrics = context.metrics().clone();
    let tolerant = config(root.path(), &[("errors.tolerance", "all"), ("batch.max.rows", "1")]);
    let seen = read_for(&mut ObjectStoreSourceTask::start(context, &tolerant).unwrap(), 1000);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!(seen.values(), [json!({"a": 1}), json!({"a": 2})]);
    assert_eq!((metrics.value("rows_skipped"), metrics.value("files_read")), (Some(3), Some(2)));
    assert!(read_all(&tolerant, &seen.offsets(&Stored::new())).batches.is_empty());
}

#[test]
fn a_file_that_is_broken_fails_the_task_or_is_left_out() {
    let whole = parquet(0..30);
    let mut turned = whole.to_vec();
    turned[10..60].iter_mut().for_each(|byte| *byte = !*byte);
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, "{\"id\":1}\n".repeat(2000).as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let broken: [(&str, &[u8]); 8] = [
        ("cut.parquet", &whole[..whole.len() - 20]),
        ("head.parquet", &whole[..40]),
        ("turned.parquet", &turned),
        ("none.parquet", b""),
        ("x.avro", b"Obj\x01nothing"),
        ("x.arrow", b"ARROW1\0\0"),
        ("cut.json.gz", &gzip[..gzip.len() - 9]),
        ("x.csv", b"a,b\n1\n2,3,4\n"),
    ];
    for (name, contents) in broken {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), &format!("a/{name}"), contents);
        write(root.path(), "b/good.json", "{\"good\":true}");
        let seen = read_all(&config(root.path(), &[]), &Stored::new());
        let error = seen.error.unwrap_or_else(|| panic!("{name} was read"));
        assert!(error.kind() == ErrorKind::Data && error.to_string().contains(name), "{name}: {error:?}");
        assert_eq!(error.to_string().contains("it is empty"), contents.is_empty(), "{name}: {error}");
        let tolerant = config(root.path(), &[("errors.tolerance", "all")]);
        let seen = read_all(&tolerant, &Stored::new());
        assert!(seen.error.is_none(), "{name}: {:?}", seen.error);
        assert_eq!(seen.values().last(), Some(&json!({"good": true})), "{name}");
        assert!(read_all(&tolerant, &seen.offsets(&Stored::new())).batches.is_empty(), "{name}");
    }
}

#[test]
fn a_missing_directory_and_a_missing_field_are_mistakes_of_the_configuration() {
    let root = tempfile::tempdir().unwrap();
    let missing = root.path().join("none");
    let error = read_all(&config(&missing, &[]), &Stored::new()).error.unwrap();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("none"), "{error:?}");
    write(root.path(), "x.parquet", parquet(0..3));
    let error = read_all(&config(root.path(), &[("key.field", "nope")]), &Stored::new()).error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`nope`") && error.to_string().contains("x.parquet"), "{error}");
}

#[test]
fn a_bad_row_of_csv_among_thousands_is_told_with_its_line_and_the_others_are_read() {
    let root = tempfile::tempdir().unwrap();
    let mut lines: Vec<Vec<u8>> = (0..9_000).map(|id| format!("{id},\"name\n{id}\"\n").into_bytes()).collect();
    lines[5_000] = b"5000\n".to_vec();
    lines[6_000] = b"6000,\xff\n".to_vec();
    lines[7_000] = b"7000,a,b\n".to_vec();
    write(root.path(), "x.csv", [b"id,name\n".to_vec(), lines.concat()].concat());
    let seen = read_all(&config(root.path(), &[]), &Stored::new());
    let error = seen.error.as_ref().unwrap().to_string();
    // each good row has two lines
    assert!(error.contains("`x.csv`") && error.contains("line 10002 has 1 cells"), "{error}");
    assert_eq!(seen.values().len(), 5_000);
    let context = context(0, &Stored::new());
    let metrics = context.metrics().clone();
    let tolerant = config(root.path(), &[("errors.tolerance", "all")]);
    let seen = read_for(&mut ObjectStoreSourceTask::start(context, &tolerant).unwrap(), 1000);
    assert!(seen.error.is_none(), "{:?}", seen.error);
    assert_eq!((seen.values().len(), metrics.value("rows_skipped")), (8_997, Some(3)));
    assert_eq!(seen.values()[8_996], json!({"id": "8999", "name": "name\n8999"}));
}

#[test]
fn a_quote_that_nobody_closes_and_names_that_are_twice_there_are_told() {
    let root = tempfile::tempdir().unwrap();
    let open = format!("a,b\n1,2\n3,\"{}", "4,5\n".repeat(17 << 20));
    for (name, contents, expected) in
        [("open.csv", open.as_str(), "quote"), ("twice.csv", "a,b,a\n1,2,3\n", "`a` twice")]
    {
        write(root.path(), name, contents);
        let seen = read_all(&config(root.path(), &[("path", name)]), &Stored::new());
        let error = seen.error.as_ref().unwrap().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
        assert_eq!(seen.values().len(), usize::from(name == "open.csv"));
    }
}
