//! Open trades: a signal that was entered, shown one bar after the other until it is a trade that ended.

use chrono::NaiveDate;

use super::entry::Entry;
use super::exit::{Bar, Exit, Plan, Position};
use super::{PositionSide, Trade, pnl_pct};
use crate::config::{ModeConfig, PaperConfig};
use crate::context::Splits;
use crate::strategies::{Kind, Signal};
use crate::time::Ts;

/// One signal's position and what will be recorded of it.
#[derive(Clone, Debug)]
pub struct OpenTrade {
    position: Position,
    entry: Entry,
    slippage_bps: f64,
    /// What is known from the entry on; the exit's fields are filled in at the end.
    record: Trade,
}

impl OpenTrade {
    pub fn new(signal: &Signal, entry: Entry, mode: &ModeConfig, paper: &PaperConfig) -> OpenTrade {
        let plan = Plan {
            direction: signal.direction,
            tp_pct: mode.tp_pct,
            sl_pct: mode.sl_pct,
            max_hold_minutes: mode.max_hold_minutes,
            flat_at_close: paper.flat_at_close && signal.kind != Kind::Swing,
            intrabar: paper.intrabar,
        };
        let record = Trade {
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
            closed_at: None,
            exit_price: entry.price,
            outcome: super::Outcome::Open,
            tp_pct: mode.tp_pct,
            sl_pct: mode.sl_pct,
            max_hold_seconds: i64::from(mode.max_hold_minutes) * 60,
            pnl_pct_gross: 0.0,
            pnl_pct_net: 0.0,
            mfe_pct: 0.0,
            mae_pct: 0.0,
            bars_held: 0,
            ambiguous: false,
            best_case_pnl_pct: 0.0,
        };
        OpenTrade {
            position: Position::open(plan, entry.opened_at, entry.price),
            entry,
            slippage_bps: paper.slippage_bps,
            record,
        }
    }

    /// What prices of `date` are multiplied by: the trade stays in the basis of its entry day,
    /// whatever splits come after.
    pub fn ratio_on(&self, date: NaiveDate, splits: &Splits) -> f64 {
        splits.ratio_between(self.entry.opened_at.exchange_date(), date)
    }

    /// Lives through one regular bar, in the basis of the entry day.
    pub fn on_bar(&mut self, bar: &Bar) -> Option<Trade> {
        let exit = self.position.on_bar(bar)?;
        Some(self.ended(exit))
    }

    /// The session has closed at `close`.
    pub fn on_close(&self, close: Ts) -> Option<Trade> {
        let exit = self.position.on_close(close)?;
        Some(self.ended(exit))
    }

    /// Were the data to end here: marked to the last close.
    pub fn as_it_stands(&self) -> Trade {
        self.ended(self.position.still_open())
    }

    fn ended(&self, exit: Exit) -> Trade {
        let (mfe_pct, mae_pct) = self.position.excursions_pct();
        let Entry { price, .. } = self.entry;
        let pnl = |exit, slippage_bps| pnl_pct(self.record.direction, price, exit, slippage_bps);
        Trade {
            closed_at: exit.at,
            exit_price: exit.price,
            outcome: exit.outcome,
            pnl_pct_gross: pnl(exit.price, 0.0),
            pnl_pct_net: pnl(exit.price, self.slippage_bps),
            mfe_pct,
            mae_pct,
            bars_held: self.position.bars_held,
            ambiguous: exit.ambiguous,
            best_case_pnl_pct: pnl(exit.best_price, self.slippage_bps),
            ..self.record.clone()
        }
    }
}
