//! Statements that take rows from a temporary table.

use volley_jdbc::{TableWrite, WriteColumn, WriteKind, quoted};

const QUOTE: Option<char> = Some('"');

/// The statement that copies rows into the columns of a table.
pub(super) fn copy_into(write: &TableWrite<'_>) -> String {
    let names: Vec<_> = write.columns.iter().map(name).collect();
    format!("COPY {} ({}) FROM STDIN (FORMAT binary)", write.table.in_sql(QUOTE), names.join(", "))
}

/// The statement that does with the rows of `staging` what is to be done; `None` if that is nothing.
///
/// A cast is to a type without a length, so that nothing is cut off: the column itself has the last word.
pub(super) fn merge_from(staging: &str, write: &TableWrite<'_>) -> Option<String> {
    let table = write.table.in_sql(QUOTE);
    let value = |(place, column): (usize, &WriteColumn)| format!("s.c{}::{}", place + 1, column.target.type_name);
    let equal = |(place, column): (usize, &WriteColumn)| format!("t.{} = {}", name(column), value((place, column)));
    let condition = || write.keys().map(equal).collect::<Vec<_>>().join(" AND ");
    Some(match write.kind {
        WriteKind::Insert | WriteKind::Upsert => {
            let names: Vec<_> = write.columns.iter().map(name).collect();
            let values: Vec<_> = write.columns.iter().enumerate().map(value).collect();
            let insert =
                format!("INSERT INTO {table} ({}) SELECT {} FROM {staging} AS s", names.join(", "), values.join(", "));
            if write.kind == WriteKind::Insert {
                return Some(insert);
            }
            let keys: Vec<_> = write.keys().map(|(_, column)| name(column)).collect();
            let set: Vec<_> = write.others().map(|(_, column)| format!("{0} = EXCLUDED.{0}", name(column))).collect();
            let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
            format!("{insert} ON CONFLICT ({}) DO {action}", keys.join(", "))
        }
        WriteKind::Update => {
            let set: Vec<_> = write
                .others()
                .map(|(place, column)| format!("{} = {}", name(column), value((place, column))))
                .collect();
            if set.is_empty() {
                return None;
            }
            format!("UPDATE {table} AS t SET {} FROM {staging} AS s WHERE {}", set.join(", "), condition())
        }
        WriteKind::Delete => format!("DELETE FROM {table} AS t USING {staging} AS s WHERE {}", condition()),
    })
}

fn name(column: &WriteColumn) -> String {
    quoted(&column.target.name, QUOTE)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;
    use arrow::record_batch::RecordBatch;
    use chrono_tz::Tz;
    use volley_jdbc::{TableId, TargetColumn};

    use super::*;

    fn column(name: &str, type_name: &str, is_key: bool) -> WriteColumn {
        let target = TargetColumn { name: name.to_owned(), type_name: type_name.to_owned(), ..TargetColumn::default() };
        WriteColumn { target, is_key }
    }

    #[test]
    fn rows_are_taken_by_their_keys() {
        let columns = [column("i\"d", "integer", true), column("at", "inet", false)];
        let rows = RecordBatch::new_empty(Schema::empty().into());
        let table = TableId::new(None, Some("s"), "t");
        let of = |kind, columns: &[WriteColumn]| {
            merge_from("r", &TableWrite { table: &table, columns, kind, rows: &rows, zone: Tz::UTC })
        };
        assert_eq!(
            of(WriteKind::Upsert, &columns).unwrap(),
            "INSERT INTO \"s\".\"t\" (\"i\"\"d\", \"at\") SELECT s.c1::integer, s.c2::inet FROM r AS s \
             ON CONFLICT (\"i\"\"d\") DO UPDATE SET \"at\" = EXCLUDED.\"at\""
        );
        assert!(of(WriteKind::Upsert, &columns[..1]).unwrap().ends_with("DO NOTHING"));
        assert_eq!(
            of(WriteKind::Update, &columns).unwrap(),
            "UPDATE \"s\".\"t\" AS t SET \"at\" = s.c2::inet FROM r AS s WHERE t.\"i\"\"d\" = s.c1::integer"
        );
        assert_eq!(of(WriteKind::Update, &columns[..1]), None);
        assert_eq!(
            of(WriteKind::Delete, &columns[..1]).unwrap(),
            "DELETE FROM \"s\".\"t\" AS t USING r AS s WHERE t.\"i\"\"d\" = s.c1::integer"
        );
    }
}
