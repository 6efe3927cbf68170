//! Carry: a window of one session behind what its past left says the same as columns over everything.

use flowlab::context::{
    AsOf, Carry, Context, Frames, Market, Proxy, ProxyCarry, ProxyWindow, Splits,
};
use flowlab::flow::FlowEvent;
use flowlab::store::{Bars, MinuteBar};
use flowlab::time::{Calendar, Ts};

use super::context::{Data, World, columns, proxy, world};

/// One ticker's bars as somebody has them who listens at an instant.
struct Known {
    past: Bars,
    today: Bars,
}

impl World {
    /// The session in whose window an instant falls: that of its day, else the next one.
    fn index_at(&self, t: Ts) -> usize {
        self.calendar.first_index_from(t.exchange_date())
    }

    fn known(&self, data: &Data, t: Ts) -> Known {
        let index = self.index_at(t);
        let is_past = |bar: &&MinuteBar| self.index_at(bar.ts) < index;
        let is_today =
            |bar: &&MinuteBar| self.index_at(bar.ts) == index && bar.ts.plus_minutes(1) <= t;
        let of = |rows: Vec<MinuteBar>| columns(&rows);
        Known {
            past: of(data.bars.iter().filter(is_past).copied().collect()),
            today: of(data.bars.iter().filter(is_today).copied().collect()),
        }
    }

    /// What a listener computes for `event` who has kept no more than what past sessions left.
    fn followed(&self, event: &FlowEvent) -> Context {
        let t = event.available_at;
        let index = self.index_at(t);
        let (before, window) = (self.span.start..index + 1, index..index + 1);
        let (calendar, settings) = (&self.calendar, &self.settings);
        let ticker = self.known(&self.ticker, t);
        let splits = Splits::new(self.ticker.splits.clone());
        let daily = &self.ticker.daily;
        let carry = Carry::new(
            &ticker.past,
            daily,
            &splits,
            calendar,
            before.clone(),
            settings,
        );
        let carry = carry.expect("the past computes");
        let frames = Frames::following(&carry, &ticker.today, splits, calendar, window.clone());
        let frames = frames.expect("the window computes");
        let of_proxy = |data: &Data| {
            let Known { past, today } = self.known(data, t);
            let past: Proxy = proxy(data, &past);
            let carry = ProxyCarry::new(past, calendar, before.clone(), settings);
            (carry.expect("the past computes"), today)
        };
        let (spy, qqq) = (of_proxy(&self.spy), of_proxy(&self.qqq));
        let window_of = |(carry, bars), data: &Data| ProxyWindow {
            carry,
            bars,
            splits: Splits::new(data.splits.clone()),
        };
        let market = Market::following(
            window_of((&spy.0, &spy.1), &self.spy),
            window_of((&qqq.0, &qqq.1), &self.qqq),
            calendar,
            window,
            settings,
        );
        let market = market.expect("the regime computes");
        *AsOf::new(&frames, &market, calendar).at(event)
    }

    fn assert_followed(&self, seed: u64, instants: &[FlowEvent]) {
        let frames = self.frames();
        let market = self.market();
        let mut as_of = AsOf::new(&frames, &market, &self.calendar);
        for event in instants {
            let of_all = *as_of.at(event);
            let followed = self.followed(event);
            // To the last bit: alerts are compared by the byte.
            assert_eq!(followed, of_all, "seed {seed} at {}", event.available_at);
        }
    }
}

#[test]
fn a_window_behind_its_past_is_the_whole_to_the_last_bit() {
    let calendar = Calendar::shipped();
    for seed in 0..24 {
        let (world, instants) = world(seed, &calendar);
        // Each instant costs the past anew.
        let some: Vec<FlowEvent> = instants.iter().step_by(4).copied().collect();
        world.assert_followed(seed, &some);
    }
}

#[test]
fn a_window_without_any_past_is_the_whole_too() {
    let calendar = Calendar::shipped();
    let (mut world, instants) = world(0, &calendar);
    let last = world.index_at(instants[instants.len() - 1].available_at);
    let first_day = calendar.all()[last].date;
    for data in [&mut world.ticker, &mut world.spy, &mut world.qqq] {
        data.bars.retain(|bar| bar.ts.exchange_date() >= first_day);
        data.daily.clear();
    }
    let of_last_day: Vec<FlowEvent> = instants
        .iter()
        .filter(|event| event.available_at.exchange_date() >= first_day)
        .copied()
        .collect();
    assert!(!of_last_day.is_empty());
    world.assert_followed(0, &of_last_day);
}
