//! Random markets of one ticker and its proxies, with holes, splits and half days.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use flowlab::context::ContextSettings;
use flowlab::flow::{CallPut, FlowEvent, Side};
use flowlab::store::{DailyBar, MinuteBar, Split};
use flowlab::time::{Calendar, MINUTE_NS, Session};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::market::day;

use super::naive::between;
use super::{Data, World};

/// Random bars on a coarse grid of prices, so that closes often lie exactly on levels.
pub(super) struct Maker<'a> {
    pub(super) rng: Pcg64Mcg,
    pub(super) calendar: &'a Calendar,
    /// Share of sessions without minute bars.
    pub(super) missing: f64,
}

impl Maker<'_> {
    fn chance(&mut self, p: f64) -> bool {
        self.rng.random::<f64>() < p
    }

    pub(super) fn data(&mut self, sessions: &[Session], splits: Vec<Split>) -> Data {
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
    pub(super) fn instants(
        &mut self,
        sessions: &[Session],
        count: usize,
    ) -> Vec<FlowEvent<'static>> {
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

pub(super) fn split(date: &str, ratio: f64) -> Split {
    Split {
        ex_date: day(date),
        ratio,
    }
}

pub(in crate::oracle) fn world(seed: u64, calendar: &Calendar) -> (World, Vec<FlowEvent<'static>>) {
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
