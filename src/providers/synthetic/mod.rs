//! The synthetic market: from a seed and a size to bars, chains and flow that look like a market's,
//! with an edge in part of the flow whose truth is known.
//!
//! ```text
//!  calendar ─▶ sessions ─▶ factor ─▶ path ─▶ bars
//!                            edge ──▲ │
//!                                     ▼
//!                     chain, intent ─▶ prints ─▶ events ─▶ tape
//! ```
//!
//! [`Market::ticker`] gives one ticker, oldest session first, and holds one session of it at a time.
//! [`tape()`] turns a session's events back into the prints and quotes a vendor would have reported.
//! Every random number is drawn from a stream named by seed, ticker, purpose and date, so tickers can
//! be made in any order, on any thread. What is planted, and what a correct pipeline should
//! measure, stands in `edge`.
//!
//! Prices are raw. At the split they fall to a quarter, volumes and open interest quadruple, and the chain
//! changes its symbols.

mod bars;
mod chain;
mod edge;
mod factor;
mod intent;
mod params;
mod path;
mod pricing;
mod prints;
mod random;
mod rows;
mod sessions;
mod tape;
mod volatility;

#[cfg(test)]
mod edge_tests;
#[cfg(test)]
mod tests;

pub use params::{DEFAULT_EDGE_PCT, Params, default_tickers};
pub use rows::{Event, ListedContract, TickerSession};
pub use tape::{ContractTape, Disturbance, TapeDay, TruthEvent, tape};

use chrono::NaiveDate;

use crate::store::{DailyBar, MinuteBar, Split};
use crate::time::Calendar;
use bars::{Activity, Tape, daily_from_minutes};
use chain::{Chain, Quotes};
use edge::{Informed, MAX_DTE};
use factor::MarketPath;
use params::Profile;
use path::{Course, SessionPath, Walk};
use prints::{Floor, Printed};
use random::{Purpose, Stream, stream};
use sessions::{Day, ExpiryDay, Grain, Incidents};

/// `source` of every synthetic event.
pub const SOURCE: &str = "synthetic";

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SyntheticError {
    #[error("{sessions} sessions from {start} on are {missing} more than the calendar has")]
    OutsideCalendar {
        start: NaiveDate,
        sessions: usize,
        missing: usize,
    },
    #[error("{ticker:?} cannot be the root of an option symbol: 1 to 6 letters and digits")]
    BadTicker { ticker: String },
    #[error("an edge of {got} % is not between 0 and 10")]
    BadEdge { got: f64 },
    #[error("a market needs at least one session with flow")]
    NoSessions,
}

/// A market whose sessions and common factors are settled; its tickers are made on demand.
pub struct Market {
    params: Params,
    days: Vec<Day>,
    expiry_days: Vec<ExpiryDay>,
    factors: MarketPath,
}

impl Market {
    /// Settles what all tickers share. Fails when the calendar is too short or a parameter senseless.
    pub fn new(params: Params, calendar: &Calendar) -> Result<Market, SyntheticError> {
        check(&params)?;
        let days = sessions::days(&params, calendar)?;
        let expiry_days = sessions::expiry_days(&days, calendar);
        let factors = MarketPath::new(params.seed, &days);
        Ok(Market {
            params,
            days,
            expiry_days,
            factors,
        })
    }

    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Dates of the sessions with flow.
    pub fn flow_dates(&self) -> impl Iterator<Item = NaiveDate> {
        self.days
            .iter()
            .filter(|day| day.grain == Grain::Flow)
            .map(|day| day.session.date)
    }

    /// One ticker at the first session of its minute bars; what came before is in
    /// [`TickerMarket::daily`].
    pub fn ticker(&self, ticker: &str) -> TickerMarket<'_> {
        let profile = Profile::of(ticker);
        let incidents = Incidents::of(ticker, &self.params, &self.days);
        let mut made = TickerMarket {
            market: self,
            ticker: ticker.to_owned(),
            profile,
            walk: Walk::new(profile),
            chain: Chain::new(ticker, profile.listing, profile.daily_volume),
            splits: incidents.split.into_iter().collect(),
            incidents,
            daily: Vec::new(),
            next: 0,
        };
        made.walk_to_minutes();
        made
    }
}

fn check(params: &Params) -> Result<(), SyntheticError> {
    let is_root =
        |t: &str| (1..=6).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric());
    if let Some(ticker) = params.tickers.iter().find(|t| !is_root(t)) {
        return Err(SyntheticError::BadTicker {
            ticker: ticker.clone(),
        });
    }
    if !(0.0..=10.0).contains(&params.edge_pct) {
        return Err(SyntheticError::BadEdge {
            got: params.edge_pct,
        });
    }
    if params.sessions == 0 {
        return Err(SyntheticError::NoSessions);
    }
    Ok(())
}

/// One ticker of a market: an iterator over its sessions with minute bars, oldest first.
pub struct TickerMarket<'a> {
    market: &'a Market,
    ticker: String,
    profile: Profile,
    incidents: Incidents,
    walk: Walk,
    chain: Chain,
    /// Daily bars of the sessions before the first minute bar.
    pub daily: Vec<DailyBar>,
    /// Splits within the period.
    pub splits: Vec<Split>,
    next: usize,
}

impl Iterator for TickerMarket<'_> {
    type Item = TickerSession;

    fn next(&mut self) -> Option<TickerSession> {
        let day = self.market.days.get(self.next).copied()?;
        let activity = Activity::draw(&mut self.stream(Purpose::Activity, &day));
        let informed = self.informed(&day, activity);
        let path = self.path(&day, &informed);
        let tape = Tape {
            profile: &self.profile,
            activity,
            informed: &informed,
            ratio: self.ratio(&day),
        };
        let bars = tape.minute_bars(&day, &path, &mut self.stream(Purpose::Bars, &day));
        let mut session = TickerSession {
            session: day.session,
            has_flow: day.grain == Grain::Flow,
            ticker: self.ticker.clone(),
            daily: daily_from_minutes(&day, &bars),
            bars,
            contracts: Vec::new(),
            events: Vec::new(),
            below_floor: 0,
        };
        if session.has_flow {
            self.print(&day, activity, &informed, &path, &mut session);
        }
        self.next += 1;
        Some(session)
    }
}

impl TickerMarket<'_> {
    fn stream(&self, purpose: Purpose, day: &Day) -> Stream {
        stream(
            self.market.params.seed,
            &self.ticker,
            purpose,
            day.session.date,
        )
    }

    /// New shares per share of the first day.
    fn ratio(&self, day: &Day) -> f64 {
        let done = self
            .splits
            .iter()
            .filter(|split| split.ex_date <= day.session.date);
        done.map(|split| split.ratio).product()
    }

    fn walk_to_minutes(&mut self) {
        while let Some(day) = self
            .market
            .days
            .get(self.next)
            .filter(|day| day.grain == Grain::Daily)
        {
            let path = self.path(day, &[]);
            let activity = Activity::draw(&mut self.stream(Purpose::Activity, day));
            let tape = Tape {
                profile: &self.profile,
                activity,
                informed: &[],
                ratio: self.ratio(day),
            };
            let bar = tape.daily_bar(day, &path, &mut self.stream(Purpose::Bars, day));
            self.daily.push(bar);
            self.next += 1;
        }
        // A year of chance may have led anywhere; the minutes begin where a reader expects them.
        let factor = self.walk.rebase();
        for bar in &mut self.daily {
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *price = path::cents(*price * factor);
            }
        }
    }

    fn path(&mut self, day: &Day, informed: &[Informed]) -> SessionPath {
        // Before the flow begins the busy minutes are there, the events and what they know are not.
        let edge_pct = if day.grain == Grain::Flow {
            self.market.params.edge_pct
        } else {
            0.0
        };
        let halt = self.incidents.halt_on(day.session.date);
        let course = Course {
            informed,
            edge_pct,
            halt,
            ratio: self.ratio(day),
        };
        let mut rng = self.stream(Purpose::Path, day);
        self.walk.session(
            day,
            &self.market.factors.sessions[self.next],
            &course,
            &mut rng,
        )
    }

    /// The session's informed events; none while no contract is short-dated enough.
    fn informed(&self, day: &Day, activity: Activity) -> Vec<Informed> {
        let today = day.session.date;
        let mut ahead = self
            .market
            .expiry_days
            .iter()
            .filter(|e| e.is_listed(today, self.profile.listing));
        if ahead
            .next()
            .is_none_or(|expiry| (expiry.date - today).num_days() > MAX_DTE)
        {
            return Vec::new();
        }
        let halt = self.incidents.halt_on(today);
        let mut rng = self.stream(Purpose::Edge, day);
        let mut chosen = edge::choose(&mut rng, day.session.minutes(), activity.is_busy, &halt);
        chosen.truncate(self.market.params.events_per_day as usize);
        chosen
    }

    /// Lists the chain, prints the session's events and moves the open interest on.
    fn print(
        &mut self,
        day: &Day,
        activity: Activity,
        informed: &[Informed],
        path: &SessionPath,
        session: &mut TickerSession,
    ) {
        let mut chain_rng = self.stream(Purpose::Chain, day);
        if let Some(split) = self
            .splits
            .iter()
            .find(|split| split.ex_date == day.session.date)
        {
            self.chain.split(split.ratio);
        }
        let annual_vol = self
            .walk
            .annual_vol(&self.market.factors.sessions[self.next]);
        let quotes = Quotes {
            date: day.session.date,
            open: day.session.open,
            spot: path.regular[0].start(),
            annual_vol,
            expiry_days: &self.market.expiry_days,
        };
        self.chain.open_session(&quotes, &mut chain_rng);
        session.contracts = self.chain.listing();
        let floor = Floor {
            day,
            profile: &self.profile,
            path,
            chain: &self.chain,
            informed,
            annual_vol,
            min_notional: self.market.params.min_notional,
        };
        let part_of_day = day.steps() as f64 / day.full_steps();
        let events = f64::from(self.market.params.events_per_day) * activity.events * part_of_day;
        let (mut intents, mut fills) = (
            self.stream(Purpose::Intents, day),
            self.stream(Purpose::Fills, day),
        );
        let Printed {
            events,
            below_floor,
            volumes,
        } = floor.print(events, session.contracts.len(), &mut intents, &mut fills);
        (session.events, session.below_floor) = (events, below_floor);
        self.chain.close_session(&volumes, &mut chain_rng);
    }
}
