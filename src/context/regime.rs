//! Regime: the market's trend and volatility, read off SPY, or QQQ on a day without SPY.

use std::ops::Range;
use std::sync::Arc;

use polars::prelude::*;

use super::carry::Carry;
use super::columns::{ContextSettings, Frames};
use super::grid::{FULL_SESSION_MINUTES, FullSessions, same_minute_mean};
use super::kernels::{in_sessions, rolling_sum};
use super::sessions::SessionFacts;
use super::{RegimeTrend, RegimeVolatility, Splits, Trend};
use crate::store::{Bars, DailyBar};
use crate::time::{Calendar, MINUTE_NS, Session, Ts};

/// The regime of every minute of every session of a run; one table that all tickers look into.
#[derive(Default)]
pub struct Market {
    /// Position in the calendar of the first session.
    first: usize,
    /// Per session: after 0, 1, 2, … minutes. Minute 0 is everything before the first bar.
    sessions: Vec<Vec<Regime>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regime {
    pub trend: RegimeTrend,
    pub volatility: RegimeVolatility,
}

impl Regime {
    pub const UNKNOWN: Regime = Regime {
        trend: RegimeTrend::Unknown,
        volatility: RegimeVolatility::Unknown,
    };
}

/// One of the two tickers the regime is read off.
pub struct Proxy<'a> {
    pub bars: &'a Bars,
    pub daily: &'a [DailyBar],
    pub splits: Splits,
}

/// What a proxy's past leaves to a window: see [`Carry`].
pub struct ProxyCarry {
    carry: Carry,
    usual: Arc<Usual>,
}

impl ProxyCarry {
    /// What `past` leaves to the last session of `span`, of which its bars hold nothing yet.
    pub fn new(
        past: Proxy,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<ProxyCarry> {
        let Proxy {
            bars,
            daily,
            splits,
        } = &past;
        let carry = Carry::new(bars, daily, splits, calendar, span.clone(), settings)?;
        let usual = Columns::new(past, calendar, span, settings)?.usual;
        Ok(ProxyCarry { carry, usual })
    }
}

/// One of the two tickers in the window that follows its carry.
pub struct ProxyWindow<'a> {
    pub carry: &'a ProxyCarry,
    pub bars: &'a Bars,
    pub splits: Splits,
}

/// The volatility that is usual at each minute: means over the full sessions before.
struct Usual {
    /// Position in the calendar of the first session.
    first: usize,
    full: FullSessions,
    mean: Vec<f64>,
}

impl Usual {
    /// Of `rv`, which has a row of minutes per session of `facts`.
    fn new(
        rv: &[Vec<f64>],
        facts: &[SessionFacts],
        calendar: &Calendar,
        settings: &ContextSettings,
    ) -> Usual {
        let full = FullSessions::of(facts, calendar);
        let mut cells = Vec::with_capacity(full.count * FULL_SESSION_MINUTES);
        for (offset, minutes) in rv.iter().enumerate() {
            if full.place(offset).is_some() {
                cells.extend_from_slice(minutes);
            }
        }
        Usual {
            first: facts.first().map_or(0, |fact| fact.index),
            full,
            mean: same_minute_mean(&cells, settings.rvol_sessions, settings.rvol_min_sessions),
        }
    }

    /// After `minute` minutes of the calendar's session `index`.
    fn at(&self, index: usize, minute: usize) -> Option<f64> {
        let offset = index.checked_sub(self.first)?;
        Some(self.mean[self.full.mean_index(offset, minute)?])
    }
}

impl Market {
    /// `spy` and `qqq` may be without bars; then everything is unknown.
    pub fn new(
        spy: Proxy,
        qqq: Proxy,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<Market> {
        let spy = Columns::new(spy, calendar, span.clone(), settings)?;
        let qqq = Columns::new(qqq, calendar, span.clone(), settings)?;
        Ok(Market::of(&spy, &qqq, calendar, span, settings))
    }

    /// [`Market::new`] of a window that follows what the proxies carry.
    pub fn following(
        spy: ProxyWindow,
        qqq: ProxyWindow,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<Market> {
        let spy = Columns::following(spy, calendar, span.clone(), settings)?;
        let qqq = Columns::following(qqq, calendar, span.clone(), settings)?;
        Ok(Market::of(&spy, &qqq, calendar, span, settings))
    }

    fn of(
        spy: &Columns,
        qqq: &Columns,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> Market {
        let session = |offset: usize| {
            let Session { open, close, .. } = calendar.all()[span.start + offset];
            (0..=close.ns_since(open) / MINUTE_NS)
                .map(|minute| {
                    let t = open.plus_minutes(minute);
                    let qqq_alone = qqq.has_traded(offset, t) && !spy.has_traded(offset, t);
                    let proxy = if qqq_alone { qqq } else { spy };
                    proxy.regime(offset, minute as usize, t, settings)
                })
                .collect()
        };
        Market {
            first: span.start,
            sessions: (0..span.len()).map(session).collect(),
        }
    }

    /// The regime after `minute` minutes of the calendar's session `index`.
    pub fn at(&self, index: usize, minute: usize) -> Regime {
        let session = index
            .checked_sub(self.first)
            .and_then(|offset| self.sessions.get(offset));
        session
            .and_then(|minutes| minutes.get(minute))
            .copied()
            .unwrap_or(Regime::UNKNOWN)
    }

    /// The trend that the session before `index` left behind, for a day without a session.
    pub fn after(&self, index: usize) -> Regime {
        Regime {
            volatility: RegimeVolatility::Unknown,
            ..self.at(index, 0)
        }
    }
}

/// What one proxy knows.
struct Columns {
    frames: Frames,
    /// Per session, per minute from 1 on: rv, NaN without a return in the window.
    rv: Vec<Vec<f64>>,
    usual: Arc<Usual>,
}

impl Columns {
    fn new(
        proxy: Proxy,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<Columns> {
        let frames = Frames::new(
            proxy.bars,
            proxy.daily,
            proxy.splits,
            calendar,
            span.clone(),
            settings,
        )?;
        let regular = proxy.bars.regular(&calendar.all()[span]);
        let rv = realised_volatility(&regular, &frames, calendar, settings.lookback_minutes)?;
        let usual = Arc::new(Usual::new(&rv, &frames.sessions, calendar, settings));
        Ok(Columns { frames, rv, usual })
    }

    fn following(
        window: ProxyWindow,
        calendar: &Calendar,
        span: Range<usize>,
        settings: &ContextSettings,
    ) -> PolarsResult<Columns> {
        let ProxyWindow {
            carry,
            bars,
            splits,
        } = window;
        let frames = Frames::following(&carry.carry, bars, splits, calendar, span.clone())?;
        let regular = bars.regular(&calendar.all()[span]);
        let rv = realised_volatility(&regular, &frames, calendar, settings.lookback_minutes)?;
        let usual = carry.usual.clone();
        Ok(Columns { frames, rv, usual })
    }

    /// Whether a regular bar of the session has ended by `t`.
    fn has_traded(&self, offset: usize, t: Ts) -> bool {
        let rows = &self.frames.sessions[offset].rows;
        !rows.is_empty() && self.frames.ends[rows.start] <= t.ns()
    }

    fn regime(&self, offset: usize, minute: usize, t: Ts, settings: &ContextSettings) -> Regime {
        let trend = match self.frames.trend_15m.at(t.ns()) {
            Some(Trend::Up) => RegimeTrend::Up,
            Some(Trend::Down) => RegimeTrend::Down,
            Some(Trend::Flat) => RegimeTrend::Flat,
            None => RegimeTrend::Unknown,
        };
        let ratio = minute.checked_sub(1).and_then(|cell| {
            let mean = self.usual.at(self.frames.sessions[offset].index, minute)?;
            let rv = self.rv[offset][cell];
            (rv >= 0.0 && mean > 0.0).then(|| rv / mean)
        });
        Regime {
            trend,
            volatility: volatility(ratio, settings),
        }
    }
}

/// The name of a ratio of today's volatility to the usual one.
fn volatility(ratio: Option<f64>, settings: &ContextSettings) -> RegimeVolatility {
    let elevated = (1.0 + settings.rvol_high) / 2.0;
    match ratio {
        None => RegimeVolatility::Unknown,
        Some(ratio) if ratio >= settings.rvol_high => RegimeVolatility::High,
        Some(ratio) if ratio >= elevated => RegimeVolatility::Elevated,
        Some(ratio) if ratio <= settings.rvol_low => RegimeVolatility::Low,
        Some(_) => RegimeVolatility::Medium,
    }
}

/// √Σr² of the 1-minute log returns that end in the last `lookback_minutes`. A return spans a hole;
/// none spans the night.
fn realised_volatility(
    bars: &Bars,
    frames: &Frames,
    calendar: &Calendar,
    lookback_minutes: u32,
) -> PolarsResult<Vec<Vec<f64>>> {
    let (mut sessions, mut squares, mut returns) = (Vec::new(), Vec::new(), Vec::new());
    for fact in &frames.sessions {
        let session = calendar.all()[fact.index];
        let first = squares.len();
        sessions.push(first..first + session.minutes());
        squares.resize(first + session.minutes(), 0.0);
        returns.resize(first + session.minutes(), 0.0);
        for row in fact.rows.clone().skip(1) {
            let cell = first + ((bars.ts[row] - session.open.ns()) / MINUTE_NS) as usize;
            squares[cell] = (bars.close[row] / bars.close[row - 1]).ln().powi(2);
            returns[cell] = 1.0;
        }
    }
    let minutes = lookback_minutes as usize;
    let sum = |column: &[f64]| in_sessions(column, sessions.iter(), |s| rolling_sum(s, minutes));
    let (sums, counts) = (sum(&squares)?, sum(&returns)?);
    // A running sum of squares may end a hair below zero.
    let rv = |cell: usize| {
        if counts[cell] > 0.5 {
            sums[cell].max(0.0).sqrt()
        } else {
            f64::NAN
        }
    };
    Ok(sessions
        .iter()
        .map(|cells| cells.clone().map(rv).collect())
        .collect())
}
