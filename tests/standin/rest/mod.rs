//! The REST API: from a request to JSON, by way of the key, the rate limit and the route.

/// Bars of one ticker, and of all on one day.
mod bars;
/// What is known of chains beside trades.
mod chain;
/// Pages, cursors, and the envelope around rows.
mod page;
/// Parameters and filters.
mod query;
/// Contracts, splits, conditions, market hours.
mod reference;
/// Errors as the vendor words them.
mod refused;
/// Trades and quotes.
mod ticks;

use std::time::Instant;

use chrono::NaiveDate;

use super::Family;
use super::faults::{Kind, Refusal};
use super::http::{Request, Response};
use super::new_york;
use super::server::Shared;
use super::world::World;
use page::Answer;
use query::Params;
use refused::Refused;

pub(super) use refused::error;

/// A request that was let in.
struct Call<'a> {
    world: &'a World,
    shared: &'a Shared,
    request: &'a Request,
    params: Params,
    kinds: &'a [Kind],
    now: i64,
    /// The date of `now` in New York.
    today: NaiveDate,
}

pub(super) fn respond(shared: &Shared, request: &Request, kinds: &[Kind]) -> Response {
    match answer(shared, request, kinds) {
        Ok(response) => response,
        Err(refused) => refused.response(),
    }
}

fn answer(shared: &Shared, request: &Request, kinds: &[Kind]) -> Result<Response, Refused> {
    check_key(shared, request, kinds)?;
    for kind in kinds {
        if let Kind::NotEntitled(refusal) = kind {
            return Err(Refused::entitlement(*refusal));
        }
    }
    check_rate(shared)?;
    let behind = |kind: &Kind| match kind {
        Kind::Behind(time) => i64::try_from(time.as_nanos()).expect("less than three centuries"),
        _ => 0,
    };
    let now = shared.now() - kinds.iter().map(behind).sum::<i64>();
    let call = Call {
        world: &shared.world,
        shared,
        request,
        params: Params::of(request)?,
        kinds,
        now,
        today: new_york::date(now),
    };
    Ok(call.wrap(call.route()?))
}

fn check_key(shared: &Shared, request: &Request, kinds: &[Kind]) -> Result<(), Refused> {
    let bearer = request.header("authorization").strip_prefix("Bearer ");
    let key = bearer.or(request.param("apiKey"));
    match key {
        None => Err(Refused::error(401, "API Key was not provided")),
        Some(key) if key != shared.options.api_key || kinds.contains(&Kind::WrongKey) => {
            Err(Refused::error(401, "Unknown API Key"))
        }
        Some(_) => Ok(()),
    }
}

fn check_rate(shared: &Shared) -> Result<(), Refused> {
    let Some((limit, window)) = shared.options.rate_limit else {
        return Ok(());
    };
    let mut admitted = shared
        .admitted
        .lock()
        .expect("nobody panics while it is held");
    let now = Instant::now();
    while admitted
        .front()
        .is_some_and(|then| now.duration_since(*then) >= window)
    {
        admitted.pop_front();
    }
    if admitted.len() >= limit {
        return Err(Refused::status(429));
    }
    admitted.push_back(now);
    Ok(())
}

impl<'a> Call<'a> {
    fn route(&self) -> Result<Answer, Refused> {
        if self.request.method != "GET" {
            return Err(Refused::no_route());
        }
        let path: Vec<&str> = self.request.path.split('/').skip(1).collect();
        match path.as_slice() {
            [
                "v2",
                "aggs",
                "ticker",
                ticker,
                "range",
                count,
                span,
                from,
                to,
            ] => self.bars(ticker, (count, span), (from, to)),
            [
                "v2",
                "aggs",
                "grouped",
                "locale",
                "us",
                "market",
                "stocks",
                date,
            ] => self.grouped_day(date),
            ["v3", "trades", symbol] => self.trades(symbol),
            ["v3", "quotes", symbol] => self.quotes(symbol),
            ["v3", "reference", "options", "contracts"] => self.contracts(),
            ["v3", "reference", "options", "contracts", symbol] => self.contract(symbol),
            ["v3", "reference", "conditions"] => self.conditions(),
            ["v3", "reference", "splits"] => self.splits_of_old(),
            ["stocks", "v1", "splits"] => self.splits(),
            ["v3", "snapshot", "options", ticker] => self.chain_snapshot(ticker),
            ["v3", "snapshot", "options", ticker, symbol] => self.contract_snapshot(ticker, symbol),
            ["options", "v1", "unusual-trades"] => self.unusual_trades(),
            ["options", "v1", "open-interest"] => self.open_interest(),
            ["v1", "marketstatus", "now"] => Ok(self.market_now()),
            ["v1", "marketstatus", "upcoming"] => Ok(self.market_upcoming()),
            _ => Err(Refused::no_route()),
        }
    }

    fn check_plan(&self, family: Family) -> Result<(), Refused> {
        match self.shared.options.not_entitled.contains(&family) {
            true => Err(Refused::entitlement(Refusal::Plan)),
            false => Ok(()),
        }
    }

    /// Refuses what asks for data from before the plan's history, as far back as `first`.
    fn check_history(&self, first: NaiveDate) -> Result<(), Refused> {
        match self.shared.options.history_start {
            Some(start) if first < start => Err(Refused::entitlement(Refusal::Timeframe)),
            _ => Ok(()),
        }
    }
}
