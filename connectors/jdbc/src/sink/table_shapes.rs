//! Tables as they are, and as they have to be: creates those that are missing, adds columns, makes them wider.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field};
use chrono_tz::Tz;
use volley_api::{Error, Result};

use super::default_value::default_literal;
use crate::database::{TableId, TargetColumn, TargetTable, Writer, quoted};

/// What decides about tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShapeSettings {
    pub(super) creates: bool,
    pub(super) evolves: bool,
    /// The mark around names in SQL, if any.
    pub(super) quote: Option<char>,
    pub(super) zone: Tz,
}

/// The tables that are written to.
#[derive(Debug)]
pub(super) struct TableShapes {
    settings: ShapeSettings,
    known: HashMap<TableId, TargetTable>,
}

impl TableShapes {
    /// No table is known yet.
    pub(super) fn new(settings: ShapeSettings) -> Self {
        Self { settings, known: HashMap::new() }
    }

    /// Whether no table is known.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Asks for every table anew.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The table, which has all these columns afterwards; whether a column is part of the primary key stands beside it.
    /// MUST be called outside of a transaction: some databases end it.
    ///
    /// # Errors
    /// `Config` if something is missing that may not be created.
    pub(super) fn table(
        &mut self,
        writer: &mut dyn Writer,
        table: &TableId,
        columns: &[(&Field, bool)],
    ) -> Result<&TargetTable> {
        if !self.known.contains_key(table) {
            let found = match writer.target(table, self.settings.quote)? {
                Some(found) => found,
                None => self.create(writer, table, columns)?,
            };
            self.known.insert(table.clone(), found);
        }
        for statement in self.changes(writer, table, columns)? {
            self.evolve(writer, table, &statement)?;
        }
        // a second look: what was added must be there
        if let Some(missing) = self.missing(table, columns).first() {
            return Err(missing_column(table, missing.name(), "although it was added"));
        }
        self.known.get(table).ok_or_else(|| missing_table(table))
    }

    /// The table as it is; `None` if it is missing and may be created: then it has nothing that could be removed.
    ///
    /// # Errors
    /// `Config` if it is missing and may not be created.
    pub(super) fn table_to_remove_from(
        &mut self,
        writer: &mut dyn Writer,
        table: &TableId,
    ) -> Result<Option<TargetTable>> {
        if let Some(known) = self.known.get(table) {
            return Ok(Some(known.clone()));
        }
        let found = writer.target(table, self.settings.quote)?;
        if found.is_none() && !self.settings.creates {
            return Err(missing_table(table));
        }
        self.known.extend(found.clone().map(|found| (table.clone(), found)));
        Ok(found)
    }

    fn create(&self, writer: &mut dyn Writer, table: &TableId, columns: &[(&Field, bool)]) -> Result<TargetTable> {
        if !self.settings.creates {
            return Err(missing_table(table));
        }
        let statement = create_statement(writer, table, columns, &self.settings);
        tracing::info!(%table, statement, "a table is created");
        let created = writer.execute(&statement);
        // another task may have been faster
        match (writer.target(table, self.settings.quote)?, created) {
            (Some(found), _) => Ok(found),
            (None, Err(error)) => {
                Err(Error::new(error.kind(), format!("could not create table {table}: {error}")).with_source(error))
            }
            (None, Ok(_)) => Err(Error::config(format!("table {table} was created and is not there"))),
        }
    }

    /// The statements that bring the table into shape.
    fn changes(&self, writer: &mut dyn Writer, table: &TableId, columns: &[(&Field, bool)]) -> Result<Vec<String>> {
        let missing = self.missing(table, columns);
        if !missing.is_empty() && !self.settings.evolves {
            let names: Vec<_> = missing.iter().map(|field| field.name().as_str()).collect();
            return Err(missing_column(table, &names.join(", "), "and `auto.evolve` is false"));
        }
        let mut statements = Vec::new();
        for field in missing {
            let definition = definition(writer, field, false, &self.settings);
            if !field.is_nullable() && !definition.contains(" DEFAULT ") {
                let why = "and cannot be added, since its field is neither optional nor has a default";
                return Err(missing_column(table, field.name(), why));
            }
            let name = table.in_sql(self.settings.quote);
            statements.push(format!("ALTER TABLE {name} ADD COLUMN {definition}"));
        }
        if self.settings.evolves
            && let Some(known) = self.known.get(table)
        {
            let pairs =
                columns.iter().filter_map(|(field, _)| Some((find_column(&known.columns, field.name())?, field)));
            statements.extend(pairs.filter_map(|(column, field)| writer.widening(&known.table, column, field)));
        }
        Ok(statements)
    }

    fn evolve(&mut self, writer: &mut dyn Writer, table: &TableId, statement: &str) -> Result<()> {
        tracing::info!(%table, statement, "a table is changed");
        let before = self.known.get(table).cloned();
        let changed = writer.execute(statement);
        let found = writer.target(table, self.settings.quote)?.ok_or_else(|| missing_table(table))?;
        let is_other = before.as_ref() != Some(&found);
        self.known.insert(table.clone(), found);
        match changed {
            // another task may have been faster
            Err(error) if !is_other => {
                Err(Error::new(error.kind(), format!("could not change table {table}: {error}")).with_source(error))
            }
            _ => Ok(()),
        }
    }

    /// The fields that have no column. One that is always null needs none.
    fn missing<'a>(&self, table: &TableId, columns: &[(&'a Field, bool)]) -> Vec<&'a Field> {
        let known = self.known.get(table).map(|table| &table.columns[..]).unwrap_or_default();
        let wanted = columns.iter().map(|(field, _)| *field).filter(|field| field.data_type() != &DataType::Null);
        wanted.filter(|field| find_column(known, field.name()).is_none()).collect()
    }
}

/// The column for a field: that of its name, else one whose name differs in capitals only.
pub(super) fn find_column<'a>(columns: &'a [TargetColumn], name: &str) -> Option<&'a TargetColumn> {
    let same = columns.iter().find(|column| column.name == name);
    same.or_else(|| columns.iter().find(|column| column.name.to_lowercase() == name.to_lowercase()))
}

fn missing_table(table: &TableId) -> Error {
    Error::config(format!("table {table} is missing, and `auto.create` is false: create it, or set `auto.create=true`"))
}

fn missing_column(table: &TableId, name: &str, why: &str) -> Error {
    Error::config(format!(
        "table {table} has no column {name}, {why}: add the column, leave the field out by `fields.whitelist`, or set \
         `auto.evolve=true`"
    ))
}

fn create_statement(
    writer: &dyn Writer,
    table: &TableId,
    columns: &[(&Field, bool)],
    settings: &ShapeSettings,
) -> String {
    let columns = || columns.iter().filter(|(field, _)| field.data_type() != &DataType::Null);
    let mut parts: Vec<_> = columns().map(|(field, is_key)| definition(writer, field, *is_key, settings)).collect();
    let keys: Vec<_> =
        columns().filter(|(_, is_key)| *is_key).map(|(field, _)| quoted(field.name(), settings.quote)).collect();
    if !keys.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", keys.join(", ")));
    }
    format!("CREATE TABLE {} ({})", table.in_sql(settings.quote), parts.join(", "))
}

fn definition(writer: &dyn Writer, field: &Field, is_key: bool, settings: &ShapeSettings) -> String {
    let mut text = format!("{} {}", quoted(field.name(), settings.quote), writer.column_type(field, is_key));
    if let Some(default) = default_literal(field, settings.zone, &|text| writer.literal(text)).filter(|_| !is_key) {
        // an expression: MySQL takes no other default for texts
        text.push_str(&format!(" DEFAULT ({default})"));
    }
    if !field.is_nullable() {
        text.push_str(" NOT NULL");
    }
    text
}
