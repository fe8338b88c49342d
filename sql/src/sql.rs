//! The transformation `Sql`.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field};
use datafusion::prelude::SessionContext;
use volley_api::schema::has_schema;
use volley_api::{
    Column, ConfigDef, ConfigMap, Error, RecordFields, Records, RejectedRow, Result, Stage, Transformation,
    TransformationContext, Transformed,
};
use volley_converters::{MixedRows, same_type};

use crate::absent_fields::AbsentFields;
use crate::bad_rows::{Executed, execute_good_rows};
use crate::deep_stack::on_deep_stack;
use crate::functions::{HmacSecrets, register_hmac};
use crate::lookup::{Lookups, Refreshed};
use crate::plan::{PlanFailure, Plans, QueryPlan, clock_functions, new_session, plan_error, to_records};
use crate::query::{NamedFields, RowwiseQuery, UserFunctions};
use crate::reason::reason_of;
use crate::records_table::{MetaColumn, WHOLE_VALUE, is_shadowed};
use crate::sql_config::{QUERY, config_def};

/// Name of the transformation, in lists and in rejected rows.
pub(crate) const CLASS: &str = "Sql";

/// If the query does not fit any of so many records without schema, the query is wrong, not the records.
const TELLING_RECORDS: usize = 10;

/// SQL over each batch of records, row by row.
///
/// # Columns of the table `records`
/// A struct value's fields; any other value as `value`. In addition:
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
/// `*` means the value's columns only. A value field with the name of one of these columns is `"value._key"` and so on,
/// and has its own name again in the result.
///
/// # Result
/// The new value is a struct of the selected columns. Columns with the names `_key`, `_topic` and `_timestamp` set
/// these parts of the record instead. Rows with different topics are split by topic, each in the order of the input. A
/// schemaless value stays schemaless. Each row keeps the headers and offset of its input row, and the key, timestamp
/// and topic, too, unless they are set.
///
/// A tombstone (null value) has null in all value columns. A tombstone that passes WHERE stays a tombstone, whatever is
/// selected, as in Connect's own transformations. Its key, topic and timestamp can be set.
///
/// # Names
/// Column and table names are case sensitive, quoted or not; keywords and functions are not. A column without AS gets
/// the name of its field (`address.city` → `city`), or otherwise its text.
///
/// # Time and chance
/// `now()` is the time at which a batch is transformed; `random()` and `uuid()` differ each time. So these functions
/// give other values when records are read again after a failure.
///
/// # Records without schema
/// A field that no record has had yet is null. If records have different types of a field, the query is planned for
/// each type, and a result whose type differs from record to record is mixed.
///
/// # Errors
/// A row for which the query fails (a cast, a division by zero), or whose types the query does not fit, is rejected;
/// other rows are not affected. If the query has never fitted a record, for example because a column does not exist, it
/// is a `Config` error.
pub struct Sql {
    query: RowwiseQuery,
    session: SessionContext,
    lookups: Lookups,
    plans: Plans,
    /// The fields that the query names.
    named: NamedFields,
    absent: AbsentFields,
    mixed_values: MixedRows,
    mixed_keys: MixedRows,
    /// Number of records that the query did not fit.
    unfit_records: usize,
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
        config_def()
    }

    /// From its configuration, without prefix, to check it or to use it without a worker: lookup tables stay as they are
    /// read now.
    ///
    /// # Errors
    /// As for [`Sql::of_task`].
    pub fn new(config: &ConfigMap) -> Result<Self> {
        Self::of_task(TransformationContext::default(), config)
    }

    /// From its configuration, without prefix. Reads the lookup tables.
    ///
    /// # Errors
    /// `Config`, with the position, if the query is not row-wise SQL; if it names an unknown table; if a lookup table
    /// cannot be read.
    #[expect(clippy::needless_pass_by_value, reason = "as for all plug-ins of a task")]
    pub fn of_task(context: TransformationContext, config: &ConfigMap) -> Result<Self> {
        let parsed = Self::config_def().parse(config)?;
        let refused = |refusal| Error::config(format!("`{QUERY}`, {refusal}"));
        let functions = UserFunctions::of_config(config)?;
        let query = RowwiseQuery::parse_with(parsed.string(QUERY).unwrap_or_default(), &functions).map_err(refused)?;
        let secrets = HmacSecrets::of_config(config)?;
        query.check_secrets(secrets.names()).map_err(refused)?;
        let session = session_with(secrets)?;
        let lookups = Lookups::read(config, &query, &context, &session)?;
        query.check_tables(lookups.names()).map_err(refused)?;
        let named = query.named_fields(&lookups.columns());
        Ok(Self {
            query,
            session,
            lookups,
            plans: Plans::default(),
            named,
            absent: AbsentFields::default(),
            mixed_values: MixedRows::new(),
            mixed_keys: MixedRows::new(),
            unfit_records: 0,
        })
    }

    /// Takes what has changed in lookup tables. So all rows of a batch see the same.
    fn refresh_lookups(&mut self) -> Result<()> {
        match self.lookups.refresh(&self.session)? {
            Refreshed::Nothing => Ok(()),
            Refreshed::Rows => self.plans.forget_lookup_rows(),
            Refreshed::Columns => {
                self.plans.clear();
                self.named = self.query.named_fields(&self.lookups.columns());
                Ok(())
            }
        }
    }

    /// Transforms records in which no column that the query names is mixed.
    fn transform(&mut self, records: &Records) -> std::result::Result<Transformed, PlanFailure> {
        let (plan, is_new) = self.plans.plan(&self.session, &self.query, &self.named, records)?;
        if is_new {
            self.absent.tell(plan.absent_fields(), &records.topic, &records.value.field);
        }
        transform(plan, records).map_err(PlanFailure::Broken)
    }

    /// Splits records into parts in which no column that the query names is mixed, so that each record is transformed
    /// by its own types.
    fn unmixed(&mut self, records: Records) -> Result<Vec<Records>> {
        let query = &self.query;
        let is_wanted = |name: &str| query.names_column(name) || is_shadowed(name);
        let mut parts = vec![records];
        if MixedRows::are_in(&parts[0].value.field, is_wanted) {
            let records = parts.remove(0);
            for (rows, value) in self.mixed_values.split(&records.value, is_wanted)? {
                parts.push(Records { value, ..records.take(&rows)? });
            }
        }
        if MixedRows::are_in(&parts[0].key.field, |_| true) && query.names_column(MetaColumn::Key.name()) {
            for records in std::mem::take(&mut parts) {
                for (rows, key) in self.mixed_keys.split(&records.key, |_| true)? {
                    parts.push(Records { key, ..records.take(&rows)? });
                }
            }
        }
        Ok(parts)
    }

    /// Rejects records that the query does not fit, if it fits others. Tombstones are judged separately.
    ///
    /// # Errors
    /// `Config` if no record has ever fitted, and there were more than a few.
    fn reject_unfit(&mut self, records: &Records, reason: &str) -> Result<Transformed> {
        self.unfit_records += records.len();
        let may_be_odd = !has_schema(&records.value.field) && self.unfit_records < TELLING_RECORDS;
        if !self.plans.have_fitted() && !may_be_odd && !self.is_about_objects_only(records) {
            let place = match (&records.origin, records.offset(0)) {
                (Some(origin), Some(offset)) => format!(" (as at offset {offset} of {})", origin.partition),
                _ => String::new(),
            };
            return Err(Error::config(format!("{reason}{place}")));
        }
        let is_null = |row: &u32| records.value.is_null(*row as usize);
        let (nulls, bad): (Vec<u32>, Vec<u32>) = (0..records.len() as u32).partition(is_null);
        let mut transformed = match nulls.is_empty() {
            true => Transformed::default(),
            false => {
                let nulls = records.take(&UInt32Array::from(nulls))?;
                self.transform_untyped(Records { value: Column::nulls(nulls.len()), ..nulls })?
            }
        };
        transformed.rejected.extend(bad.into_iter().map(|row| {
            let error = Error::data(format!("the query does not fit this record: {reason}"));
            rejected(records, row as usize, error)
        }));
        Ok(transformed)
    }

    /// Whether the query names fields, and records without schema have none: no query over fields can apply to them.
    fn is_about_objects_only(&self, records: &Records) -> bool {
        let value = &records.value.field;
        let is_object = has_schema(value) || matches!(value.data_type(), DataType::Struct(_));
        !is_object && self.named.names().any(|name| name != WHOLE_VALUE)
    }

    /// Transforms records that are all tombstones without schema, so that the columns are unknown.
    ///
    /// They get the columns of earlier records. Without earlier records, every name in the query counts as a column.
    fn transform_untyped(&mut self, records: Records) -> Result<Transformed> {
        let value = match self.plans.value_field() {
            Some(field) => field,
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
            // Their result depends on unknown types; a delete must not be lost.
            Err(PlanFailure::Unfit(_)) => Ok(Transformed::of(records)),
            Err(PlanFailure::Broken(error)) => Err(error),
        }
    }
}

impl Transformation for Sql {
    fn output_fields(&mut self, topic: &str, input: &RecordFields) -> Result<Option<RecordFields>> {
        let plan = on_deep_stack(|| QueryPlan::new(&self.session, &self.query, &self.named, input))?;
        let plan = plan.map_err(|error| Error::config(plan_error(&error, &self.query, topic)))?;
        let layout = plan.layout();
        let key = layout.key.as_ref().map_or(&input.key, |(_, field)| field);
        Ok(Some(RecordFields { key: Arc::clone(key), value: Arc::clone(&layout.value) }))
    }

    fn apply(&mut self, records: Records) -> Result<Transformed> {
        self.refresh_lookups()?;
        if records.value.field.data_type() == &DataType::Null {
            return self.transform_untyped(records);
        }
        let mut done = Transformed::default();
        let mut unfit = Vec::new();
        for part in self.unmixed(records)? {
            match self.transform(&part) {
                Ok(mut transformed) => {
                    done.records.append(&mut transformed.records);
                    done.rejected.append(&mut transformed.rejected);
                }
                Err(PlanFailure::Unfit(reason)) => unfit.push((part, reason)),
                Err(PlanFailure::Broken(error)) => return Err(error),
            }
        }
        for (part, reason) in unfit {
            let mut rest = self.reject_unfit(&part, &reason)?;
            done.records.append(&mut rest.records);
            done.rejected.append(&mut rest.rejected);
        }
        done.rejected.sort_by_key(|rejected| rejected.row);
        if done.records.len() > 1 {
            done.records = with_same_types(done.records)?;
        }
        Ok(done)
    }
}

/// Converts the schemaless parts of one topic to one type, since the query's results for them may differ in type.
fn with_same_types(records: Vec<Records>) -> Result<Vec<Records>> {
    let mut topics: Vec<Vec<Records>> = Vec::new();
    for part in records.into_iter().filter(|part| !part.is_empty()) {
        match topics.iter_mut().find(|parts| parts[0].topic == part.topic) {
            Some(parts) => parts.push(part),
            None => topics.push(vec![part]),
        }
    }
    for parts in &mut topics {
        let is_schemaless = |column: &Column| !has_schema(&column.field);
        if parts.iter().all(|part| is_schemaless(&part.value)) {
            let values = same_type(parts.iter().map(|part| part.value.clone()).collect())?;
            parts.iter_mut().zip(values).for_each(|(part, value)| part.value = value);
        }
        if parts.iter().all(|part| is_schemaless(&part.key)) {
            let keys = same_type(parts.iter().map(|part| part.key.clone()).collect())?;
            parts.iter_mut().zip(keys).for_each(|(part, key)| part.key = key);
        }
    }
    Ok(topics.into_iter().flatten().collect())
}

fn rejected(records: &Records, row: usize, error: Error) -> RejectedRow {
    RejectedRow { row: records.rows.input_row(row), stage: Stage::Transformation, class: CLASS.to_owned(), error }
}

fn session_with(secrets: HmacSecrets) -> Result<SessionContext> {
    let session = new_session()
        .map_err(|error| Error::fatal(format!("could not set up the functions of SQL: {}", reason_of(&error))))?;
    for function in clock_functions() {
        session.register_udf(function);
    }
    register_hmac(&session, secrets);
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
    transformed.rejected.extend(bad.into_iter().map(|(row, error)| {
        rejected(records, row, Error::data(format!("the query fails for this record: {}", reason_of(&error))))
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
