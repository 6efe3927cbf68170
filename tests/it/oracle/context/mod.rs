//! Context: every column at random instants of random bars, computed again by scanning all bars
//! that had ended by then.

mod naive;
mod tally;
mod worlds;

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use flowlab::context::{
    AsOf, Context, ContextSettings, Frames, Market, Proxy, RegimeTrend, Splits, Trend,
};
use flowlab::flow::FlowEvent;
use flowlab::store::{Bars, DailyBar, MinuteBar, Split};
use flowlab::time::{Calendar, Session, Ts};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::market::day;
use naive::{Naive, Seen, TooClose, named, trend};
use tally::{Check, Tally};
pub(in crate::oracle) use worlds::world;
use worlds::{Maker, split};

/// One ticker's raw data.
#[derive(Clone, Default)]
pub(in crate::oracle) struct Data {
    pub bars: Vec<MinuteBar>,
    pub daily: Vec<DailyBar>,
    pub splits: Vec<Split>,
}

pub(in crate::oracle) struct World {
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

pub(in crate::oracle) fn columns(rows: &[MinuteBar]) -> Bars {
    let mut bars = Bars::default();
    rows.iter().for_each(|bar| bars.push(bar));
    bars
}

pub(in crate::oracle) fn proxy<'a>(data: &'a Data, bars: &'a Bars) -> Proxy<'a> {
    Proxy {
        bars,
        daily: &data.daily,
        splits: Splits::new(data.splits.clone()),
    }
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
