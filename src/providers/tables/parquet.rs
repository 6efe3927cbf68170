//! Parquet: from a file of anyone's making to rows of cells, as long as nothing is lost on the way.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, TimeUnit};
use chrono::NaiveDate;

use super::cells::{Cell, EXACT, Kind, whole};
use super::columns::{Column, Places};
use super::error::TablesError;
use crate::providers::account::RowFault;
use crate::store::Table;
use crate::time::Ts;

const DAY_NS: i64 = 86_400_000_000_000;

/// Shows every row of the file to `each` with its number from 1, cells in the order of `columns`. Returns the
/// columns nobody knows.
pub(super) fn each_row(
    path: &Path,
    table: Table,
    columns: &[Column],
    mut each: impl FnMut(u64, Result<&[Cell], RowFault>),
) -> Result<BTreeSet<String>, TablesError> {
    let broken = |source| TablesError::NotParquet {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(|source| TablesError::Io {
        path: path.to_owned(),
        source,
    })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
    let fields = builder.schema().fields().clone();
    let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    let places = Places::of(path, table, columns, &names)?;
    for (column, place) in columns.iter().zip(&places.places) {
        if let Some(field) = place.map(|place| &fields[place]) {
            check(path, column, field)?;
        }
    }
    let mask = ProjectionMask::roots(
        builder.parquet_schema(),
        places.places.iter().flatten().copied(),
    );
    let reader = builder.with_projection(mask).build().map_err(broken)?;
    let mut row = 0;
    for batch in reader {
        let batch = batch.map_err(|error| broken(error.into()))?;
        let values: Result<Vec<Values>, TablesError> = columns
            .iter()
            .map(|column| match batch.column_by_name(column.name) {
                Some(array) => Values::of(path, column, array),
                None => Ok(Values::Nothing),
            })
            .collect();
        let values = values?;
        for place in 0..batch.num_rows() {
            row += 1;
            let cells: Result<Vec<Cell>, RowFault> = columns
                .iter()
                .zip(&values)
                .map(|(column, values)| {
                    let cell = values.cell(column.kind, place);
                    cell.map_err(|got| column.fault(got, column.kind.expected()))
                })
                .collect();
            match cells {
                Ok(cells) => each(row, Ok(&cells)),
                Err(fault) => each(row, Err(fault)),
            }
        }
    }
    Ok(places.unknown)
}

/// A column in one of the few forms that cells are read from.
enum Values {
    Nothing,
    /// Times, and how many nanoseconds their unit has.
    Times(ArrayRef, i64),
    Days(ArrayRef),
    Numbers(ArrayRef),
    Counts(ArrayRef),
    Texts(ArrayRef),
    Flags(ArrayRef),
    Lists(ArrayRef),
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn is_list_of_counts(kind: &DataType) -> bool {
    match kind {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            item.data_type().is_integer() || item.data_type().is_null()
        }
        _ => false,
    }
}

fn is_decimal(kind: &DataType) -> bool {
    matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..))
}

/// What a column of type `got` is turned into first; `None` when its meaning would have to be guessed.
fn first_form(kind: Kind, got: &DataType) -> Option<DataType> {
    use DataType::{Boolean, Date32, Date64, Float64, Int32, Int64, Null, Timestamp, Utf8};
    let form = match (kind, got) {
        (_, Null) => Null,
        (Kind::Time | Kind::Date | Kind::Text | Kind::Codes, got) if is_text(got) => Utf8,
        (Kind::Time | Kind::Date, Timestamp(..)) | (Kind::Date, Date64) => Int64,
        (Kind::Time, Int64) => Int64,
        (Kind::Date, Date32) => Int32,
        (Kind::Number | Kind::Count, got) if got.is_integer() => Int64,
        (Kind::Number | Kind::Count, got) if got.is_floating() => Float64,
        (Kind::Number, got) if is_decimal(got) => Float64,
        (Kind::Flag, Boolean) => Boolean,
        (Kind::Codes, got) if is_list_of_counts(got) => DataType::new_list(Int64, true),
        _ => return None,
    };
    Some(form)
}

fn check(path: &Path, column: &Column, field: &Field) -> Result<(), TablesError> {
    match first_form(column.kind, field.data_type()) {
        Some(_) => Ok(()),
        None => Err(wrong_type(path, column, field.data_type().to_string())),
    }
}

fn wrong_type(path: &Path, column: &Column, got: String) -> TablesError {
    TablesError::ColumnType {
        path: path.to_owned(),
        column: column.name,
        got,
        expected: match column.kind {
            Kind::Time => "a timestamp, text or nanoseconds as int64",
            Kind::Date => "a date, a timestamp or text",
            Kind::Text => "text",
            Kind::Number => "a number",
            Kind::Count => "whole numbers",
            Kind::Flag => "a boolean",
            Kind::Codes => "a list of whole numbers or text",
        },
    }
}

impl Values {
    fn of(path: &Path, column: &Column, array: &ArrayRef) -> Result<Values, TablesError> {
        let got = array.data_type();
        let form = first_form(column.kind, got);
        let form = form.ok_or_else(|| wrong_type(path, column, got.to_string()))?;
        // Strict: a value that does not fit is an error and never null.
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let cast = cast_with_options(array, &form, &options)
            .map_err(|error| wrong_type(path, column, format!("{got} ({error})")))?;
        Ok(match (column.kind, form) {
            (_, DataType::Null) => Values::Nothing,
            (_, DataType::Utf8) => Values::Texts(cast),
            (_, DataType::Boolean) => Values::Flags(cast),
            (_, DataType::Int32) => Values::Days(cast),
            (_, DataType::Float64) => Values::Numbers(cast),
            (Kind::Codes, _) => Values::Lists(cast),
            (Kind::Time | Kind::Date, _) => Values::Times(cast, nanoseconds(got)),
            _ => Values::Counts(cast),
        })
    }

    /// The cell of a row; the value as text when it is not of `kind`.
    fn cell(&self, kind: Kind, row: usize) -> Result<Cell<'_>, String> {
        let array = match self {
            Values::Nothing => return Ok(Cell::Null),
            Values::Times(array, _)
            | Values::Days(array)
            | Values::Numbers(array)
            | Values::Counts(array)
            | Values::Texts(array)
            | Values::Flags(array)
            | Values::Lists(array) => array,
        };
        if array.is_null(row) {
            return Ok(Cell::Null);
        }
        match self {
            Values::Nothing => Ok(Cell::Null),
            Values::Times(..) | Values::Counts(_) => {
                let value = array.as_primitive::<Int64Type>().value(row);
                self.count(kind, value).ok_or_else(|| value.to_string())
            }
            Values::Days(_) => {
                let days = array.as_primitive::<Int32Type>().value(row);
                let date = date_of_day(i64::from(days));
                date.map(Cell::Date).ok_or_else(|| days.to_string())
            }
            Values::Numbers(_) => {
                let number = array.as_primitive::<Float64Type>().value(row);
                match kind {
                    // Some programs have no other way to say that there is nothing.
                    _ if number.is_nan() => Ok(Cell::Null),
                    Kind::Count => whole(number)
                        .map(Cell::Count)
                        .ok_or_else(|| number.to_string()),
                    _ if number.is_finite() => Ok(Cell::Number(number)),
                    _ => Err(number.to_string()),
                }
            }
            Values::Texts(_) => {
                let text = array.as_string::<i32>().value(row);
                match kind {
                    Kind::Text => Ok(Cell::Text(Cow::Borrowed(text))),
                    _ => kind.parse(text).ok_or_else(|| text.to_owned()),
                }
            }
            Values::Flags(_) => Ok(Cell::Flag(array.as_boolean().value(row))),
            Values::Lists(_) => {
                let list = array.as_list::<i32>().value(row);
                let codes = list.as_primitive::<Int64Type>();
                let short = codes.iter().map(|code| i16::try_from(code?).ok());
                let short: Option<Vec<i16>> = short.collect();
                short
                    .map(Cell::Codes)
                    .ok_or_else(|| format!("{:?}", codes.values()))
            }
        }
    }

    fn count(&self, kind: Kind, value: i64) -> Option<Cell<'static>> {
        match (self, kind) {
            (Values::Times(_, unit), Kind::Time) => {
                Some(Cell::Time(Ts::from_ns(value.checked_mul(*unit)?)))
            }
            (Values::Times(_, unit), _) => {
                let per_day = DAY_NS / unit;
                let day = value.div_euclid(per_day);
                (value % per_day == 0)
                    .then(|| date_of_day(day))?
                    .map(Cell::Date)
            }
            (_, Kind::Number) => (value.abs() <= EXACT).then_some(Cell::Number(value as f64)),
            _ => Some(Cell::Count(value)),
        }
    }
}

fn nanoseconds(kind: &DataType) -> i64 {
    match kind {
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => 1_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        _ => 1,
    }
}

fn date_of_day(day: i64) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(chrono::TimeDelta::try_days(day)?)
}
