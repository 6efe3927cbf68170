//! The formulas of the spec as loops over everything that had ended.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use flowlab::context::{ContextSettings, RegimeVolatility, Trend};
use flowlab::store::Split;
use flowlab::time::{Calendar, MINUTE_NS, Session, Ts};

use super::Data;

/// A bar that had ended, in the basis of the day asked about.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) date: NaiveDate,
    pub(super) start: Ts,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) volume: f64,
    pub(super) price: f64,
    pub(super) is_regular: bool,
}

pub(super) fn between(splits: &[Split], from: NaiveDate, to: NaiveDate) -> f64 {
    let mut ratio = 1.0;
    for split in splits {
        if from < split.ex_date && split.ex_date <= to {
            ratio *= split.ratio;
        }
    }
    ratio
}

/// What one ticker's bars said by `t`.
pub(super) struct Naive<'a> {
    calendar: &'a Calendar,
    settings: ContextSettings,
    data: &'a Data,
    t: Ts,
    pub(super) today: NaiveDate,
    pub(super) seen: Vec<Seen>,
}

impl<'a> Naive<'a> {
    pub(super) fn new(
        calendar: &'a Calendar,
        settings: ContextSettings,
        data: &'a Data,
        dates: &BTreeMap<i64, NaiveDate>,
        t: Ts,
    ) -> Naive<'a> {
        let today = t.exchange_date();
        let mut seen = Vec::new();
        for bar in &data.bars {
            if bar.ts.ns() + MINUTE_NS > t.ns() {
                continue;
            }
            let date = dates[&bar.ts.ns()];
            let ratio = between(&data.splits, date, today);
            let session = calendar.session_on(date);
            seen.push(Seen {
                date,
                start: bar.ts,
                high: bar.high / ratio,
                low: bar.low / ratio,
                close: bar.close / ratio,
                volume: bar.volume * ratio,
                price: bar.vwap.unwrap_or((bar.high + bar.low + bar.close) / 3.0) / ratio,
                is_regular: session.is_some_and(|s| s.open <= bar.ts && bar.ts < s.close),
            });
        }
        Naive {
            calendar,
            settings,
            data,
            t,
            today,
            seen,
        }
    }

    pub(super) fn session(&self) -> Option<Session> {
        self.calendar.session_on(self.today).copied()
    }

    /// Whole minutes since the open, at most the session's.
    pub(super) fn minute(&self) -> i64 {
        let Some(session) = self.session() else {
            return 0;
        };
        let length = (session.close.ns() - session.open.ns()) / MINUTE_NS;
        let passed = (self.t.ns() - session.open.ns()).div_euclid(MINUTE_NS);
        passed.clamp(0, length)
    }

    pub(super) fn regular(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|bar| bar.is_regular)
    }

    pub(super) fn of_day(&self, date: NaiveDate) -> Vec<&Seen> {
        self.regular().filter(|bar| bar.date == date).collect()
    }

    pub(super) fn vwap(&self) -> Option<f64> {
        let (mut dollars, mut volume) = (0.0, 0.0);
        for bar in self.of_day(self.today) {
            dollars += bar.price * bar.volume;
            volume += bar.volume;
        }
        (volume > 0.0).then(|| dollars / volume)
    }

    /// The dates of the last full sessions before today, by the calendar.
    pub(super) fn full_sessions(&self) -> Vec<Session> {
        let mut full = Vec::new();
        for session in self.calendar.all().iter().rev() {
            if session.date < self.today
                && !session.is_early_close
                && full.len() < self.settings.rvol_sessions as usize
            {
                full.push(*session);
            }
        }
        full
    }

    pub(super) fn volume_by(&self, session: &Session, minute: i64) -> Option<f64> {
        let bars = self.of_day(session.date);
        let end = session.open.plus_minutes(minute);
        let volume = bars
            .iter()
            .filter(|bar| bar.start.plus_minutes(1) <= end)
            .map(|bar| bar.volume)
            .sum();
        (!bars.is_empty()).then_some(volume)
    }

    pub(super) fn rvol(&self) -> Option<f64> {
        let now = self.volume_by(&self.session()?, self.minute())?;
        let mut known = Vec::new();
        for session in self.full_sessions() {
            known.extend(self.volume_by(&session, self.minute()));
        }
        let mean = self.mean(&known)?;
        (mean > 0.0).then(|| now / mean)
    }

    /// The mean of enough values.
    pub(super) fn mean(&self, known: &[f64]) -> Option<f64> {
        let enough = known.len() >= self.settings.rvol_min_sessions as usize && !known.is_empty();
        enough.then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// Closes of the completed `k`-minute bars, all sessions.
    pub(super) fn closes(&self, k: i64) -> Vec<f64> {
        let mut slots: BTreeMap<(NaiveDate, i64), f64> = BTreeMap::new();
        for bar in self.regular() {
            let open = self.calendar.session_on(bar.date).expect("regular").open;
            let slot = (bar.start.ns() - open.ns()) / MINUTE_NS / k;
            let ends = open.plus_minutes((slot + 1) * k);
            if ends <= self.t {
                slots.insert((bar.date, slot), bar.close);
            }
        }
        slots.into_values().collect()
    }

    /// High, low and close of every completed session, in today's basis.
    pub(super) fn days(&self) -> Vec<(f64, f64, f64)> {
        let mut dates: BTreeSet<NaiveDate> = self.regular().map(|bar| bar.date).collect();
        dates.extend(self.data.daily.iter().map(|bar| bar.date));
        let mut days = Vec::new();
        for date in dates.into_iter().filter(|date| *date < self.today) {
            let daily = self.data.daily.iter().find(|bar| bar.date == date);
            let ratio = between(&self.data.splits, date, self.today);
            days.push(match daily {
                Some(bar) => (bar.high / ratio, bar.low / ratio, bar.close / ratio),
                None => {
                    let bars = self.of_day(date);
                    let high = bars.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
                    let low = bars.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
                    (high, low, bars.last().expect("the date has bars").close)
                }
            });
        }
        days
    }

    pub(super) fn opening_range(&self) -> Option<(f64, f64)> {
        let open = self.session()?.open;
        let bars = self.of_day(self.today);
        let first: Vec<_> = bars
            .iter()
            .filter(|bar| bar.start < open.plus_minutes(15))
            .collect();
        let complete = self.t >= open.plus_minutes(15);
        (complete && !first.is_empty()).then(|| {
            let high = first.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
            let low = first.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
            (high, low)
        })
    }

    pub(super) fn rolling(&self) -> Option<(f64, f64)> {
        let bars = self.of_day(self.today);
        let before = bars.len().checked_sub(31)?..bars.len() - 1;
        let bars = &bars[before];
        let high = bars.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
        let low = bars.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
        Some((high, low))
    }

    /// `sign` +1: breaking up; −1: down, which is up in a mirror.
    pub(super) fn breaking(&self, sign: f64) -> Option<bool> {
        let pick = |(high, low): (f64, f64)| sign * if sign > 0.0 { high } else { low };
        let rolling = self.rolling().map(pick);
        let crossed = [
            self.days().last().map(|(high, low, _)| pick((*high, *low))),
            self.opening_range().map(pick),
        ];
        if rolling.is_none() && crossed.iter().all(Option::is_none) {
            return None;
        }
        let bars = self.of_day(self.today);
        let Some((last, before)) = bars.split_last() else {
            return Some(false);
        };
        let last = sign * last.close;
        let yesterday = self.regular().filter(|bar| bar.date < self.today).last();
        let mut closes: Vec<f64> = yesterday.iter().map(|bar| sign * bar.close).collect();
        closes.extend(before.iter().map(|bar| sign * bar.close));
        let five = &closes[closes.len().saturating_sub(5)..];
        let mut breaks = rolling.is_some_and(|level| last > level);
        for level in crossed.into_iter().flatten() {
            breaks |= last > level && five.iter().any(|close| *close <= level);
        }
        Some(breaks)
    }

    pub(super) fn has_regular_today(&self) -> bool {
        !self.of_day(self.today).is_empty()
    }

    /// √Σr² of the returns ending in the last minutes of a session before `minute`.
    pub(super) fn volatility(&self, session: &Session, minute: i64) -> Option<f64> {
        let bars = self.of_day(session.date);
        let (mut sum, mut count) = (0.0, 0);
        for pair in bars.windows(2) {
            let ends = (pair[1].start.ns() - session.open.ns()) / MINUTE_NS + 1;
            if minute - i64::from(self.settings.lookback_minutes) < ends && ends <= minute {
                sum += (pair[1].close / pair[0].close).ln().powi(2);
                count += 1;
            }
        }
        (count > 0).then(|| f64::sqrt(sum))
    }

    pub(super) fn volatility_ratio(&self) -> Option<f64> {
        let session = self.session()?;
        let now = self.volatility(&session, self.minute())?;
        let mut known = Vec::new();
        for session in self.full_sessions() {
            known.extend(self.volatility(&session, self.minute()));
        }
        let mean = self.mean(&known)?;
        (mean > 0.0).then(|| now / mean)
    }
}

/// What a trend is, unless the averages are too close to call.
pub(super) fn trend(closes: &[f64]) -> Result<Option<Trend>, TooClose> {
    let ema = |n: f64| {
        let alpha = 2.0 / (n + 1.0);
        closes
            .iter()
            .copied()
            .reduce(|average, close| alpha * close + (1.0 - alpha) * average)
    };
    let (Some(fast), Some(slow)) = (ema(9.0), ema(21.0)) else {
        return Ok(None);
    };
    if closes.len() < 21 {
        Ok(None)
    } else if (fast - slow).abs() < 1e-10 * slow {
        Err(TooClose)
    } else if fast > slow {
        Ok(Some(Trend::Up))
    } else {
        Ok(Some(Trend::Down))
    }
}

/// A comparison on a knife's edge, where the last bit of a sum decides.
#[derive(Debug)]
pub(super) struct TooClose;

pub(super) fn named(
    ratio: Option<f64>,
    settings: &ContextSettings,
) -> Result<RegimeVolatility, TooClose> {
    let Some(ratio) = ratio else {
        return Ok(RegimeVolatility::Unknown);
    };
    let elevated = (1.0 + settings.rvol_high) / 2.0;
    let edges = [settings.rvol_high, elevated, settings.rvol_low];
    if edges.iter().any(|edge| (ratio - edge).abs() < 1e-9) {
        return Err(TooClose);
    }
    Ok(if ratio >= settings.rvol_high {
        RegimeVolatility::High
    } else if ratio >= elevated {
        RegimeVolatility::Elevated
    } else if ratio <= settings.rvol_low {
        RegimeVolatility::Low
    } else {
        RegimeVolatility::Medium
    })
}
