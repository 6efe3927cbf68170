//! As of: walks a ticker's columns forward and says what was known at each event.

use chrono::{Datelike, NaiveDate};

use super::columns::Frames;
use super::regime::Market;
use super::sessions::SessionFacts;
use super::{Context, otm_pct};
use crate::flow::FlowEvent;
use crate::time::{Calendar, MINUTE_NS, Ts, exchange_midnight};

/// A place in time that only moves forward. Everything but the event's own facts changes at whole
/// minutes only, so it is looked up once a minute and not once an event.
pub struct AsOf<'a> {
    frames: &'a Frames,
    market: &'a Market,
    calendar: &'a Calendar,
    /// The context holds for `minute_start <= t < minute_end`.
    minute_start: i64,
    minute_end: i64,
    day: Day,
    /// How many regular bars, and how many of all, have ended.
    ended: usize,
    all_ended: usize,
    /// How many steps of the trends of 1, 5 and 15 minutes are known.
    trend_steps: [usize; 3],
    context: Context,
}

/// An exchange day.
#[derive(Clone, Copy)]
struct Day {
    date: NaiveDate,
    start: i64,
    end: i64,
    /// The first session of the calendar on or after this day, and whether it is on it.
    index: usize,
    has_session: bool,
}

impl Day {
    fn of(t: Ts, calendar: &Calendar) -> Day {
        let date = t.exchange_date();
        let next = date.succ_opt().expect("the calendar ends before time does");
        let index = calendar.first_index_from(date);
        let has_session = calendar
            .all()
            .get(index)
            .is_some_and(|session| session.date == date);
        Day {
            date,
            start: exchange_midnight(date).ns(),
            end: exchange_midnight(next).ns(),
            index,
            has_session,
        }
    }

    fn contains(&self, t: Ts) -> bool {
        self.start <= t.ns() && t.ns() < self.end
    }

    /// Ordinal of the last session that has begun its day.
    fn ordinal(&self) -> u32 {
        (self.index + usize::from(self.has_session)) as u32
    }
}

impl<'a> AsOf<'a> {
    pub fn new(frames: &'a Frames, market: &'a Market, calendar: &'a Calendar) -> AsOf<'a> {
        let never = Day {
            date: NaiveDate::MIN,
            start: i64::MAX,
            end: i64::MIN,
            index: 0,
            has_session: false,
        };
        AsOf {
            frames,
            market,
            calendar,
            minute_start: i64::MAX,
            minute_end: i64::MIN,
            day: never,
            ended: 0,
            all_ended: 0,
            trend_steps: [0; 3],
            context: Context::UNKNOWN,
        }
    }

    /// The context of `event` at its `available_at`. Events come in order of `available_at`.
    pub fn at(&mut self, event: &FlowEvent) -> &Context {
        let t = event.available_at;
        if !(self.minute_start <= t.ns() && t.ns() < self.minute_end) {
            debug_assert!(
                self.minute_end == i64::MIN || t.ns() >= self.minute_end,
                "time moves forward"
            );
            self.refresh(t);
        }
        let on_day = if self.day.contains(event.ts) {
            self.day
        } else {
            Day::of(event.ts, self.calendar)
        };
        let context = &mut self.context;
        context.session = on_day.ordinal();
        context.dte = event.expiry.num_days_from_ce() - on_day.date.num_days_from_ce();
        context.spot = event.underlying_price.or(context.last_close);
        context.otm_pct = context.spot.map(|spot| otm_pct(event.strike, spot));
        context
    }

    fn refresh(&mut self, t: Ts) {
        if !self.day.contains(t) {
            self.day = Day::of(t, self.calendar);
        }
        self.minute_start = t.ns().div_euclid(MINUTE_NS) * MINUTE_NS;
        self.minute_end = self.minute_start + MINUTE_NS;
        // Law 1: only bars that ended by t.
        self.ended += count_until(&self.frames.ends[self.ended..], t.ns());
        self.all_ended += count_until(&self.frames.all_ends[self.all_ended..], t.ns());
        self.context = Context {
            arrival_session: self.day.ordinal(),
            last_close: self.last_close(),
            trend_1m: self.frames.trend_1m.from(&mut self.trend_steps[0], t.ns()),
            trend_5m: self.frames.trend_5m.from(&mut self.trend_steps[1], t.ns()),
            trend_15m: self.frames.trend_15m.from(&mut self.trend_steps[2], t.ns()),
            ..Context::UNKNOWN
        };
        let minute = self.minute_of_session(t);
        self.add_session(minute);
        if self.day.has_session {
            self.add_day(minute);
        }
    }

    /// Whole minutes since the open, from 0 to the session's length.
    fn minute_of_session(&self, t: Ts) -> usize {
        match self.calendar.all().get(self.day.index) {
            Some(session) if self.day.has_session => {
                session.minute_at(t).clamp(0, session.minutes() as i64) as usize
            }
            _ => 0,
        }
    }

    /// Splits that came after the last bar put its close in an older basis than today's.
    fn last_close(&self) -> Option<f64> {
        let last = self.all_ended.checked_sub(1)?;
        let bar_date = || Ts::from_ns(self.frames.all_ends[last] - MINUTE_NS).exchange_date();
        let ratio = match self.frames.splits.is_empty() {
            true => 1.0,
            false => self.frames.splits.ratio_between(bar_date(), self.day.date),
        };
        Some(self.frames.all_closes[last] / ratio)
    }

    /// What is known at the open and stays.
    fn add_session(&mut self, minute: usize) {
        let regime = match self.day.has_session {
            true => self.market.at(self.day.index, minute),
            false => self.market.after(self.day.index),
        };
        self.context.regime_trend = regime.trend;
        self.context.regime_volatility = regime.volatility;
        let Some(fact) = self.frames.session(self.day.index) else {
            return;
        };
        self.context.trend_daily = fact.trend_daily;
        if let Some(prior) = fact.prior {
            // On a weekend the facts are the next session's, and so is their basis.
            let next = self.calendar.all()[self.day.index].date;
            let ratio = self.frames.splits.ratio_between(self.day.date, next);
            self.context.prior_high = Some(prior.high * ratio);
            self.context.prior_low = Some(prior.low * ratio);
            self.context.prev_close = Some(prior.close * ratio);
            // A known level that nothing has crossed yet is not breaking.
            self.context.breaking_up = Some(false);
            self.context.breaking_down = Some(false);
        }
    }

    /// What the day's own bars say, once one has ended.
    fn add_day(&mut self, minute: usize) {
        let Some(fact) = self.frames.session(self.day.index) else {
            return;
        };
        let Some(row) = self
            .ended
            .checked_sub(1)
            .filter(|row| fact.rows.contains(row))
        else {
            return;
        };
        let frames = self.frames;
        let known = |value: f64| (!value.is_nan()).then_some(value);
        let context = &mut self.context;
        context.vwap = known(frames.vwap.vwap[row]);
        context.day_high = known(frames.levels.day_high[row]);
        context.day_low = known(frames.levels.day_low[row]);
        context.high_30 = known(frames.levels.high_30[row]);
        context.low_30 = known(frames.levels.low_30[row]);
        context.rvol = frames.baseline.rvol(
            self.day.index,
            minute,
            frames.vwap.cumulative_volume[row],
            fact.scale,
        );
        let opening_range = fact.opening_range_at(Ts::from_ns(self.minute_start));
        let [mut up, mut down] = frames.levels.breaking[row];
        if let Some((high, low)) = opening_range {
            context.or_high = Some(high);
            context.or_low = Some(low);
            // The clock may complete the range when no bar does; nothing has crossed it since.
            up = up.or(Some(false));
            down = down.or(Some(false));
        }
        context.breaking_up = up;
        context.breaking_down = down;
    }
}

/// How many of the ascending `ends` are at or before `t`. Looks a few steps ahead before it
/// searches: events are mostly closer together than bars.
pub(super) fn count_until(ends: &[i64], t: i64) -> usize {
    const NEAR: usize = 8;
    let near = &ends[..ends.len().min(NEAR)];
    match near.iter().position(|end| *end > t) {
        Some(count) => count,
        None => ends.partition_point(|end| *end <= t),
    }
}

impl Frames {
    fn session(&self, index: usize) -> Option<&SessionFacts> {
        let offset = index.checked_sub(self.sessions.first()?.index)?;
        self.sessions.get(offset)
    }
}
