use proptest::prelude::*;
use serde_json::Value;

use crate::rest::json::json_text::*;

fn read(text: &[u8]) -> Read<Value> {
    let mut text = JsonText::new(text);
    let first = text.token()?;
    let value = text.value_of(first)?;
    match text.next_token()? {
        None => Ok(value),
        Some(token) => Err(Problem::new(token.name(), text.place())),
    }
}

#[test]
fn what_is_wrong_is_said_in_the_library_s_words() {
    for (text, column, message) in [
        ("{\"a\"", 5, "Unexpected end-of-input within/between Object entries"),
        ("{\"a\":", 6, "Unexpected end-of-input within/between Object entries"),
        ("{\"a\":1,", 8, "Unexpected end-of-input within/between Object entries"),
        ("{\"a\":1,}", 8, "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"),
        ("{a:1}", 2, "Unexpected character ('a' (code 97)): was expecting double-quote to start field name"),
        (
            "{\"a\" 1}",
            6,
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
        ),
        ("{\"a\":1 \"b\"", 8, "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries"),
        ("{\"a\":1x}", 7, "Unexpected character ('x' (code 120)): was expecting comma to separate Object entries"),
        ("{\"a\":tru}", 6, "Unrecognized token 'tru': was expecting (JSON String"),
        ("{\"a\":bogus}", 6, "Unrecognized token 'bogus': was expecting (JSON String"),
        ("{\"a\":01}", 7, "Invalid numeric value: Leading zeroes not allowed"),
        ("{\"a\":-}", 7, "Unexpected character ('}' (code 125)) in numeric value: expected digit (0-9) to follow"),
        (
            "{\"a\":1.}",
            8,
            "Unexpected character ('}' (code 125)) in numeric value: Decimal point not followed by a digit",
        ),
        ("{\"a\":1e}", 8, "Unexpected character ('}' (code 125)) in numeric value: Exponent indicator not followed"),
        ("{\"a\":.5}", 6, "Unexpected character ('.' (code 46)): expected a valid value (JSON String"),
        ("{\"a\":+1}", 7, "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow"),
        ("{\"a\":NaN}", 9, "Non-standard token 'NaN': enable"),
        ("{\"a\":\"x", 8, "Unexpected end-of-input in VALUE_STRING"),
        ("{\"a\":\"x\\q\"}", 9, "Unrecognized character escape 'q' (code 113)"),
        (
            "{\"a\":\"\\u12\"}",
            11,
            "Unexpected character ('\"' (code 34)): expected a hex-digit for character escape sequence",
        ),
        ("{\"a\":\"x\ty\"}", 8, "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash"),
        ("{\"a\":\"x\\", 9, "Unexpected end-of-input in character escape sequence"),
        ("{/*c*/}", 2, "Unexpected character ('/' (code 47)): maybe a (non-standard) comment?"),
        ("{} x", 4, "Unrecognized token 'x': was expecting"),
        ("{}]", 3, "Unexpected close marker ']': no open Array to close"),
        ("{},", 3, "Unexpected character (',' (code 44)): expected a value"),
        ("}", 1, "Unexpected close marker '}': no open Object to close"),
        ("-", 2, "Unexpected end-of-input in null"),
    ] {
        let problem = read(text.as_bytes()).unwrap_err();
        assert!(problem.message.starts_with(message), "{text}: {problem}");
        assert_eq!(problem.place, Place { line: 1, column }, "{text}: {problem}");
    }
}

#[test]
fn places_name_the_source_and_what_was_open() {
    let source = |column| {
        format!(
            "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]"
        )
    };
    let (one, two, seven) = (source(1), source(2), source(7));
    assert_eq!(
        read(b"{").unwrap_err().to_string(),
        format!("Unexpected end-of-input: expected close marker for Object (start marker {one})\n {two}")
    );
    assert_eq!(
        read(b"{\"a\":1]").unwrap_err().to_string(),
        format!("Unexpected close marker ']': expected '}}' (for Object starting {one})\n {seven}")
    );
    let problem = Problem::new("x", Place { line: 1, column: 1 }).within("b").within("a");
    assert_eq!(problem.to_string(), format!("x\n {one} (through reference chain: a->b)"));
    assert_eq!(read(b"{\r\n  \"a\": x").unwrap_err().place, Place { line: 2, column: 8 });
}

#[test]
fn what_nests_too_deep_is_refused() {
    let text = "[".repeat(101);
    assert!(read(text.as_bytes()).unwrap_err().message.starts_with("Document nesting depth (101) exceeds"));
    let text = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(read(text.as_bytes()).is_ok());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e15..1e15).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_read_as_what_it_is(value in any_json()) {
        prop_assert_eq!(&read(value.to_string().as_bytes()).unwrap(), &value);
        prop_assert_eq!(&read(format!("{value:#}").as_bytes()).unwrap(), &value);
    }

    #[test]
    fn no_text_panics_and_what_is_no_json_is_refused(text in "[\\[\\]{}:,\"a\\\\u0-9.eE+-tfn \n/é]{0,30}") {
        let read = read(text.as_bytes());
        if read.is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok() || text.contains("\\u"), "{}", text);
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }
}
