//! The thread that has the file. It does what it is told, one thing after the other, and reads nothing ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use rusqlite::{Connection, OpenFlags, Rows, Statement};
use volley_api::{Error, Result};
use volley_jdbc::{Fetched, Query, ResultColumn};

use crate::column_builder::ColumnBuilder;
use crate::column_type::ColumnType;
use crate::parameters::File;
use crate::sqlite_error::sqlite_error;
use crate::time_form::{ColumnForm, TimeForm, has_time_call, set_form};

/// After so many steps of SQLite it is looked whether to go on.
const STEPS: i32 = 10_000;
const REFUSED: &str = "SQLite refuses the query";

/// What the thread is told.
pub(crate) enum Command {
    /// Something short.
    Do(Box<dyn FnOnce(&Connection) + Send>),
    /// Begin a query.
    Begin(Query, SyncSender<Result<Vec<ResultColumn>>>),
    /// Read the next rows.
    Next(SyncSender<Result<Fetched>>),
}

/// Opens the file for reading; what is done with it ends once `is_ended`.
pub(crate) fn open(file: &File, is_ended: &Arc<AtomicBool>) -> Result<Connection> {
    let path = file.path.display();
    if !file.path.exists() {
        return Err(Error::config(format!("there is no file {path} (`connection.url`)")));
    }
    let doing = format!("could not open {path}");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&file.path, flags).map_err(|error| sqlite_error(&doing, error))?;
    let is_ended = Arc::clone(is_ended);
    connection
        .busy_timeout(file.busy_timeout)
        .and_then(|()| connection.progress_handler(STEPS, Some(move || is_ended.load(Ordering::Relaxed))))
        // reads the file for the first time
        .and_then(|()| connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())))
        .map_err(|error| sqlite_error(&doing, error))?;
    Ok(connection)
}

/// Does what it is told, until nobody is there to tell.
pub(crate) fn serve(connection: &Connection, file: &File, commands: &Receiver<Command>) {
    let mut next = commands.recv().ok();
    while let Some(command) = next {
        next = match command {
            Command::Do(job) => {
                job(connection);
                commands.recv().ok()
            }
            Command::Next(answer) => {
                // who asked may be gone
                let _ = answer.send(Ok(Fetched::End));
                commands.recv().ok()
            }
            Command::Begin(query, answer) => read(connection, file, &query, &answer, commands),
        };
    }
}

/// Reads a result, batch by batch, until something else is to be done: that is given back.
fn read(
    connection: &Connection,
    file: &File,
    query: &Query,
    begun: &SyncSender<Result<Vec<ResultColumn>>>,
    commands: &Receiver<Command>,
) -> Option<Command> {
    // dropped, it ends the transaction, which has changed nothing
    let prepared = transaction(connection).and_then(|transaction| {
        set_time_form(connection, file, &query.text)?;
        let statement = connection.prepare(&query.text).map_err(|error| sqlite_error(REFUSED, error))?;
        Ok((transaction, statement))
    });
    let (transaction, mut statement) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = begun.send(Err(error));
            return commands.recv().ok();
        }
    };
    if statement.column_count() == 0 {
        let _ = begun.send(Err(Error::config("the query answers no rows: it must be a SELECT")));
        return commands.recv().ok();
    }
    let columns = columns_of(&statement);
    let mut batch = Batch::new(&columns, file, query);
    let mut rows = match statement.query([]) {
        Ok(rows) => rows,
        Err(error) => {
            let _ = begun.send(Err(sqlite_error(REFUSED, error)));
            return commands.recv().ok();
        }
    };
    let _ = begun.send(Ok(columns.into_iter().map(|(column, _)| column).collect()));
    while let Ok(command) = commands.recv() {
        let Command::Next(answer) = command else { return Some(command) };
        let fetched = batch.read(&mut rows);
        let is_last = !matches!(fetched, Ok(Fetched::Rows(_)));
        let _ = answer.send(fetched);
        if is_last {
            break;
        }
    }
    drop(rows);
    drop(statement);
    drop(transaction);
    commands.recv().ok()
}

/// A transaction that holds on to what the file has now, so that the columns are the same when the rows are read.
fn transaction(connection: &Connection) -> Result<rusqlite::Transaction<'_>> {
    let begun = connection.unchecked_transaction().and_then(|transaction| {
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(transaction)
    });
    begun.map_err(|error| sqlite_error("could not begin a transaction", error))
}

/// The columns of a result, and what their values become.
fn columns_of(statement: &Statement<'_>) -> Vec<(ResultColumn, ColumnType)> {
    let columns = statement.columns().enumerate().map(|(place, column)| {
        let declared = column.decl_type();
        let column_type = ColumnType::of(declared);
        let is_required =
            statement.column_metadata(place).ok().flatten().is_some_and(|(_, _, _, _, _, is_required, ..)| is_required);
        let column = ResultColumn {
            field: Field::new(column.name(), column_type.data_type(), !is_required),
            type_name: declared.unwrap_or("of no declared type").to_owned(),
            number: column_type.number(),
            has_days: column_type == ColumnType::Date,
            is_left_out_by_java: false,
        };
        (column, column_type)
    });
    columns.collect()
}

/// Makes the times in a statement those of the columns that they are compared with: as it is set, else as the column
/// has them.
fn set_time_form(connection: &Connection, file: &File, text: &str) -> Result<()> {
    if !has_time_call(text) {
        return Ok(());
    }
    let failed = |error| sqlite_error(REFUSED, error);
    // a function of this name has to be there for the statement to be prepared
    let usual = ColumnForm { form: TimeForm::Count(file.unit), has_days: false };
    set_form(connection, usual).map_err(failed)?;
    let mut found = found_form(connection, file, text).map_err(failed)?;
    if let Some(class) = file.class {
        found.form = TimeForm::of_class(class, file.unit);
    }
    set_form(connection, found).map_err(failed)
}

/// The form of a value of a column that is compared with a time.
fn found_form(connection: &Connection, file: &File, text: &str) -> rusqlite::Result<ColumnForm> {
    let statement = connection.prepare(text)?;
    let conditions = text.rfind(" WHERE ").map_or("", |place| &text[place..]);
    for (column, of_table) in statement.columns().zip(statement.columns_with_metadata()) {
        let (Some(table), Some(origin)) = (of_table.table_name(), of_table.origin_name()) else { continue };
        let column_type = ColumnType::of(column.decl_type());
        if !column_type.is_time() || !conditions.contains(column.name()) {
            continue;
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let (origin, table) = (quoted(origin), quoted(table));
        let form_of = |sample: &str| -> rusqlite::Result<Option<TimeForm>> {
            let mut sample = connection.prepare(sample)?;
            let mut rows = sample.query([])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(TimeForm::of_value(row.get_ref(0)?, file.unit)))
        };
        if let Some(mut form) = form_of(&format!("SELECT {origin} FROM {table} WHERE {origin} IS NOT NULL LIMIT 1"))? {
            // some texts may have no time, and the latest is what later ones are compared with
            if let (TimeForm::LikeText(_), Some(latest)) =
                (&form, form_of(&format!("SELECT max({origin}) FROM {table}"))?)
            {
                form = form.longer(latest);
            }
            return Ok(ColumnForm { form, has_days: column_type == ColumnType::Date });
        }
    }
    Ok(ColumnForm { form: TimeForm::Count(file.unit), has_days: false })
}

/// A batch that is being made.
struct Batch {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    batch_rows: usize,
    batch_bytes: usize,
}

impl Batch {
    fn new(columns: &[(ResultColumn, ColumnType)], file: &File, query: &Query) -> Self {
        let fields: Vec<_> = columns.iter().map(|(column, _)| column.field.clone().with_nullable(true)).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: columns.iter().map(|(_, column_type)| ColumnBuilder::new(*column_type, file.unit)).collect(),
            batch_rows: query.batch_rows,
            batch_bytes: query.batch_bytes,
        }
    }

    /// The next rows.
    fn read(&mut self, rows: &mut Rows<'_>) -> Result<Fetched> {
        let failed = |error| sqlite_error("could not read the rows", error);
        let (mut count, mut bytes) = (0, 0);
        while count < self.batch_rows && bytes < self.batch_bytes {
            let Some(row) = rows.next().map_err(failed)? else { break };
            for (place, column) in self.columns.iter_mut().enumerate() {
                bytes += column.append(row.get_ref(place).map_err(failed)?).map_err(|what| {
                    let field = self.schema.field(place);
                    let (name, data_type) = (field.name(), field.data_type());
                    Error::data(format!(
                        "column `{name}` has {what}, which has no place in its type, {data_type}: correct it, or cast \
                        the column to text in a `query`"
                    ))
                })?;
            }
            count += 1;
        }
        if count == 0 {
            return Ok(Fetched::End);
        }
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(Fetched::Rows(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?))
    }
}
