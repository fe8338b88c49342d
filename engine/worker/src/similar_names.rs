//! How near a name that is not known is to one that is, for messages.

/// How near `name` is to what was wanted, 0 the nearest; `None` if it is probably not meant. Names may be classes in full:
/// what follows the last `.` or `$` is compared, in any case.
pub(crate) fn nearness(wanted: &str, name: &str) -> Option<usize> {
    let (wanted, name) = (simple(wanted), simple(name));
    if !wanted.is_empty() && name.contains(&wanted) {
        return Some(1);
    }
    let distance = edit_distance(&wanted, &name);
    (distance <= wanted.chars().count() / 4).then_some(distance)
}

fn simple(name: &str) -> String {
    name.rsplit(['.', '$']).next().unwrap_or(name).to_lowercase()
}

/// How many characters have to be added, left out, replaced or swapped with the next to make one of the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    // the distances from each beginning of `left` to all beginnings of `right`
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(l != r)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn a_distance_is_the_same_both_ways_and_zero_only_between_equals(left in "[ab]{0,6}", right in "[ab]{0,6}") {
            prop_assert_eq!(edit_distance(&left, &right), edit_distance(&right, &left));
            prop_assert_eq!(edit_distance(&left, &right) == 0, left == right);
        }
    }
}
