//! Java's login configuration file: entries `Name { module flag key="value" …; … };`, with the comments of Java.

use std::collections::BTreeMap;

use crate::LoginModule;
use crate::login_module::is_control_flag;

/// The login modules of each entry of a file.
///
/// # Errors
/// What is wrong in which line. The message quotes nothing: options may be secrets.
pub fn parse_login_file(text: &str) -> Result<BTreeMap<String, Vec<LoginModule>>, String> {
    let mut tokens = Tokens { rest: text, line: 1 };
    let mut entries = BTreeMap::new();
    while let Some(token) = tokens.next_token()? {
        let Token::Word(name) = token else { return Err(tokens.expected("the name of an entry")) };
        tokens.expect(&Token::Symbol('{'), "{")?;
        let mut modules = Vec::new();
        while let Some(module) = parse_module(&mut tokens)? {
            modules.push(module);
        }
        tokens.expect(&Token::Symbol(';'), "; after }")?;
        entries.insert(name, modules);
    }
    Ok(entries)
}

/// A module with its options; `None` at the end of the entry.
fn parse_module(tokens: &mut Tokens<'_>) -> Result<Option<LoginModule>, String> {
    let class = match tokens.next_token()? {
        Some(Token::Symbol('}')) => return Ok(None),
        Some(Token::Word(class)) => class,
        _ => return Err(tokens.expected("the class of a login module, or }")),
    };
    match tokens.next_token()? {
        Some(Token::Word(flag)) if is_control_flag(&flag) => {}
        _ => return Err(tokens.expected("required, requisite, sufficient or optional")),
    }
    let mut options = BTreeMap::new();
    loop {
        match tokens.next_token()? {
            Some(Token::Symbol(';')) => return Ok(Some(LoginModule { class, options })),
            Some(Token::Word(key)) => {
                tokens.expect(&Token::Symbol('='), "=")?;
                let Some(Token::Word(value)) = tokens.next_token()? else { return Err(tokens.expected("a value")) };
                options.insert(key, value);
            }
            _ => return Err(tokens.expected("an option, or ;")),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Symbol(char),
}

struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl Tokens<'_> {
    fn expected(&self, what: &str) -> String {
        format!("line {}: expected {what}", self.line)
    }

    fn expect(&mut self, token: &Token, what: &str) -> Result<(), String> {
        match self.next_token()? {
            Some(found) if found == *token => Ok(()),
            _ => Err(self.expected(what)),
        }
    }

    fn next_token(&mut self) -> Result<Option<Token>, String> {
        self.skip_blanks()?;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        if "{};=".contains(first) {
            self.advance(1);
            return Ok(Some(Token::Symbol(first)));
        }
        if matches!(first, '"' | '\'') {
            return self.quoted(first).map(Some);
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || "{};=\"'".contains(c)).unwrap_or(self.rest.len());
        let word = self.rest[..end].to_owned();
        self.advance(end);
        Ok(Some(Token::Word(word)))
    }

    fn quoted(&mut self, quote: char) -> Result<Token, String> {
        let mut word = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => word.extend(chars.next().map(|(_, c)| c)),
                '\n' => break,
                _ if c == quote => {
                    self.advance(at + 1);
                    return Ok(Token::Word(word));
                }
                _ => word.push(c),
            }
        }
        Err(self.expected("a closing quote"))
    }

    fn skip_blanks(&mut self) -> Result<(), String> {
        loop {
            let blanks = self.rest.len() - self.rest.trim_start().len();
            self.advance(blanks);
            if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or_else(|| self.expected("the end of a comment"))?;
                self.advance(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_have_modules_and_modules_options() {
        let text = "// users\n/* of\n REST */ KafkaConnect {\n  org.x.PropertyFileLoginModule required\n  \
                    file=\"/etc/a \\\"b\\\".properties\" debug=true;\n  org.x.Other optional;\n};\nKafkaClient { org.y.Z Required a='b'; };\n";
        let entries = parse_login_file(text).unwrap();
        assert_eq!(entries.keys().collect::<Vec<_>>(), ["KafkaClient", "KafkaConnect"]);
        let modules = &entries["KafkaConnect"];
        assert_eq!(modules.len(), 2);
        assert_eq!(modules[0].class, "org.x.PropertyFileLoginModule");
        assert_eq!(modules[0].options["file"], "/etc/a \"b\".properties");
        assert_eq!(modules[0].options["debug"], "true");
        assert_eq!(entries["KafkaClient"][0].options["a"], "b");
        assert!(parse_login_file("").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_without_its_text() {
        for (text, line) in [
            ("A {\n x.Y required password=hunter2", 2),
            ("A {\n x.Y maybe hunter2;\n};", 2),
            ("A {\n x.Y required a=\"hunter2\n\";};", 2),
            ("A { x.Y required a=hunter2; }", 1),
            ("A /* hunter2", 1),
            ("{}", 1),
        ] {
            let error = parse_login_file(text).unwrap_err();
            assert!(error.starts_with(&format!("line {line}: ")), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = parse_login_file(&text);
        }
    }
}
