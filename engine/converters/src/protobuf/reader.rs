//! The columns of one message type.

use prost_reflect::MessageDescriptor;
use volley_api::Result;

use crate::json::{Failure, Schema, SchemaReader};
use crate::protobuf::keys::ProtobufSettings;
use crate::protobuf::mapping::to_connect_schema::to_connect_schema;
use crate::protobuf::values::read::read_message;
use crate::protobuf::values::read_plan::ValuePlan;
use crate::registry::{Parsed, Part, SectionReader};

/// Reads messages of one type.
#[derive(Debug)]
pub(crate) struct ProtobufReader {
    /// How they are read.
    plan: Option<ValuePlan>,
    /// What they are read into, or why they are refused; the builders are kept between batches.
    schema: Schema,
}

impl ProtobufReader {
    /// A reader of messages of this type, or of none: then each is refused with this reason. `version` is that of the schema,
    /// unless it says one itself.
    pub(crate) fn new(message: Parsed<MessageDescriptor>, version: Option<i32>, settings: ProtobufSettings) -> Self {
        let mapped = message.and_then(|message| to_connect_schema(&message, settings));
        let (plan, root) = match mapped {
            Ok((mut connect, plan)) => {
                let is_struct = connect.get("fields").is_some();
                if let (Some(version), None, true) = (version, connect.get("version"), is_struct) {
                    connect["version"] = version.into();
                }
                // a null is a null: which default it stands for is for those who read the struct
                let reader = SchemaReader { replace_null_with_default: false };
                (Some(plan), reader.root(&connect))
            }
            Err(reason) => (None, Err(reason)),
        };
        Self { plan, schema: Schema::of(root) }
    }
}

impl SectionReader for ProtobufReader {
    fn read(
        &mut self,
        _: &str,
        messages: &[Option<&[u8]>],
        reject: &mut dyn FnMut(usize, Failure),
    ) -> Result<Vec<Part>> {
        let plan = self.plan.as_ref();
        let read = |node: &mut _, message: &[u8], at| match plan {
            Some(plan) => read_message(plan, node, message, at),
            None => Err(Failure::unfit("there is no schema")),
        };
        self.schema.decode_parts(read, messages, reject)
    }
}
