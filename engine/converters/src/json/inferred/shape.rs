//! The inferred type of a schemaless value, and its widening.
//!
//! ```text
//!  Unknown ─► Boolean ───────────────────────────┐
//!          ─► Integer ─► wide Integer ───────────┤
//!          │     └─────► Float ──────────────────┼─► Mixed (JSON text)
//!          ─► Text ──────────────────────────────┤
//!          ─► List of … ── elements widen ───────┤
//!          ─► Struct of … ─ fields are added ────┘
//! ```
//! A type never moves back to the left, and the result does not depend on the order of the values. Integers and floats
//! become floats only while no integer is beyond 2^53, since a double would lose its digits. An integer beyond i64 is
//! mixed at once.

use arrow::datatypes::{DataType, Field};
use rustc_hash::FxHashMap;
use volley_api::schema::{EXTENSION_NAME, MIXED_EXTENSION, without_schema};

use super::pins::{Pin, Pinned};
use crate::json::columns::{Bytes, Cells, Ends, Node, StructCells, Unknown, untyped_element};
use crate::json::syntax::{MAX_EXACT_INTEGER, Number};

/// Maximum number of fields of a struct. An object with more is mixed as a whole, so that keys that are data (for
/// example ids) do not grow a schema without limit.
pub(crate) const MAX_FIELDS: usize = 20_000;

/// An inferred type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Shape {
    /// Only nulls so far.
    #[default]
    Unknown,
    /// true and false
    Boolean,
    /// Integers within i64.
    Integer {
        /// Whether one of them was beyond 2^53.
        wide: bool,
    },
    /// Numbers that fit a double.
    Float,
    /// Strings
    Text,
    /// Values without a common type.
    Mixed,
    /// Arrays
    List(Box<Shape>),
    /// Objects
    Struct(Fields),
    /// A type from the user, which is not widened.
    Pinned(Pin),
}

/// The fields of objects in the order of their first occurrence.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields {
    named: Vec<(String, Shape)>,
    by_name: FxHashMap<String, usize>,
}

impl Fields {
    /// Number of fields, including those without a type.
    pub(crate) fn len(&self) -> usize {
        self.named.len()
    }

    /// The shape of a field, which is added if it is missing.
    pub(crate) fn entry(&mut self, name: &str) -> &mut Shape {
        let index = match self.by_name.get(name) {
            Some(index) => *index,
            None => {
                self.by_name.insert(name.to_owned(), self.named.len());
                self.named.push((name.to_owned(), Shape::Unknown));
                self.named.len() - 1
            }
        };
        &mut self.named[index].1
    }

    /// Whether the field exists.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Whether a field is pinned, at any depth.
    pub(crate) fn has_pins(&self) -> bool {
        self.named.iter().any(|(_, shape)| match shape {
            Shape::Pinned(_) => true,
            Shape::Struct(fields) => fields.has_pins(),
            _ => false,
        })
    }

    /// The builders of the pinned fields only.
    fn pinned_nodes(&self) -> Vec<(String, Node)> {
        let node = |(name, shape): &(String, Shape)| {
            let node = match shape {
                Shape::Pinned(pin) => pin.node(name),
                Shape::Struct(fields) if fields.has_pins() => fields.pinned_node(name),
                _ => return None,
            };
            Some((name.clone(), node))
        };
        self.named.iter().filter_map(node).collect()
    }

    fn pinned_node(&self, name: &str) -> Node {
        let cells = Cells::Struct(Box::new(StructCells::new(self.pinned_nodes(), Unknown::Ignore)));
        let mut node = Node::inferred(name, cells);
        node.rigid = true;
        node
    }
}

impl Shape {
    /// An object with these pinned fields; unknown if there are none. No path MUST be within another.
    pub(crate) fn of_pins(pins: &[Pinned]) -> Self {
        let mut shape = Self::Unknown;
        for Pinned { path, pin } in pins {
            let mut place = &mut shape;
            for name in path {
                if !matches!(place, Self::Struct(_)) {
                    *place = Self::Struct(Fields::default());
                }
                let Self::Struct(fields) = place else { break };
                place = fields.entry(name);
            }
            *place = Self::Pinned(*pin);
        }
        shape
    }

    /// Widens to accept values of another scalar type.
    pub(crate) fn join_scalar(&mut self, other: Self) {
        if matches!(self, Self::Pinned(_)) {
            return;
        }
        *self = match (std::mem::take(self), other) {
            (Self::Unknown, other) => other,
            (Self::Integer { wide }, Self::Integer { wide: other }) => Self::Integer { wide: wide || other },
            (Self::Float, Self::Integer { wide: false }) | (Self::Integer { wide: false }, Self::Float) => Self::Float,
            (shape, other) if shape == other => shape,
            _ => Self::Mixed,
        };
    }

    /// Widens to accept a number.
    pub(crate) fn join_number(&mut self, number: Number) {
        self.join_scalar(match number {
            Number::Int(number) => Self::Integer { wide: number.unsigned_abs() > MAX_EXACT_INTEGER },
            Number::Float(number) if number.is_finite() => Self::Float,
            Number::Float(_) | Number::BigInt(_) => Self::Mixed,
        });
    }

    /// The fields, if this is or can become an object; mixed otherwise.
    pub(crate) fn join_struct(&mut self) -> Option<&mut Fields> {
        match self {
            Self::Unknown => *self = Self::Struct(Fields::default()),
            Self::Struct(_) | Self::Pinned(_) => {}
            _ => *self = Self::Mixed,
        }
        match self {
            Self::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// The shape of the elements, if this is or can become an array; mixed otherwise.
    pub(crate) fn join_list(&mut self) -> Option<&mut Shape> {
        match self {
            Self::Unknown => *self = Self::List(Box::default()),
            Self::List(_) | Self::Pinned(_) => {}
            _ => *self = Self::Mixed,
        }
        match self {
            Self::List(element) => Some(element),
            _ => None,
        }
    }

    /// Builders for the values of a topic, marked as having no Connect schema. `None` as long as all values were null.
    pub(crate) fn root(&self) -> Option<Node> {
        if self == &Self::Unknown {
            return None;
        }
        let node = self.node("value");
        let field = match (node.field(), self) {
            (Some(field), _) => field.as_ref().clone(),
            // A root has a column even if its content is unknown: an empty object is not null.
            (None, Self::List(_)) => Field::new("value", DataType::List(untyped_element()), true),
            (None, _) => Field::new("value", DataType::Struct(arrow::datatypes::Fields::empty()), true),
        };
        Some(node.with_field(without_schema(field)))
    }

    /// Builders for a column of this type.
    pub(crate) fn node(&self, name: &str) -> Node {
        match self {
            Self::Unknown => Node::inferred(name, Cells::Untyped),
            Self::Boolean => Node::inferred(name, Cells::boolean()),
            Self::Integer { wide } => Node::inferred(name, Cells::Int64 { values: Vec::new(), narrow: !wide }),
            Self::Float => Node::inferred(name, Cells::Float64(Vec::new())),
            Self::Text => Node::inferred(name, Cells::text()),
            Self::Mixed => {
                let cells = Cells::Json(Bytes::default());
                Node::inferred(name, cells).with_metadata(EXTENSION_NAME, MIXED_EXTENSION)
            }
            Self::List(element) => {
                let element = Box::new(element.node("item"));
                Node::inferred(name, Cells::List { ends: Ends::default(), element })
            }
            Self::Struct(fields) => {
                let named = fields.named.iter().map(|(name, shape)| (name.clone(), shape.node(name))).collect();
                Node::inferred(name, Cells::Struct(Box::new(StructCells::new(named, Unknown::Widen))))
            }
            Self::Pinned(pin) => pin.node(name),
        }
    }

    /// Builders of the pinned fields only, which skip all others; `None` if nothing is pinned.
    pub(crate) fn pinned_root(&self) -> Option<Node> {
        match self {
            Self::Struct(fields) if fields.has_pins() => Some(fields.pinned_node("value")),
            _ => None,
        }
    }
}
