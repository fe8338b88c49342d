//! From the settings of a field to its generator.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field};
use chrono::{DateTime, NaiveDate};
use volley_api::{ConfigIssue, schema};

use super::alias_table::AliasTable;
use super::field_generator::{FieldGenerator, Nulls, NumberForm, Values};
use super::field_settings::FieldSettings;
use super::integers::Integers;
use super::pattern::Pattern;
use super::random::RowRandom;

/// Names of the generators.
const GENERATORS: &[&str] = &["sequence", "uniform", "zipf", "choice", "walk", "pattern"];

/// Parameters that every field has.
const COMMON: &[&str] = &["type", "generator", "null.rate"];

/// Most outcomes of a distribution: its table takes 12 bytes for each.
const MOST_OUTCOMES: i64 = 1_000_000;

/// Where sequences of dates and timestamps begin: 2025-01-01.
const FIRST_DAY: i64 = 20_089;
const MS_PER_DAY: i64 = 86_400_000;

type Parsed<T> = Result<T, ConfigIssue>;

/// The type of a field, as `fields.<name>.type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal,
    Text,
    Date,
    Timestamp,
}

const TYPES: &[(&str, FieldType)] = &[
    ("boolean", FieldType::Boolean),
    ("int8", FieldType::Int8),
    ("int16", FieldType::Int16),
    ("int32", FieldType::Int32),
    ("int64", FieldType::Int64),
    ("float32", FieldType::Float32),
    ("float64", FieldType::Float64),
    ("decimal", FieldType::Decimal),
    ("string", FieldType::Text),
    ("date", FieldType::Date),
    ("timestamp", FieldType::Timestamp),
];

impl FieldType {
    /// Smallest and largest whole number that stands for a value.
    fn limits(self) -> (i64, i64) {
        match self {
            Self::Boolean => (0, 1),
            Self::Int8 => (i8::MIN.into(), i8::MAX.into()),
            Self::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Self::Int32 | Self::Date => (i32::MIN.into(), i32::MAX.into()),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// Smallest and largest value of a uniform field for which the user says nothing, before scaling.
    fn default_range(self) -> (i64, i64) {
        match self {
            Self::Float32 | Self::Float64 | Self::Decimal => (0, 1),
            Self::Date => (FIRST_DAY, FIRST_DAY + 364),
            Self::Timestamp => (FIRST_DAY * MS_PER_DAY, (FIRST_DAY + 365) * MS_PER_DAY - 1),
            _ => (0, self.limits().1.min(1_000_000)),
        }
    }
}

/// The generator of a field.
///
/// # Errors
/// The first parameter that is wrong.
pub(super) fn field_generator(settings: FieldSettings<'_>, seed: i64) -> Parsed<FieldGenerator> {
    let generator = generator_name(settings)?;
    let field_type = field_type(settings, generator)?;
    refuse_unused(settings, generator, field_type)?;
    let random = RowRandom::new(seed, settings.name, "value");
    let builder = Builder { settings, field_type, random };
    let values = match generator {
        "sequence" => builder.sequence(),
        "walk" => builder.walk(),
        "zipf" => builder.zipf(),
        "choice" => builder.choice(),
        "pattern" => builder.pattern(),
        _ => builder.uniform(),
    }?;
    let rate = settings.number("null.rate", 0.0, 0.0, 1.0)?;
    let nulls = (rate > 0.0).then(|| Nulls { rate, random: RowRandom::new(seed, settings.name, "null") });
    let field = Arc::new(Field::new(settings.name, builder.data_type()?, nulls.is_some()));
    Ok(FieldGenerator { field, values, nulls })
}

fn generator_name<'a>(settings: FieldSettings<'a>) -> Parsed<&'a str> {
    match settings.text("generator") {
        Some(name) if GENERATORS.contains(&name) => Ok(name),
        Some(_) => Err(settings.issue("generator", &format!("String must be one of: {}", GENERATORS.join(", ")))),
        None => Ok(match settings.text("type") {
            Some("timestamp") => "walk",
            Some("string") if settings.text("pattern").is_some() => "pattern",
            _ => "uniform",
        }),
    }
}

fn field_type(settings: FieldSettings<'_>, generator: &str) -> Parsed<FieldType> {
    let listed = settings.text("values").is_some();
    match settings.text("type") {
        Some(name) => TYPES.iter().find(|known| known.0 == name).map(|known| known.1).ok_or_else(|| {
            let names: Vec<_> = TYPES.iter().map(|known| known.0).collect();
            settings.issue("type", &format!("String must be one of: {}", names.join(", ")))
        }),
        None => Ok(match generator {
            "pattern" | "choice" => FieldType::Text,
            "zipf" if listed => FieldType::Text,
            "walk" => FieldType::Timestamp,
            _ => FieldType::Int64,
        }),
    }
}

/// A parameter that the user gave and that nothing reads is a mistake of his, and is named.
fn refuse_unused(settings: FieldSettings<'_>, generator: &str, field_type: FieldType) -> Parsed<()> {
    let own: &[&str] = match generator {
        "sequence" => &["start", "step"],
        "walk" => &["start", "step", "jitter"],
        "zipf" => &["cardinality", "values", "exponent"],
        "choice" => &["values", "weights"],
        "pattern" => &["pattern"],
        _ => &["min", "max"],
    };
    let of_type: &[&str] = match field_type {
        FieldType::Float32 | FieldType::Float64 | FieldType::Decimal => &["scale"],
        FieldType::Text => &["prefix"],
        _ => &[],
    };
    let prefix = settings.key("");
    let given = settings.config.keys().filter_map(|key| key.strip_prefix(&prefix));
    let mut allowed = COMMON.iter().chain(own).chain(of_type);
    for parameter in given {
        if !allowed.clone().any(|known| *known == parameter) && is_parameter(parameter) {
            let reason = format!("has no meaning for the generator {generator} of this type; remove it");
            return Err(settings.issue(parameter, &reason));
        }
        if !is_parameter(parameter) && !parameter.contains('.') {
            let known: Vec<_> = allowed.by_ref().copied().collect();
            return Err(settings.issue(parameter, &format!("unknown parameter; known here are {}", known.join(", "))));
        }
    }
    Ok(())
}

/// Whether any field may have a parameter of this name.
pub(super) fn is_parameter(name: &str) -> bool {
    const ALL: &[&str] = &[
        "start",
        "step",
        "jitter",
        "cardinality",
        "values",
        "exponent",
        "weights",
        "pattern",
        "min",
        "max",
        "scale",
        "prefix",
    ];
    COMMON.contains(&name) || ALL.contains(&name)
}

struct Builder<'a> {
    settings: FieldSettings<'a>,
    field_type: FieldType,
    random: RowRandom,
}

impl Builder<'_> {
    fn data_type(&self) -> Parsed<DataType> {
        Ok(match self.field_type {
            FieldType::Boolean => DataType::Boolean,
            FieldType::Int8 => DataType::Int8,
            FieldType::Int16 => DataType::Int16,
            FieldType::Int32 => DataType::Int32,
            FieldType::Int64 => DataType::Int64,
            FieldType::Float32 => DataType::Float32,
            FieldType::Float64 => DataType::Float64,
            FieldType::Decimal => DataType::Decimal128(38, self.scale()?.unwrap_or(0)),
            FieldType::Text => DataType::Utf8,
            FieldType::Date => DataType::Date32,
            FieldType::Timestamp => schema::timestamp_type(),
        })
    }

    /// Digits after the decimal point; `None`: as many as there are.
    fn scale(&self) -> Parsed<Option<i8>> {
        let default = if self.field_type == FieldType::Decimal { 2 } else { -1 };
        Ok(match self.settings.text("scale") {
            None => (default >= 0).then_some(default),
            Some(_) => Some(self.settings.whole("scale", 0, 0, 9)? as i8),
        })
    }

    fn form(&self) -> Parsed<NumberForm> {
        let divisor = 10f64.powi(self.scale()?.unwrap_or(0).into());
        Ok(match self.field_type {
            FieldType::Boolean => NumberForm::Boolean,
            FieldType::Int8 => NumberForm::Int8,
            FieldType::Int16 => NumberForm::Int16,
            FieldType::Int32 => NumberForm::Int32,
            FieldType::Int64 => NumberForm::Int64,
            FieldType::Float32 => NumberForm::Float32 { divisor },
            FieldType::Float64 => NumberForm::Float64 { divisor },
            FieldType::Decimal => NumberForm::Decimal { scale: self.scale()?.unwrap_or(0) },
            FieldType::Date => NumberForm::Date,
            FieldType::Timestamp => NumberForm::Timestamp,
            FieldType::Text => NumberForm::Text { prefix: self.settings.text("prefix").unwrap_or_default().to_owned() },
        })
    }

    /// A parameter as the whole number that stands for its value: days, milliseconds, units of the scale.
    fn scalar(&self, parameter: &str, default: i64) -> Parsed<i64> {
        let Some(text) = self.settings.text(parameter) else { return Ok(default) };
        let parsed = match self.field_type {
            FieldType::Boolean => text.parse::<bool>().ok().map(i64::from).or_else(|| text.parse().ok()),
            FieldType::Float32 | FieldType::Float64 | FieldType::Decimal => self.scaled(text)?,
            FieldType::Date => text.parse::<NaiveDate>().ok().map(days),
            FieldType::Timestamp => milliseconds(text),
            _ => text.parse().ok(),
        };
        let (min, max) = self.field_type.limits();
        match parsed {
            Some(number) if (min..=max).contains(&number) => Ok(number),
            Some(_) => Err(self.settings.issue(parameter, "does not fit the type of the field")),
            None => Err(self.settings.issue(parameter, "not a value of the type of the field")),
        }
    }

    fn scaled(&self, text: &str) -> Parsed<Option<i64>> {
        let factor = 10f64.powi(self.scale()?.unwrap_or(0).into());
        let scaled = text.parse::<f64>().ok().map(|number| (number * factor).round());
        Ok(scaled.filter(|number| number.abs() < 2f64.powi(63)).map(|number| number as i64))
    }

    fn sequence(&self) -> Parsed<Values> {
        self.steps(0, 1, 0)
    }

    fn walk(&self) -> Parsed<Values> {
        let step = if self.field_type == FieldType::Timestamp { 1_000 } else { 1 };
        let jitter = self.settings.whole("jitter", 0, 0, i64::MAX)?;
        self.steps(0, step, jitter as u64)
    }

    fn steps(&self, start: i64, step: i64, jitter: u64) -> Parsed<Values> {
        let start = match self.field_type {
            FieldType::Date => FIRST_DAY,
            FieldType::Timestamp => FIRST_DAY * MS_PER_DAY,
            _ => start,
        };
        let start = self.scalar("start", start)?;
        let step = self.settings.whole("step", step, i64::MIN, i64::MAX)?;
        Ok(Values::Numbers(Integers::Walk { start, step, jitter, random: self.random }, self.form()?))
    }

    fn uniform(&self) -> Parsed<Values> {
        let is_float = matches!(self.field_type, FieldType::Float32 | FieldType::Float64);
        if is_float && self.scale()?.is_none() {
            return self.reals();
        }
        let (min, max) = self.field_type.default_range();
        let max = max.saturating_mul(10i64.pow(self.scale()?.unwrap_or(0) as u32));
        let (min, max) = (self.scalar("min", min)?, self.scalar("max", max)?);
        if max < min {
            return Err(self.settings.issue("max", "must not be below min"));
        }
        let count = (i128::from(max) - i128::from(min) + 1) as u128;
        Ok(Values::Numbers(Integers::Uniform { min, count, random: self.random }, self.form()?))
    }

    fn reals(&self) -> Parsed<Values> {
        let single = self.field_type == FieldType::Float32;
        let most = if single { f64::from(f32::MAX) } else { f64::MAX / 4.0 };
        let min = self.settings.number("min", 0.0, -most, most)?;
        let max = self.settings.number("max", 1.0, -most, most)?;
        if max < min {
            return Err(self.settings.issue("max", "must not be below min"));
        }
        Ok(Values::Reals { min, width: max - min, single, random: self.random })
    }

    fn zipf(&self) -> Parsed<Values> {
        let exponent = self.settings.number("exponent", 1.0, 0.0, 20.0)?;
        if self.settings.text("values").is_some() {
            let from = self.listed()?;
            let table = AliasTable::zipf(from.len(), exponent);
            return Ok(Values::Picked { from, table, random: self.random });
        }
        let most = self.field_type.limits().1.min(MOST_OUTCOMES);
        let cardinality = self.settings.whole("cardinality", most.min(1_000), 1, most)?;
        let table = AliasTable::zipf(cardinality as usize, exponent);
        Ok(Values::Numbers(Integers::Ranked { table, random: self.random }, self.form()?))
    }

    fn choice(&self) -> Parsed<Values> {
        let from = self.listed()?;
        let weights = match self.settings.list("weights") {
            None => vec![1.0; from.len()],
            Some(texts) if texts.len() != from.len() => {
                return Err(self.settings.issue("weights", &format!("must have {} items, as values has", from.len())));
            }
            Some(texts) => {
                texts.into_iter().map(weight).collect::<Option<Vec<f64>>>().ok_or_else(|| {
                    self.settings.issue("weights", "each must be a number from 0.000001 to 1000000000")
                })?
            }
        };
        Ok(Values::Picked { from, table: AliasTable::new(&weights), random: self.random })
    }

    /// The items of `values`, in the type of the field.
    fn listed(&self) -> Parsed<ArrayRef> {
        let texts = self.settings.list("values").ok_or_else(|| {
            self.settings.issue("values", "the generator needs a list of values, separated by commas")
        })?;
        if texts.len() as i64 > MOST_OUTCOMES {
            return Err(self.settings.issue("values", &format!("must have at most {MOST_OUTCOMES} items")));
        }
        let is_text = self.field_type == FieldType::Text;
        let prefix = self.settings.text("prefix").filter(|_| is_text).unwrap_or_default();
        let texts = StringArray::from_iter_values(texts.into_iter().map(|text| format!("{prefix}{text}")));
        let options = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(&texts, &self.data_type()?, &options)
            .map_err(|error| self.settings.issue("values", &format!("not all are of the type of the field: {error}")))
    }

    fn pattern(&self) -> Parsed<Values> {
        if self.field_type != FieldType::Text {
            return Err(self.settings.issue("generator", "patterns make strings; set the type to string"));
        }
        let text = self.settings.text("pattern").ok_or_else(|| self.settings.issue("pattern", "must be given"))?;
        let prefix = self.settings.text("prefix").unwrap_or_default();
        let pattern = Pattern::parse(text).map_err(|reason| self.settings.issue("pattern", &reason))?;
        Ok(Values::Patterned(pattern.behind(prefix), self.random))
    }
}

fn weight(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|weight| (1e-6..=1e9).contains(weight))
}

fn days(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// RFC 3339, a date (its midnight in UTC), or milliseconds since 1970-01-01 UTC.
fn milliseconds(text: &str) -> Option<i64> {
    let rfc3339 = DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
    rfc3339.or_else(|| text.parse::<NaiveDate>().ok().map(|date| days(date) * MS_PER_DAY)).or_else(|| text.parse().ok())
}
