//! `SqlPartitioner`: directories named after columns of SQL, which need not be in the files.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::buffer::NullBuffer;
use parking_lot::Mutex;
use volley_api::{Error, Origin, QueryEngine, Records, Result, RowIndex, Transformation, Transformed};

use super::assignment::Assignment;
use super::field_partitioner::assign_values;
use super::field_path::FieldColumn;
use super::partitioner::{Partitioner, Split};
use super::partitioner_keys::PARTITION_SQL;

/// The columns that make a directory.
#[derive(Clone)]
pub(crate) struct SqlLayout {
    /// What stands behind SELECT.
    pub(crate) columns: String,
    /// Whether a value stands behind the name of its column.
    pub(crate) with_names: bool,
    /// Stands between the columns.
    pub(crate) delim: String,
    /// Who knows SQL.
    pub(crate) queries: Option<Arc<dyn QueryEngine>>,
}

impl fmt::Debug for SqlLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlLayout").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// Computes the columns, and names a directory after each.
pub(crate) struct SqlPartitioner {
    layout: SqlLayout,
    columns: Mutex<Box<dyn Transformation>>,
}

impl SqlPartitioner {
    /// A partitioner with these columns.
    ///
    /// # Errors
    /// `Config` if they are none.
    pub(crate) fn new(layout: SqlLayout) -> Result<Self> {
        let Some(queries) = &layout.queries else {
            return Err(Error::config(
                "directories by SQL are those of ObjectStoreSink; another partitioner is needed here",
            ));
        };
        let columns = queries.columns(&layout.columns).map_err(|error| {
            let reason = format!("Invalid value {} for configuration {PARTITION_SQL}: {error}", layout.columns);
            Error::config(reason)
        });
        let columns = Mutex::new(columns?);
        Ok(Self { layout, columns })
    }

    /// The directory of each row of what the query gave.
    fn assign(&self, computed: &Records) -> Result<Assignment> {
        let mut joined: Option<Assignment> = None;
        let values = computed.value.array.as_struct();
        for (field, array) in values.fields().iter().zip(values.columns()) {
            let nulls = NullBuffer::union(array.logical_nulls().as_ref(), values.nulls());
            let column = FieldColumn { field: Arc::clone(field), array: Arc::clone(array), nulls };
            let next = assign_values(field.name(), &column, self.layout.with_names, None)?;
            joined = Some(match joined {
                None => next,
                Some(outer) => outer.join(next, &self.layout.delim),
            });
        }
        Ok(joined.unwrap_or_else(|| Assignment::all_rejected(computed.len(), "no column makes the directory")))
    }
}

impl fmt::Debug for SqlPartitioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layout.fmt(f)
    }
}

impl Partitioner for SqlPartitioner {
    fn split(&self, records: &Records, _now_ms: i64) -> Result<Split> {
        let len = records.len();
        let Transformed { records: computed, rejected } = self.columns.lock().apply(renumbered(records))?;
        let mut parts = Vec::with_capacity(computed.len());
        for computed in computed {
            let assignment = self.assign(&computed)?;
            parts.push((computed.rows, assignment));
        }
        let rejected = rejected.into_iter().map(|row| (row.row, row.error.to_string())).collect();
        Ok(Assignment::of_parts(len, parts, rejected, "the columns of SQL leave this row out").into_split(None))
    }

    fn signature(&self) -> String {
        format!("sql {:?} {} {:?}", self.layout.columns, self.layout.with_names, self.layout.delim)
    }

    fn reads_keys_and_headers(&self) -> bool {
        true
    }
}

/// The records as if they were a batch of their own: what comes of each tells its row.
fn renumbered(records: &Records) -> Records {
    let origin = records.origin.as_ref().map(|origin| {
        Arc::new(Origin {
            partition: origin.partition.clone(),
            range: origin.range,
            offsets: records.rows.iter().map(|row| origin.offsets[row]).collect(),
            timestamp_type: origin.timestamp_type,
            timestamps: records.rows.iter().map(|row| origin.timestamps[row]).collect(),
        })
    });
    Records { rows: RowIndex::all(records.len()), origin, ..records.clone() }
}
