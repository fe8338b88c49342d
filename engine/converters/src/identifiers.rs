//! Names of schemas and fields as the languages of schemas allow them.

fn may_begin(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn may_follow(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a name is an identifier: letters, digits and `_`, of which the first is no digit.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.bytes().next().is_some_and(may_begin) && name.bytes().all(may_follow)
}

/// The name as an identifier. Each byte that is not allowed becomes `_`; those that a URL would encode are followed by their
/// two digits.
pub(crate) fn scrubbed(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            byte if may_follow(byte) => out.push(byte.into()),
            b'-' | b'.' | b'*' | b' ' => out.push('_'),
            byte => out.push_str(&format!("_{byte:02X}")),
        }
    }
    if !out.bytes().next().is_some_and(may_begin) {
        out.insert(0, 'x');
    }
    out
}
