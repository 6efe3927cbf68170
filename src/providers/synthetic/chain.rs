//! Option chains: which contracts a ticker lists on a day, and how many of each are open.
//!
//! A chain lives from session to session: what expired leaves, new expiries and strikes join with
//! no open interest, and each close moves the rest by what was traded. A split turns every contract
//! into one with a divided strike, and a new symbol.

use std::sync::Arc;

use chrono::NaiveDate;
use rand::RngExt;
use rand_distr::Exp1;

use super::ListedContract;
use super::params::Listing;
use super::pricing::smile;
use super::random::{Stream, chance, normal};
use super::sessions::{ExpiryDay, LISTED_DAYS};
use crate::flow::{CallPut, Contract, YEAR_SECONDS};
use crate::time::{SECOND_NS, Ts};

/// Expiries are found by calendar days ahead, from 0 to here.
const HORIZON: usize = LISTED_DAYS as usize + 1;
/// Share of contracts whose open interest nobody publishes.
const UNKNOWN_INTEREST: f64 = 0.03;

#[derive(Clone, Debug)]
struct Leg {
    symbol: Arc<str>,
    open_interest: i64,
    is_published: bool,
}

#[derive(Clone, Debug)]
struct Rung {
    strike: f64,
    call: Leg,
    put: Leg,
}

/// One expiry date and its strikes, ascending.
#[derive(Clone, Debug)]
struct Expiry {
    date: NaiveDate,
    close: Ts,
    rungs: Vec<Rung>,
    /// Position of its first contract in the day's listing.
    offset: usize,
}

/// Where a chain stands when a session opens.
pub(super) struct Quotes<'a> {
    pub date: NaiveDate,
    pub open: Ts,
    pub spot: f64,
    pub annual_vol: f64,
    pub expiry_days: &'a [ExpiryDay],
}

#[derive(Clone, Debug)]
pub(super) struct Chain {
    root: String,
    listing: Listing,
    /// Open contracts of the strike at the price when the chain first appears.
    depth: f64,
    expiries: Vec<Expiry>,
    /// For each number of days ahead, the expiry nearest to it.
    by_dte: Vec<u8>,
}

/// A contract of the day's listing, with what is needed to price it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    pub index: usize,
    pub strike: f64,
    pub dte: i64,
    pub years: f64,
}

impl Chain {
    pub(super) fn new(root: &str, listing: Listing, daily_volume: f64) -> Chain {
        let depth = (daily_volume / 2e3).clamp(200.0, 2e4);
        Chain {
            root: root.to_owned(),
            listing,
            depth,
            expiries: Vec::new(),
            by_dte: Vec::new(),
        }
    }

    /// Lists what is listed today. The first time, contracts come with a history of open interest.
    pub(super) fn open_session(&mut self, quotes: &Quotes, rng: &mut Stream) {
        let is_first = self.expiries.is_empty();
        self.expiries.retain(|expiry| expiry.date >= quotes.date);
        let from = quotes
            .expiry_days
            .partition_point(|day| day.date < quotes.date);
        let listing = self.listing;
        let listed = quotes.expiry_days[from..]
            .iter()
            .filter(|day| day.is_listed(quotes.date, listing));
        for (position, day) in listed.enumerate() {
            if self
                .expiries
                .get(position)
                .is_none_or(|expiry| expiry.date != day.date)
            {
                let expiry = Expiry {
                    date: day.date,
                    close: day.close,
                    rungs: Vec::new(),
                    offset: 0,
                };
                self.expiries.insert(position, expiry);
            }
            let depth = if is_first { self.depth } else { 0.0 };
            self.list_strikes(position, quotes, depth, rng);
        }
        self.index(quotes.date);
    }

    fn list_strikes(&mut self, position: usize, quotes: &Quotes, depth: f64, rng: &mut Stream) {
        let expiry = &mut self.expiries[position];
        let years = years_between(quotes.open, expiry.close);
        let deviation = quotes.annual_vol * years.sqrt();
        for strike in strikes_around(quotes.spot, deviation, self.listing) {
            let Err(at) = expiry
                .rungs
                .binary_search_by(|rung| rung.strike.total_cmp(&strike))
            else {
                continue;
            };
            let distance = (strike / quotes.spot).ln() / deviation.max(0.02);
            let mut leg = |call_put| Leg {
                symbol: symbol(&self.root, expiry.date, call_put, strike),
                open_interest: first_interest(depth, distance, rng),
                is_published: !chance(rng, UNKNOWN_INTEREST),
            };
            let (call, put) = (leg(CallPut::Call), leg(CallPut::Put));
            expiry.rungs.insert(at, Rung { strike, call, put });
        }
    }

    fn index(&mut self, today: NaiveDate) {
        let mut offset = 0;
        for expiry in &mut self.expiries {
            expiry.offset = offset;
            offset += 2 * expiry.rungs.len();
        }
        let dates: Vec<i64> = self
            .expiries
            .iter()
            .map(|e| (e.date - today).num_days())
            .collect();
        let nearest = |dte: usize| {
            let distance = |i: &u8| (dates[usize::from(*i)] - dte as i64).abs();
            (0..dates.len() as u8).min_by_key(distance).unwrap_or(0)
        };
        self.by_dte = (0..=HORIZON).map(nearest).collect();
    }

    /// The day's contracts: by expiry, by strike, the call before the put.
    pub(super) fn listing(&self) -> Vec<ListedContract> {
        let of_rung = |expiry: &Expiry, rung: &Rung, call_put| {
            let leg = if call_put == CallPut::Call {
                &rung.call
            } else {
                &rung.put
            };
            ListedContract {
                symbol: leg.symbol.clone(),
                call_put,
                strike: rung.strike,
                expiry: expiry.date,
                open_interest: leg.is_published.then_some(leg.open_interest),
            }
        };
        let rungs = self
            .expiries
            .iter()
            .flat_map(|e| e.rungs.iter().map(move |r| (e, r)));
        rungs
            .flat_map(|(e, r)| [of_rung(e, r, CallPut::Call), of_rung(e, r, CallPut::Put)])
            .collect()
    }

    /// Picks the contract about `dte` days out whose strike is `deviations` standard deviations from
    /// `spot`, counted out of the money.
    pub(super) fn pick(&self, aim: &Aim) -> Pick {
        let expiry = &self.expiries[usize::from(self.by_dte[aim.dte.min(HORIZON)])];
        let years = years_between(aim.ts, expiry.close);
        let outward = if aim.call_put == CallPut::Call {
            aim.deviations
        } else {
            -aim.deviations
        };
        let target = aim.spot * (1.0 + outward * aim.annual_vol * years.sqrt()).max(0.2);
        let above = expiry.rungs.partition_point(|rung| rung.strike < target);
        let below = above.saturating_sub(1);
        let above = above.min(expiry.rungs.len() - 1);
        let closer = |i: usize| (expiry.rungs[i].strike - target).abs();
        let rung = if closer(below) <= closer(above) {
            below
        } else {
            above
        };
        let index = expiry.offset + 2 * rung + usize::from(aim.call_put == CallPut::Put);
        Pick {
            index,
            strike: expiry.rungs[rung].strike,
            dte: (expiry.date - aim.date).num_days(),
            years,
        }
    }

    /// Days to the last expiry at most `wanted` days ahead, or to the first one where all are later.
    pub(super) fn dte_within(&self, wanted: i64, today: NaiveDate) -> i64 {
        let mut dtes = self
            .expiries
            .iter()
            .map(|expiry| (expiry.date - today).num_days());
        let first = dtes.next().unwrap_or(wanted);
        dtes.take_while(|dte| *dte <= wanted)
            .last()
            .unwrap_or(first)
    }

    /// Ends the session: part of each contract's `volumes` (in listing order) opened or closed
    /// positions, and some trading that nobody reported did too.
    pub(super) fn close_session(&mut self, volumes: &[i64], rng: &mut Stream) {
        let rungs = self.expiries.iter_mut().flat_map(|e| &mut e.rungs);
        let legs = rungs.flat_map(|rung| [&mut rung.call, &mut rung.put]);
        for (leg, volume) in legs.zip(volumes) {
            let opened = *volume as f64 * (0.75 * rng.random::<f64>() - 0.2);
            let unseen = 0.004 * self.depth * rng.sample::<f64, _>(Exp1);
            leg.open_interest = (leg.open_interest + (opened + unseen) as i64).max(0);
        }
    }

    /// Divides every strike by `ratio` and multiplies the open contracts by it.
    pub(super) fn split(&mut self, ratio: f64) {
        for expiry in &mut self.expiries {
            for rung in &mut expiry.rungs {
                // Strikes are told apart by thousandths of a dollar.
                rung.strike = (rung.strike / ratio * 1000.0).round() / 1000.0;
                for (leg, call_put) in [
                    (&mut rung.call, CallPut::Call),
                    (&mut rung.put, CallPut::Put),
                ] {
                    leg.symbol = symbol(&self.root, expiry.date, call_put, rung.strike);
                    leg.open_interest = (leg.open_interest as f64 * ratio) as i64;
                }
            }
        }
    }
}

/// What an event is looking for in a chain.
pub(super) struct Aim {
    pub date: NaiveDate,
    pub ts: Ts,
    pub spot: f64,
    pub annual_vol: f64,
    pub call_put: CallPut,
    pub dte: usize,
    pub deviations: f64,
}

/// Time left, in years, and never less than ten minutes: a price needs some.
fn years_between(ts: Ts, close: Ts) -> f64 {
    (close.ns_since(ts) as f64 / SECOND_NS as f64).max(600.0) / YEAR_SECONDS
}

fn symbol(root: &str, expiry: NaiveDate, call_put: CallPut, strike: f64) -> Arc<str> {
    Contract {
        root: root.to_owned(),
        expiry,
        call_put,
        strike,
    }
    .symbol()
    .into()
}

fn first_interest(depth: f64, distance: f64, rng: &mut Stream) -> i64 {
    let noise = (0.9 * normal(rng)).exp();
    (depth * noise * (-0.35 * distance * distance).exp()) as i64
}

/// A fine grid around the price, and a coarse one out to where options are worth nearly nothing.
fn strikes_around(spot: f64, deviation: f64, listing: Listing) -> Vec<f64> {
    let (fine, coarse) = match spot {
        s if s < 25.0 => (0.5, 2.5),
        s if s < 100.0 => (1.0, 5.0),
        // A dollar apart while expiry is near; farther out that would be thousands of contracts.
        s if listing == Listing::Daily && s < 2000.0 && deviation < 0.04 => (1.0, 10.0),
        s if s < 250.0 => (2.5, 10.0),
        s if s < 1000.0 => (5.0, 25.0),
        _ => (25.0, 100.0),
    };
    let near = listing.strikes_each_side();
    let middle = (spot / fine).round() as i64;
    let mut strikes: Vec<f64> = (middle - near..=middle + near)
        .map(|i| i as f64 * fine)
        .collect();
    let reach = spot * (3.0 * deviation).min(0.7);
    let first = ((spot - reach) / coarse).floor() as i64;
    let last = ((spot + reach) / coarse).ceil() as i64;
    strikes.extend((first..=last).map(|i| i as f64 * coarse));
    strikes.retain(|strike| *strike > 0.0);
    strikes
}

/// The volatility at which `pick` is quoted.
pub(super) fn implied_vol(annual_vol: f64, spot: f64, pick: &Pick) -> f64 {
    smile(annual_vol, spot, pick.strike, pick.years)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::synthetic::params::Params;
    use crate::providers::synthetic::random::character;
    use crate::providers::synthetic::sessions::{days, expiry_days};
    use crate::time::Calendar;

    fn chain_on(date: &str, listing: Listing) -> Chain {
        let calendar = Calendar::shipped();
        let date: NaiveDate = date.parse().unwrap();
        let days = days(&Params::new(1, vec!["X".into()], date, 1), &calendar).unwrap();
        let expiry_days = expiry_days(&days, &calendar);
        let open = calendar.session_on(date).unwrap().open;
        let quotes = Quotes {
            date,
            open,
            spot: 201.3,
            annual_vol: 0.4,
            expiry_days: &expiry_days,
        };
        let mut chain = Chain::new("X", listing, 1e7);
        chain.open_session(&quotes, &mut character("chain"));
        chain
    }

    #[test]
    fn a_friday_holiday_hands_its_expiry_to_thursday() {
        // 2025-04-18 was Good Friday, the third Friday of its month.
        let chain = chain_on("2025-04-14", Listing::Weekly);
        let dates: Vec<String> = chain.expiries.iter().map(|e| e.date.to_string()).collect();
        assert_eq!(dates[..3], ["2025-04-17", "2025-04-25", "2025-05-02"]);
        assert!(
            dates.contains(&"2025-06-20".to_owned()),
            "the June monthly: {dates:?}"
        );
    }

    #[test]
    fn daily_listings_expire_today_tomorrow_and_the_day_after() {
        let chain = chain_on("2025-03-11", Listing::Daily);
        let today: NaiveDate = "2025-03-11".parse().unwrap();
        let dte: Vec<i64> = chain
            .expiries
            .iter()
            .map(|e| (e.date - today).num_days())
            .collect();
        assert_eq!(dte[..4], [0, 1, 2, 3]);
    }

    #[test]
    fn a_split_divides_strikes_and_multiplies_open_interest() {
        let mut chain = chain_on("2025-03-11", Listing::Weekly);
        let before = chain.listing();
        chain.split(4.0);
        for (old, new) in before.iter().zip(chain.listing()) {
            assert!((new.strike * 4.0 - old.strike).abs() < 0.003);
            assert_eq!(new.open_interest, old.open_interest.map(|oi| 4 * oi));
            assert_eq!(Contract::parse(&new.symbol).unwrap().strike, new.strike);
        }
    }

    #[test]
    fn symbols_of_a_listing_are_unique_and_say_what_the_contract_is() {
        let listing = chain_on("2025-03-11", Listing::Daily).listing();
        let symbols: std::collections::BTreeSet<_> =
            listing.iter().map(|c| c.symbol.clone()).collect();
        assert_eq!(symbols.len(), listing.len());
        for contract in &listing {
            let parsed = Contract::parse(&contract.symbol).unwrap();
            assert_eq!(
                (parsed.strike, parsed.expiry, parsed.call_put),
                (contract.strike, contract.expiry, contract.call_put)
            );
        }
    }
}
