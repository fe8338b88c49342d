//! The headers of fetched batches, which say where to go on before anything is decompressed.

/// The bytes before a batch's length ends: its first offset and the length itself.
const PREFIX: usize = 12;
/// The magic byte stands here in every format.
const MAGIC_AT: usize = 16;
/// Where format 2 (KIP-98) has the epoch of the leader, and the distance of the last offset from the first.
const EPOCH_AT: usize = 12;
const LAST_DELTA_AT: usize = 23;
const HEADER_OF_2: usize = 27;

/// What the headers of the fetched batches of one partition say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BatchHeaders {
    /// The offset behind the last whole batch; `None` if there is no whole one.
    pub(super) next_offset: Option<i64>,
    /// The epoch of the leader that wrote the last whole batch; `None` in formats before 2.
    pub(super) leader_epoch: Option<i32>,
    /// Whether the first batch is none, rather than cut off: more of its bytes would not help.
    pub(super) is_malformed: bool,
}

impl BatchHeaders {
    /// Goes from header to header. What is no batch ends it; whoever reads the records says what is wrong.
    pub(super) fn read(records: &[u8]) -> Self {
        let mut headers = Self::default();
        let mut rest = records;
        while let Some((batch, behind)) = split_batch(rest) {
            let Some(first) = number::<8>(batch, 0).map(i64::from_be_bytes) else { break };
            let Some(magic) = batch.get(MAGIC_AT) else { break };
            let last = if *magic < 2 {
                headers.leader_epoch = None;
                first
            } else {
                let header = batch.get(..HEADER_OF_2).and_then(|header| {
                    let epoch = number::<4>(header, EPOCH_AT).map(i32::from_be_bytes)?;
                    Some((epoch, number::<4>(header, LAST_DELTA_AT).map(i32::from_be_bytes)?))
                });
                let Some((epoch, delta)) = header else { break };
                headers.leader_epoch = (epoch >= 0).then_some(epoch);
                first.saturating_add(delta.max(0).into())
            };
            let next = last.saturating_add(1);
            headers.next_offset = Some(headers.next_offset.map_or(next, |before| before.max(next)));
            rest = behind;
        }
        headers.is_malformed = headers.next_offset.is_none() && !is_cut_off(records);
        headers
    }
}

/// Whether the first batch goes on behind what is there.
fn is_cut_off(records: &[u8]) -> bool {
    let Some(length) = number::<4>(records, 8).map(i32::from_be_bytes) else { return true };
    usize::try_from(length).is_ok_and(|length| PREFIX.saturating_add(length) > records.len())
}

/// The first batch, if it is whole, and what stands behind it.
fn split_batch(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = number::<4>(records, 8).map(i32::from_be_bytes)?;
    let end = PREFIX.checked_add(usize::try_from(length).ok()?)?;
    records.split_at_checked(end)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batch(first: i64, epoch: i32, magic: u8, delta: i32, more: usize) -> Vec<u8> {
        let mut bytes = first.to_be_bytes().to_vec();
        bytes.extend_from_slice(&(15 + more as i32).to_be_bytes());
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.push(magic);
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&delta.to_be_bytes());
        bytes.resize(bytes.len() + more, 7);
        bytes
    }

    #[test]
    fn the_next_offset_is_behind_the_last_whole_batch_gaps_and_all() {
        let mut bytes = [batch(10, 3, 2, 4, 9), batch(40, 4, 2, 0, 0), batch(50, 5, 2, 9, 99)].concat();
        let all = BatchHeaders { next_offset: Some(60), leader_epoch: Some(5), is_malformed: false };
        assert_eq!(BatchHeaders::read(&bytes), all);
        bytes.pop();
        let whole = BatchHeaders { next_offset: Some(41), leader_epoch: Some(4), is_malformed: false };
        assert_eq!(BatchHeaders::read(&bytes), whole);
    }

    #[test]
    fn old_formats_have_one_offset_and_no_epoch() {
        let bytes = [batch(10, 3, 2, 4, 9), batch(17, 99, 1, 99, 3)].concat();
        assert_eq!(
            BatchHeaders::read(&bytes),
            BatchHeaders { next_offset: Some(18), leader_epoch: None, is_malformed: false }
        );
    }

    #[test]
    fn a_batch_that_is_cut_off_says_nothing() {
        let bytes = batch(10, 3, 2, 4, 9);
        for length in 0..bytes.len() {
            assert_eq!(BatchHeaders::read(&bytes[..length]), BatchHeaders::default());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_all_end(bytes in prop::collection::vec(any::<u8>(), 0..200), length in any::<i32>()) {
            let _ = BatchHeaders::read(&bytes);
            let mut batch = batch(0, 0, 2, 0, 30);
            batch[8..12].copy_from_slice(&length.to_be_bytes());
            let _ = BatchHeaders::read(&batch);
        }
    }
}
