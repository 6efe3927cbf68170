//! The flat files: from a world to the gzip bytes of a day, made when first asked for and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{Days, NaiveDate};
use xxhash_rust::xxh3::xxh3_128;

use super::super::faults::{Kind, Spoil};
use super::super::http::gzip;
use super::super::new_york;
use super::super::world::{Bar, DECIMALS_SINCE, World};

const TRADES: &str = "ticker,conditions,correction,exchange,price,sip_timestamp,size";
const AGGS: &str = "ticker,volume,open,close,high,low,window_start,transactions";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    OptionTrades,
    StockMinutes,
    StockDays,
}

/// A day of one kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct File {
    pub content: Content,
    pub date: NaiveDate,
}

/// A file as it is served.
#[derive(Debug)]
pub struct Object {
    pub bytes: Arc<Vec<u8>>,
    /// Without quotes.
    pub etag: String,
    /// When it was written.
    pub modified: i64,
}

impl Content {
    const ALL: [Content; 3] = [
        Content::OptionTrades,
        Content::StockDays,
        Content::StockMinutes,
    ];

    fn prefix(self) -> &'static str {
        match self {
            Content::OptionTrades => "us_options_opra/trades_v1",
            Content::StockMinutes => "us_stocks_sip/minute_aggs_v1",
            Content::StockDays => "us_stocks_sip/day_aggs_v1",
        }
    }
}

impl File {
    /// The file called `key`: `prefix/2025/10/2025-10-06.csv.gz`.
    pub fn parse(key: &str) -> Option<File> {
        let date = key.rsplit('/').next()?.strip_suffix(".csv.gz")?;
        let date = date.parse().ok()?;
        let files = Content::ALL.map(|content| File { content, date });
        files.into_iter().find(|file| file.key() == key)
    }

    pub fn key(&self) -> String {
        let folder = self.date.format("%Y/%m/%Y-%m-%d");
        format!("{}/{folder}.csv.gz", self.content.prefix())
    }

    /// Files come out at 11:00 New York on the day after their session.
    fn published_at(&self) -> i64 {
        new_york::at(self.date + Days::new(1), 11, 0)
    }

    pub fn is_published(&self, world: &World, now: i64) -> bool {
        world.sessions.contains_key(&self.date) && self.published_at() <= now
    }

    /// Every file there is at `now`, with its key, in order of key.
    pub fn published(world: &World, now: i64) -> Vec<(String, File)> {
        let mut files = Vec::new();
        for content in Content::ALL {
            for date in world.sessions.keys() {
                let file = File {
                    content,
                    date: *date,
                };
                if file.is_published(world, now) {
                    files.push((file.key(), file));
                }
            }
        }
        files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        files
    }

    fn header(&self) -> &'static str {
        match self.content {
            Content::OptionTrades => TRADES,
            Content::StockMinutes | Content::StockDays => AGGS,
        }
    }

    /// The rows, sorted by ticker and within it as the world has them.
    fn rows(&self, world: &World) -> Vec<String> {
        match self.content {
            Content::OptionTrades => self.trade_rows(world),
            Content::StockMinutes | Content::StockDays => self.bar_rows(world),
        }
    }

    fn trade_rows(&self, world: &World) -> Vec<String> {
        let mut contracts: Vec<_> = world.contracts().collect();
        contracts.sort_unstable_by_key(|(_, symbol, _)| *symbol);
        let mut rows = Vec::new();
        for (_, symbol, contract) in contracts {
            for print in contract.prints.get(&self.date).into_iter().flatten() {
                let codes: Vec<String> = print.conditions.iter().map(u16::to_string).collect();
                let codes = match codes.as_slice() {
                    [] => String::new(),
                    [code] => code.clone(),
                    codes => format!("\"{}\"", codes.join(",")),
                };
                rows.push(format!(
                    "{symbol},{codes},{},{},{},{},{}",
                    print.correction, print.exchange, print.price, print.ts, print.size
                ));
            }
        }
        rows
    }

    fn bar_rows(&self, world: &World) -> Vec<String> {
        let mut rows = Vec::new();
        for (ticker, stock) in &world.stocks {
            let bars: &[Bar] = match self.content {
                Content::StockDays => stock
                    .daily_bars
                    .get(&self.date)
                    .map_or(&[], std::slice::from_ref),
                _ => stock.minute_bars.get(&self.date).map_or(&[], Vec::as_slice),
            };
            for bar in bars {
                let numbers = [bar.volume, bar.open, bar.close, bar.high, bar.low];
                let numbers = numbers.map(|number| self.number(number)).join(",");
                rows.push(format!("{ticker},{numbers},{},{}", bar.ts, bar.trades));
            }
        }
        rows
    }

    /// Six decimals where the file's day has them and they say it all, else as few as do.
    fn number(&self, value: f64) -> String {
        let six = format!("{value:.6}");
        match self.date >= DECIMALS_SINCE && six.parse() == Ok(value) {
            true => six,
            false => value.to_string(),
        }
    }

    /// Ticker and time of a row.
    fn place(row: &str) -> (Option<&str>, Option<&str>) {
        // The time is the last column but one in every file.
        (row.split(',').next(), row.rsplit(',').nth(1))
    }

    /// `row` with its price or its size, whatever it is called here, as `change` has it. Columns are
    /// counted from the end: before the price, a list of conditions may bring commas of its own.
    fn with_column(&self, row: &str, name: &str, change: impl Fn(&str) -> String) -> String {
        let name = match (self.content, name) {
            (Content::OptionTrades, name) => name,
            (_, "price") => "close",
            (_, _) => "volume",
        };
        let mut from_end = self.header().split(',').rev();
        let from_end = from_end.position(|column| column == name);
        let mut fields: Vec<String> = row.split(',').map(str::to_owned).collect();
        let at = fields.len() - 1 - from_end.expect("every file has a price and a size");
        fields[at] = change(&fields[at]);
        fields.join(",")
    }
}

/// Everything that was served, and how often each file was issued anew.
#[derive(Debug, Default)]
pub struct Files {
    revisions: Mutex<HashMap<String, u32>>,
    /// By file, revision and what was done to it.
    objects: Mutex<HashMap<(File, u32, String), Arc<Object>>>,
}

impl Files {
    pub fn reissue(&self, key: &str) {
        let mut revisions = self
            .revisions
            .lock()
            .expect("nobody panics while it is held");
        *revisions.entry(key.to_owned()).or_default() += 1;
    }

    /// The file as it stands now, spoiled as `kinds` say.
    pub fn object(&self, world: &World, file: &File, kinds: &[Kind]) -> Arc<Object> {
        let revisions = self
            .revisions
            .lock()
            .expect("nobody panics while it is held");
        let revision = revisions.get(&file.key()).copied().unwrap_or(0);
        drop(revisions);
        let changes: Vec<&Kind> = kinds.iter().filter(|kind| changes_rows(kind)).collect();
        let name = (*file, revision, format!("{changes:?}"));
        let mut objects = self.objects.lock().expect("nobody panics while it is held");
        let make = || Arc::new(make(world, file, revision, &changes));
        Arc::clone(objects.entry(name).or_insert_with(make))
    }
}

fn changes_rows(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::BadRow(_) | Kind::UnknownFields | Kind::SwappedRows
    )
}

fn make(world: &World, file: &File, revision: u32, changes: &[&Kind]) -> Object {
    let mut header = file.header().to_owned();
    let mut rows = file.rows(world);
    let middle = rows.len() / 2;
    if let Some(row) = rows.get_mut(middle) {
        *row = file.with_column(row, "size", |size| {
            let size: f64 = size.parse().unwrap_or_default();
            (size + f64::from(revision)).to_string()
        });
    }
    for kind in changes {
        match kind {
            Kind::BadRow(spoil) if middle < rows.len() => {
                rows.insert(middle, spoiled(&rows[middle], file, *spoil));
            }
            Kind::UnknownFields => {
                header = format!("novelty,{header}");
                rows.iter_mut().for_each(|row| row.insert_str(0, "?,"));
            }
            Kind::SwappedRows => {
                let mut pairs = 1..rows.len();
                let pair = pairs.find(|at| {
                    let (one, other) = (File::place(&rows[at - 1]), File::place(&rows[*at]));
                    one.0 == other.0 && one.1 != other.1
                });
                if let Some(at) = pair {
                    rows.swap(at - 1, at);
                }
            }
            _ => {}
        }
    }
    let mut text = header + "\n";
    for row in rows {
        text += &row;
        text.push('\n');
    }
    let bytes = gzip(text.as_bytes());
    Object {
        etag: format!("{:032x}", xxh3_128(&bytes)),
        bytes: Arc::new(bytes),
        modified: file.published_at() + i64::from(revision) * 3_600_000_000_000,
    }
}

fn spoiled(row: &str, file: &File, spoil: Spoil) -> String {
    let (name, value) = match spoil {
        Spoil::MissingPrice => ("price", ""),
        Spoil::TextPrice => ("price", "1.25 or so"),
        Spoil::NegativePrice => ("price", "-1.25"),
        Spoil::ZeroPrice => ("price", "0"),
        Spoil::ZeroSize => ("size", "0"),
    };
    file.with_column(row, name, |_| value.to_owned())
}
