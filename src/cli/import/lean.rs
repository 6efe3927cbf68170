//! `flowlab import lean`: QuantConnect LEAN's data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::NaiveDate;

use super::super::{Session, Status, existing_folder, universe};
use super::{DryRun, say_bad_rows};
use crate::config::Config;
use crate::providers::lean::{self, BadRow, FlowSettings, LeanFolder};
use crate::report::{Cell, Column, Table};
use crate::store::{
    Arrival, BarTable, DailyTable, FlowTable, Lock, OpenInterest, OpenInterestTable, SplitTable,
    Store, Table as StoreTable,
};
use crate::time::Calendar;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// LEAN's `Data` folder
    dir: PathBuf,
    /// Tickers, separated by commas [default: all that have option minutes]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let Args {
        dir,
        tickers,
        dry_run,
    } = args;
    let config = session.config()?;
    existing_folder(dir, "give the folder that LEAN calls Data")?;
    let target = dry_run.target(session)?;
    let folder = LeanFolder::open(dir)?;
    let known: BTreeSet<String> = folder.tickers()?.into_iter().collect();
    let known: Vec<String> = known.into_iter().collect();
    let mut wanted = universe::named_tickers(tickers)?;
    if wanted.is_empty() {
        wanted.clone_from(&known);
    }
    // All of them before the first is imported.
    if let Some(ticker) = wanted.iter().find(|ticker| !known.contains(ticker)) {
        let message = format!("{}: nothing for ticker {ticker}", dir.display());
        return Err(universe::unknown(message, ticker, &known).into());
    }
    let mut import = Import {
        store: target.store,
        _lock: target.lock,
        into: target.name,
        folder,
        calendar: Calendar::shipped(),
        settings: flow_settings(&config),
        tally: BTreeMap::new(),
        bad_rows: Vec::new(),
    };
    for ticker in &wanted {
        import.ticker(ticker)?;
    }
    let named = |bad: &BadRow| format!("{}:{}: {}", bad.file, bad.line, bad.reason);
    let bad_rows: Vec<String> = import.bad_rows.iter().map(named).collect();
    say_bad_rows(session, &bad_rows, bad_rows.len() as u64);
    session.print_tables(&[import.table()])
}

fn flow_settings(config: &Config) -> FlowSettings {
    FlowSettings {
        min_notional: config.flow.min_notional,
        sweep_window_ms: config.flow.sweep_window_ms as u32,
        block_min_contracts: config.flow.block_min_contracts,
        max_quote_age_seconds: config.flow.max_quote_age_seconds as u32,
    }
}

/// What became of the rows of one file: read, kept, dropped by reason.
struct Tally {
    read: u64,
    kept: u64,
    dropped: BTreeMap<&'static str, u64>,
}

struct Import {
    /// None when nothing is to be written.
    store: Option<Store>,
    _lock: Option<Lock>,
    folder: LeanFolder,
    calendar: Calendar,
    settings: FlowSettings,
    /// By ticker, table and day; the tables of all days have none.
    tally: BTreeMap<(String, StoreTable, Option<NaiveDate>), Tally>,
    bad_rows: Vec<BadRow>,
    /// How the title calls where the rows went.
    into: String,
}

impl Import {
    fn ticker(&mut self, ticker: &str) -> anyhow::Result<()> {
        if self.folder.has_daily(ticker) {
            let daily = self.folder.read_daily(ticker)?;
            let rows = DailyTable::by_session(ticker, &daily.rows);
            self.put(StoreTable::Bars1d, ticker, rows)?;
            self.count(
                ticker,
                StoreTable::Bars1d,
                None,
                daily.read,
                daily.rows.len(),
                daily.dropped,
            );
            self.bad_rows.extend(daily.bad_rows);
        }
        if self.folder.has_factor_file(ticker) {
            let splits = self.folder.splits(ticker, &self.calendar)?;
            self.put(
                StoreTable::Splits,
                ticker,
                SplitTable::by_session(ticker, &splits.rows),
            )?;
            self.count(
                ticker,
                StoreTable::Splits,
                None,
                splits.read,
                splits.rows.len(),
                splits.dropped,
            );
            self.bad_rows.extend(splits.bad_rows);
        }
        let dates: BTreeSet<NaiveDate> = self
            .folder
            .equity_dates(ticker)?
            .into_iter()
            .chain(self.folder.option_dates(ticker)?)
            .collect();
        for date in dates {
            self.day(ticker, date)?;
        }
        Ok(())
    }

    fn day(&mut self, ticker: &str, date: NaiveDate) -> anyhow::Result<()> {
        let mut bars = Vec::new();
        if self.folder.equity_dates(ticker)?.contains(&date) {
            let read = self.folder.read_minute_bars(ticker, date, &self.calendar)?;
            let mut table = BarTable::default();
            read.rows.iter().for_each(|bar| table.push(*bar));
            self.put(
                StoreTable::Bars1m,
                ticker,
                vec![(date, table.finish(ticker))],
            )?;
            self.count(
                ticker,
                StoreTable::Bars1m,
                Some(date),
                read.read,
                read.rows.len(),
                read.dropped,
            );
            self.bad_rows.extend(read.bad_rows);
            bars = read.rows;
        }
        if !self.folder.option_dates(ticker)?.contains(&date) {
            return Ok(());
        }
        if let Some(read) = self
            .folder
            .read_open_interest(ticker, date, &self.calendar)?
        {
            let by_date = by_date(&read.rows);
            let rows = by_date
                .into_iter()
                .map(|(date, rows)| (date, OpenInterestTable::batch(&rows)))
                .collect();
            self.put(StoreTable::OpenInterest, ticker, rows)?;
            self.count(
                ticker,
                StoreTable::OpenInterest,
                Some(date),
                read.read,
                read.rows.len(),
                read.dropped,
            );
        }
        let flow = self
            .folder
            .read_flow(ticker, date, &bars, &self.settings, &self.calendar)?;
        let mut table = FlowTable::default();
        flow.rows
            .iter()
            .for_each(|row| table.push(&row.event(), &row.detail));
        self.put(StoreTable::Flow, ticker, vec![(date, table.finish())])?;
        self.count(
            ticker,
            StoreTable::Flow,
            Some(date),
            flow.read,
            flow.rows.len(),
            flow.dropped,
        );
        self.bad_rows.extend(flow.bad_rows);
        Ok(())
    }

    fn put(
        &self,
        table: StoreTable,
        ticker: &str,
        sessions: Vec<(NaiveDate, arrow::record_batch::RecordBatch)>,
    ) -> anyhow::Result<()> {
        let min_notional = (table == StoreTable::Flow).then_some(self.settings.min_notional);
        let Some(store) = &self.store else {
            return Ok(());
        };
        Ok(store.put(Arrival {
            table,
            ticker,
            sessions,
            source: lean::SOURCE,
            min_notional,
        })?)
    }

    fn count(
        &mut self,
        ticker: &str,
        table: StoreTable,
        date: Option<NaiveDate>,
        read: u64,
        kept: usize,
        dropped: BTreeMap<&'static str, u64>,
    ) {
        self.tally.insert(
            (ticker.to_owned(), table, date),
            Tally {
                read,
                kept: kept as u64,
                dropped,
            },
        );
    }

    /// Read, kept and dropped by day: what did not come in is there by name.
    fn table(&self) -> Table {
        let columns = [
            Column::text("ticker", "ticker"),
            Column::text("table", "table"),
            Column::text("date", "date"),
            Column::number("read", "read"),
            Column::number("kept", "kept"),
            Column::text("dropped", "dropped"),
        ];
        let title = self.into.clone();
        let mut table = Table::new(columns.to_vec()).named("import").titled(title);
        for ((ticker, kind, date), tally) in &self.tally {
            let dropped: Vec<String> = tally
                .dropped
                .iter()
                .map(|(reason, n)| format!("{reason} {n}"))
                .collect();
            table.push(vec![
                Cell::text(ticker),
                Cell::text(kind.name()),
                date.map_or_else(Cell::blank, |date| Cell::text(date.to_string())),
                Cell::count(tally.read),
                Cell::count(tally.kept),
                if dropped.is_empty() {
                    Cell::blank()
                } else {
                    Cell::text(dropped.join(", "))
                },
            ]);
        }
        table
    }
}

fn by_date(rows: &[OpenInterest]) -> BTreeMap<NaiveDate, Vec<OpenInterest>> {
    let mut by_date: BTreeMap<NaiveDate, Vec<OpenInterest>> = BTreeMap::new();
    for row in rows {
        by_date.entry(row.date).or_default().push(row.clone());
    }
    by_date
}
