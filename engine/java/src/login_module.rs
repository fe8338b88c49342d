//! The value of `sasl.jaas.config`: `module flag key="value" …;` as Java's JAAS login configuration writes it.

use std::collections::BTreeMap;
use std::fmt;

/// A login module with its options.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginModule {
    /// Class name, in full.
    pub class: String,
    /// Its options; may hold passwords.
    pub options: BTreeMap<String, String>,
}

impl fmt::Debug for LoginModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginModule").field("class", &self.class).finish_non_exhaustive()
    }
}

impl LoginModule {
    /// Parses the value of `sasl.jaas.config`, which has one login module.
    ///
    /// # Errors
    /// What is wrong. The message never quotes the text, since it holds passwords.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let tokens = Tokens { rest: text }.collect::<Result<Vec<_>, _>>()?;
        let mut tokens = tokens.into_iter();
        let class = match tokens.next() {
            Some(Token::Word(word)) => word,
            _ => return Err("it does not begin with the name of a login module"),
        };
        match tokens.next() {
            Some(Token::Word(flag)) if is_control_flag(&flag) => {}
            _ => return Err("the login module is not followed by `required` or another control flag"),
        }
        Ok(Self { class, options: options(tokens)? })
    }

    /// The class name without its package.
    pub fn simple_class(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }
}

/// Whether it is what stands behind the class of a login module.
pub(crate) fn is_control_flag(word: &str) -> bool {
    ["required", "requisite", "sufficient", "optional"].iter().any(|flag| flag.eq_ignore_ascii_case(word))
}

fn options(mut tokens: impl Iterator<Item = Token>) -> Result<BTreeMap<String, String>, &'static str> {
    let mut options = BTreeMap::new();
    loop {
        let key = match tokens.next() {
            Some(Token::Word(key)) => key,
            Some(Token::End) => break,
            Some(Token::Equals) => return Err("an option has no name"),
            None => return Err("the semicolon at its end is missing"),
        };
        match (tokens.next(), tokens.next()) {
            (Some(Token::Equals), Some(Token::Word(value))) => options.insert(key, value),
            _ => return Err("an option has no value"),
        };
    }
    match tokens.next() {
        None => Ok(options),
        Some(_) => Err("it has more than one login module"),
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Equals,
    End,
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let token = match first {
            '=' | ';' => {
                self.rest = &self.rest[1..];
                Ok(if first == '=' { Token::Equals } else { Token::End })
            }
            '"' | '\'' => self.quoted(first),
            _ => Ok(self.bare()),
        };
        Some(token)
    }
}

impl Tokens<'_> {
    fn bare(&mut self) -> Token {
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | ';' | '"' | '\''))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Token::Word(word.to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<Token, &'static str> {
        let mut word = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[at + 1..];
                return Ok(Token::Word(word));
            }
            word.push(match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, 'r')) => '\r',
                    Some((_, escaped)) => escaped,
                    None => break,
                },
                c => c,
            });
        }
        Err("a quote is not closed")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::LoginModule;

    #[test]
    fn a_scram_module_gives_user_and_password() {
        let text = "org.apache.kafka.common.security.scram.ScramLoginModule required\n  username=\"alice\" password='a;\"=b' ;";
        let module = LoginModule::parse(text).unwrap();
        assert_eq!(module.simple_class(), "ScramLoginModule");
        assert_eq!(module.options["username"], "alice");
        assert_eq!(module.options["password"], "a;\"=b");
    }

    #[test]
    fn escapes_in_quotes_are_undone() {
        let module = LoginModule::parse(r#"a.PlainLoginModule required password="q\"\\e";"#).unwrap();
        assert_eq!(module.options["password"], r#"q"\e"#);
    }

    #[test]
    fn malformed_texts_are_refused_without_quoting_them() {
        for text in
            ["", "required;", "Plain required username", "Plain required username=\"secret", "Plain required u=;"]
        {
            let reason = LoginModule::parse(text).unwrap_err();
            assert!(!reason.contains("secret"), "{reason}");
        }
    }

    proptest! {
        #[test]
        fn any_password_survives_quoting(password in ".*") {
            let quoted = password.replace('\\', "\\\\").replace('"', "\\\"");
            let module = LoginModule::parse(&format!("x.PlainLoginModule required password=\"{quoted}\";")).unwrap();
            prop_assert_eq!(&module.options["password"], &password);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = LoginModule::parse(&text);
        }
    }
}
