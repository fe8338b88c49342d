//! Settings of which simulations have one each.

/// When files are completed.
pub(crate) const ROTATIONS: [&[(&str, &str)]; 6] = [
    &[("flush.size", "1000")],
    &[("flush.size", "3")],
    &[("flush.size", "1"), ("rotate.idle.ms", "-1")],
    &[("flush.size", "11"), ("rotate.interval.ms", "90")],
    &[("rotate.schedule.interval.ms", "40"), ("rotate.interval.ms", "300")],
    &[("rotate.bytes", "900"), ("rotate.idle.ms", "20")],
];

/// Tries of looks into the store follow quickly.
pub(crate) const PATIENCE: &[(&str, &str)] = &[("retry.backoff.ms", "1")];

/// Which directories there are: each of them, or one for each partition.
pub(crate) const LAYOUTS: [&[(&str, &str)]; 3] = [
    &[],
    &[("partitioner.class", "FieldPartitioner"), ("partition.field.name", "place")],
    &[
        ("partitioner.class", "TimeBasedPartitioner"),
        ("timestamp.extractor", "Record"),
        ("path.format", "ss/SSS"),
        ("partition.duration.ms", "70"),
    ],
];

/// Which versions of a schema share a file.
pub(crate) const COMPATIBILITIES: [&[(&str, &str)]; 3] =
    [&[], &[("schema.compatibility", "BACKWARD")], &[("schema.compatibility", "FORWARD")]];

/// What stands beside files: nothing, or keys; of records without values there are only keys.
pub(crate) const SIBLINGS: [&[(&str, &str)]; 2] =
    [&[], &[("store.kafka.keys", "true"), ("keys.format.class", "JsonLines"), ("behavior.on.null.values", "write")]];

/// Names of files: with the offset of the first row, or of the last one too.
pub(crate) const NAMINGS: [&[(&str, &str)]; 2] = [&[], &[("file.name.last.offset", "true")]];
