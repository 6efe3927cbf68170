//! The morning: what has to be there before a day begins. The cache is filled, and sessions that nobody
//! listened to are told from it, so that memories and positions are those of a listener who was there.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context as _;

use super::Stream;
use crate::context::Splits;
use crate::engine::{PROXIES, Period};
use crate::fetch::{self, Plan, Progress, QuotesRefused, What};
use crate::live::stream::Resume;
use crate::live::{Gap, Input, Replay, Run, wall_clock};
use crate::providers::massive::Massive;
use crate::store::Table;
use crate::time::{Session as ExchangeSession, Ts};

impl Stream<'_> {
    /// Fetches what the session's context and memories are made of, as far as it is missing.
    pub(super) fn warm_up(&self, session: &ExchangeSession) -> anyhow::Result<()> {
        let Some(massive) = &self.massive else {
            return Ok(());
        };
        self.session
            .say(&format!("warming up for {}", session.date));
        let period = Period {
            start: session.date,
            end: session.date,
        };
        self.fetch(massive, period, session)
            .context("cannot warm up")
    }

    /// Makes ready for a day that nobody may be there to begin: what fails is tried again until the open.
    pub(super) fn prepare(&self, run: &mut Run, session: &ExchangeSession) {
        self.whatever_it_takes(session, || self.warm_up(session));
        self.whatever_it_takes(session, || self.learn_splits(run));
        self.whatever_it_takes(session, || self.catch_up(run, session));
    }

    /// Returns early when somebody wants to end.
    fn wait_until(&self, at: Ts) {
        while wall_clock() < at && !self.is_stopped() {
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    fn whatever_it_takes(
        &self,
        session: &ExchangeSession,
        mut step: impl FnMut() -> anyhow::Result<()>,
    ) {
        while let Err(error) = step() {
            log::error!("{error:#}");
            self.wait_until(wall_clock().plus_seconds(60).min(session.open));
            if self.is_stopped() || wall_clock() >= session.open {
                return;
            }
        }
    }

    /// Tells the run, from the cache, what came after the last that it heard and before `session`. It can
    /// be stopped on the way; the next start goes on.
    pub(super) fn catch_up(&self, run: &mut Run, session: &ExchangeSession) -> anyhow::Result<()> {
        let caught_up = self.catch_up_before(run, session);
        caught_up.context("cannot catch up with what nobody listened to")
    }

    fn catch_up_before(&self, run: &mut Run, session: &ExchangeSession) -> anyhow::Result<()> {
        let heard_to = run.heard_to().or(run.began());
        let (Some(massive), Some(heard_to)) = (&self.massive, heard_to) else {
            return Ok(());
        };
        let before = session.date.pred_opt().expect("the calendar begins later");
        let sessions = self.calendar.between(heard_to, before);
        let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else {
            return Ok(());
        };
        let period = Period {
            start: first.date,
            end: last.date,
        };
        if last.date > heard_to {
            self.session.say(&format!(
                "catching up with what nobody listened to, from {heard_to} to {}; --fresh begins anew instead",
                last.date
            ));
        }
        self.wait_until(fetch::settled_at(last));
        self.fetch(massive, period, session)?;
        if self.is_stopped() {
            // The cache may lack what the next start will tell.
            return Ok(());
        }
        for gap in self.gaps_of(sessions)? {
            log::error!("{} of {} is missing", gap.what, gap.tickers.join(", "));
            run.catch_up(&Input::Gap(gap))?;
        }
        let (events, signals) = (run.gauges.events.get(), run.gauges.signals_in_all());
        self.tell_what_is_left(run, period)?;
        let events = run.gauges.events.get() - events;
        if events > 0 {
            let signals = run.gauges.signals_in_all() - signals;
            self.session.say(&format!(
                "caught up: {events} events; signals of theirs: {signals}, logged and traded, alerted nowhere"
            ));
        }
        Ok(())
    }

    /// What the cache has of `period` and lies behind all that the run was told.
    fn tell_what_is_left(&self, run: &mut Run, period: Period) -> anyhow::Result<()> {
        let mut resume = Resume::default();
        if let Some(journal) = run.journal() {
            journal.inputs(|input, _| resume.see(&input, period.start))?;
        }
        let (calendar, config, tickers) = (&self.calendar, self.config, self.tickers);
        let mut replay = Replay::new(self.store, calendar, config, tickers, period)?;
        while replay.next_date() <= period.end
            && let Some(inputs) = replay.next_day()?
        {
            // What comes before the period is there for whoever begins with it.
            let is_of_period = |input: &&Input| input.date() >= Some(period.start);
            let inputs = inputs.iter().map(|(_, input)| input);
            for input in inputs.filter(is_of_period) {
                if resume.is_left(input) {
                    run.catch_up(input)?;
                }
            }
            run.flush()?;
            if self.is_stopped() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the vendor does not have of `sessions` either.
    fn gaps_of(&self, sessions: &[ExchangeSession]) -> anyhow::Result<Vec<Gap>> {
        let mut gaps = Vec::new();
        for (table, what) in [(Table::Flow, "flow"), (Table::Bars1m, "minute bars")] {
            for ticker in self.tickers {
                let floor = self.config.flow.min_notional;
                let covered = self.store.covered(table, ticker, floor)?;
                let missing = sessions.iter().filter(|s| !covered.contains(&s.date));
                gaps.extend(missing.map(|session| Gap {
                    from: session.day_start(),
                    to: session.close,
                    tickers: vec![ticker.clone()],
                    what: format!("{what} of {}", session.date),
                }));
            }
        }
        Ok(gaps)
    }

    /// Splits that were announced since hold from their day on.
    fn learn_splits(&self, run: &mut Run) -> anyhow::Result<()> {
        for ticker in self.tickers.iter().map(String::as_str).chain(PROXIES) {
            let (splits, _) = self.store.splits(ticker)?;
            run.learn_splits(ticker, Splits::new(splits));
        }
        Ok(())
    }

    /// Everything that a run of `period` reads and the cache lacks, known before `session` begins.
    fn fetch(
        &self,
        massive: &Massive,
        period: Period,
        session: &ExchangeSession,
    ) -> anyhow::Result<()> {
        let _lock = self.store.lock()?;
        let data_dir = self.session.data_dir();
        // The session is still to come, whatever the clock says.
        let now = wall_clock().min(session.open);
        let clock = || now;
        let job = fetch::Job {
            store: self.store,
            data_dir: &data_dir,
            calendar: &self.calendar,
            config: self.config,
            massive,
            flat: None,
            tickers: self.tickers.to_vec(),
            what: [What::Bars, What::Flow, What::Oi, What::Splits].into(),
            what_was_named: false,
            period,
            source: fetch::Source::Rest,
            quotes: true,
            refresh: false,
            now,
            clock: &clock,
            stop: &self.stop,
            quotes_refused: Mutex::<QuotesRefused>::default(),
        };
        let plan = Plan::of(&job)?;
        match fetch::run(&job, &plan, &Progress::default()) {
            Ok(_) => Ok(()),
            Err(ended) if ended.error.is_stop() => Ok(()),
            Err(ended) => Err(ended.error.into()),
        }
    }
}
