//! Annotations: `confluent.field_meta` and its like.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, MessageDescriptor, Value};

/// What an annotation says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) doc: Option<String>,
    pub(crate) params: BTreeMap<String, String>,
}

impl Meta {
    /// That of a field.
    pub(crate) fn of_field(field: &FieldDescriptor) -> Self {
        Self::of(&field.options(), "confluent.field_meta")
    }

    /// That of a message.
    pub(crate) fn of_message(message: &MessageDescriptor) -> Self {
        Self::of(&message.options(), "confluent.message_meta")
    }

    fn of(options: &DynamicMessage, name: &str) -> Self {
        let extension = options.extensions().find(|(extension, _)| extension.full_name() == name);
        let Some(meta) = extension.and_then(|(_, value)| value.as_message()) else { return Self::default() };
        let doc = meta.get_field_by_name("doc").and_then(|doc| doc.as_str().map(str::to_owned));
        let params = meta.get_field_by_name("params");
        let params = params.as_deref().and_then(Value::as_map).into_iter().flatten();
        let params = params.filter_map(|(name, value)| match name {
            MapKey::String(name) => Some((name.clone(), value.as_str()?.to_owned())),
            _ => None,
        });
        Self { doc: doc.filter(|doc| !doc.is_empty()), params: params.collect() }
    }

    /// A parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.doc.is_none() && self.params.is_empty()
    }
}
