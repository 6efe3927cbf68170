//! A run: inputs in; signals and trades logged, alerts on their way, the board up to date.
//!
//! What was done by an earlier process is done again here except for what left the house: rows that a
//! log has are not written twice, and an alert goes by its fate in the journal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::NaiveDate;

use super::board::{Board, ContractName, PositionRow, SignalRow, TapeRow};
use super::deliver::{Alert, Before, Deliverer};
use super::desk::{Desk, Told};
use super::event::{Input, StreamedEvent};
use super::gauges::Gauges;
use super::journal::{Fate, Heard, Journal, JournalError, Recovered};
use super::logs::{LogError, Logs};
use super::upkeep::wall_clock;
use crate::config::Alerts;
use crate::context::Splits;
use crate::engine::{Counts, EngineError, TickerRows};
use crate::paper::Trade;
use crate::report::alert;
use crate::strategies::Signal;
use crate::time::Ts;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What a run keeps across processes, when it keeps anything.
pub struct State {
    pub journal: Arc<Journal>,
    pub logs: Logs,
    /// Whether inputs are kept: not those of a source that can be read again.
    pub keeps_inputs: bool,
    pub recovered: Recovered,
}

/// Where alerts go.
pub struct Desks {
    pub deliverer: Deliverer,
    pub routes: Alerts,
    /// By channel: signals before it came before anybody listened there.
    pub alerts_from: HashMap<String, Ts>,
}

/// A stream on its way through the desk to people.
pub struct Run<'a> {
    desk: Desk<'a>,
    state: Option<State>,
    alerts: Desks,
    pub gauges: Arc<Gauges>,
    pub board: Arc<Mutex<Board>>,
    /// The last exchange day of which anything was told.
    heard_to: Option<NaiveDate>,
    told: Vec<Told>,
}

impl<'a> Run<'a> {
    /// Goes on where the journal stands: its inputs go through the desk again.
    pub fn new(
        desk: Desk<'a>,
        state: Option<State>,
        alerts: Desks,
        gauges: Arc<Gauges>,
    ) -> Result<Run<'a>, RunError> {
        let mut run = Run {
            desk,
            state,
            alerts,
            gauges,
            board: Arc::default(),
            heard_to: None,
            told: Vec::new(),
        };
        if let Some(state) = &run.state {
            let journal = state.journal.clone();
            let mut failed = None;
            journal.inputs(|input, heard| {
                if failed.is_none() {
                    failed = run.through_desk(&input, heard).err();
                }
            })?;
            failed.map_or(Ok(()), Err)?;
        }
        Ok(run)
    }

    /// Takes one input. `received` is when the message that completed it came in.
    pub fn take(&mut self, input: &Input, received: Option<Instant>) -> Result<(), RunError> {
        self.note(input, Heard::Live)?;
        self.through_desk(input, Heard::Live)?;
        if let Input::Event(_) = input {
            self.gauges.last_event_at.set(wall_clock().ns());
            if let Some(received) = received {
                self.gauges.decided_after(received.elapsed());
            }
        }
        Ok(())
    }

    /// Takes one input of a day that is over and that nobody listened to. What comes of it is logged and
    /// traded as ever, so that the run is that of a listener who was there, and alerted nowhere.
    pub fn catch_up(&mut self, input: &Input) -> Result<(), RunError> {
        self.note(input, Heard::Afterwards)?;
        self.through_desk(input, Heard::Afterwards)
    }

    fn note(&self, input: &Input, heard: Heard) -> Result<(), RunError> {
        let state = self.state.as_ref().filter(|state| state.keeps_inputs);
        Ok(state.map_or(Ok(()), |state| state.journal.told(input, heard))?)
    }

    fn through_desk(&mut self, input: &Input, heard: Heard) -> Result<(), RunError> {
        self.desk.take(input, &mut self.told)?;
        self.heard_to = self.heard_to.max(input.date());
        match input {
            Input::Event(event) => {
                self.gauges.events.add(1);
                self.gauges.last_event_ts.set(event.ts.ns());
                let mut board = self.board.lock().expect("no holder of the board panics");
                board.show_event(tape_row(event));
            }
            Input::Bar { .. } | Input::ProxyBar { .. } => self.gauges.bars.add(1),
            Input::Gap(_) => self.gauges.gaps_left.add(1),
            Input::SessionOver { .. } | Input::Cancelled(_) => {}
        }
        let told = std::mem::take(&mut self.told);
        for told in &told {
            match told {
                Told::Signal(signal, gap) => {
                    self.signal(signal)?;
                    if heard == Heard::Live {
                        self.alert(signal, gap.as_deref())?;
                    }
                }
                Told::Trade(trade) => {
                    self.gauges.trades_closed.add(1);
                    if let Some(state) = &mut self.state {
                        state.logs.trade(trade)?;
                    }
                }
                Told::NotTaken(id) => log::info!("signal {id:016x}: no bar was left to enter on"),
            }
        }
        self.told = told;
        self.told.clear();
        Ok(())
    }

    fn signal(&mut self, signal: &Signal) -> Result<(), RunError> {
        self.gauges.signals_of(signal.kind).add(1);
        let headline = alert::headline(signal);
        log::info!("signal {:016x}: {headline}", signal.signal_id);
        self.board
            .lock()
            .expect("no holder of the board panics")
            .show_signal(signal_row(signal));
        if let Some(state) = &mut self.state {
            state.logs.signal(signal)?;
        }
        Ok(())
    }

    fn alert(&mut self, signal: &Signal, gap: Option<&str>) -> Result<(), RunError> {
        let mut text = alert::alert(signal);
        if let Some(gap) = gap {
            text = alert::with_gap(text, gap);
        }
        let alert = Alert {
            id: format!("{:016x}", signal.signal_id),
            at: signal.ts,
            text,
            headline: alert::headline(signal),
        };
        let routes = self.alerts.routes.of(signal.kind).to_vec();
        for channel in &routes {
            let from = self.alerts.alerts_from.get(channel);
            if from.is_none_or(|from| signal.available_at >= *from) {
                self.deliver(channel, alert.clone())?;
            }
        }
        Ok(())
    }

    fn deliver(&mut self, channel: &str, alert: Alert) -> Result<(), RunError> {
        let mut before = Before::Nothing;
        if let Some(state) = &mut self.state {
            let name = (channel.to_owned(), alert.id.clone());
            match state.recovered.fates.get(&name) {
                Some(Fate::Settled) => return Ok(()),
                Some(Fate::Sending) => before = Before::MaybeSent,
                Some(Fate::Queued) => {}
                None => state.journal.queued(channel, &alert.id)?,
            }
        }
        self.alerts.deliverer.send(channel, alert, before);
        Ok(())
    }

    /// The last exchange day of which anything was told, by whichever process.
    pub fn heard_to(&self) -> Option<NaiveDate> {
        self.heard_to
    }

    /// Splits that became known since; they hold from their day on.
    pub fn learn_splits(&mut self, ticker: &str, splits: Splits) {
        self.desk.learn_splits(ticker, splits);
    }

    /// First exchange day of the run, when an earlier process began it.
    pub fn began(&self) -> Option<NaiveDate> {
        self.state
            .as_ref()
            .map(|state| state.recovered.opening.start)
    }

    /// The journal, when there is one.
    pub fn journal(&self) -> Option<&Arc<Journal>> {
        self.state.as_ref().map(|state| &state.journal)
    }

    /// A message that is no signal's: it is sent once or not at all, so no journal keeps it.
    pub fn beat(&self, id: String, at: Ts, text: String) {
        let headline = text.lines().next().unwrap_or_default().to_owned();
        for channel in &self.alerts.routes.heartbeat {
            let alert = Alert {
                id: id.clone(),
                at,
                text: text.clone(),
                headline: headline.clone(),
            };
            self.alerts.deliverer.send(channel, alert, Before::Nothing);
        }
    }

    /// Makes what was told so far safe from a kill.
    pub fn flush(&self) -> Result<(), RunError> {
        let journal = self.journal();
        Ok(journal.map_or(Ok(()), |journal| journal.flush())?)
    }

    /// Makes what was told so far safe from a power cut.
    pub fn sync(&self) -> Result<(), RunError> {
        if let Some(state) = &self.state {
            state.journal.sync()?;
            state.logs.sync()?;
        }
        Ok(())
    }

    /// The journal and the files of the logs, when there are any.
    pub fn files(&self) -> std::io::Result<Option<(Arc<Journal>, [std::fs::File; 2])>> {
        let files = |state: &State| Ok((state.journal.clone(), state.logs.files()?));
        self.state.as_ref().map(files).transpose()
    }

    /// Brings the positions on the board up to date.
    pub fn mark(&self) {
        let positions: Vec<PositionRow> = self
            .desk
            .positions()
            .map(|(signal, trade)| position_row(signal, &trade))
            .collect();
        self.gauges.open_positions.set(positions.len() as i64);
        let mut board = self.board.lock().expect("no holder of the board panics");
        board.positions = positions;
    }

    /// The source has come to its end.
    pub fn source_is_over(&mut self) -> Result<(), RunError> {
        if let Some(state) = &self.state {
            state.journal.finished()?;
        }
        Ok(())
    }

    /// Everything the run came to, as a backtest has it.
    pub fn rows(&self) -> Vec<(TickerRows, Counts)> {
        self.desk.rows()
    }

    /// Whether everything is delivered or dead within `patience`.
    pub fn is_delivered(&self, patience: std::time::Duration) -> bool {
        self.alerts.deliverer.drain(patience)
    }

    /// Delivers what is under way, waiting `patience` at most; the rest waits in the journal.
    pub fn close(self, patience: std::time::Duration) -> Result<(), RunError> {
        self.sync()?;
        self.alerts.deliverer.close(patience);
        self.state
            .map_or(Ok(()), |state| state.journal.sync().map_err(RunError::from))
    }
}

fn tape_row(event: &StreamedEvent) -> TapeRow {
    TapeRow {
        ts: event.ts,
        contract: ContractName {
            ticker: event.ticker.clone(),
            call_put: event.call_put,
            strike: event.strike,
            expiry: event.expiry,
        },
        contracts: event.detail.contracts,
        price: event.detail.price,
        notional: event.notional,
        side: event.side,
        is_sweep: event.is_sweep,
        is_aggressive: event.is_aggressive,
        spot: event.underlying_price,
    }
}

fn contract_of(signal: &Signal) -> ContractName {
    ContractName {
        ticker: signal.ticker.clone(),
        call_put: signal.call_put,
        strike: signal.strike,
        expiry: signal.expiry,
    }
}

fn signal_row(signal: &Signal) -> SignalRow {
    SignalRow {
        available_at: signal.available_at,
        kind: signal.kind,
        direction: signal.direction,
        contract: contract_of(signal),
        strength: signal.strength,
        notional: signal.notional,
        tags: signal.tags.to_string(),
    }
}

fn position_row(signal: &Signal, trade: &Trade) -> PositionRow {
    PositionRow {
        kind: trade.kind,
        direction: trade.direction,
        contract: contract_of(signal),
        opened_at: trade.opened_at,
        entry_price: trade.entry_price,
        mark: trade.exit_price,
        pnl_pct: trade.pnl_pct_gross,
        tp_pct: trade.tp_pct,
        sl_pct: trade.sl_pct,
    }
}
