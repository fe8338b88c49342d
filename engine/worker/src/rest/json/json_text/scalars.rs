//! Numbers, strings and characters.

use crate::rest::json::json_text::{JsonText, Problem, Read, Token};

impl JsonText<'_> {
    pub(crate) fn number(&mut self) -> Read<Token> {
        let begin = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let digits = self.digits("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        if digits > 1 && self.bytes[self.at - digits] == b'0' {
            self.at -= digits - 1;
            return Err(Problem::new("Invalid numeric value: Leading zeroes not allowed", self.here()));
        }
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("Decimal point not followed by a digit")?;
            is_float = true;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits("Exponent indicator not followed by a digit")?;
            is_float = true;
        }
        let text = String::from_utf8_lossy(&self.bytes[begin..self.at]).into_owned();
        Ok(if is_float { Token::Float(text) } else { Token::Integer(text) })
    }

    /// The number of digits; without any, the error names `what`.
    fn digits(&mut self, what: &str) -> Read<usize> {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        match (digits, self.character()) {
            (0, Some(c)) => {
                Err(Problem::new(format!("Unexpected character ({}) in numeric value: {what}", shown(c)), self.here()))
            }
            (0, None) => Err(Problem::new("Unexpected end-of-input in null", self.here())),
            _ => Ok(digits),
        }
    }

    /// Reads a string from its opening quote. `into` and `what` name it in errors.
    pub(crate) fn string(&mut self, into: &str, what: &str) -> Read<String> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(Problem::new(format!("Unexpected end-of-input in {what}"), self.here()));
            };
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                b'\\' => self.escape(&mut bytes)?,
                0..=31 => {
                    let message = format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in {into}",
                        shown(byte.into())
                    );
                    return Err(Problem::new(message, self.here()));
                }
                _ => {
                    let length = self.character_length()?;
                    bytes.extend_from_slice(&self.bytes[self.at..self.at + length]);
                    self.at += length;
                }
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Read<()> {
        self.at += 1;
        let Some(c) = self.character() else {
            return Err(Problem::new("Unexpected end-of-input in character escape sequence", self.here()));
        };
        let meant = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                self.at += 1;
                let c = self.unicode()?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => {
                let (shown, code) = (c, u32::from(c));
                let message = format!("Unrecognized character escape '{shown}' (code {code})");
                return Err(Problem::new(message, self.here()));
            }
        };
        self.at += 1;
        bytes.push(meant as u8);
        Ok(())
    }

    /// Reads the part after `\u`. A single surrogate is replaced.
    fn unicode(&mut self) -> Read<char> {
        let high = self.hex()?;
        if !(0xD800..0xDC00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if !self.has_word("\\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let before = self.at;
        self.at += 2;
        let low = self.hex()?;
        if !(0xDC00..0xE000).contains(&low) {
            self.at = before;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        Ok(char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(c) = self.character() else {
                return Err(Problem::new("Unexpected end-of-input in character escape sequence", self.here()));
            };
            let Some(digit) = c.to_digit(16) else {
                return Err(self.unexpected("expected a hex-digit for character escape sequence"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Length in bytes of the next character.
    pub(crate) fn character_length(&self) -> Read<usize> {
        let byte = self.bytes[self.at];
        let length = match byte {
            0..=0x7f => 1,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Err(Problem::new(format!("Invalid UTF-8 start byte 0x{byte:x}"), self.here())),
        };
        let end = (self.at + length).min(self.bytes.len());
        match std::str::from_utf8(&self.bytes[self.at..end]) {
            Ok(_) => Ok(end - self.at),
            Err(_) => {
                let middle = self.bytes[self.at..end].get(1).copied().unwrap_or_default();
                Err(Problem::new(format!("Invalid UTF-8 middle byte 0x{middle:x}"), self.here()))
            }
        }
    }

    pub(crate) fn character(&self) -> Option<char> {
        let rest = &self.bytes[self.at..];
        let end = rest.len().min(4);
        String::from_utf8_lossy(&rest[..end]).chars().next()
    }

    pub(crate) fn unexpected(&self, what: &str) -> Problem {
        let c = self.character().unwrap_or(char::REPLACEMENT_CHARACTER);
        let what = match c {
            '/' => {
                "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
            }
            _ => what,
        };
        Problem::new(format!("Unexpected character ({}): {what}", shown(c)), self.here())
    }
}

fn shown(c: char) -> String {
    let code = u32::from(c);
    match code {
        0..=31 => format!("(CTRL-CHAR, code {code})"),
        32..=255 => format!("'{c}' (code {code})"),
        _ => format!("'{c}' (code {code} / 0x{code:x})"),
    }
}
