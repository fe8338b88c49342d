//! The name of a table.

use std::fmt;

/// A table, by its full name. PostgreSQL has all three parts, MySQL a catalog and a table, SQLite a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId {
    /// Catalog; in PostgreSQL and MySQL that is the database.
    pub catalog: Option<String>,
    /// Schema.
    pub schema: Option<String>,
    /// Table.
    pub table: String,
}

impl TableId {
    /// The table `table`, with what is known of where it is.
    pub fn new(catalog: Option<&str>, schema: Option<&str>, table: &str) -> Self {
        Self { catalog: catalog.map(str::to_owned), schema: schema.map(str::to_owned), table: table.to_owned() }
    }

    /// The same table, without its catalog: as drivers of Java name it that do not tell catalogs.
    #[must_use]
    pub fn without_catalog(&self) -> Self {
        Self { catalog: None, ..self.clone() }
    }

    /// Its parts, from the outermost on.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.catalog.as_deref().into_iter().chain(self.schema.as_deref()).chain([self.table.as_str()])
    }

    /// Its name in SQL; `quote` is the mark around each part, if any.
    pub fn in_sql(&self, quote: Option<char>) -> String {
        self.parts().map(|part| quoted(part, quote)).collect::<Vec<_>>().join(".")
    }

    /// Every name that a user may call it by, with and without marks: `orders`, `public.orders`, `shop.public.orders`.
    pub fn names(&self, quote: char) -> Vec<String> {
        let parts: Vec<&str> = self.parts().collect();
        let tails = (0..parts.len()).map(|start| &parts[start..]);
        tails
            .flat_map(|tail| {
                let marked = tail.iter().map(|part| quoted(part, Some(quote))).collect::<Vec<_>>();
                [tail.join("."), marked.join(".")]
            })
            .collect()
    }

    /// What [`TableId::in_sql`] with a mark has written; `None` if it was something else.
    pub fn parse(text: &str, quote: char) -> Option<Self> {
        let mut parts = split_outside(text, quote, '.').into_iter().rev().map(|part| unquoted(part, quote));
        let table = parts.next()??;
        let (schema, catalog) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        // two parts are a catalog and a table for who has no schemas; in SQL they read the same
        Some(Self {
            catalog: catalog.map_or(Some(None), |part| part.map(Some))?,
            schema: schema.map_or(Some(None), |part| part.map(Some))?,
            table,
        })
    }
}

impl fmt::Display for TableId {
    /// Without marks, as Java's source partitions have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_sql(None))
    }
}

/// A name in SQL, with `quote` around it and every such mark in it twice.
pub fn quoted(name: &str, quote: Option<char>) -> String {
    match quote {
        None => name.to_owned(),
        Some(quote) => {
            let mark = quote.to_string();
            format!("{mark}{}{mark}", name.replace(quote, &mark.repeat(2)))
        }
    }
}

/// The name that [`quoted`] has marked; one without marks is itself.
fn unquoted(text: &str, quote: char) -> Option<String> {
    let Some(inner) = text.strip_prefix(quote) else { return (!text.is_empty()).then(|| text.to_owned()) };
    let mark = quote.to_string();
    Some(inner.strip_suffix(quote)?.replace(&mark.repeat(2), &mark))
}

/// The parts of `text` between separators that stand outside of marks.
pub(crate) fn split_outside(text: &str, quote: char, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut is_inside) = (Vec::new(), 0, false);
    for (place, character) in text.char_indices() {
        if character == quote {
            is_inside = !is_inside;
        } else if character == separator && !is_inside {
            parts.push(&text[start..place]);
            start = place + separator.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_read_as_it_was_written() {
        for (catalog, schema, table) in [
            (Some("shop"), Some("public"), "orders"),
            (None, Some("a.b"), "c\"d,e"),
            (None, None, "t"),
            (None, Some("\"\""), "."),
        ] {
            let id = TableId::new(catalog, schema, table);
            assert_eq!(TableId::parse(&id.in_sql(Some('"')), '"'), Some(id));
        }
        for broken in ["", "\"a", "a.b.c.d", "a."] {
            assert_eq!(TableId::parse(broken, '"'), None, "{broken}");
        }
    }

    #[test]
    fn users_call_a_table_by_any_tail_of_its_name() {
        let names = TableId::new(Some("shop"), Some("public"), "orders").names('"');
        for name in ["orders", "public.orders", "shop.public.orders", "\"public\".\"orders\""] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }
}
