//! The synthetic market as a vendor would report it: prints, quotes, bars and chains for the stand-in
//! server to serve.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use flowlab::flow::{CallPut, Contract};
use flowlab::providers::synthetic::{Market, Params, TickerSession, tape};
use flowlab::store::{DailyBar, MinuteBar};
use flowlab::time::{Calendar, exchange_midnight};

use super::standin::world;

/// Trades of a bar, as the synthetic market does not count them everywhere.
const SHARES_PER_TRADE: f64 = 100.0;

/// The world of `tickers` from `start` on, with `events_per_day` events per ticker. Prints, quotes and
/// chains go back as far as `warmup` says, bars further. It stands on the morning after its last session.
pub struct Recipe<'a> {
    pub tickers: &'a [&'a str],
    pub start: NaiveDate,
    pub sessions: usize,
    pub warmup_sessions: usize,
    pub events_per_day: u32,
    pub seed: u64,
}

impl Recipe<'_> {
    pub fn world(&self, calendar: &Calendar) -> world::World {
        let tickers = self.tickers.iter().map(|t| (*t).to_owned()).collect();
        let mut params = Params::new(self.seed, tickers, self.start, self.sessions);
        params.warmup_sessions = self.warmup_sessions;
        params.events_per_day = self.events_per_day;
        let market = Market::new(params, calendar).expect("the recipe is sensible");
        let mut world = world::World::default();
        for ticker in self.tickers {
            let stock = self.stock(&market, calendar, ticker, &mut world);
            world.stocks.insert((*ticker).to_owned(), stock);
        }
        let last = *world
            .sessions
            .keys()
            .next_back()
            .expect("there are sessions");
        let next = calendar.first_index_from(last) + 1;
        // Noon in New York of the next session: flat files are out.
        world.now = calendar.all()[next].day_start().plus_minutes(12 * 60).ns();
        world
    }

    fn stock(
        &self,
        market: &Market,
        calendar: &Calendar,
        ticker: &str,
        world: &mut world::World,
    ) -> world::Stock {
        let mut stock = world::Stock::default();
        let mut sessions = market.ticker(ticker);
        for bar in &sessions.daily {
            stock.daily_bars.insert(bar.date, daily(bar));
        }
        for split in &sessions.splits {
            stock.splits.push(world::Split {
                date: split.ex_date,
                from: 1.0,
                to: split.ratio,
            });
        }
        for session in &mut sessions {
            let date = session.session.date;
            let hours = world::Hours {
                open: session.session.open.ns(),
                close: session.session.close.ns(),
            };
            world.sessions.insert(date, hours);
            let bars = session.bars.iter().map(minute).collect();
            stock.minute_bars.insert(date, bars);
            if let Some(bar) = &session.daily {
                stock.daily_bars.insert(date, daily(bar));
            }
            if session.has_flow {
                self.contracts(&session, calendar, &mut stock.contracts);
            }
        }
        stock
    }

    fn contracts(
        &self,
        session: &TickerSession,
        calendar: &Calendar,
        contracts: &mut BTreeMap<String, world::Contract>,
    ) {
        let date = session.session.date;
        let before = calendar.sessions_before(date, 1);
        let day = tape(session, self.seed);
        for listed in &day.listing {
            let contract = entry(contracts, &listed.symbol, date);
            contract.delisted = date;
            if let Some(open_interest) = listed.open_interest {
                contract.open_interest.insert(before, open_interest);
            }
        }
        for traded in &day.contracts {
            let contract = entry(contracts, &traded.symbol, date);
            let prints = traded.prints.iter().map(|print| world::Print {
                ts: print.ts.ns(),
                price: print.price,
                size: print.size,
                exchange: print.exchange,
                conditions: print.conditions.iter().map(|code| code as u16).collect(),
                correction: print.correction,
            });
            contract.prints.insert(date, prints.collect());
            let quotes = traded.quotes.iter().map(|at| world::Quote {
                ts: at.ts.ns(),
                bid: at.quote.bid,
                ask: at.quote.ask,
                bid_size: 10,
                ask_size: 12,
                bid_exchange: 302,
                ask_exchange: 312,
            });
            contract.quotes.insert(date, quotes.collect());
        }
    }
}

fn entry<'a>(
    contracts: &'a mut BTreeMap<String, world::Contract>,
    symbol: &str,
    date: NaiveDate,
) -> &'a mut world::Contract {
    let parsed = Contract::parse(symbol).expect("the market makes valid symbols");
    contracts
        .entry(format!("O:{symbol}"))
        .or_insert_with(|| world::Contract {
            root: parsed.root,
            call_put: match parsed.call_put {
                CallPut::Call => world::CallPut::Call,
                CallPut::Put => world::CallPut::Put,
            },
            strike: parsed.strike,
            expiration: parsed.expiry,
            shares: 100,
            listed: date,
            delisted: date,
            prints: BTreeMap::new(),
            quotes: BTreeMap::new(),
            open_interest: BTreeMap::new(),
        })
}

fn minute(bar: &MinuteBar) -> world::Bar {
    world::Bar {
        ts: bar.ts.ns(),
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
        vwap: bar.vwap.unwrap_or(bar.close),
        trades: bar.trades.unwrap_or((bar.volume / SHARES_PER_TRADE) as i64),
    }
}

fn daily(bar: &DailyBar) -> world::Bar {
    world::Bar {
        ts: exchange_midnight(bar.date).ns(),
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        volume: bar.volume,
        vwap: bar.close,
        trades: (bar.volume / SHARES_PER_TRADE) as i64,
    }
}
