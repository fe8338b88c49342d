//! Headers with a number or a boolean, in the format of Kafka's own serializers.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use volley_api::{ConfigMap, Error, Header, HeaderConverter, RawHeader, Result, Value};

use crate::BooleanConverter;
use crate::keys::converter_def;
use crate::primitives::WireNumber;

/// The header converter of one type of number. Without widening: a header has exactly that type, or the conversion
/// fails.
pub struct NumberHeaderConverter<T>(PhantomData<fn() -> T>);

impl<T: WireNumber> NumberHeaderConverter<T> {
    /// A converter.
    ///
    /// # Errors
    /// An invalid `converter.type`.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        converter_def().parse(config)?;
        Ok(Self(PhantomData))
    }
}

impl<T: WireNumber> fmt::Debug for NumberHeaderConverter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::CLASS)
    }
}

impl<T: WireNumber> HeaderConverter for NumberHeaderConverter<T> {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        to_connect(header, T::CLASS, |bytes| T::read(bytes).map(T::to_value))
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        from_connect(header, T::CLASS, |value| T::of_value(value).map(|number| T::write(number).as_ref().to_vec()))
    }
}

/// BooleanConverter for headers.
#[derive(Debug)]
pub struct BooleanHeaderConverter;

impl BooleanHeaderConverter {
    /// A converter.
    ///
    /// # Errors
    /// An invalid `converter.type`.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        converter_def().parse(config)?;
        Ok(Self)
    }
}

impl HeaderConverter for BooleanHeaderConverter {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        to_connect(header, BooleanConverter::CLASS, |bytes| match bytes {
            [0] => Some(Value::Boolean(false)),
            [1] => Some(Value::Boolean(true)),
            _ => None,
        })
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        from_connect(header, BooleanConverter::CLASS, |value| match value {
            Value::Boolean(flag) => Some(vec![u8::from(*flag)]),
            _ => None,
        })
    }
}

fn to_connect(header: &RawHeader, class: &str, read: impl Fn(&[u8]) -> Option<Value>) -> Result<Header> {
    let value = match &header.value {
        None => Value::Null,
        Some(bytes) => read(bytes).ok_or_else(|| {
            Error::data(format!("header `{}` is {} bytes, which {class} does not read", header.name, bytes.len()))
        })?,
    };
    Ok(Header::new(Arc::clone(&header.name), value))
}

fn from_connect(header: &Header, class: &str, write: impl Fn(&Value) -> Option<Vec<u8>>) -> Result<RawHeader> {
    let value =
        match &header.value {
            Value::Null => None,
            value => Some(write(value).ok_or_else(|| {
                Error::data(format!("header `{}` is not of the type that {class} writes", header.name))
            })?),
        };
    Ok(RawHeader { name: Arc::clone(&header.name), value })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Float64Type, Int32Type};

    use super::*;

    fn there_and_back(mut converter: impl HeaderConverter, value: Value) -> Value {
        let raw = converter.from_connect("t", &Header::new("h", value)).unwrap();
        converter.to_connect("t", &raw).unwrap().value
    }

    #[test]
    fn values_come_back_as_they_were() {
        let config = ConfigMap::new();
        let int = || NumberHeaderConverter::<Int32Type>::new(&config).unwrap();
        for value in [Value::Int32(-7), Value::Null] {
            assert_eq!(there_and_back(int(), value.clone()), value);
        }
        let double = NumberHeaderConverter::<Float64Type>::new(&config).unwrap();
        assert_eq!(there_and_back(double, Value::Float64(1.5)), Value::Float64(1.5));
        assert_eq!(there_and_back(BooleanHeaderConverter, Value::Boolean(true)), Value::Boolean(true));
    }

    #[test]
    fn other_types_and_other_lengths_are_refused() {
        let mut int = NumberHeaderConverter::<Int32Type>::new(&ConfigMap::new()).unwrap();
        let header = Header::new("h", Value::Int64(1));
        assert!(int.from_connect("t", &header).unwrap_err().to_string().contains("header `h`"));
        let raw = RawHeader { name: "h".into(), value: Some(vec![1, 2]) };
        assert!(int.to_connect("t", &raw).unwrap_err().to_string().contains("2 bytes"));
        let raw = RawHeader { name: "h".into(), value: Some(vec![2]) };
        assert!(BooleanHeaderConverter.to_connect("t", &raw).is_err());
    }
}
