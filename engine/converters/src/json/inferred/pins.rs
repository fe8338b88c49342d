//! Columns with a type from the user: `volley.schema=id BIGINT, address.city VARCHAR, "odd name" DECIMAL(10,2)`.

use arrow::datatypes::Field;
use volley_api::schema::json_text_field;

use crate::json::columns::{Cells, DecimalText, MAX_DIGITS_128, Node, OnNull};

/// A column with a type from the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pinned {
    /// The path of member names, outermost first.
    pub(crate) path: Vec<String>,
    /// Its type.
    pub(crate) pin: Pin,
}

/// The type of a pinned column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    /// BOOLEAN
    Boolean,
    /// TINYINT: 8 bits
    TinyInt,
    /// SMALLINT: 16 bits
    SmallInt,
    /// INTEGER: 32 bits
    Integer,
    /// BIGINT: 64 bits
    BigInt,
    /// REAL: 32 bits
    Real,
    /// DOUBLE: 64 bits
    Double,
    /// VARCHAR: strings only
    Varchar,
    /// JSON: any value, as its text
    Json,
    /// DATE: days since 1970-01-01, or ISO text
    Date,
    /// TIMESTAMP: milliseconds since 1970-01-01 UTC, or ISO text
    Timestamp,
    /// DECIMAL(precision, scale)
    Decimal(u8, i8),
}

impl Pin {
    /// Parses the name of an SQL type, in any case.
    fn named(name: &str, arguments: Option<&str>) -> Result<Self, String> {
        let pin = match (name.to_ascii_uppercase().as_str(), arguments) {
            ("DECIMAL" | "NUMERIC", Some(arguments)) => return decimal_of(arguments),
            ("DECIMAL" | "NUMERIC", None) => Self::Decimal(MAX_DIGITS_128, 0),
            ("VARCHAR" | "CHAR", _) | ("TEXT" | "STRING", None) => Self::Varchar,
            (_, Some(_)) => return Err(format!("type {name} takes no arguments")),
            ("BOOLEAN" | "BOOL", None) => Self::Boolean,
            ("TINYINT", None) => Self::TinyInt,
            ("SMALLINT", None) => Self::SmallInt,
            ("INTEGER" | "INT", None) => Self::Integer,
            ("BIGINT" | "LONG", None) => Self::BigInt,
            ("REAL" | "FLOAT", None) => Self::Real,
            ("DOUBLE" | "DOUBLE PRECISION", None) => Self::Double,
            ("JSON", None) => Self::Json,
            ("DATE", None) => Self::Date,
            ("TIMESTAMP", None) => Self::Timestamp,
            _ => {
                return Err(format!(
                    "unknown type {name}: use BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, VARCHAR, JSON, \
                     DATE, TIMESTAMP or DECIMAL(p,s)"
                ));
            }
        };
        Ok(pin)
    }

    /// Builders for a column of this type.
    pub(crate) fn node(self, name: &str) -> Node {
        let base = match self {
            Self::Json => json_text_field(name),
            _ => Field::new(name, arrow::datatypes::DataType::Null, true),
        };
        let cells = match self {
            Self::Boolean => Cells::boolean(),
            Self::TinyInt => Cells::Int8(Vec::new()),
            Self::SmallInt => Cells::Int16(Vec::new()),
            Self::Integer => Cells::Int32(Vec::new()),
            Self::BigInt => Cells::Int64 { values: Vec::new(), narrow: false },
            Self::Real => Cells::Float32(Vec::new()),
            Self::Double => Cells::Float64(Vec::new()),
            Self::Varchar => Cells::text(),
            Self::Json => Cells::json(),
            Self::Date => Cells::Date { values: Vec::new(), iso: true },
            Self::Timestamp => Cells::Timestamp { values: Vec::new(), iso: true },
            Self::Decimal(precision, scale) if precision <= MAX_DIGITS_128 => {
                let text = DecimalText::Number;
                Cells::Decimal128 { values: Vec::new(), precision, scale, too_small: false, text }
            }
            Self::Decimal(_, scale) => Cells::Decimal256 { values: Vec::new(), scale, text: DecimalText::Number },
        };
        Node::given(base, cells, OnNull::Null)
    }
}

fn decimal_of(arguments: &str) -> Result<Pin, String> {
    let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
    let precision: Option<u8> = precision.trim().parse().ok().filter(|precision| (1..=76).contains(precision));
    let scale: Option<i8> = scale.trim().parse().ok();
    match (precision, scale) {
        // Above 38 digits the column has 76, so the declared precision is not enforced.
        (Some(precision), Some(scale)) if scale >= 0 && scale as u8 <= precision => Ok(Pin::Decimal(precision, scale)),
        _ => Err(format!("DECIMAL({arguments}) is out of range: 1 <= precision <= 76, 0 <= scale <= precision")),
    }
}

/// Parses a list of columns.
///
/// # Errors
/// Names the invalid part and the reason.
pub(crate) fn parse_pins(text: &str) -> Result<Vec<Pinned>, String> {
    let mut pins: Vec<Pinned> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (path, after) = split_path(rest)?;
        let name = path.join(".");
        let end = end_of_type(after);
        let (declared, next) = after.split_at(end);
        let (type_name, arguments) = match declared.split_once('(') {
            Some((type_name, arguments)) => {
                let arguments = arguments.trim_end().strip_suffix(')');
                (type_name, Some(arguments.ok_or_else(|| format!("column `{name}`: missing `)`"))?))
            }
            None => (declared, None),
        };
        let type_name = type_name.split_whitespace().collect::<Vec<_>>().join(" ");
        if type_name.is_empty() {
            return Err(format!("column `{name}` has no type: write `{name} VARCHAR`"));
        }
        let pin = Pin::named(&type_name, arguments).map_err(|reason| format!("column `{name}`: {reason}"))?;
        check_clash(&pins, &path)?;
        pins.push(Pinned { path, pin });
        rest = match next.strip_prefix(',') {
            Some(more) if more.trim().is_empty() => return Err("a column is missing after the last comma".to_owned()),
            Some(more) => more.trim_start(),
            None => "",
        };
    }
    Ok(pins)
}

/// Fails if a column occurs twice, or is within a column that has a type.
fn check_clash(pins: &[Pinned], path: &[String]) -> Result<(), String> {
    let clash = pins.iter().find(|other| other.path.iter().zip(path).all(|(one, other)| one == other));
    match clash {
        None => Ok(()),
        Some(other) if other.path.len() == path.len() => Err(format!("column `{}` stands there twice", path.join("."))),
        Some(other) => {
            let (inner, outer) = match other.path.len() > path.len() {
                true => (&other.path[..], path),
                false => (path, &other.path[..]),
            };
            let (inner, outer) = (inner.join("."), outer.join("."));
            Err(format!("column `{inner}` is a part of column `{outer}`, which has a type of its own: leave one out"))
        }
    }
}

/// Splits off the names of a path, separated by points.
fn split_path(text: &str) -> Result<(Vec<String>, &str), String> {
    let (mut path, mut rest) = (Vec::new(), text);
    loop {
        let (name, after) = split_name(rest)?;
        path.push(name);
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None => return Ok((path, after)),
        }
    }
}

/// Splits off a name: in double quotes, or up to the next space, point or comma.
fn split_name(text: &str) -> Result<(String, &str), String> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(|char: char| char.is_whitespace() || matches!(char, ',' | '.')).unwrap_or(text.len());
        return if end == 0 {
            Err("a column name is missing".to_owned())
        } else {
            Ok((text[..end].to_owned(), &text[end..]))
        };
    };
    let mut name = String::new();
    while let Some(quote) = rest.find('"') {
        name.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Ok((name, rest)),
        }
    }
    Err(format!("a quote is missing after {text}"))
}

/// The end of a type: a comma outside of parentheses.
fn end_of_type(text: &str) -> usize {
    let mut depth = 0;
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth <= 0 => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_with_their_types() {
        let pins = parse_pins(
            " id BIGINT, coupon varchar(20) ,\"odd \"\"name\" DECIMAL(10, 2), d double  precision, a.b.c INT, \"a.b\".\"c d\" DATE",
        );
        let expected: [(&[&str], Pin); 6] = [
            (&["id"], Pin::BigInt),
            (&["coupon"], Pin::Varchar),
            (&["odd \"name"], Pin::Decimal(10, 2)),
            (&["d"], Pin::Double),
            (&["a", "b", "c"], Pin::Integer),
            (&["a.b", "c d"], Pin::Date),
        ];
        let pinned = |(path, pin): (&[&str], Pin)| Pinned { path: path.iter().map(ToString::to_string).collect(), pin };
        assert_eq!(pins, Ok(expected.map(pinned).to_vec()));
        assert_eq!(parse_pins("  "), Ok(vec![]));
    }

    #[test]
    fn mistakes_are_named() {
        let message = |text| parse_pins(text).err().unwrap_or_default();
        assert!(message("id").contains("`id` has no type"));
        assert!(message("id BIGNUM").contains("unknown type BIGNUM"));
        assert!(message("id BIGINT, id INT").contains("twice"));
        assert!(message("a.id BIGINT, a.id INT").contains("`a.id` stands there twice"));
        assert!(message("a.b INT, a JSON").contains("`a.b` is a part of column `a`"));
        assert!(message("a JSON, a.b INT").contains("`a.b` is a part of column `a`"));
        assert!(message("id BIGINT,").contains("missing after the last comma"));
        assert!(message("d DECIMAL(99,2)").contains("out of range"));
        assert!(message("\"d INT").contains("quote"));
        assert!(message(", id INT").contains("name is missing"));
        assert!(message("a. INT").contains("name is missing"));
    }
}
