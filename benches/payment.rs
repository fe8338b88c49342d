//! The record that all benches move: a payment, six fields, [`BYTES`] bytes of JSON, or fewer of Avro.
//!
//! Payment `n` depends on `n` alone, so that what a filter must keep can be counted without the data.
#![allow(dead_code)] // each bench uses a part of it

use std::io::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// Length of every payment's JSON.
pub(crate) const BYTES: usize = 97;
/// Length of every large payment's JSON.
pub(crate) const LARGE_BYTES: usize = 330;
/// Length of every payment's JSON with a long text.
pub(crate) const KILOBYTE: usize = 1024;

/// Which JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonSize {
    /// Six fields.
    Small,
    /// Fourteen, three of them in an object.
    Large,
    /// Those and a long text.
    Kilobyte,
}

impl JsonSize {
    /// Length of each message.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Small => BYTES,
            Self::Large => LARGE_BYTES,
            Self::Kilobyte => KILOBYTE,
        }
    }
}

/// Chooses, computes and filters; the filter keeps what [`passes_filter`] says.
pub(crate) const QUERY: &str = "SELECT id, buyer, country, amount * 100 AS cents, \
                                to_timestamp_millis(ts) AS paid_at FROM records WHERE ok AND amount >= 2500";

const COUNTRIES: [&str; 8] = ["DE", "FR", "IT", "ES", "PL", "NL", "SE", "AT"];
const AGENTS: [&str; 4] = ["Firefox/131.0", "Chrome/129.04", "Safari/17.602", "OkHttp/4.1200"];
const CITIES: [&str; 4] = ["Hamburg", "Leipzig", "Krakow.", "Bologna"];
const FIRST_MS: u64 = 1_700_000_000_000;

struct Payment {
    id: u64,
    buyer: u64,
    country: &'static str,
    /// In cents, six digits.
    amount: u64,
    ok: bool,
    ts: u64,
}

impl Payment {
    fn number(number: u64) -> Self {
        let random = scramble(number);
        let ok = !random.is_multiple_of(4);
        // one digit less makes up for the longer word `false`
        let least_buyer = if ok { 10_000_000 } else { 1_000_000 };
        Self {
            id: 10_000_000 + number % 90_000_000,
            buyer: least_buyer + (random >> 8) % 1_000_000,
            country: COUNTRIES[((random >> 32) % 8) as usize],
            amount: 100_000 + (random >> 36) % 900_000,
            ok,
            ts: FIRST_MS + number * 3 + (random >> 2) % 3,
        }
    }
}

/// Appends the JSON of payment `number` to `json`.
pub(crate) fn write_json(number: u64, size: JsonSize, json: &mut Vec<u8>) {
    let Payment { id, buyer, country, amount, ok, ts } = Payment::number(number);
    let (euros, cents) = (amount / 100, amount % 100);
    write!(
        json,
        r#"{{"id":{id},"buyer":"b-{buyer}","country":"{country}","amount":{euros}.{cents:02},"ok":{ok},"ts":{ts}"#
    )
    .expect("a vector takes all bytes");
    if size != JsonSize::Small {
        write_more(number, json);
    }
    if size == JsonSize::Kilobyte {
        write_text(number, json);
    }
    json.push(b'}');
}

/// A text as compressible as words are, which makes up the length.
fn write_text(number: u64, json: &mut Vec<u8>) {
    const WORDS: [&str; 8] = ["parcel ", "left ", "behind ", "the ", "gate, ", "please ", "ring ", "twice "];
    const FRAME: usize = KILOBYTE - LARGE_BYTES - r#","text":"""#.len();
    json.extend_from_slice(br#","text":""#);
    let end = json.len() + FRAME;
    let mut random = scramble(number ^ 0xAAAA);
    while json.len() < end {
        random = scramble(random);
        for shift in (0..64).step_by(8) {
            json.extend_from_slice(WORDS[((random >> shift) % 8) as usize].as_bytes());
        }
    }
    json.truncate(end);
    json.push(b'"');
}

/// The further fields of a large payment.
fn write_more(number: u64, json: &mut Vec<u8>) {
    let random = scramble(number ^ 0x5555);
    let (agent, city) = (AGENTS[(random % 4) as usize], CITIES[((random >> 2) % 4) as usize]);
    let (house, zip) = (10 + (random >> 4) % 90, 10_000 + (random >> 12) % 90_000);
    let (session, retries) = (scramble(random), (random >> 40) % 4);
    let (email, items) = (100_000_000 + (random >> 8) % 900_000_000, 1 + (random >> 44) % 9);
    write!(
        json,
        r#","session":"{session:016x}","email":"user{email}@example.com","agent":"{agent}","items":{items},"retries":{retries},"voucher":null,"address":{{"street":"Long Street {house}","zip":"{zip}","city":"{city}"}},"note":"left with the neighbor no {house}""#
    )
    .expect("a vector takes all bytes");
}

/// The schema of [`write_avro`].
pub(crate) const AVRO_SCHEMA: &str = r#"{"type":"record","name":"Payment","fields":[{"name":"id","type":"long"},
    {"name":"buyer","type":"string"},{"name":"country","type":"string"},{"name":"amount","type":"double"},
    {"name":"ok","type":"boolean"},{"name":"ts","type":"long"}]}"#;

/// Appends payment `number` to `avro`, with the id of its schema as Confluent's clients write it.
pub(crate) fn write_avro(number: u64, schema_id: u32, avro: &mut Vec<u8>) {
    let Payment { id, buyer, country, amount, ok, ts } = Payment::number(number);
    avro.push(0);
    avro.extend(schema_id.to_be_bytes());
    write_long(id, avro);
    let buyer = format!("b-{buyer}");
    for text in [buyer.as_str(), country] {
        write_long(text.len() as u64, avro);
        avro.extend_from_slice(text.as_bytes());
    }
    avro.extend((amount as f64 / 100.0).to_le_bytes());
    avro.push(u8::from(ok));
    write_long(ts, avro);
}

/// A number that is not negative, in Avro's zig-zag code.
fn write_long(number: u64, avro: &mut Vec<u8>) {
    let mut rest = number << 1;
    while rest >= 0x80 {
        avro.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    avro.push(rest as u8);
}

/// Whether [`QUERY`] keeps payment `number`.
pub(crate) fn passes_filter(number: u64) -> bool {
    let payment = Payment::number(number);
    payment.ok && payment.amount >= 250_000
}

/// The columns, for readers that must be told.
pub(crate) fn schema(size: JsonSize) -> SchemaRef {
    let column = |name: &str, data_type| Field::new(name, data_type, true);
    let mut columns = vec![
        column("id", DataType::Int64),
        column("buyer", DataType::Utf8),
        column("country", DataType::Utf8),
        column("amount", DataType::Float64),
        column("ok", DataType::Boolean),
        column("ts", DataType::Int64),
    ];
    if size != JsonSize::Small {
        let text = |name| column(name, DataType::Utf8);
        columns.extend([text("session"), text("email"), text("agent")]);
        columns.extend([column("items", DataType::Int64), column("retries", DataType::Int64), text("voucher")]);
        let address = DataType::Struct(vec![text("street"), text("zip"), text("city")].into());
        columns.extend([column("address", address), text("note")]);
    }
    if size == JsonSize::Kilobyte {
        columns.push(column("text", DataType::Utf8));
    }
    Arc::new(Schema::new(columns))
}

/// Panics unless payments are what this file says.
pub(crate) fn check() {
    let mut json = Vec::new();
    let sizes = [JsonSize::Small, JsonSize::Large, JsonSize::Kilobyte];
    for (number, size) in (0..10_000).flat_map(|number| sizes.map(|size| (number, size))) {
        json.clear();
        write_json(number, size, &mut json);
        assert_eq!(json.len(), size.bytes(), "{}", String::from_utf8_lossy(&json));
    }
}

/// A number that looks like chance (the finalizer of SplitMix64).
fn scramble(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
