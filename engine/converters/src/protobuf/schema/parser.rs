//! Parses `.proto` files as registries keep them: as text, or as a descriptor in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{DescriptorProto, FileDescriptorProto};
use prost_reflect::{FileDescriptor, MessageDescriptor};
use protox::file::{File, FileResolver, GoogleFileResolver};
use protox::{Compiler, Error};
use rustc_hash::FxHashSet;
use volley_registry::ResolvedReference;

use super::built_in::{META_FILE, built_in_file};
use crate::protobuf::names::ALIKE;

/// What the file itself is called. Files in a registry have no name, except where they are imported.
const ROOT: &str = "schema.in.registry.proto";
/// Messages may be nested as deep as this in a text; each level is a level of the parser's stack.
const MAX_DEPTH: usize = 200;

/// Parses a file. `references` are those that it imports, and those that these import.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_file(text: &str, references: &[ResolvedReference]) -> Result<FileDescriptor, String> {
    let files = Files { root: text.to_owned(), references: references.to_vec(), google: GoogleFileResolver::new() };
    let mut compiler = Compiler::with_file_resolver(files);
    compiler.open_file(ROOT).map_err(|error| reason(&error))?;
    let pool = compiler.descriptor_pool();
    pool.get_file_by_name(ROOT).ok_or_else(|| "it is no Protobuf file".to_owned())
}

/// The message that these indexes lead to. Those that stand for the entries of maps do not count, as in Java; other libraries
/// count them, which shows only where there is no such message otherwise.
pub(crate) fn message_at(file: &FileDescriptor, path: &[i32]) -> Option<MessageDescriptor> {
    let (first, nested) = path.split_first()?;
    let top = file.messages().nth(usize::try_from(*first).ok()?)?;
    let follow = |counts_entries: bool| {
        nested.iter().try_fold(top.clone(), |message, index| {
            let mut children = message.child_messages().filter(|child| counts_entries || !child.is_map_entry());
            children.nth(usize::try_from(*index).ok()?)
        })
    };
    follow(false).or_else(|| follow(true))
}

/// The indexes that lead to a message.
pub(crate) fn path_of(message: &MessageDescriptor) -> Vec<i32> {
    let mut path = Vec::new();
    let mut current = message.clone();
    while let Some(parent) = current.parent_message() {
        let before =
            parent.child_messages().filter(|child| !child.is_map_entry()).take_while(|child| *child != current);
        path.push(before.count() as i32);
        current = parent;
    }
    path.push(current.parent_file().messages().take_while(|top| *top != current).count() as i32);
    path.reverse();
    path
}

fn reason(error: &Error) -> String {
    match error.file().filter(|file| *file != ROOT) {
        Some(file) => format!("in `{file}`: {error}"),
        None => error.to_string().replace(ROOT, "the schema"),
    }
}

/// Where the compiler finds files.
struct Files {
    root: String,
    references: Vec<ResolvedReference>,
    google: GoogleFileResolver,
}

impl FileResolver for Files {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        if name == ROOT {
            return file_of(name, &self.root);
        }
        if let Some(reference) = self.references.iter().find(|reference| reference.name == name) {
            return file_of(name, &reference.schema.text);
        }
        match built_in_file(name) {
            Some(text) => File::from_source(name, text),
            None => self.google.open_file(name),
        }
    }
}

fn file_of(name: &str, text: &str) -> Result<File, Error> {
    // no `.proto` file is base64: it has spaces
    if let Some(mut bytes) = STANDARD.decode(text.trim()).ok().filter(|bytes| !bytes.is_empty()) {
        // of two names, the last one counts
        if let Some(length) = u8::try_from(name.len()).ok().filter(|length| *length < 0x80) {
            bytes.extend_from_slice(&[0x0A, length]);
            bytes.extend_from_slice(name.as_bytes());
        }
        let mut descriptor = FileDescriptorProto::decode(&*bytes).map_err(Error::new)?;
        return match tell_apart(&mut descriptor) {
            true => Ok(File::from_file_descriptor_proto(descriptor)),
            // this way annotations are kept
            false => File::decode_file_descriptor_proto(&*bytes).map_err(Error::new),
        };
    }
    if depth_of(text) > MAX_DEPTH {
        return Err(Error::new(format!("it is nested deeper than {MAX_DEPTH} levels")));
    }
    let file = File::from_source(name, text)?;
    let mut descriptor = file.file_descriptor_proto().clone();
    let is_changed = tell_apart(&mut descriptor);
    // some writers use annotations without importing what defines them
    let is_annotated = name != META_FILE && text.contains("confluent.") && text.contains("_meta");
    if is_annotated && !descriptor.dependency.iter().any(|import| import == META_FILE) {
        descriptor.dependency.push(META_FILE.to_owned());
    } else if !is_changed {
        return Ok(file);
    }
    Ok(File::from_file_descriptor_proto(descriptor))
}

/// Gives fields other names that the compiler takes for the same: see [`ALIKE`]. Whether there are any.
fn tell_apart(file: &mut FileDescriptorProto) -> bool {
    let changed = file.message_type.iter_mut().map(tell_fields_apart);
    // each of them is to be looked at
    changed.filter(|is_changed| *is_changed).count() > 0
}

fn tell_fields_apart(message: &mut DescriptorProto) -> bool {
    let mut seen = FxHashSet::default();
    let mut count = 0;
    for field in &mut message.field {
        let letters = field.name().chars().filter(|character| *character != '_');
        if !seen.insert(letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()) {
            count += 1;
            field.name = Some(format!("{}{ALIKE}{count}", field.name()));
            field.json_name = field.name.clone();
        }
    }
    let nested = message.nested_type.iter_mut().map(tell_fields_apart);
    nested.filter(|is_changed| *is_changed).count() + count > 0
}

/// How deep braces and brackets are nested at most; those in comments count, too.
fn depth_of(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
