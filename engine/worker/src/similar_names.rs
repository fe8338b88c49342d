//! How near a name that is not known is to one that is, for messages.

use strsim::osa_distance;

/// How near `name` is to what was wanted, 0 the nearest; `None` if it is probably not meant. Names may be classes in full:
/// what follows the last `.` or `$` is compared, in any case.
pub(crate) fn nearness(wanted: &str, name: &str) -> Option<usize> {
    let (wanted, name) = (simple(wanted), simple(name));
    if !wanted.is_empty() && name.contains(&wanted) {
        return Some(1);
    }
    let distance = osa_distance(&wanted, &name);
    (distance <= wanted.chars().count() / 4).then_some(distance)
}

fn simple(name: &str) -> String {
    name.rsplit(['.', '$']).next().unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_near_and_other_names_are_not() {
        for (wanted, name) in [
            ("FileStreamSorce", "FileStreamSource"),
            ("datagne", "Datagen"),
            ("com.example.Datagen", "Datagen"),
            ("FileStreamSourceConector", "org.apache.kafka.connect.file.FileStreamSourceConnector"),
            ("ObjectStore", "ObjectStoreSink"),
        ] {
            assert!(nearness(wanted, name).is_some(), "{wanted}");
        }
        for (wanted, name) in [("io.debezium.connector.mysql.MySqlConnector", "MockSource"), ("", "Datagen")] {
            assert_eq!(nearness(wanted, name), None, "{wanted}");
        }
    }
}
