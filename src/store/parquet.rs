//! Parquet files, born whole and opened with suspicion.
//!
//! A file is written beside its final name, synced and renamed, so that a reader sees the old one
//! or the new one. What was promised when writing (version, schema, order) is checked when reading:
//! a file is the world.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Date32Type, Schema, SchemaRef, TimestampNanosecondType};
use bytes::Bytes;
use chrono::{Datelike, NaiveDate};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::ColumnPath;
use xxhash_rust::xxh3::Xxh3;

use super::layout::SessionRows;
use super::{StoreError, StoreProblem, Table, schema};
use crate::time::exchange_midnight;

/// Raised when the meaning of the files changes; a reader refuses every other version.
pub const FORMAT_VERSION: &str = "1";

/// Up to this size a file is read in one go; a larger one is read column by column.
const WHOLE_FILE_BYTES: u64 = 64 << 20;
const ROW_GROUP_ROWS: usize = 1 << 20;

/// The bytes of a file, wherever they are.
pub enum Input {
    Bytes(Bytes),
    File(File),
}

impl Input {
    pub fn open(path: &Path) -> Result<Input, StoreError> {
        let mut file = File::open(path).map_err(|e| StoreError::io(path, e))?;
        let length = file.metadata().map_err(|e| StoreError::io(path, e))?.len();
        if length > WHOLE_FILE_BYTES {
            return Ok(Input::File(file));
        }
        let mut bytes = Vec::with_capacity(length as usize);
        file.read_to_end(&mut bytes)
            .map_err(|e| StoreError::io(path, e))?;
        Ok(Input::Bytes(bytes.into()))
    }
}

impl Length for Input {
    fn len(&self) -> u64 {
        match self {
            Input::Bytes(bytes) => Length::len(bytes),
            Input::File(file) => Length::len(file),
        }
    }
}

impl ChunkReader for Input {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(match self {
            Input::Bytes(bytes) => Box::new(bytes.get_read(start)?),
            Input::File(file) => Box::new(file.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Input::Bytes(bytes) => bytes.get_bytes(start, length),
            Input::File(file) => file.get_bytes(start, length),
        }
    }
}

/// What a file says about itself.
#[derive(Clone, Debug)]
pub struct Footer {
    /// Every session the file covers, also those without rows.
    pub sessions: BTreeSet<NaiveDate>,
    pub source: String,
    /// Flow only: the floor below which events were dropped, dollars.
    pub min_notional: Option<f64>,
    /// Hash of everything in the file before its footer.
    pub content: String,
    pub rows: u64,
}

/// A file whose footer has been read.
pub struct ProbedFile {
    pub path: PathBuf,
    pub bytes: u64,
    pub footer: Footer,
}

/// A checked file, ready to be decoded.
pub struct Opened {
    pub path: PathBuf,
    pub footer: Footer,
    input: Input,
    metadata: ArrowReaderMetadata,
}

impl Opened {
    /// Checks version, table, schema and, of a file read in one go, that its rows are the bytes that
    /// were written; `path` is only for messages.
    pub fn new(input: Input, path: &Path, table: Table) -> Result<Opened, StoreError> {
        // Our own schema, not the one in the file, decides how columns are decoded.
        let raw = ArrowReaderMetadata::load(
            &input,
            ArrowReaderOptions::new().with_skip_arrow_metadata(false),
        )
        .map_err(|e| StoreError::broken(path, e))?;
        let footer = read_footer(raw.metadata(), path, table)?;
        schema::check(raw.schema(), &schema::of(table))
            .map_err(|problem| StoreError::new(path, problem))?;
        check_content(&input, raw.metadata(), &footer.content)
            .map_err(|problem| StoreError::new(path, problem))?;
        Ok(Opened {
            path: path.to_owned(),
            footer,
            input,
            metadata: raw,
        })
    }

    /// A reader's builder with the columns named, in the order of the schema.
    pub fn reader(
        self,
        columns: &[&str],
    ) -> Result<ParquetRecordBatchReaderBuilder<Input>, StoreError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input, self.metadata);
        let descriptor = builder.parquet_schema();
        let mask = parquet::arrow::ProjectionMask::columns(descriptor, columns.iter().copied());
        Ok(builder.with_projection(mask))
    }

    fn read_all(self) -> Result<RecordBatch, StoreError> {
        let path = self.path.clone();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input, self.metadata);
        let schema = builder.schema().clone();
        let reader = builder.build().map_err(|e| StoreError::broken(&path, e))?;
        let batches: Result<Vec<RecordBatch>, _> = reader.collect();
        let batches = batches.map_err(|e| StoreError::broken(&path, e))?;
        concat_batches(&schema, &batches).map_err(|e| StoreError::broken(&path, e))
    }
}

/// Reads the footer alone.
pub fn probe(input: Input, path: &Path, table: Table) -> Result<ProbedFile, StoreError> {
    let bytes = Length::len(&input);
    let opened = Opened::new(input, path, table)?;
    Ok(ProbedFile {
        path: opened.path,
        bytes,
        footer: opened.footer,
    })
}

/// Reads a whole table file of rows that are few.
pub fn read_rows(
    input: Input,
    path: &Path,
    table: Table,
) -> Result<(RecordBatch, Footer), StoreError> {
    let opened = Opened::new(input, path, table)?;
    let footer = opened.footer.clone();
    Ok((opened.read_all()?, footer))
}

/// A flipped bit often still decodes, to another price. A file too large to be read in one go is
/// not hashed: that would be a second pass over it.
fn check_content(
    input: &Input,
    metadata: &ParquetMetaData,
    expected: &str,
) -> Result<(), StoreProblem> {
    let Input::Bytes(bytes) = input else {
        return Ok(());
    };
    let chunks = metadata.row_groups().iter().flat_map(|g| g.columns());
    let ends = chunks.map(|chunk| {
        let (start, length) = chunk.byte_range();
        start.saturating_add(length) as usize
    });
    // Without rows there is nothing but the four letters every Parquet file begins with.
    let end = ends.max().unwrap_or(4);
    let rows = bytes
        .get(..end)
        .ok_or_else(|| StoreProblem::Broken("it ends before its rows do".to_owned()))?;
    if format!("{:032x}", xxhash_rust::xxh3::xxh3_128(rows)) == expected {
        Ok(())
    } else {
        Err(StoreProblem::Content)
    }
}

fn read_footer(
    metadata: &ParquetMetaData,
    path: &Path,
    table: Table,
) -> Result<Footer, StoreError> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let get = |key: &str| {
        let found = pairs.into_iter().flatten().find(|pair| pair.key == key);
        found.and_then(|pair| pair.value.as_deref())
    };
    let version = get("flowlab.format").unwrap_or("none");
    if version != FORMAT_VERSION {
        let problem = StoreProblem::Version {
            got: version.to_owned(),
            expected: FORMAT_VERSION.to_owned(),
        };
        return Err(StoreError::new(path, problem));
    }
    let name = get("flowlab.table").unwrap_or("none");
    if name != table.name() {
        let problem = StoreProblem::WrongTable {
            got: name.to_owned(),
            expected: table.name().to_owned(),
        };
        return Err(StoreError::new(path, problem));
    }
    let sessions = get("flowlab.sessions")
        .unwrap_or("")
        .split(',')
        .filter(|text| !text.is_empty());
    let sessions: Result<BTreeSet<NaiveDate>, _> = sessions.map(str::parse).collect();
    Ok(Footer {
        sessions: sessions
            .map_err(|e| StoreError::broken(path, format!("flowlab.sessions: {e}")))?,
        source: get("flowlab.source").unwrap_or("").to_owned(),
        min_notional: get("flowlab.min_notional").and_then(|text| text.parse().ok()),
        content: get("flowlab.content").unwrap_or("").to_owned(),
        rows: metadata.file_metadata().num_rows() as u64,
    })
}

/// Adds `sessions` to the file at `path`, replacing those it already has, and writes it whole.
pub fn merge_into(
    path: &Path,
    table: Table,
    mut sessions: SessionRows,
    source: &str,
    min_notional: Option<f64>,
) -> Result<(), StoreError> {
    let mut floor = min_notional;
    let mut sources: BTreeSet<String> = BTreeSet::from([source.to_owned()]);
    if path.exists() {
        let (rows, footer) = read_rows(Input::open(path)?, path, table)?;
        // A file is only as complete as its least complete session.
        floor = floor
            .into_iter()
            .chain(footer.min_notional)
            .reduce(f64::max);
        sources.extend(
            footer
                .source
                .split(',')
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
        );
        for date in footer.sessions {
            sessions.entry(date).or_insert_with(|| rows_of(&rows, date));
        }
    }
    let dates: Vec<String> = sessions.keys().map(NaiveDate::to_string).collect();
    let sources: Vec<String> = sources.into_iter().collect();
    let mut facts = vec![
        ("flowlab.format", FORMAT_VERSION.to_owned()),
        ("flowlab.table", table.name().to_owned()),
        ("flowlab.sessions", dates.join(",")),
        ("flowlab.source", sources.join(",")),
    ];
    facts.extend(floor.map(|floor| ("flowlab.min_notional", floor.to_string())));
    write_whole(path, &schema::of(table), sessions.values(), facts)
}

/// The rows of `date` in a sorted batch whose first column is `ts` or `date`.
fn rows_of(rows: &RecordBatch, date: NaiveDate) -> RecordBatch {
    let next = date.succ_opt().expect("the calendar ends before time does");
    let column = rows.column(0);
    let (from, to) = match column.data_type() {
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().values();
            let first = days_since_epoch(date);
            (
                days.partition_point(|day| *day < first),
                days.partition_point(|day| *day <= first),
            )
        }
        _ => {
            let times = column.as_primitive::<TimestampNanosecondType>().values();
            let (start, end) = (exchange_midnight(date).ns(), exchange_midnight(next).ns());
            (
                times.partition_point(|ts| *ts < start),
                times.partition_point(|ts| *ts < end),
            )
        }
    };
    rows.slice(from, to - from)
}

/// Days since 1970-01-01, as `Date32` counts them.
pub fn days_since_epoch(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

/// The date `days` after 1970-01-01.
pub fn date_from_days(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days + NaiveDate::default().num_days_from_ce())
}

/// Writes batches and facts to `path`: beside it, synced, renamed. Either all of it is there
/// afterwards or nothing has changed.
fn write_whole<'a>(
    path: &Path,
    schema: &SchemaRef,
    batches: impl Iterator<Item = &'a RecordBatch>,
    facts: Vec<(&'static str, String)>,
) -> Result<(), StoreError> {
    let io = |e| StoreError::io(path, e);
    let folder = path.parent().expect("a table's file lies in a folder");
    std::fs::create_dir_all(folder).map_err(io)?;
    let mut file = tempfile::Builder::new()
        .prefix(".tmp")
        .tempfile_in(folder)
        .map_err(io)?;
    write_parquet(file.as_file_mut(), schema, batches, facts)
        .map_err(|e| StoreError::parquet(path, e))?;
    file.as_file().sync_all().map_err(io)?;
    make_readable(file.as_file()).map_err(io)?;
    file.persist(path).map_err(|e| io(e.error))?;
    sync_folder(folder).map_err(io)
}

/// Temporary files are private; tables are for every program of the user's group.
#[cfg(unix)]
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// Makes a rename inside `folder` durable, where folders can be synced.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn write_parquet<'a>(
    file: &mut File,
    schema: &SchemaRef,
    batches: impl Iterator<Item = &'a RecordBatch>,
    facts: Vec<(&'static str, String)>,
) -> parquet::errors::Result<()> {
    let out = Hashing {
        file,
        hash: Xxh3::new(),
    };
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties(schema)))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.flush()?;
    // The writer buffers: without this the hash would miss the last bytes of the rows.
    writer.sync()?;
    let content = format!("{:032x}", writer.inner().hash.digest128());
    for (key, value) in facts {
        writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }
    writer.append_key_value_metadata(KeyValue::new("flowlab.content".to_owned(), content));
    writer.close()?;
    Ok(())
}

/// Times step evenly and pack as deltas; measured amounts rarely repeat and gain nothing from a dictionary.
pub fn properties(schema: &Schema) -> WriterProperties {
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for field in schema.fields() {
        let path = || ColumnPath::from(field.name().as_str());
        if matches!(field.data_type(), DataType::Timestamp(..)) {
            builder = builder
                .set_column_dictionary_enabled(path(), false)
                .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED);
        }
    }
    builder.build()
}

/// Passes bytes on to a file and remembers their hash.
struct Hashing<'a> {
    file: &'a mut File,
    hash: Xxh3,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Reads a Parquet file of a run's folder: `schema` is what it must hold.
pub fn read_plain(path: &Path, schema: &SchemaRef) -> Result<Vec<RecordBatch>, StoreError> {
    let input = Input::open(path)?;
    let options = ArrowReaderOptions::new();
    let metadata =
        ArrowReaderMetadata::load(&input, options).map_err(|e| StoreError::broken(path, e))?;
    schema::check(metadata.schema(), schema).map_err(|problem| StoreError::new(path, problem))?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata);
    let reader = builder.build().map_err(|e| StoreError::broken(path, e))?;
    let batches: Result<Vec<RecordBatch>, _> = reader.collect();
    batches.map_err(|e| StoreError::broken(path, e))
}
