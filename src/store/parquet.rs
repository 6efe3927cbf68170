//! Parquet files, born whole and opened with suspicion.
//!
//! A file is written beside its final name, synced and renamed, so that a reader sees the old one
//! or the new one. What was promised when writing (version, schema, order) is checked when reading:
//! a file is the world.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
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
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::ColumnPath;

use super::layout::SessionRows;
use super::place::{Prepared, beside};
use super::seal::{self, Seal, Sealing};
use super::{StoreError, StoreProblem, Table, schema};
use crate::time::exchange_midnight;

/// Raised when the meaning of the files changes; a reader refuses every other version.
pub const FORMAT_VERSION: &str = "1";

/// Up to this size a file is read in one go; a larger one is read column by column.
const WHOLE_FILE_BYTES: u64 = 64 << 20;
pub const ROW_GROUP_ROWS: usize = 1 << 20;
/// Files with fewer rows are not compressed.
const SMALL_ROWS: usize = 2048;

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

/// Floors of sessions, dollars.
pub type Floors = BTreeMap<NaiveDate, f64>;

/// What a file says about itself.
#[derive(Clone, Debug)]
pub struct Footer {
    /// Every session the file covers, also those without rows.
    pub sessions: BTreeSet<NaiveDate>,
    pub source: String,
    /// Flow only: the floor below which events were dropped, dollars. The file as a whole has the highest
    /// of its sessions'.
    pub min_notional: Option<f64>,
    /// Flow only: the sessions with a lower floor than the file's.
    pub floors: Floors,
    /// Hash of everything in the file before its footer.
    pub content: String,
    pub rows: u64,
}

impl Footer {
    /// The floor of each session, where the table has such a thing.
    pub fn floor_of(&self, date: NaiveDate) -> Option<f64> {
        self.floors.get(&date).copied().or(self.min_notional)
    }

    /// Every source that rows of the file came from.
    pub fn sources(&self) -> BTreeSet<String> {
        let names = self.source.split(',').filter(|text| !text.is_empty());
        names.map(str::to_owned).collect()
    }
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
    /// Whether the footer carries its own hash, which then agreed.
    pub is_sealed: bool,
    table: Table,
    input: Input,
    metadata: ArrowReaderMetadata,
}

impl Opened {
    /// Checks that the footer is the one that was written, then version, table, schema and, of a
    /// file read in one go, that its rows are the bytes that were written; `path` is only for
    /// messages.
    pub fn new(input: Input, path: &Path, table: Table) -> Result<Opened, StoreError> {
        let is_sealed = check_seal(&input, path)?;
        // Our own schema, not the one in the file, decides how columns are decoded.
        let raw = ArrowReaderMetadata::load(
            &input,
            ArrowReaderOptions::new().with_skip_arrow_metadata(false),
        )
        .map_err(|e| StoreError::broken(path, e))?;
        let footer = read_footer(raw.metadata(), path, table)?;
        schema::check(raw.schema(), &schema::of(table))
            .map_err(|problem| StoreError::new(path, problem))?;
        let opened = Opened {
            path: path.to_owned(),
            footer,
            table,
            is_sealed,
            input,
            metadata: raw,
        };
        // A file too large to be read in one go is not hashed here: that would be a second pass
        // over it.
        if matches!(opened.input, Input::Bytes(_)) {
            opened.check_content()?;
        }
        Ok(opened)
    }

    /// Whether the rows are the bytes that were written: a flipped bit often still decodes, to
    /// another price. Reads the whole file, part by part.
    pub fn check_content(&self) -> Result<(), StoreError> {
        let short = || StoreError::broken(&self.path, "it ends before its rows do");
        let end = rows_end(self.metadata.metadata()).ok_or_else(short)?;
        let content =
            seal::content(&self.input, end).map_err(|e| StoreError::parquet(&self.path, e))?;
        if content.ok_or_else(short)? == self.footer.content {
            Ok(())
        } else {
            Err(StoreError::new(&self.path, StoreProblem::Content))
        }
    }

    /// Bytes between the rows and the footer that neither hash covers: none in a file of ours.
    pub fn unhashed_bytes(&self) -> Result<u64, StoreError> {
        let start =
            seal::footer_start(&self.input).map_err(|e| StoreError::parquet(&self.path, e))?;
        let end = rows_end(self.metadata.metadata());
        Ok(match (start, end) {
            (Some(start), Some(end)) => start.saturating_sub(end),
            _ => 0,
        })
    }

    pub fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// A reader's builder with all columns.
    pub fn whole_reader(self) -> ParquetRecordBatchReaderBuilder<Input> {
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.input, self.metadata)
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

    pub fn read_all(self) -> Result<RecordBatch, StoreError> {
        let (path, table) = (self.path.clone(), self.table);
        let builder = self.whole_reader();
        let schema = builder.schema().clone();
        let reader = builder.build().map_err(|e| StoreError::broken(&path, e))?;
        let batches: Result<Vec<RecordBatch>, _> = reader.collect();
        let batches = batches.map_err(|e| StoreError::broken(&path, e))?;
        let rows = concat_batches(&schema, &batches).map_err(|e| StoreError::broken(&path, e))?;
        Ok(schema::with_later_columns(rows, table))
    }
}

/// Fails when the footer is not the one that was written; false when it does not say.
fn check_seal<R: ChunkReader>(input: &R, path: &Path) -> Result<bool, StoreError> {
    match seal::check(input).map_err(|e| StoreError::parquet(path, e))? {
        Seal::Whole => Ok(true),
        Seal::Missing => Ok(false),
        Seal::Broken => Err(StoreError::new(path, StoreProblem::Footer)),
    }
}

/// The footer of the file at `path`, without reading what comes before it.
pub fn footer(path: &Path, table: Table) -> Result<Footer, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, e))?;
    check_seal(&file, path)?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file);
    read_footer(
        &metadata.map_err(|e| StoreError::broken(path, e))?,
        path,
        table,
    )
}

/// Reads the footer, of a file whose rows are what was written.
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

/// Where the rows of a file end; `None` when the footer places them where nothing can be.
fn rows_end(metadata: &ParquetMetaData) -> Option<u64> {
    // Without rows there is nothing but the four letters every Parquet file begins with.
    let mut end = 4;
    for chunk in metadata.row_groups().iter().flat_map(|g| g.columns()) {
        let start = chunk
            .dictionary_page_offset()
            .unwrap_or(chunk.data_page_offset());
        let chunk_end = start.checked_add(chunk.compressed_size())?;
        end = end.max(u64::try_from(chunk_end).ok()?);
    }
    Some(end)
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
    let floor = |text: &str| {
        let (date, floor) = text.split_once('=')?;
        Some((date.parse().ok()?, floor.parse().ok()?))
    };
    let floors = get("flowlab.floors").map(|text| text.split(',').map(floor).collect());
    let floors: Option<Floors> = floors.unwrap_or_else(|| Some(Floors::new()));
    Ok(Footer {
        floors: floors
            .ok_or_else(|| StoreError::broken(path, "flowlab.floors: not dates and floors"))?,
        sessions: sessions
            .map_err(|e| StoreError::broken(path, format!("flowlab.sessions: {e}")))?,
        source: get("flowlab.source").unwrap_or("").to_owned(),
        min_notional: get("flowlab.min_notional").and_then(|text| text.parse().ok()),
        content: get("flowlab.content").unwrap_or("").to_owned(),
        rows: metadata.file_metadata().num_rows() as u64,
    })
}

/// Writes the file at `path` anew beside it, with `sessions` added and those replaced that it has.
pub fn merge_into(
    path: &Path,
    table: Table,
    mut sessions: SessionRows,
    source: &str,
    min_notional: Option<f64>,
) -> Result<Prepared, StoreError> {
    let mut floors: Floors = min_notional
        .map(|floor| sessions.keys().map(|date| (*date, floor)).collect())
        .unwrap_or_default();
    let mut sources: BTreeSet<String> = BTreeSet::from([source.to_owned()]);
    if path.exists() {
        let (rows, footer) = read_rows(Input::open(path)?, path, table)?;
        let is_kept = |date: &&NaiveDate| !sessions.contains_key(date);
        let kept: Vec<NaiveDate> = footer.sessions.iter().filter(is_kept).copied().collect();
        if !kept.is_empty() {
            sources.extend(footer.sources());
        }
        let kept: SessionRows = kept
            .into_iter()
            .map(|date| (date, rows_of(&rows, date)))
            .collect();
        floors.extend(floors_of(&footer, &kept));
        sessions.extend(kept);
    }
    beside(path, |file| {
        write_table(file, path, table, &sessions, &sources, &floors)
    })
}

/// The floors of those sessions of a file that are in `rows`.
pub fn floors_of(footer: &Footer, rows: &SessionRows) -> Floors {
    let floor = |date: &NaiveDate| Some((*date, footer.floor_of(*date)?));
    rows.keys().filter_map(floor).collect()
}

/// The one way a table's file is written: the same sessions give the same bytes. `path` is only for
/// messages.
pub fn write_table(
    file: &mut File,
    path: &Path,
    table: Table,
    sessions: &SessionRows,
    sources: &BTreeSet<String>,
    floors: &Floors,
) -> Result<(), StoreError> {
    let dates: Vec<String> = sessions.keys().map(NaiveDate::to_string).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let mut facts = vec![
        ("flowlab.format", FORMAT_VERSION.to_owned()),
        ("flowlab.table", table.name().to_owned()),
        ("flowlab.sessions", dates.join(",")),
        ("flowlab.source", sources.join(",")),
    ];
    // A file is only as complete as its least complete session.
    let highest = floors.values().copied().reduce(f64::max);
    facts.extend(highest.map(|floor| ("flowlab.min_notional", floor.to_string())));
    let lower = floors.iter().filter(|(_, floor)| Some(**floor) < highest);
    let lower: Vec<String> = lower
        .map(|(date, floor)| format!("{date}={floor}"))
        .collect();
    if !lower.is_empty() {
        facts.push(("flowlab.floors", lower.join(",")));
    }
    write_parquet(file, &schema::of(table), sessions.values(), facts)
        .map_err(|e| StoreError::parquet(path, e))
}

/// The rows of `date` in a sorted batch whose first column is `ts` or `date`.
pub fn rows_of(rows: &RecordBatch, date: NaiveDate) -> RecordBatch {
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

fn write_parquet<'a>(
    file: &mut File,
    schema: &SchemaRef,
    batches: impl Iterator<Item = &'a RecordBatch>,
    facts: Vec<(&'static str, String)>,
) -> parquet::errors::Result<()> {
    // Nobody looks into a page index, and without one the rows are followed by the footer alone.
    let batches: Vec<&RecordBatch> = batches.collect();
    let rows = batches.iter().map(|batch| batch.num_rows()).sum();
    let properties = properties(schema)
        .into_builder()
        .set_compression(compression(rows))
        .set_offset_index_disabled(true)
        .build();
    let mut writer = ArrowWriter::try_new(Sealing::new(file), schema.clone(), Some(properties))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.flush()?;
    // The writer buffers: without this the hash would miss the last bytes of the rows.
    writer.sync()?;
    let content = writer.inner_mut().end_rows();
    for (key, value) in facts {
        writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }
    for (key, value) in [(seal::KEY, seal::UNSET), ("flowlab.content", &content)] {
        writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value.to_owned()));
    }
    writer.into_inner()?.finish()?;
    Ok(())
}

/// Of a file with so many rows. To set up a compressor for each column of a small one takes longer than
/// everything else, and saves a few kilobytes of a month.
pub fn compression(rows: usize) -> Compression {
    match rows {
        0..SMALL_ROWS => Compression::UNCOMPRESSED,
        _ => Compression::ZSTD(ZstdLevel::try_new(3).expect("3 is a level of zstd")),
    }
}

/// Times step evenly and pack as deltas; measured amounts rarely repeat and gain nothing from a dictionary.
pub fn properties(schema: &Schema) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(compression(usize::MAX))
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
