//! Where the time goes: each stage of one ticker's backtest on one thread, nanoseconds per row.
//!
//! `cargo bench --bench stages -- DIR [TICKERS]`; `benches/README.md` says how DIR is made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use flowlab::config::{Config, ModeConfig, Sources};
use flowlab::context::{AsOf, ContextSettings, Frames, Market, Splits};
use flowlab::engine::{Outcomes, TickerState};
use flowlab::paper::{self, Tape};
use flowlab::store::{EncodedRows, Store, Table};
use flowlab::strategies::{Kind, Signal};
use flowlab::time::Calendar;

mod arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Adds up the time of one stage over tickers.
#[derive(Default)]
struct Stage {
    spent: Duration,
    rows: u64,
}

impl Stage {
    fn time<T>(&mut self, work: impl FnOnce() -> T, rows: impl Fn(&T) -> usize) -> T {
        let started = Instant::now();
        let result = work();
        self.spent += started.elapsed();
        self.rows += rows(&result) as u64;
        result
    }

    fn print(&self, name: &str, of: &str) {
        let per_row = self.spent.as_nanos() as f64 / self.rows as f64;
        println!(
            "{name:<24} {:>7.2} s  {per_row:>8.1} ns per {of}  ({} rows)",
            self.spent.as_secs_f64(),
            self.rows
        );
    }
}

fn main() {
    let args = arguments::given();
    let Some(dir) = args.first().map(PathBuf::from) else {
        println!("skipped: name a folder of data, see benches/README.md");
        return;
    };
    let store = Store::folder(&dir);
    let mut tickers = store.tickers(Table::Flow).expect("the folder is a cache");
    tickers.truncate(arguments::number(&args, 1, 20));
    let sources = Sources {
        file: None,
        search_dir: dir,
        set: Vec::new(),
    };
    let config = Config::load(&sources).expect("the defaults are valid");
    let calendar = Calendar::shipped();
    let settings = ContextSettings::of(&config);
    let mut stages: [Stage; 7] = Default::default();
    let [read_bars, frames, read_flow, walk, details, trade, encode] = &mut stages;
    for ticker in &tickers {
        let covered: BTreeSet<_> = store
            .probe(Table::Bars1m, ticker)
            .expect("readable")
            .into_iter()
            .flat_map(|f| f.footer.sessions)
            .collect();
        let (from, to) = (
            *covered.first().expect("bars"),
            *covered.last().expect("bars"),
        );
        let span = calendar.first_index_from(from)..calendar.first_index_from(to) + 1;
        let bars = read_bars.time(
            || store.bars_1m(ticker, from, to).expect("readable"),
            |bars| bars.len(),
        );
        let (daily, _) = store.bars_1d(ticker).expect("readable");
        let splits = Splits::new(store.splits(ticker).expect("readable").0);
        let columns = frames.time(
            || {
                Frames::new(
                    &bars,
                    &daily,
                    splits.clone(),
                    &calendar,
                    span.clone(),
                    &settings,
                )
                .expect("computes")
            },
            |_| bars.len(),
        );
        let mut flow = store.flow(ticker, from, to).expect("readable");
        let batches = read_flow.time(
            || {
                let mut batches = Vec::new();
                while let Some(batch) = flow.next_batch().expect("readable") {
                    batches.push(batch);
                }
                batches
            },
            |batches| batches.iter().map(|batch| batch.len()).sum(),
        );
        let market = Market::default();
        let (mut out, rows) = walk.time(
            || {
                let mut asof = AsOf::new(&columns, &market, &calendar);
                let mut state = TickerState::new(&config, ticker);
                let (mut out, mut rows) = (Outcomes::default(), Vec::new());
                for batch in &batches {
                    for row in 0..batch.len() {
                        let event = batch.event(row, ticker);
                        let ctx = asof.at(&event);
                        state.step(&event, ctx, &mut out);
                        rows.resize(out.signals.len(), batch.row_id(row));
                    }
                }
                (out, rows)
            },
            |(out, _)| out.counts.events_read as usize,
        );
        let mut wanted = rows.clone();
        wanted.dedup();
        let found = details.time(
            || flow.details(&wanted).expect("readable"),
            |found| found.len(),
        );
        for (signal, row) in out.signals.iter_mut().zip(&rows) {
            signal.detail = Some(found[wanted.binary_search(row).expect("asked for")].clone());
        }
        let sessions = &calendar.all()[span];
        let regular = bars.regular(sessions);
        let tape = Tape::new(&regular, sessions, &covered, &splits);
        let modes = Kind::ALL
            .iter()
            .map(|kind| (*kind, config.mode(ticker, *kind)));
        let modes: BTreeMap<Kind, ModeConfig> = modes.collect();
        let trade_one =
            |signal: &Signal| paper::trade(signal, &tape, &modes[&signal.kind], &config.paper).ok();
        let trades = trade.time(
            || out.signals.iter().filter_map(trade_one).collect::<Vec<_>>(),
            |trades| trades.len(),
        );
        encode.time(
            || EncodedRows::new(&out.signals, &trades, &config.experiment_id),
            |_| trades.len(),
        );
    }
    println!("{} tickers, one thread", tickers.len());
    for (stage, (name, of)) in stages.iter().zip([
        ("read bars", "bar"),
        ("context columns", "bar"),
        ("read flow", "event"),
        ("as-of and strategies", "event"),
        ("read details", "signal's event"),
        ("paper trades", "trade"),
        ("encode", "trade"),
    ]) {
        stage.print(name, of);
    }
}
