//! The transformation `Sql`.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Records, RejectedRow, Result,
    Stage, Transformation, Transformed, Validator, Width,
};

use crate::bad_rows::{Executed, execute_good_rows};
use crate::clock_functions::clock_functions;
use crate::deep_stack::on_deep_stack;
use crate::lookup_table::LookupTable;
use crate::output::to_records;
use crate::plan_error::{plan_error, reason_of};
use crate::query_plan::QueryPlan;
use crate::session::new_session;
use crate::statement::RowwiseQuery;

/// Name of the transformation, in lists and in rejected rows.
pub(crate) const CLASS: &str = "Sql";

const QUERY: &str = "query";
const LOOKUP_PATH: &str = "lookup.<name>.path";
const LOOKUP_MAX_BYTES: &str = "lookup.max.bytes";

/// Plans that are kept: one for each combination of key and value type.
const KEPT_PLANS: usize = 16;

/// SQL over each batch of records, row by row.
///
/// # Columns of the table `records`
/// A struct value's fields; any other value as `value`. Besides:
///
/// | column | type | |
/// |---|---|---|
/// | `_key` | the key's | |
/// | `_topic` | VARCHAR | |
/// | `_partition` | INT | null in a source that does not choose one |
/// | `_offset` | BIGINT | null in a source |
/// | `_timestamp` | TIMESTAMP (ms, UTC) | null if unknown |
/// | `_headers` | MAP of VARCHAR | `_headers['trace']`; of equal names the last counts |
///
/// `*` stands for the value's columns only. A value field that has the name of one of these columns is `"value._key"` and
/// so on, and has its own name again in the result.
///
/// # Result
/// The new value is a struct of the selected columns. What is selected as `_key`, `_topic` or `_timestamp` sets these
/// instead; rows with different topics are split by topic, each in the order of the input. A schemaless value stays
/// schemaless. Headers, offset and, unless set, key, timestamp and topic are those of the row that a row came from.
///
/// A tombstone (null value) has null in all value columns. One that WHERE lets through stays a tombstone, whatever is
/// selected, as in Connect's own transformations; its key, topic and timestamp can be set.
///
/// # Names
/// Column and table names are case sensitive, quoted or not; keywords and functions are not. A column without AS is named
/// after the field it takes (`address.city` → `city`), or else after its text.
///
/// # Time and chance
/// `now()` is the time at which a batch is transformed, `random()` and `uuid()` differ each time: when records are
/// read again after a failure, they give other values than before.
///
/// # Errors
/// A row for which the query fails (a cast, a division by zero) is rejected; the others are not affected. A query that
/// does not fit the type of the records, for example for a column that they do not have, is a `Config` error at the first
/// such batch.
pub struct Sql {
    query: RowwiseQuery,
    session: SessionContext,
    /// The plan used last comes first.
    plans: Vec<QueryPlan>,
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plans = self.plans.len();
        f.debug_struct("Sql").field("query", &self.query.query.to_string()).field("plans", &plans).finish()
    }
}

impl Sql {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let query = "SELECT over the table `records`, which works row by row: columns, expressions, WHERE, CASE, scalar \
                     functions, unnest(…), joins to lookup tables. AS `_key`, `_topic` and `_timestamp` set these.";
        let path = "File of the lookup table <name>, which the query can join: .csv or .tsv with a header row, or .json, \
                    .jsonl, .ndjson with one object on each line. It is read when the task starts, into memory.";
        let max_bytes = "Largest file, in bytes, that is read as a lookup table.";
        ConfigDef::new()
            .key(
                ConfigKey::required(QUERY, ConfigType::String, Importance::High, query)
                    .validated(Validator::Custom(validate_query))
                    .grouped("Sql", 1, Width::Long, "Query"),
            )
            .key(ConfigKey::optional(LOOKUP_PATH, ConfigType::String, Importance::Medium, path).grouped(
                "Sql",
                2,
                Width::Long,
                "Lookup table",
            ))
            .key(
                ConfigKey::with_default(LOOKUP_MAX_BYTES, ConfigType::Long, "67108864", Importance::Low, max_bytes)
                    .validated(Validator::AtLeast(1))
                    .grouped("Sql", 3, Width::Short, "Lookup table size"),
            )
    }

    /// From its configuration, prefix stripped. Reads the lookup tables.
    ///
    /// # Errors
    /// `Config`, with the position, if the query is not row-wise SQL; if it names an unknown table; if a lookup table
    /// cannot be read.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = Self::config_def().parse(config)?;
        let refused = |refusal| Error::config(format!("`{QUERY}`, {refusal}"));
        let query = RowwiseQuery::parse(parsed.string(QUERY).unwrap_or_default()).map_err(refused)?;
        let max_bytes = parsed.long(LOOKUP_MAX_BYTES).and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(u64::MAX);
        let lookups = LookupTable::read_all(config, max_bytes)?;
        query.check_tables(lookups.iter().map(|lookup| lookup.name.as_str())).map_err(refused)?;
        let session = session_with(lookups)
            .map_err(|error| Error::config(format!("could not set up the lookup tables: {}", reason_of(&error))))?;
        Ok(Self { query, session, plans: Vec::new() })
    }

    /// The plan for these records, made if there is none yet.
    fn plan(&mut self, records: &Records) -> std::result::Result<&QueryPlan, PlanFailure> {
        match self.plans.iter().position(|plan| plan.fits(records)) {
            Some(0) => {}
            Some(found) => self.plans[..=found].rotate_right(1),
            None => {
                let (session, query) = (&self.session, &self.query);
                let plan = on_deep_stack(|| QueryPlan::new(session, query, records)).map_err(PlanFailure::Broken)?;
                self.plans.insert(0, plan.map_err(|error| PlanFailure::Unfit(Box::new(error)))?);
                self.plans.truncate(KEPT_PLANS);
            }
        }
        Ok(&self.plans[0])
    }

    fn transform(&mut self, records: &Records) -> std::result::Result<Transformed, PlanFailure> {
        let plan = self.plan(records)?;
        transform(plan, records).map_err(PlanFailure::Broken)
    }

    /// Records that are all tombstones and have no schema, so that the columns are not known.
    ///
    /// They take those of the records before them; where there were none, every name in the query counts as a column.
    fn transform_untyped(&mut self, records: Records) -> Result<Transformed> {
        let value = match self.plans.first() {
            Some(plan) => plan.value_field(),
            None => Arc::new(Field::new("value", self.query.named_columns(), true)),
        };
        let mut typed = records.clone();
        typed.value = Column::nulls_of(value, records.len());
        match self.transform(&typed) {
            Ok(mut transformed) => {
                for part in &mut transformed.records {
                    part.value = Column::nulls(part.len());
                }
                Ok(transformed)
            }
            // Their types would be needed to tell what becomes of them; a delete must not be lost.
            Err(PlanFailure::Unfit(_)) => Ok(Transformed::of(records)),
            Err(PlanFailure::Broken(error)) => Err(error),
        }
    }
}

impl Transformation for Sql {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        if records.value.field.data_type() == &DataType::Null {
            return self.transform_untyped(records);
        }
        self.transform(&records).map_err(|failure| match failure {
            PlanFailure::Unfit(error) => plan_error(&error, &self.query, &records),
            PlanFailure::Broken(error) => error,
        })
    }
}

/// Why there is no result.
enum PlanFailure {
    /// The query does not fit the types of the records.
    Unfit(Box<DataFusionError>),
    /// Anything else.
    Broken(Error),
}

fn validate_query(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) => RowwiseQuery::parse(text).map(drop).map_err(|refusal| refusal.to_string()),
        _ => Err("the query has no value".to_owned()),
    }
}

fn session_with(lookups: Vec<LookupTable>) -> datafusion::error::Result<SessionContext> {
    let session = new_session();
    for function in clock_functions() {
        session.register_udf(function);
    }
    for lookup in lookups {
        session.register_table(lookup.name.clone(), lookup.into_table()?)?;
    }
    Ok(session)
}

fn transform(plan: &QueryPlan, records: &Records) -> Result<Transformed> {
    let Some(input) = plan.input(records)? else {
        return Ok(Transformed::default());
    };
    let executed = execute_good_rows(plan, &input).map_err(|error| {
        Error::fatal(format!("could not execute the query for topic `{}`: {}", records.topic, reason_of(&error)))
    })?;
    let Executed { results, bad } = executed;
    let mut transformed = match joined(results)? {
        Some(result) => to_records(plan.layout(), records, result, CLASS)?,
        None => Transformed::default(),
    };
    transformed.rejected.extend(bad.into_iter().map(|(row, error)| RejectedRow {
        row: records.rows.input_row(row),
        stage: Stage::Transformation,
        class: CLASS.to_owned(),
        error: Error::data(format!("the query fails for this record: {}", reason_of(&error))),
    }));
    transformed.rejected.sort_by_key(|rejected| rejected.row);
    transformed.rejected.dedup_by_key(|rejected| rejected.row);
    Ok(transformed)
}

fn joined(mut results: Vec<RecordBatch>) -> Result<Option<RecordBatch>> {
    match results.len() {
        0 => Ok(None),
        1 => Ok(results.pop()),
        _ => Ok(Some(concat_batches(&results[0].schema(), &results)?)),
    }
}
