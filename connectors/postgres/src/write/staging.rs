//! Temporary tables for rows on their way, one for each list of types.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::target_type::TargetType;

/// The temporary tables of a connection.
#[derive(Debug, Default)]
pub(super) struct Staging {
    /// The types of the columns of each; its place is its name.
    known: IndexSet<String>,
    /// Those that are there.
    created: HashSet<String>,
    /// Those that may have rows.
    filled: HashSet<String>,
}

impl Staging {
    /// The name of a table with these columns, and the statement that makes it ready, if it is not.
    pub(super) fn table(&mut self, types: &[TargetType]) -> (String, Option<String>) {
        let columns: Vec<_> =
            types.iter().zip(1..).map(|(target, place)| format!("c{place} {}", target.sql())).collect();
        let columns = columns.join(", ");
        let place = self.known.insert_full(columns.clone()).0;
        let name = format!("pg_temp.volley_rows_{place}");
        let is_new = self.created.insert(name.clone());
        let has_rows = !self.filled.insert(name.clone());
        let create =
            format!("CREATE TEMPORARY TABLE IF NOT EXISTS volley_rows_{place} ({columns}) ON COMMIT DELETE ROWS");
        let statement = match (is_new, has_rows) {
            (true, _) => Some(format!("{create}; TRUNCATE {name}")),
            (false, true) => Some(format!("TRUNCATE {name}")),
            (false, false) => None,
        };
        (name, statement)
    }

    /// Something was taken back, perhaps a table.
    pub(super) fn taken_back(&mut self) {
        self.created.clear();
    }

    /// A transaction has ended, and with it the rows.
    pub(super) fn ended(&mut self) {
        self.filled.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_made_once_and_emptied_before_it_is_used_again_in_a_transaction() {
        let mut staging = Staging::default();
        let types = [TargetType::Int4, TargetType::Text];
        let (name, first) = staging.table(&types);
        assert!(first.unwrap().contains("(c1 integer, c2 text)"));
        assert_eq!(staging.table(&types), (name.clone(), Some(format!("TRUNCATE {name}"))));
        staging.ended();
        assert_eq!(staging.table(&types), (name.clone(), None));
        staging.taken_back();
        assert!(staging.table(&types).1.unwrap().starts_with("CREATE"));
        assert_ne!(staging.table(&types[..1]).0, name);
    }
}
