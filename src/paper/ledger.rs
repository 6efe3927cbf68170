//! The ledger: trades one ticker's signals over the bars that followed them.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::NaiveDate;

use super::entry::{Entry, NoEntry, entry};
use super::exit::{Bar, Exit, Plan, Position};
use super::{PositionSide, Trade, pnl_pct};
use crate::config::{ModeConfig, PaperConfig};
use crate::context::Splits;
use crate::store::Bars;
use crate::strategies::{Kind, Signal};
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
    let entry = entry(signal, tape, paper.entry)?;
    let plan = Plan {
        direction: signal.direction,
        tp_pct: mode.tp_pct,
        sl_pct: mode.sl_pct,
        max_hold_minutes: mode.max_hold_minutes,
        flat_at_close: paper.flat_at_close && signal.kind != Kind::Swing,
        intrabar: paper.intrabar,
    };
    let mut position = Position::open(plan, entry.opened_at, entry.price);
    let exit = walk(&mut position, &entry, tape);
    let (mfe_pct, mae_pct) = position.excursions_pct();
    let net = |price| pnl_pct(signal.direction, entry.price, price, paper.slippage_bps);
    Ok(Trade {
        // One signal opens one position.
        position_id: signal.signal_id,
        signal_id: signal.signal_id,
        ticker: signal.ticker.clone(),
        contract: signal.contract.clone(),
        ts: signal.ts,
        seq: signal.seq,
        kind: signal.kind,
        side: PositionSide::of(signal.call_put, signal.direction),
        direction: signal.direction,
        opened_at: entry.opened_at,
        entry_price: entry.price,
        closed_at: exit.at,
        exit_price: exit.price,
        outcome: exit.outcome,
        tp_pct: mode.tp_pct,
        sl_pct: mode.sl_pct,
        max_hold_seconds: i64::from(mode.max_hold_minutes) * 60,
        pnl_pct_gross: pnl_pct(signal.direction, entry.price, exit.price, 0.0),
        pnl_pct_net: net(exit.price),
        mfe_pct,
        mae_pct,
        bars_held: position.bars_held,
        ambiguous: exit.ambiguous,
        best_case_pnl_pct: net(exit.best_price),
    })
}

fn walk(position: &mut Position, entry: &Entry, tape: &Tape) -> Exit {
    let first = tape
        .sessions
        .partition_point(|session| session.rows.end <= entry.row);
    let entry_date = entry.opened_at.exchange_date();
    for TapeSession {
        session,
        rows,
        is_complete,
    } in &tape.sessions[first..]
    {
        // The trade stays in the basis of its entry day, whatever splits come after.
        let ratio = tape.splits.ratio_between(entry_date, session.date);
        for row in rows.start.max(entry.row)..rows.end {
            if let Some(exit) = position.on_bar(&tape.bar(row, ratio)) {
                return exit;
            }
        }
        if *is_complete && let Some(exit) = position.on_close(session.close) {
            return exit;
        }
    }
    position.still_open()
}
