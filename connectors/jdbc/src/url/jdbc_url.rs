//! A URL of JDBC, as far as all databases agree.

use std::fmt;

/// `jdbc:<subprotocol>:<rest>`. `Debug` and `Display` show no more than the subprotocol and the address: parameters
/// may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct JdbcUrl {
    /// Which database system.
    pub subprotocol: String,
    /// What stands behind it.
    pub rest: String,
}

impl JdbcUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// Why it is no URL of JDBC; without the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .trim()
            .strip_prefix("jdbc:")
            .ok_or("a URL begins with `jdbc:`, as in jdbc:postgresql://host:5432/database")?;
        let (subprotocol, rest) = rest
            .split_once(':')
            .ok_or("a URL has the name of the database system behind `jdbc:`, and another colon")?;
        Ok(Self { subprotocol: subprotocol.to_ascii_lowercase(), rest: rest.to_owned() })
    }
}

impl fmt::Display for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.rest.split(['?', ';']).next().unwrap_or_default();
        // MySQL takes a user and a password in front of the host
        let (scheme, address) = address.split_at(if address.starts_with("//") { 2 } else { 0 });
        let host = address.rsplit_once('@').map_or(address, |(_, host)| host);
        write!(f, "jdbc:{}:{scheme}{host}", self.subprotocol)
    }
}

impl fmt::Debug for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JdbcUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_shows_no_secret() {
        let url = JdbcUrl::parse("jdbc:postgresql://db:5432/shop?user=u&password=secret").unwrap();
        assert_eq!(url.to_string(), "jdbc:postgresql://db:5432/shop");
        assert_eq!(format!("{url:?}"), "JdbcUrl(jdbc:postgresql://db:5432/shop)");
        let url = JdbcUrl::parse("jdbc:mysql://u:secret@db/shop").unwrap();
        assert_eq!(url.to_string(), "jdbc:mysql://db/shop");
        for wrong in ["postgresql://secret@db/shop", "jdbc:secret", ""] {
            assert!(!JdbcUrl::parse(wrong).unwrap_err().contains("secret"), "{wrong}");
        }
    }
}
