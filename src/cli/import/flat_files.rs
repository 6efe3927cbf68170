//! `flowlab import massive-flatfiles`: the vendor's daily files, downloaded by whatever means.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::NaiveDate;

use super::super::failure::Failure;
use super::super::fetch::prints_table;
use super::super::{Session, Status, universe};
use super::{DryRun, FileTable, Target, say_bad_rows};
use crate::config::Config;
use crate::fetch::{Desk, FetchError, Listed, Outcome, Wanted, read_market_day};
use crate::flow::{Print, Rules, Sight};
use crate::providers::account::Account;
use crate::providers::massive::flat::{Bar, BarSpan, Bars, RowCounts};
use crate::providers::roots;
use crate::store::{
    Arrival, BarTable, DailyBar, DailyTable, MinuteBar, Prepared, Store, Table as StoreTable,
};
use crate::time::{Calendar, Ts};

/// What the footers of bars name as their source.
const BARS_SOURCE: &str = "massive/flat";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files named after their day (2025-06-02.csv.gz), or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What the files hold [default: what their folder is called]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Tickers, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    tickers: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// In the order in which one needs the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Kind {
    /// us_stocks_sip/day_aggs_v1
    DailyBars,
    /// us_stocks_sip/minute_aggs_v1
    MinuteBars,
    /// us_options_opra/trades_v1
    OptionTrades,
}

impl Kind {
    const fn folder(self) -> &'static str {
        match self {
            Kind::DailyBars => "us_stocks_sip/day_aggs_v1",
            Kind::MinuteBars => "us_stocks_sip/minute_aggs_v1",
            Kind::OptionTrades => "us_options_opra/trades_v1",
        }
    }

    const fn table(self) -> StoreTable {
        match self {
            Kind::DailyBars => StoreTable::Bars1d,
            Kind::MinuteBars => StoreTable::Bars1m,
            Kind::OptionTrades => StoreTable::Flow,
        }
    }
}

pub fn run(session: &Session, args: &Args) -> anyhow::Result<Status> {
    let config = session.config()?;
    let calendar = Calendar::shipped();
    let tickers: BTreeSet<String> = universe::named_tickers(&args.tickers)?
        .into_iter()
        .collect();
    let files = files(args, &calendar)?;
    let target = args.dry_run.target(session)?;
    let mut import = Import {
        config: &config,
        calendar: &calendar,
        wanted: match tickers.is_empty() {
            true => Wanted::All,
            false => Wanted::These(&tickers),
        },
        table: FileTable::new(&target.name),
        target,
        outcome: Outcome::default(),
    };
    let mut files = files.iter();
    // What came in before a file that does not is told all the same.
    let done = files.try_for_each(|((kind, date), path)| match kind {
        Kind::OptionTrades => import.trades(path, *date),
        Kind::DailyBars | Kind::MinuteBars => import.bars(*kind, path, *date),
    });
    let outcome = import.outcome;
    say_bad_rows(session, &outcome.bad_rows, outcome.bad_row_count);
    let mut tables = vec![import.table.0];
    if outcome.flow.read > 0 {
        let dropped = outcome.dropped.iter();
        let dropped: Vec<(&str, u64)> = dropped.map(|(reason, n)| (*reason, *n)).collect();
        tables.push(prints_table(&outcome.flow, &dropped));
    }
    session.print_tables(&tables)?;
    done.map(|()| Status::Fine)
}

/// Every file named, with what it holds and its day: bars before the prints that look at them.
fn files(args: &Args, calendar: &Calendar) -> anyhow::Result<BTreeMap<(Kind, NaiveDate), PathBuf>> {
    let mut files = BTreeMap::new();
    for path in &args.paths {
        let mut found = Vec::new();
        collect(path, &mut found)?;
        for path in found {
            let Some(date) = day_of(&path) else {
                let message = format!("{}: its name is no day", path.display());
                return Err(Failure::usage(message)
                    .hint("a flat file is named after its day, such as 2025-06-02.csv.gz")
                    .into());
            };
            calendar
                .check_range(date)
                .map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
            if calendar.session_on(date).is_none() {
                let message = format!("{}: the exchange does not open on {date}", path.display());
                return Err(Failure::usage(message).hint("leave it out").into());
            }
            let kind = args.kind.or_else(|| kind_of(&path)).ok_or_else(|| {
                Failure::usage(format!("{}: cannot tell what it holds", path.display()))
                    .hint("say --kind option-trades, minute-bars or daily-bars")
            })?;
            if let Some(other) = files.insert((kind, date), path.clone()) {
                let message = format!(
                    "{} and {} are of the same day",
                    other.display(),
                    path.display()
                );
                return Err(Failure::usage(message).hint("leave one of them out").into());
            }
        }
    }
    if files.is_empty() {
        return Err(Failure::usage("no .csv.gz file there")
            .hint("name files, or a folder that has some in or below it")
            .into());
    }
    Ok(files)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let entries =
        std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut inside = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        inside.push(entry.path());
    }
    inside.sort();
    for path in inside {
        let is_flat_file = path.to_string_lossy().ends_with(".csv.gz");
        if path.is_dir() || is_flat_file {
            collect(&path, found)?;
        }
    }
    Ok(())
}

fn day_of(path: &Path) -> Option<NaiveDate> {
    let name = path.file_name()?.to_str()?;
    name.split('.').next()?.parse().ok()
}

fn kind_of(path: &Path) -> Option<Kind> {
    let text = path.to_string_lossy().replace('\\', "/");
    let kinds = [Kind::DailyBars, Kind::MinuteBars, Kind::OptionTrades];
    kinds.into_iter().find(|kind| text.contains(kind.folder()))
}

struct Import<'a> {
    config: &'a Config,
    calendar: &'a Calendar,
    wanted: Wanted<'a>,
    target: Target,
    table: FileTable,
    outcome: Outcome,
}

impl Import<'_> {
    fn trades(&mut self, path: &Path, date: NaiveDate) -> anyhow::Result<()> {
        let name = path.display().to_string();
        let input = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let nothing = |contracts: &[(Listed, &[Print])], _: &Rules, _: &mut Outcome| {
            Ok::<Vec<Vec<Sight>>, FetchError>(vec![Vec::new(); contracts.len()])
        };
        let desk = Desk {
            store: self.target.store.as_ref(),
            calendar: self.calendar,
            config: self.config,
            workers: rayon::current_num_threads(),
            sights: &nothing,
        };
        let day = read_market_day(&desk, input, &name, date, self.wanted)?;
        let counts = day.rows.clone();
        let outcome = day.commit()?;
        let stored = outcome
            .stored
            .get(&StoreTable::Flow)
            .copied()
            .unwrap_or_default();
        self.push(
            &name,
            Kind::OptionTrades,
            &counts,
            stored.sessions,
            stored.rows,
        );
        self.outcome.merge(outcome);
        Ok(())
    }

    fn bars(&mut self, kind: Kind, path: &Path, date: NaiveDate) -> anyhow::Result<()> {
        let name = path.display().to_string();
        let input = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let span = match kind {
            Kind::DailyBars => BarSpan::Day,
            _ => BarSpan::Minute,
        };
        let wanted = self.wanted;
        let wants = move |ticker: &str| roots::is_ticker(ticker) && wanted.contains(ticker);
        let mut bars = Bars::open(input, &name, date, span, wants).map_err(FetchError::from)?;
        let mut prepared = Vec::new();
        let (mut tickers, mut rows) = (0, 0);
        while let Some(group) = bars.next_ticker().map_err(FetchError::from)? {
            tickers += 1;
            rows += group.bars.len() as u64;
            if let Some(store) = &self.target.store {
                let calendar = self.calendar;
                prepared.extend(prepare(
                    store,
                    calendar,
                    kind,
                    group.ticker,
                    date,
                    group.bars,
                )?);
            }
        }
        // The file was whole.
        Prepared::commit_all(prepared)?;
        self.push(&name, kind, bars.counts(), tickers, rows);
        let counts = bars.counts();
        let mut outcome = Outcome::default();
        outcome.bad_rows(counts.bad_rows.iter().map(ToString::to_string));
        outcome.bad_row_count = counts.bad.values().sum();
        self.outcome.merge(outcome);
        Ok(())
    }

    fn push(&mut self, name: &str, kind: Kind, counts: &RowCounts, tickers: u64, stored: u64) {
        let mut account = Account {
            read: counts.rows,
            kept: counts.kept,
            ..Account::default()
        };
        account
            .dropped
            .extend(counts.bad.iter().map(|(reason, n)| (*reason, *n)));
        if counts.skipped > 0 {
            account.dropped.insert("other_ticker", counts.skipped);
        }
        let table = kind.table().name();
        self.table.push(name, table, tickers, &account, stored);
    }
}

fn prepare(
    store: &Store,
    calendar: &Calendar,
    kind: Kind,
    ticker: &str,
    date: NaiveDate,
    bars: &[Bar],
) -> anyhow::Result<Vec<Prepared>> {
    let rows = match kind {
        Kind::DailyBars => {
            let daily: Vec<DailyBar> = bars.iter().map(|bar| daily_bar(bar, date)).collect();
            DailyTable::batch(ticker, &daily[..daily.len().min(1)])
        }
        _ => {
            let session = calendar.session_on(date);
            // Of a minute that comes twice the later row stays.
            let bars: BTreeMap<Ts, &Bar> = bars.iter().map(|bar| (bar.ts, bar)).collect();
            let mut table = BarTable::default();
            for bar in bars.into_values() {
                table.push(MinuteBar {
                    ts: bar.ts,
                    open: bar.open,
                    high: bar.high,
                    low: bar.low,
                    close: bar.close,
                    volume: bar.volume,
                    vwap: None,
                    trades: bar.transactions.map(|n| n as i64),
                    is_regular: session.is_some_and(|session| session.contains(bar.ts)),
                });
            }
            table.finish(ticker)
        }
    };
    Ok(store.prepare(Arrival {
        table: kind.table(),
        ticker,
        sessions: vec![(date, rows)],
        source: BARS_SOURCE,
        min_notional: None,
    })?)
}

fn daily_bar(bar: &Bar, date: NaiveDate) -> DailyBar {
    DailyBar {
        date,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
    }
}
