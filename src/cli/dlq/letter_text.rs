//! Keys and values of dead letters, which may be anything, for a terminal.

use std::fmt::Write;
use std::io::IsTerminal;

use volley_worker::dead_letters::KeptBytes;

use crate::cli::records_text::printable;

/// What stands for null. A text that is the same is shown in quotes.
const NULL: &str = "NULL";

/// Bytes of a key or a value that is no text, of which more says nothing.
const HEX_BYTES: usize = 256;

/// A key or a value: as text if it is one, else in hexadecimal digits.
pub(super) fn bytes_text(bytes: Option<&KeptBytes>) -> String {
    let Some(bytes) = bytes else { return NULL.to_owned() };
    let (mut shown, is_all) = match bytes.text() {
        Some(text) => {
            let text = printable(text);
            let is_ambiguous = text.trim() != text || text.is_empty() || text == NULL;
            (if is_ambiguous { format!("\"{text}\"") } else { text.into_owned() }, !bytes.is_cut())
        }
        None => (hex(&bytes.head), bytes.len <= HEX_BYTES),
    };
    if !is_all {
        // writing to a string cannot fail
        let _ = write!(shown, "… ({} bytes)", bytes.len);
    }
    shown
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "0x".to_owned();
    for byte in bytes.iter().take(HEX_BYTES) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// How many characters a line of standard output holds; `None` where that is no terminal.
pub(super) fn line_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// The line, cut where the terminal ends.
pub(super) fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.chars().count() > width => {
            line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        bytes_text(Some(&KeptBytes::of(bytes)))
    }

    #[test]
    fn text_is_shown_as_text_other_bytes_in_digits_and_nothing_is_obeyed() {
        assert_eq!(shown("{\"city\":\"Köln\"}".as_bytes()), "{\"city\":\"Köln\"}");
        assert_eq!(shown(b"a\x1b[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&[0, 0, 0, 1, 0xff]), "0x00000001ff");
        assert_eq!([shown(b""), shown(b"NULL"), bytes_text(None)], ["\"\"", "\"NULL\"", "NULL"]);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let long = shown("x".repeat(100_000).as_bytes());
        assert!(long.len() < 20_000 && long.ends_with("… (100000 bytes)"));
        let long = shown(&[0xff; 1000]);
        assert!(long.starts_with("0xff") && long.ends_with("ff… (1000 bytes)") && long.len() < 600);
    }

    #[test]
    fn a_line_ends_where_the_terminal_ends() {
        assert_eq!(cut("Köln am Rhein", Some(6)), "Köln …");
        assert_eq!(cut("Köln", Some(4)), "Köln");
        assert_eq!(cut("Köln", None), "Köln");
        assert_eq!(cut("Köln", Some(0)), "…");
    }
}
