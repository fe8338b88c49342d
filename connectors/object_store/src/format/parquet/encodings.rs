//! Parquet encodings chosen for each column from a sample of its data.
//!
//! A dictionary pays only where values repeat; numbers that count or tell the time pack well as differences. The rest
//! stays plain: under a compression the other encodings of text and floats gain nothing, and fewer readers know them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use parking_lot::Mutex;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::Encoding;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use rustc_hash::FxHashSet;

use super::parquet_options::ParquetOptions;

/// Rows looked at.
pub(crate) const SAMPLE_ROWS: usize = 4096;
/// A plan is made anew after this many rows.
const PLAN_ROWS: u64 = 4_000_000;
/// Text takes a dictionary if at most one in this many sampled values is a new one.
const TEXT_REPEATS: usize = 4;
/// The same for fixed-size values, where a dictionary saves less.
const FIXED_REPEATS: usize = 16;
/// Whole numbers take a dictionary only with at most this many different values …
const INTEGER_VALUES: usize = 64;
/// … that lie this far apart: nearer ones are as small as differences, and much quicker to encode.
const INTEGER_SPREAD: u64 = 1 << 16;

/// The encodings of each topic's files, shared by all files of a task.
#[derive(Clone, Debug)]
pub(crate) struct SharedPlans(Arc<Mutex<EncodingPlans>>);

#[derive(Debug)]
struct EncodingPlans {
    options: ParquetOptions,
    plans: HashMap<Arc<str>, EncodingPlan>,
}

#[derive(Debug)]
struct EncodingPlan {
    schema: SchemaRef,
    options: ArrowWriterOptions,
    rows_left: u64,
}

impl SharedPlans {
    /// No plans yet.
    pub(crate) fn new(options: ParquetOptions) -> Self {
        Self(Arc::new(Mutex::new(EncodingPlans { options, plans: HashMap::new() })))
    }

    /// What all files have in common.
    pub(crate) fn options(&self) -> ParquetOptions {
        self.0.lock().options.clone()
    }

    /// The plan for a file of `topic` with `schema`, if there is one that is not too old.
    pub(crate) fn existing(&self, topic: &str, schema: &SchemaRef) -> Option<ArrowWriterOptions> {
        let plans = self.0.lock();
        let plan = plans.plans.get(topic)?;
        (plan.rows_left > 0 && plan.schema == *schema).then(|| plan.options.clone())
    }

    /// Makes a plan from the first rows of a file.
    pub(crate) fn make(&self, topic: &Arc<str>, sample: &RecordBatch) -> ArrowWriterOptions {
        let sample = sample.slice(0, sample.num_rows().min(SAMPLE_ROWS));
        let mut plans = self.0.lock();
        let options = writer_options(sample.schema_ref(), plan_encodings(&sample, &plans.options).build());
        // a sample of a few rows says little: the next file looks again
        let rows_left = if sample.num_rows() < SAMPLE_ROWS / 2 { 0 } else { PLAN_ROWS };
        let plan = EncodingPlan { schema: sample.schema(), options: options.clone(), rows_left };
        plans.plans.insert(Arc::clone(topic), plan);
        options
    }

    /// Counts rows written to files of `topic`.
    pub(crate) fn wrote(&self, topic: &str, rows: u64) {
        if let Some(plan) = self.0.lock().plans.get_mut(topic) {
            plan.rows_left = plan.rows_left.saturating_sub(rows);
        }
    }
}

/// The schema is converted and encoded here, once, and not for each file.
fn writer_options(schema: &SchemaRef, mut properties: WriterProperties) -> ArrowWriterOptions {
    // a writer says what is wrong with a schema that Parquet has not
    let Ok(converted) = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types()).convert(schema) else {
        return ArrowWriterOptions::new().with_properties(properties);
    };
    add_encoded_arrow_schema_to_metadata(schema, &mut properties);
    let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true).with_parquet_schema(converted);
    options.with_properties(properties)
}

fn plan_encodings(sample: &RecordBatch, options: &ParquetOptions) -> WriterPropertiesBuilder {
    let builder = WriterProperties::builder().set_created_by(format!("volley version {}", env!("CARGO_PKG_VERSION")));
    let Ok(schema) = ArrowSchemaConverter::new().convert(&sample.schema()) else { return options.apply(builder, &[]) };
    let columns: Vec<_> = schema.columns().iter().map(|column| column.path().clone()).collect();
    let mut builder = options.apply(builder, &columns);
    let mut leaves = Vec::with_capacity(columns.len());
    sample.columns().iter().for_each(|column| collect_leaves(column, &mut leaves));
    if leaves.len() != columns.len() {
        return builder;
    }
    for (leaf, path) in leaves.iter().zip(columns) {
        builder = encode_column(builder, path, leaf.as_ref());
    }
    builder
}

/// The arrays below `array` that Parquet has a column for, in its order.
fn collect_leaves(array: &ArrayRef, leaves: &mut Vec<ArrayRef>) {
    match array.data_type() {
        DataType::Struct(_) => array.as_struct().columns().iter().for_each(|child| collect_leaves(child, leaves)),
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let (from, to) = (lists.offsets()[0], lists.offsets()[lists.len()]);
            collect_leaves(&lists.values().slice(from as usize, (to - from) as usize), leaves);
        }
        DataType::LargeList(_) => collect_leaves(array.as_list::<i64>().values(), leaves),
        DataType::FixedSizeList(..) => collect_leaves(array.as_fixed_size_list().values(), leaves),
        DataType::Map(..) => {
            let maps = array.as_map();
            collect_leaves(maps.keys(), leaves);
            collect_leaves(maps.values(), leaves);
        }
        _ => leaves.push(Arc::clone(array)),
    }
}

fn encode_column(builder: WriterPropertiesBuilder, path: ColumnPath, sample: &dyn Array) -> WriterPropertiesBuilder {
    let sample = sample.slice(0, sample.len().min(SAMPLE_ROWS));
    match choose(&sample) {
        Choice::Dictionary => builder.set_column_dictionary_enabled(path, true),
        Choice::Encoding(encoding) => {
            builder.set_column_encoding(path.clone(), encoding).set_column_dictionary_enabled(path, false)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Dictionary,
    Encoding(Encoding),
}

fn choose(sample: &ArrayRef) -> Choice {
    let values = sample.len();
    match sample.data_type() {
        DataType::Boolean | DataType::Null => Choice::Encoding(Encoding::PLAIN),
        DataType::Dictionary(..) => Choice::Dictionary,
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => match distinct_texts(sample, values / TEXT_REPEATS) {
            true => Choice::Dictionary,
            false => Choice::Encoding(Encoding::PLAIN),
        },
        DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::FixedSizeBinary(_)
        | DataType::Interval(_) => match has_few_values(sample, values / FIXED_REPEATS) {
            true => Choice::Dictionary,
            false => Choice::Encoding(Encoding::PLAIN),
        },
        data_type if data_type.is_primitive() => {
            let few = has_few_values(sample, INTEGER_VALUES.min(values / FIXED_REPEATS));
            match few && spread(sample) >= INTEGER_SPREAD {
                true => Choice::Dictionary,
                false => Choice::Encoding(Encoding::DELTA_BINARY_PACKED),
            }
        }
        _ => Choice::Dictionary,
    }
}

/// Whether at most `limit` different texts occur.
fn distinct_texts(sample: &ArrayRef, limit: usize) -> bool {
    fn few<'a>(values: impl Iterator<Item = Option<&'a [u8]>>, limit: usize) -> bool {
        let mut seen = FxHashSet::default();
        values.flatten().all(|value| {
            seen.insert(value);
            seen.len() <= limit
        })
    }
    match sample.data_type() {
        DataType::Utf8 => few(sample.as_string::<i32>().iter().map(|value| value.map(str::as_bytes)), limit),
        DataType::LargeUtf8 => few(sample.as_string::<i64>().iter().map(|value| value.map(str::as_bytes)), limit),
        DataType::Utf8View => few(sample.as_string_view().iter().map(|value| value.map(str::as_bytes)), limit),
        DataType::Binary => few(sample.as_binary::<i32>().iter(), limit),
        DataType::LargeBinary => few(sample.as_binary::<i64>().iter(), limit),
        DataType::BinaryView => few(sample.as_binary_view().iter(), limit),
        _ => false,
    }
}

/// Whether at most `limit` different values of a fixed size occur; what stands under nulls counts along.
fn has_few_values(sample: &ArrayRef, limit: usize) -> bool {
    let data = sample.to_data();
    let width = match sample.data_type() {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).unwrap_or(0),
        other => other.primitive_width().unwrap_or(0),
    };
    let Some(buffer) = data.buffers().first().filter(|_| width > 0) else { return false };
    let bytes = buffer.as_slice();
    let Some(bytes) = bytes.get(data.offset() * width..(data.offset() + data.len()) * width) else { return false };
    let mut seen = FxHashSet::default();
    bytes.chunks_exact(width).all(|value| {
        seen.insert(value);
        seen.len() <= limit
    })
}

/// The difference of the largest and the smallest whole number.
fn spread(sample: &ArrayRef) -> u64 {
    let data = sample.to_data();
    let Some(buffer) = data.buffers().first() else { return 0 };
    let bounds = match sample.data_type().primitive_width() {
        Some(8) => bounds(buffer.typed_data::<i64>().iter().copied(), data.offset(), data.len()),
        Some(4) => bounds(buffer.typed_data::<i32>().iter().map(|value| i64::from(*value)), data.offset(), data.len()),
        _ => None,
    };
    bounds.map_or(0, |(min, max)| max.abs_diff(min))
}

fn bounds(values: impl Iterator<Item = i64>, skip: usize, take: usize) -> Option<(i64, i64)> {
    values.skip(skip).take(take).fold(None, |bounds, value| {
        let (min, max) = bounds.unwrap_or((value, value));
        Some((min.min(value), max.max(value)))
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMillisecondArray};

    use super::*;

    fn choice(array: impl Array + 'static) -> Choice {
        choose(&(Arc::new(array) as ArrayRef))
    }

    #[test]
    fn encodings_follow_the_data() {
        let ids = Int64Array::from_iter_values(1_000_000..1_001_000);
        assert_eq!(choice(ids), Choice::Encoding(Encoding::DELTA_BINARY_PACKED));
        let times = TimestampMillisecondArray::from_iter_values((0..1000).map(|row| 1_700_000_000_000 + row * 17));
        assert_eq!(choice(times), Choice::Encoding(Encoding::DELTA_BINARY_PACKED));
        let codes = Int64Array::from_iter_values((0..1000).map(|row| (row % 3) * 1_000_000_007));
        assert_eq!(choice(codes), Choice::Dictionary);
        let countries = StringArray::from_iter_values((0..1000).map(|row| format!("country-{}", row % 20)));
        assert_eq!(choice(countries), Choice::Dictionary);
        let names = StringArray::from_iter_values((0..1000).map(|row| format!("name-{row}")));
        assert_eq!(choice(names), Choice::Encoding(Encoding::PLAIN));
        let prices = Float64Array::from_iter_values((0..1000).map(f64::from));
        assert_eq!(choice(prices), Choice::Encoding(Encoding::PLAIN));
        let rates = Float64Array::from_iter_values((0..1000).map(|row| f64::from(row % 2)));
        assert_eq!(choice(rates), Choice::Dictionary);
    }

    #[test]
    fn slices_are_judged_by_their_own_rows() {
        let values = Int64Array::from_iter_values((0..2000).map(|row| if row < 1000 { row << 40 } else { 5 }));
        let tail: ArrayRef = Arc::new(values.slice(1000, 1000));
        assert!(has_few_values(&tail, 1));
        assert_eq!(spread(&tail), 0);
    }
}
