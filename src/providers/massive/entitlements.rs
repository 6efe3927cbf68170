//! Entitlements: one small call per endpoint, to say beforehand what the plan includes.

use chrono::{Days, NaiveDate};
use serde::de::IgnoredAny;
use url::Url;

use super::wire::Envelope;
use super::{Massive, MassiveError};
use crate::time::exchange_midnight;

/// Whether the plan includes an endpoint, for the day asked about.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    Entitled,
    /// What the vendor says.
    NotEntitled(String),
    /// The call failed for another reason.
    Unknown(String),
}

/// One field per endpoint that `fetch` may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Entitlements {
    pub bars: Access,
    pub grouped: Access,
    pub contracts: Access,
    pub trades: Access,
    pub quotes: Access,
    pub snapshot: Access,
    pub open_interest: Access,
    pub unusual_trades: Access,
}

impl Massive {
    /// Asks every endpoint about `ticker` on `date`. Fails only when nothing can be learned: the key
    /// is wrong, or the caller wants to stop.
    pub fn entitlements(
        &self,
        ticker: &str,
        date: NaiveDate,
    ) -> Result<Entitlements, MassiveError> {
        let day = date.to_string();
        let from = exchange_midnight(date);
        let to = exchange_midnight(date + Days::new(1));
        let ns = [from.ns().to_string(), to.ns().to_string()];
        let ms = [from, to.plus_ns(-1)].map(|ts| (ts.ns() / 1_000_000).to_string());
        let url = |segments: &[&str], query: &[(&str, &str)]| {
            self.client.base().endpoint(segments, query)
        };
        let contracts = url(
            &["v3", "reference", "options", "contracts"],
            &[
                ("underlying_ticker", ticker),
                ("as_of", &day),
                ("limit", "1"),
            ],
        );
        // Whether this contract exists does not matter: the plan is checked first.
        let root = ticker.replace('.', "");
        let contract = format!("O:{root}{}C00100000", date.format("%y%m%d"));
        let stamps = [
            ("timestamp.gte", ns[0].as_str()),
            ("timestamp.lt", &ns[1]),
            ("limit", "1"),
        ];
        let first = format!("O:{root}");
        Ok(Entitlements {
            bars: self.access(url(
                &[
                    "v2", "aggs", "ticker", ticker, "range", "1", "day", &ms[0], &ms[1],
                ],
                &[("adjusted", "false"), ("limit", "1")],
            ))?,
            grouped: self.access(url(
                &[
                    "v2", "aggs", "grouped", "locale", "us", "market", "stocks", &day,
                ],
                &[("adjusted", "false")],
            ))?,
            contracts: self.access(contracts)?,
            trades: self.access(url(&["v3", "trades", &contract], &stamps))?,
            quotes: self.access(url(&["v3", "quotes", &contract], &stamps))?,
            snapshot: self.access(url(
                &["v3", "snapshot", "options", ticker],
                &[("limit", "1")],
            ))?,
            open_interest: self.access(url(
                &["options", "v1", "open-interest"],
                &[("root", &root), ("date", &day), ("limit", "1")],
            ))?,
            unusual_trades: self.access(url(
                &["options", "v1", "unusual-trades"],
                &[
                    ("ticker.gte", first.as_str()),
                    ("ticker.lt", &format!("{first}:")),
                    ("sip_timestamp.gte", &ns[0]),
                    ("sip_timestamp.lt", &ns[1]),
                    ("limit", "1"),
                ],
            ))?,
        })
    }

    fn access(&self, url: Url) -> Result<Access, MassiveError> {
        match self.client.get::<Envelope<IgnoredAny>>(&url) {
            Ok(answer) if answer.status.text() == Some("NOT_AUTHORIZED") => {
                let said = answer.message.text().unwrap_or_default();
                Ok(Access::NotEntitled(self.client.clean(said)))
            }
            Ok(_) => Ok(Access::Entitled),
            Err(error @ (MassiveError::WrongKey { .. } | MassiveError::Stopped)) => Err(error),
            Err(MassiveError::NotEntitled { message, .. }) => Ok(Access::NotEntitled(message)),
            // Today is not over: that is said to those who may ask.
            Err(MassiveError::TooEarly { .. }) => Ok(Access::Entitled),
            Err(other) => Ok(Access::Unknown(other.to_string())),
        }
    }
}
