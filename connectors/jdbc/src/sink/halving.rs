//! Finds the rows that a database does not take.

use std::ops::Range;

use volley_api::{Error, ErrorKind, Result};

/// Writes all rows of a range but those that cannot be written, which are given back with why. `write` writes a range or
/// nothing; when it fails with `Data`, the halves of the range are written one after the other, so that rows keep their
/// order and each bad one costs as many attempts as the range can be halved. `ends_early`: the first bad row ends it, for
/// whoever is going to take everything back.
///
/// # Errors
/// Any of `write` that is not `Data`.
pub(super) fn write_good_rows(
    rows: Range<usize>,
    ends_early: bool,
    write: &mut dyn FnMut(Range<usize>) -> Result<()>,
) -> Result<Vec<(usize, Error)>> {
    let mut bad = Vec::new();
    let mut pending = vec![rows];
    while let Some(rows) = pending.pop() {
        if rows.is_empty() {
            continue;
        }
        let error = match write(rows.clone()) {
            Ok(()) => continue,
            Err(error) if error.kind() == ErrorKind::Data => error,
            Err(error) => return Err(error),
        };
        if rows.len() == 1 {
            bad.push((rows.start, error));
            if ends_early {
                break;
            }
            continue;
        }
        let middle = rows.start + rows.len() / 2;
        pending.push(middle..rows.end);
        pending.push(rows.start..middle);
    }
    Ok(bad)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn exactly_the_bad_rows_are_found_and_the_others_written_once_in_order(
            count in 0_usize..300,
            bad in prop::collection::btree_set(0_usize..300, 0..12),
        ) {
            let (mut written, mut attempts) = (Vec::new(), 0);
            let found = write_good_rows(0..count, false, &mut |rows| {
                attempts += 1;
                if bad.range(rows.clone()).next().is_some() {
                    return Err(Error::data("bad"));
                }
                written.extend(rows);
                Ok(())
            }).unwrap();
            let found: Vec<_> = found.into_iter().map(|(row, _)| row).collect();
            let expected: Vec<_> = bad.iter().copied().filter(|row| *row < count).collect();
            prop_assert_eq!(&found, &expected);
            let good: BTreeSet<_> = (0..count).filter(|row| !bad.contains(row)).collect();
            prop_assert_eq!(written, good.into_iter().collect::<Vec<_>>());
            prop_assert!(attempts <= 1 + expected.len() * 2 * 9);
        }
    }

    #[test]
    fn what_is_no_fault_of_a_row_ends_it() {
        let error = write_good_rows(0..4, false, &mut |_| Err(Error::retriable("lost"))).unwrap_err();
        assert!(error.is_retriable());
        let found = write_good_rows(0..4, true, &mut |_| Err(Error::data("bad"))).unwrap();
        assert_eq!(found.len(), 1);
    }
}
