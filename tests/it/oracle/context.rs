//! Context: every column at random instants of random bars, computed again by scanning all bars
//! that had ended by then.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::NaiveDate;
use flowlab::context::{
    AsOf, Context, ContextSettings, Frames, Market, Proxy, RegimeTrend, RegimeVolatility, Splits,
    Trend,
};
use flowlab::flow::{CallPut, FlowEvent, Side};
use flowlab::store::{Bars, DailyBar, MinuteBar, Split};
use flowlab::time::{Calendar, MINUTE_NS, Session, Ts};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::market::day;

/// One ticker's raw data.
#[derive(Clone, Default)]
pub(super) struct Data {
    pub bars: Vec<MinuteBar>,
    pub daily: Vec<DailyBar>,
    pub splits: Vec<Split>,
}

/// A bar that had ended, in the basis of the day asked about.
#[derive(Clone, Copy)]
struct Seen {
    date: NaiveDate,
    start: Ts,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
    price: f64,
    is_regular: bool,
}

fn between(splits: &[Split], from: NaiveDate, to: NaiveDate) -> f64 {
    let mut ratio = 1.0;
    for split in splits {
        if from < split.ex_date && split.ex_date <= to {
            ratio *= split.ratio;
        }
    }
    ratio
}

/// What one ticker's bars said by `t`.
struct Naive<'a> {
    calendar: &'a Calendar,
    settings: ContextSettings,
    data: &'a Data,
    t: Ts,
    today: NaiveDate,
    seen: Vec<Seen>,
}

impl<'a> Naive<'a> {
    fn new(
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

    fn session(&self) -> Option<Session> {
        self.calendar.session_on(self.today).copied()
    }

    /// Whole minutes since the open, at most the session's.
    fn minute(&self) -> i64 {
        let Some(session) = self.session() else {
            return 0;
        };
        let length = (session.close.ns() - session.open.ns()) / MINUTE_NS;
        let passed = (self.t.ns() - session.open.ns()).div_euclid(MINUTE_NS);
        passed.clamp(0, length)
    }

    fn regular(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|bar| bar.is_regular)
    }

    fn of_day(&self, date: NaiveDate) -> Vec<&Seen> {
        self.regular().filter(|bar| bar.date == date).collect()
    }

    fn vwap(&self) -> Option<f64> {
        let (mut dollars, mut volume) = (0.0, 0.0);
        for bar in self.of_day(self.today) {
            dollars += bar.price * bar.volume;
            volume += bar.volume;
        }
        (volume > 0.0).then(|| dollars / volume)
    }

    /// The dates of the last full sessions before today, by the calendar.
    fn full_sessions(&self) -> Vec<Session> {
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

    fn volume_by(&self, session: &Session, minute: i64) -> Option<f64> {
        let bars = self.of_day(session.date);
        let end = session.open.plus_minutes(minute);
        let volume = bars
            .iter()
            .filter(|bar| bar.start.plus_minutes(1) <= end)
            .map(|bar| bar.volume)
            .sum();
        (!bars.is_empty()).then_some(volume)
    }

    fn rvol(&self) -> Option<f64> {
        let now = self.volume_by(&self.session()?, self.minute())?;
        let mut known = Vec::new();
        for session in self.full_sessions() {
            known.extend(self.volume_by(&session, self.minute()));
        }
        let mean = self.mean(&known)?;
        (mean > 0.0).then(|| now / mean)
    }

    /// The mean of enough values.
    fn mean(&self, known: &[f64]) -> Option<f64> {
        let enough = known.len() >= self.settings.rvol_min_sessions as usize && !known.is_empty();
        enough.then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// Closes of the completed `k`-minute bars, all sessions.
    fn closes(&self, k: i64) -> Vec<f64> {
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
    fn days(&self) -> Vec<(f64, f64, f64)> {
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

    fn opening_range(&self) -> Option<(f64, f64)> {
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

    fn rolling(&self) -> Option<(f64, f64)> {
        let bars = self.of_day(self.today);
        let before = bars.len().checked_sub(31)?..bars.len() - 1;
        let bars = &bars[before];
        let high = bars.iter().map(|bar| bar.high).fold(f64::MIN, f64::max);
        let low = bars.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
        Some((high, low))
    }

    /// `sign` +1: breaking up; −1: down, which is up in a mirror.
    fn breaking(&self, sign: f64) -> Option<bool> {
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

    fn has_regular_today(&self) -> bool {
        !self.of_day(self.today).is_empty()
    }

    /// √Σr² of the returns ending in the last minutes of a session before `minute`.
    fn volatility(&self, session: &Session, minute: i64) -> Option<f64> {
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

    fn volatility_ratio(&self) -> Option<f64> {
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
fn trend(closes: &[f64]) -> Result<Option<Trend>, TooClose> {
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
struct TooClose;

fn named(ratio: Option<f64>, settings: &ContextSettings) -> Result<RegimeVolatility, TooClose> {
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

pub(super) struct World {
    pub calendar: Calendar,
    pub span: Range<usize>,
    pub settings: ContextSettings,
    pub ticker: Data,
    pub spy: Data,
    pub qqq: Data,
    /// New York dates of all bars, by their start.
    dates: BTreeMap<i64, NaiveDate>,
}

impl World {
    fn compare(&self, instants: &[FlowEvent]) -> Tally {
        let frames = self.frames();
        let market = self.market();
        let mut as_of = AsOf::new(&frames, &market, &self.calendar);
        let mut tally = Tally::default();
        for event in instants {
            let got = *as_of.at(event);
            self.check(event, &got, &mut tally);
        }
        tally
    }

    fn breaks(&self, instants: &[FlowEvent]) -> Vec<bool> {
        let frames = self.frames();
        let market = self.market();
        let mut as_of = AsOf::new(&frames, &market, &self.calendar);
        let breaks = instants.iter().map(|event| as_of.at(event).breaking_up);
        breaks.map(|up| up.expect("a level is known")).collect()
    }

    pub fn frames(&self) -> Frames {
        let frames = Frames::new(
            &columns(&self.ticker.bars),
            &self.ticker.daily,
            Splits::new(self.ticker.splits.clone()),
            &self.calendar,
            self.span.clone(),
            &self.settings,
        );
        frames.expect("the columns compute")
    }

    pub fn market(&self) -> Market {
        let (spy, qqq) = (columns(&self.spy.bars), columns(&self.qqq.bars));
        let market = Market::new(
            proxy(&self.spy, &spy),
            proxy(&self.qqq, &qqq),
            &self.calendar,
            self.span.clone(),
            &self.settings,
        );
        market.expect("the regime computes")
    }

    fn naive<'a>(&'a self, data: &'a Data, t: Ts) -> Naive<'a> {
        Naive::new(&self.calendar, self.settings, data, &self.dates, t)
    }

    fn check(&self, event: &FlowEvent, got: &Context, tally: &mut Tally) {
        let t = event.available_at;
        let naive = self.naive(&self.ticker, t);
        let check = Check { at: t, tally };
        let last_close = naive.seen.last().map(|bar| bar.close);
        let spot = event.underlying_price.or(last_close);
        let has_today = naive.has_regular_today();
        let days = naive.days();
        let prior = days.last();
        let day_extreme = |pick: fn(&Seen) -> f64, fold: fn(f64, f64) -> f64| {
            let values = naive.of_day(naive.today);
            values.into_iter().map(pick).reduce(fold)
        };
        let otm = spot.map(|spot| (event.strike - spot).abs() / spot * 100.0);
        let or = if has_today {
            naive.opening_range()
        } else {
            None
        };
        let rolling = naive.rolling();
        let dte = (event.expiry - event.ts.exchange_date()).num_days();
        let sessions_by = |date: NaiveDate| {
            let all = self.calendar.all().iter();
            all.filter(|session| session.date <= date).count() as u32
        };
        let Check { at, tally } = check;
        let mut check = |name: &str, got: Option<f64>, expected: Option<f64>| {
            tally.number(at, name, got, expected);
        };
        check("last_close", got.last_close, last_close);
        check("spot", got.spot, spot);
        check("otm_pct", got.otm_pct, otm);
        check("vwap", got.vwap, naive.vwap());
        check("rvol", got.rvol, naive.rvol());
        check("prior_high", got.prior_high, prior.map(|d| d.0));
        check("prior_low", got.prior_low, prior.map(|d| d.1));
        check("prev_close", got.prev_close, prior.map(|d| d.2));
        check("or_high", got.or_high, or.map(|or| or.0));
        check("or_low", got.or_low, or.map(|or| or.1));
        check("high_30", got.high_30, rolling.map(|level| level.0));
        check("low_30", got.low_30, rolling.map(|level| level.1));
        check("day_high", got.day_high, day_extreme(|b| b.high, f64::max));
        check("day_low", got.day_low, day_extreme(|b| b.low, f64::min));
        check("dte", Some(f64::from(got.dte)), Some(dte as f64));
        tally.same(at, "breaking_up", got.breaking_up, naive.breaking(1.0));
        tally.same(at, "breaking_down", got.breaking_down, naive.breaking(-1.0));
        tally.same(
            at,
            "session",
            got.session,
            sessions_by(event.ts.exchange_date()),
        );
        let arrival = sessions_by(t.exchange_date());
        tally.same(at, "arrival_session", got.arrival_session, arrival);
        let closes: Vec<f64> = days.iter().map(|day| day.2).collect();
        for (name, got, closes) in [
            ("trend_1m", got.trend_1m, naive.closes(1)),
            ("trend_5m", got.trend_5m, naive.closes(5)),
            ("trend_15m", got.trend_15m, naive.closes(15)),
            ("trend_daily", got.trend_daily, closes),
        ] {
            match trend(&closes) {
                Ok(expected) => tally.same(at, name, got, expected),
                Err(TooClose) => tally.too_close += 1,
            }
        }
        self.check_regime(t, got, tally);
    }

    fn check_regime(&self, t: Ts, got: &Context, tally: &mut Tally) {
        let (spy, qqq) = (self.naive(&self.spy, t), self.naive(&self.qqq, t));
        let qqq_alone = qqq.has_regular_today() && !spy.has_regular_today();
        tally.stand_ins += u32::from(qqq_alone);
        let proxy = if qqq_alone { qqq } else { spy };
        match trend(&proxy.closes(15)) {
            Ok(trend) => {
                let expected = match trend {
                    Some(Trend::Up) => RegimeTrend::Up,
                    Some(Trend::Down) => RegimeTrend::Down,
                    Some(Trend::Flat) => RegimeTrend::Flat,
                    None => RegimeTrend::Unknown,
                };
                tally.same(t, "regime_trend", got.regime_trend, expected);
            }
            Err(TooClose) => tally.too_close += 1,
        }
        match named(proxy.volatility_ratio(), &self.settings) {
            Ok(expected) => tally.same(t, "regime_volatility", got.regime_volatility, expected),
            Err(TooClose) => tally.too_close += 1,
        }
    }
}

struct Check<'t> {
    at: Ts,
    tally: &'t mut Tally,
}

/// How often each column was something else than null, so that no test passes on nothing.
#[derive(Default)]
struct Tally {
    known: BTreeMap<String, u32>,
    too_close: u32,
    stand_ins: u32,
    wrong: Vec<String>,
}

impl Tally {
    fn number(&mut self, at: Ts, name: &str, got: Option<f64>, expected: Option<f64>) {
        let agrees = match (got, expected) {
            (Some(got), Some(expected)) => {
                (got - expected).abs() <= 1e-9 * expected.abs().max(f64::MIN_POSITIVE)
            }
            (got, expected) => got.is_none() && expected.is_none(),
        };
        *self.known.entry(name.to_owned()).or_default() += u32::from(expected.is_some());
        if !agrees {
            self.wrong
                .push(format!("{at} {name}: got {got:?}, expected {expected:?}"));
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, at: Ts, name: &str, got: T, expected: T) {
        let key = format!("{name} {expected:?}");
        *self.known.entry(key).or_default() += 1;
        if got != expected {
            self.wrong
                .push(format!("{at} {name}: got {got:?}, expected {expected:?}"));
        }
    }

    fn merge(&mut self, other: Tally) {
        for (name, count) in other.known {
            *self.known.entry(name).or_default() += count;
        }
        self.too_close += other.too_close;
        self.stand_ins += other.stand_ins;
        self.wrong.extend(other.wrong);
    }

    fn assert_right(&self) {
        let shown: Vec<&String> = self.wrong.iter().take(20).collect();
        assert!(
            self.wrong.is_empty(),
            "{} columns differ:\n{shown:#?}",
            self.wrong.len()
        );
    }
}

pub(super) fn columns(rows: &[MinuteBar]) -> Bars {
    let mut bars = Bars::default();
    rows.iter().for_each(|bar| bars.push(bar));
    bars
}

pub(super) fn proxy<'a>(data: &'a Data, bars: &'a Bars) -> Proxy<'a> {
    Proxy {
        bars,
        daily: &data.daily,
        splits: Splits::new(data.splits.clone()),
    }
}

/// Random bars on a coarse grid of prices, so that closes often lie exactly on levels.
struct Maker<'a> {
    rng: Pcg64Mcg,
    calendar: &'a Calendar,
    /// Share of sessions without minute bars.
    missing: f64,
}

impl Maker<'_> {
    fn chance(&mut self, p: f64) -> bool {
        self.rng.random::<f64>() < p
    }

    fn data(&mut self, sessions: &[Session], splits: Vec<Split>) -> Data {
        let mut data = Data {
            splits,
            ..Data::default()
        };
        let mut quarters = 400_i64;
        let first = sessions[0].date;
        let mut before: Vec<NaiveDate> = self.calendar.all().iter().map(|s| s.date).collect();
        before.retain(|date| *date < first);
        for date in before.split_off(before.len() - 15) {
            quarters += self.rng.random_range(-9..=9);
            self.daily(&mut data, date, quarters, 1.0);
        }
        for session in sessions {
            let ratio = between(&data.splits, NaiveDate::MIN, session.date);
            let has_minutes = !self.chance(self.missing);
            if has_minutes {
                self.session(&mut data, session, &mut quarters, ratio);
            }
            // Sessions in the daily bars only, in the minutes only, in both and in neither.
            if self.chance(if has_minutes { 0.85 } else { 0.6 }) {
                self.daily(&mut data, session.date, quarters, ratio);
            }
        }
        data
    }

    fn daily(&mut self, data: &mut Data, date: NaiveDate, quarters: i64, ratio: f64) {
        let price = |quarters: i64| quarters as f64 * 0.25 / ratio;
        let wick = self.rng.random_range(0..6);
        data.daily.push(DailyBar {
            date,
            open: price(quarters),
            high: price(quarters + wick),
            low: price(quarters - wick),
            close: price(quarters),
            volume: 1e6,
        });
    }

    fn session(&mut self, data: &mut Data, session: &Session, quarters: &mut i64, ratio: f64) {
        let minutes = session.minutes() as i64;
        let density = [1.0, 0.9, 0.3, 0.05][self.rng.random_range(0..4)];
        // Halts: over the open, around the opening range, at the end of slots, into the close.
        let halts = [
            0..22,
            10..16,
            15..17,
            4..5,
            70..75,
            74..91,
            100..200,
            minutes - 20..minutes,
        ];
        let mut halt = 0..0;
        if self.chance(0.6) {
            halt = halts[self.rng.random_range(0..halts.len())].clone();
        }
        let step = self.rng.random_range(1..=3);
        for minute in -60..minutes + 60 {
            let in_session = (0..minutes).contains(&minute);
            let trades = if in_session {
                !halt.contains(&minute) && self.chance(density)
            } else {
                self.chance(0.15)
            };
            if !trades {
                continue;
            }
            let from = *quarters;
            *quarters = (from + self.rng.random_range(-step..=step)).clamp(200, 900);
            let top = from.max(*quarters) + self.rng.random_range(0..=1);
            let bottom = from.min(*quarters) - self.rng.random_range(0..=1);
            let price = |quarters: i64| quarters as f64 * 0.25 / ratio;
            let has_vwap = self.chance(0.5);
            let is_empty = self.chance(0.03);
            data.bars.push(MinuteBar {
                ts: session.open.plus_minutes(minute),
                open: price(from),
                high: price(top),
                low: price(bottom),
                close: price(*quarters),
                volume: if is_empty {
                    0.0
                } else {
                    self.rng.random_range(1..10_000) as f64 * ratio
                },
                vwap: has_vwap.then(|| price(top) * 0.3 + price(bottom) * 0.7),
                trades: None,
                // Whether a bar is regular is for the calendar to say: the flag lies.
                is_regular: !in_session,
            });
        }
    }

    /// Instants from any time of any day, most of them where something becomes known.
    fn instants(&mut self, sessions: &[Session], count: usize) -> Vec<FlowEvent<'static>> {
        let mut events = Vec::new();
        for _ in 0..count {
            let session = sessions[self.rng.random_range(0..sessions.len())];
            let minutes = session.minutes() as i64;
            let minute = match self.rng.random_range(0..10) {
                0 => [0, 1, 5, 14, 15, 16, 30, 31, 32, 75][self.rng.random_range(0..10)],
                1 => minutes + self.rng.random_range(-2..=300),
                2 => self.rng.random_range(-500..=1),
                3 => 5 * self.rng.random_range(0..minutes / 5),
                4 => 24 * 60 + self.rng.random_range(0..300),
                _ => self.rng.random_range(0..minutes),
            };
            let offset = [0, 0, -1, 1, self.rng.random_range(0..MINUTE_NS)];
            let t = session
                .open
                .plus_minutes(minute)
                .plus_ns(offset[self.rng.random_range(0..offset.len())]);
            let delay = [0, 250_000_000, 3_600_000_000_000][self.rng.random_range(0..3)];
            let spot = self.rng.random_range(100..400) as f64 * 0.25;
            events.push(FlowEvent {
                ts: t.plus_ns(-delay),
                available_at: t,
                seq: 0,
                ticker: "T",
                contract: "T251219C00100000",
                call_put: CallPut::Call,
                strike: 100.0,
                expiry: day("2025-12-19"),
                notional: 1e6,
                side: Side::Buy,
                is_aggressive: false,
                is_sweep: false,
                is_multi_leg: false,
                volume: 1,
                open_interest: None,
                underlying_price: self.chance(0.5).then_some(spot),
            });
        }
        events.sort_by_key(|event| event.available_at);
        events
    }
}

fn split(date: &str, ratio: f64) -> Split {
    Split {
        ex_date: day(date),
        ratio,
    }
}

pub(super) fn world(seed: u64, calendar: &Calendar) -> (World, Vec<FlowEvent<'static>>) {
    let mut maker = Maker {
        rng: Pcg64Mcg::seed_from_u64(seed),
        calendar,
        missing: [0.0, 0.1, 0.5][seed as usize % 3],
    };
    // A change of clocks in March or November, half days in July, November and December.
    let (from, to) = [
        ("2025-10-22", "2025-12-29"),
        ("2025-02-24", "2025-04-10"),
        ("2025-06-20", "2025-08-01"),
    ][seed as usize % 3];
    let sessions = calendar.between(day(from), day(to)).to_vec();
    let at = |back: usize| sessions[sessions.len() - back].date.to_string();
    let splits = match seed % 4 {
        0 => vec![],
        // On a day that is looked at, and two sessions before others.
        1 => vec![split(&at(4), 4.0)],
        // Two in one look-back, given in no order, one of them a reverse split.
        2 => vec![split(&at(3), 0.1), split(&at(12), 3.0)],
        // One still to come, one on a Monday, one before all bars.
        _ => vec![
            split("2026-06-01", 2.0),
            split("2025-11-24", 2.0),
            split("2020-08-31", 4.0),
        ],
    };
    let ticker = maker.data(&sessions, splits);
    maker.missing = 0.25;
    let spy = maker.data(&sessions, vec![]);
    let qqq = maker.data(&sessions, vec![split(&at(6), 2.0)]);
    let asked = &sessions[sessions.len().saturating_sub(12)..];
    let mut instants = maker.instants(asked, 90);
    instants.extend(maker.instants(&sessions, 30));
    instants.sort_by_key(|event| event.available_at);
    let mut dates = BTreeMap::new();
    for data in [&ticker, &spy, &qqq] {
        dates.extend(data.bars.iter().map(|b| (b.ts.ns(), b.ts.exchange_date())));
    }
    let world = World {
        calendar: calendar.clone(),
        span: calendar.first_index_from(day(from))..calendar.first_index_from(day(to)) + 12,
        settings: ContextSettings {
            rvol_sessions: [20, 20, 7][seed as usize % 3],
            rvol_min_sessions: [5, 2, 7][seed as usize / 3 % 3],
            lookback_minutes: [60, 15, 1][seed as usize / 2 % 3],
            rvol_high: 1.5,
            rvol_low: 0.8,
        },
        ticker,
        spy,
        qqq,
        dates,
    };
    (world, instants)
}

#[test]
fn every_column_is_what_the_spec_says_on_random_bars() {
    let calendar = Calendar::shipped();
    let mut tally = Tally::default();
    for seed in 0..24 {
        let (world, instants) = world(seed, &calendar);
        tally.merge(world.compare(&instants));
    }
    tally.assert_right();
    // The test means nothing where a column never had a value.
    for (name, at_least) in [
        ("vwap", 300),
        ("rvol", 200),
        ("prior_high", 1000),
        ("or_high", 200),
        ("high_30", 200),
        ("breaking_up Some(true)", 50),
        ("breaking_down Some(true)", 50),
        ("breaking_up Some(false)", 500),
        ("trend_1m Some(Up)", 100),
        ("trend_5m Some(Down)", 100),
        ("trend_15m None", 5),
        ("trend_15m Some(Up)", 100),
        ("trend_daily Some(Down)", 100),
        ("regime_trend Up", 100),
        ("regime_volatility High", 30),
        ("regime_volatility Elevated", 10),
        ("regime_volatility Medium", 30),
        ("regime_volatility Low", 30),
        ("regime_volatility Unknown", 100),
    ] {
        let known = tally.known.get(name).copied().unwrap_or(0);
        assert!(known >= at_least, "{name} was there {known} times");
    }
    assert!(
        tally.stand_ins > 50,
        "QQQ stood in {} times",
        tally.stand_ins
    );
    assert!(tally.too_close < 40, "{} ties", tally.too_close);
}

#[test]
fn a_gap_over_the_prior_high_is_a_cross_of_the_first_bar_and_goes_stale_after_five() {
    let calendar = Calendar::shipped();
    let bar = |session: &Session, minute, close| MinuteBar {
        ts: session.open.plus_minutes(minute),
        open: close,
        high: close,
        low: close,
        close,
        volume: 100.0,
        vwap: None,
        trades: None,
        is_regular: true,
    };
    let (mut world, mut instants) = world(0, &calendar);
    let sessions = calendar.between(day("2025-11-20"), day("2025-11-21"));
    // Yesterday 100, a two for one split overnight, today 51 from the open on.
    world.ticker = Data {
        bars: vec![bar(&sessions[0], 389, 100.0)],
        daily: Vec::new(),
        splits: vec![split("2025-11-21", 2.0)],
    };
    let today = (0..7).map(|minute| bar(&sessions[1], minute, 51.0));
    world.ticker.bars.extend(today);
    let dates = world.ticker.bars.iter();
    world
        .dates
        .extend(dates.map(|b| (b.ts.ns(), b.ts.exchange_date())));
    instants.truncate(8);
    for (minute, event) in instants.iter_mut().enumerate() {
        event.available_at = sessions[1].open.plus_minutes(minute as i64);
        event.ts = event.available_at;
    }
    let breaks = world.breaks(&instants);
    assert_eq!(breaks, [false, true, true, true, true, true, false, false]);
    world.compare(&instants).assert_right();
}

#[test]
fn a_weekend_before_a_split_is_still_in_the_old_basis() {
    let calendar = Calendar::shipped();
    let (mut world, mut instants) = world(3, &calendar);
    let monday = split("2025-11-24", 2.0);
    assert!(world.ticker.splits.contains(&monday));
    let friday = *calendar.session_on(day("2025-11-21")).expect("a session");
    instants.truncate(6);
    for (hours, event) in instants.iter_mut().enumerate() {
        event.available_at = friday.close.plus_minutes(60 * (9 * hours as i64 + 3));
        event.ts = event.available_at;
    }
    let tally = world.compare(&instants);
    tally.assert_right();
    assert_eq!(tally.known["prior_high"], 6);
    world.ticker.splits.clear();
    world.compare(&instants).assert_right();
}

#[test]
fn a_ticker_without_a_single_bar_has_a_context_of_nulls() {
    let calendar = Calendar::shipped();
    let (mut world, instants) = world(0, &calendar);
    world.ticker = Data::default();
    world.spy = Data::default();
    let tally = world.compare(&instants);
    tally.assert_right();
    assert_eq!(tally.known["vwap"], 0);
    assert!(tally.known["breaking_up None"] == instants.len() as u32);
    world.qqq = Data::default();
    world.compare(&instants).assert_right();
}

#[test]
fn equal_averages_are_flat_and_known() {
    let calendar = Calendar::shipped();
    let (mut world, _) = world(0, &calendar);
    let session = *calendar.session_on(day("2025-11-20")).expect("a session");
    // A price that binary fractions cannot hold.
    let bar = |minute| MinuteBar {
        ts: session.open.plus_minutes(minute),
        open: 100.1,
        high: 100.1,
        low: 100.1,
        close: 100.1,
        volume: 100.0,
        vwap: None,
        trades: None,
        is_regular: true,
    };
    world.ticker.bars = (0..390).map(bar).collect();
    world.ticker.splits = vec![split("2020-08-31", 3.0)];
    world.ticker.daily.clear();
    let frames = world.frames();
    let market = Market::default();
    let mut maker = Maker {
        rng: Pcg64Mcg::seed_from_u64(1),
        calendar: &calendar,
        missing: 0.0,
    };
    let mut event = maker.instants(&[session], 1)[0];
    event.available_at = session.open.plus_minutes(20);
    let mut as_of = AsOf::new(&frames, &market, &calendar);
    assert_eq!(as_of.at(&event).trend_1m, None, "20 bars are too few");
    event.available_at = session.open.plus_minutes(21);
    assert_eq!(as_of.at(&event).trend_1m, Some(Trend::Flat));
    event.available_at = session.close;
    assert_eq!(as_of.at(&event).trend_15m, Some(Trend::Flat));
    let context = as_of.at(&event);
    assert_eq!(context.breaking_up, Some(false), "equal is not beyond");
}
