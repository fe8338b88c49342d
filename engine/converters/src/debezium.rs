//! Debezium's converters of bytes: they pass on what an outbox holds already serialized, and leave the rest to another one.

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::DataType;
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Converted, Converter, Error, Importance, PluginFactory, RawBatch,
    Result, Serialized, Side, Unserialized,
};

use crate::keys::converter_def;
use crate::rejections::Rejections;
use crate::{ByteArrayConverter, plugins};

/// Key with the class of the other converter; its own keys stand behind this one and a dot.
const DELEGATE: &str = "delegate.converter.type";

/// All keys.
pub(crate) fn binary_data_converter_def() -> ConfigDef {
    converter_def().key(ConfigKey::optional(
        DELEGATE,
        ConfigType::String,
        Importance::Low,
        "The class of the converter for what is no bytes, such as heartbeats. Its keys stand behind this one: \
         delegate.converter.type.schemas.enable=false. Without, such records are refused.",
    ))
}

/// `io.debezium.converters.BinaryDataConverter`: bytes as they are, and anything else by another converter.
pub struct BinaryDataConverter {
    side: Side,
    bytes: ByteArrayConverter,
    delegate: Option<Box<dyn Converter>>,
}

impl std::fmt::Debug for BinaryDataConverter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BinaryDataConverter").field("side", &self.side).finish_non_exhaustive()
    }
}

impl BinaryDataConverter {
    /// Java class name.
    pub const CLASS: &'static str = "io.debezium.converters.BinaryDataConverter";
    /// What it was called in Debezium 1, for values in Java's ByteBuffer and in its byte[]: here they are the same.
    pub const OLD_CLASSES: [&'static str; 2] =
        ["io.debezium.converters.ByteBufferConverter", "io.debezium.converters.ByteArrayConverter"];

    /// A converter of one side.
    ///
    /// # Errors
    /// An invalid setting, here or of the other converter.
    pub fn new(config: &ConfigMap, side: Side) -> Result<Self> {
        let parsed = binary_data_converter_def().parse(config)?;
        let class = parsed.string(DELEGATE).filter(|class| !class.is_empty());
        let delegate = class.map(|class| delegate(class, config, side)).transpose()?;
        Ok(Self { side, bytes: ByteArrayConverter::new(&ConfigMap::new(), side)?, delegate })
    }
}

impl Converter for BinaryDataConverter {
    fn to_connect(&mut self, batch: &RawBatch, side: Side) -> Result<Converted> {
        self.bytes.to_connect(batch, side)
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        let column = rows.column;
        if is_bytes(column.array.data_type()) {
            return self.bytes.from_connect(rows);
        }
        if let Some(delegate) = &mut self.delegate {
            return delegate.from_connect(rows);
        }
        let mut rejections = Rejections::new(Self::CLASS, self.side);
        for row in (0..column.len()).filter(|row| !column.is_null(*row)) {
            let (topic, kind) = (rows.topic, column.array.data_type());
            rejections
                .push(row, Error::data(format!("A {topic} of type '{kind}' requires a {DELEGATE} to be configured")));
        }
        Ok(Serialized::new(BinaryArray::new_null(column.len()), rejections.into_rows()))
    }
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

/// The converter of this class, named in full or without its package.
fn delegate(class: &str, config: &ConfigMap, side: Side) -> Result<Box<dyn Converter>> {
    let prefix = format!("{DELEGATE}.");
    let own = config.iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone())));
    let own: ConfigMap = own.collect();
    let is_named = |known: &str| known == class || known.rsplit('.').next() == Some(class);
    let found = plugins().into_iter().find_map(|plugin| match plugin.factory {
        PluginFactory::Converter(new) if is_named(&plugin.class) => Some(new),
        _ => None,
    });
    let new = found.ok_or_else(|| {
        Error::config(format!("Invalid value {class} for configuration {DELEGATE}: Class {class} could not be found."))
    })?;
    new(&own, side)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Int64Array, LargeBinaryArray};
    use volley_api::ErrorKind;
    use volley_api::testing::{column, config_map, texts};

    use super::*;
    use crate::rejections::raw_batch_of;

    fn converter(pairs: &[(&str, &str)]) -> BinaryDataConverter {
        BinaryDataConverter::new(&config_map(pairs), Side::Value).unwrap()
    }

    fn written(converter: &mut BinaryDataConverter, column: &volley_api::Column) -> Serialized {
        converter.from_connect(&Unserialized::new("events", column)).unwrap()
    }

    const JSON: (&str, &str) = (DELEGATE, "org.apache.kafka.connect.json.JsonConverter");
    const PLAIN: (&str, &str) = ("delegate.converter.type.schemas.enable", "false");

    #[test]
    fn bytes_pass_as_they_are_whatever_the_delegate() {
        for mut converter in [converter(&[]), converter(&[JSON, PLAIN])] {
            let bytes = BinaryArray::from(vec![Some(&b"\0\xff"[..]), None, Some(b"")]);
            let serialized = written(&mut converter, &column(bytes.clone()));
            assert_eq!((serialized.bytes, serialized.rejected.len()), (bytes, 0));
            let large = column(LargeBinaryArray::from(vec![Some(&b"x"[..])]));
            assert_eq!(written(&mut converter, &large).bytes.value(0), b"x");
            let read = converter.to_connect(&raw_batch_of(&[Some(b"\0\xff"), None]), Side::Value).unwrap();
            assert_eq!(read.runs[0].column.array.data_type(), &DataType::Binary);
        }
    }

    #[test]
    fn what_is_no_bytes_goes_to_the_delegate_with_its_keys() {
        let numbers = column(Int64Array::from(vec![Some(5), None]));
        let serialized = written(&mut converter(&[JSON, PLAIN]), &numbers);
        assert_eq!(serialized.bytes.value(0), b"5");
        let serialized = written(&mut converter(&[(DELEGATE, "StringConverter")]), &texts([Some("a")]));
        assert_eq!(serialized.bytes.value(0), b"a");
        // a Decimal is BYTES in Connect, and no bytes
        let decimals = column(Decimal128Array::from(vec![Some(150)]).with_precision_and_scale(38, 2).unwrap());
        let numeric = ("delegate.converter.type.decimal.format", "NUMERIC");
        assert_eq!(written(&mut converter(&[JSON, PLAIN, numeric]), &decimals).bytes.value(0), b"1.50");
    }

    #[test]
    fn without_a_delegate_each_value_is_refused_and_no_null() {
        let serialized = written(&mut converter(&[]), &texts([Some("a"), None, Some("b")]));
        assert_eq!(serialized.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 2]);
        let error = &serialized.rejected[0].error;
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("requires a delegate.converter.type to be configured"), "{error}");
        assert!(serialized.bytes.is_null(1));
        let nulls = volley_api::Column::nulls(2);
        assert!(written(&mut converter(&[]), &nulls).rejected.is_empty());
    }

    #[test]
    fn a_delegate_that_is_not_there_or_is_set_wrong_is_refused_at_once() {
        for (pairs, named) in [
            (&[(DELEGATE, "com.acme.Own")][..], "com.acme.Own"),
            (&[JSON, ("delegate.converter.type.schemas.enable", "maybe")], "schemas.enable"),
        ] {
            let error = BinaryDataConverter::new(&config_map(pairs), Side::Value).unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains(named), "{error}");
        }
    }
}
