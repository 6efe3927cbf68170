//! How fast the synthetic market is made: bars, chains and events, without storing them.
//!
//! `cargo bench --bench synthetic -- [TICKERS] [SESSIONS] [EVENTS_PER_DAY]`

use std::time::Instant;

use flowlab::providers::synthetic::{Market, Params, default_tickers};
use flowlab::time::Calendar;
use rayon::prelude::*;

mod arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args = arguments::given();
    let number = |place, usual: usize| arguments::number(&args, place, usual);
    let start = "2025-06-02".parse().expect("a date");
    let mut params = Params::new(1, default_tickers(number(0, 40)), start, number(1, 60));
    params.events_per_day = number(2, 1000) as u32;
    let started = Instant::now();
    let market = Market::new(params, &Calendar::shipped()).expect("the market is sound");
    let events = |ticker: &String| {
        let (mut events, mut notional) = (0u64, 0.0);
        for session in market.ticker(ticker) {
            session.for_each(|event, _| {
                events += 1;
                notional += event.notional;
            });
        }
        assert!(notional > 0.0, "every ticker trades");
        events
    };
    let events: u64 = market.params().tickers.par_iter().map(events).sum();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{events} events in {seconds:.2} s on {} threads: {:.2} M events/s",
        rayon::current_num_threads(),
        events as f64 / seconds / 1e6
    );
}
