//! The ledger: trades one ticker's signals over the bars that followed them.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::NaiveDate;

use super::Trade;
use super::entry::{NoEntry, entry};
use super::exit::Bar;
use super::open::OpenTrade;
use crate::config::{ModeConfig, PaperConfig};
use crate::context::Splits;
use crate::store::Bars;
use crate::strategies::Signal;
use crate::time::{Session, Ts};

/// One ticker's regular bars, session by session.
pub struct Tape<'a> {
    /// Regular bars only.
    pub bars: &'a Bars,
    sessions: Vec<TapeSession>,
    splits: &'a Splits,
}

struct TapeSession {
    session: Session,
    rows: Range<usize>,
    /// Nothing more will come of this session.
    is_complete: bool,
}

impl<'a> Tape<'a> {
    /// `sessions` ascend and hold all of `bars`; those in `covered` are known up to their close.
    pub fn new(
        bars: &'a Bars,
        sessions: &[Session],
        covered: &BTreeSet<NaiveDate>,
        splits: &'a Splits,
    ) -> Tape<'a> {
        let mut row = 0;
        let place = |session: &Session| {
            let start = row + bars.ts[row..].partition_point(|ts| *ts < session.open.ns());
            row = start + bars.ts[start..].partition_point(|ts| *ts < session.close.ns());
            TapeSession {
                session: *session,
                rows: start..row,
                // Covered up to its close, or over because a later bar is there.
                is_complete: covered.contains(&session.date) || row < bars.len(),
            }
        };
        Tape {
            bars,
            sessions: sessions.iter().map(place).collect(),
            splits,
        }
    }

    fn bar(&self, row: usize, ratio: f64) -> Bar {
        let bars = self.bars;
        Bar {
            start: Ts::from_ns(bars.ts[row]),
            end: bars.end(row),
            open: bars.open[row] * ratio,
            high: bars.high[row] * ratio,
            low: bars.low[row] * ratio,
            close: bars.close[row] * ratio,
        }
    }
}

/// Trades `signal` by the plan of its mode. Walks the bars once, from the entry to the exit.
pub fn trade(
    signal: &Signal,
    tape: &Tape,
    mode: &ModeConfig,
    paper: &PaperConfig,
) -> Result<Trade, NoEntry> {
    let starts = &tape.bars.ts;
    let row = starts.partition_point(|start| *start < signal.available_at.ns());
    let start = starts.get(row).ok_or(NoEntry::NoBar)?;
    let entry = entry(
        signal,
        Ts::from_ns(*start),
        tape.bars.open[row],
        paper.entry,
    )?;
    Ok(walk(OpenTrade::new(signal, entry, mode, paper), row, tape))
}

fn walk(mut open: OpenTrade, entry_row: usize, tape: &Tape) -> Trade {
    let first = tape
        .sessions
        .partition_point(|session| session.rows.end <= entry_row);
    for TapeSession {
        session,
        rows,
        is_complete,
    } in &tape.sessions[first..]
    {
        let ratio = open.ratio_on(session.date, tape.splits);
        for row in rows.start.max(entry_row)..rows.end {
            if let Some(trade) = open.on_bar(&tape.bar(row, ratio)) {
                return trade;
            }
        }
        if *is_complete && let Some(trade) = open.on_close(session.close) {
            return trade;
        }
    }
    open.as_it_stands()
}
