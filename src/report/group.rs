//! Dimensions: from a trade to the groups it belongs to, and from `kind,regime` to a crossing.
//!
//! Along most dimensions a trade is in one group. Along `tag` it is in one for each of its tags, so
//! the rows of such a table overlap and add up to more than the trades there are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::{RegimeTrend, RegimeVolatility};
use crate::flow::text_enum;
use crate::strategies::Tag;

use super::ReportTrade;

text_enum! {
    /// What trades can be grouped by.
    Dimension {
        Kind = "kind",
        Ticker = "ticker",
        Tag = "tag",
        Direction = "direction",
        Strength = "strength",
        Dte = "dte",
        Hour = "hour",
        Regime = "regime",
        Outcome = "outcome",
    }
}

/// Upper ends of the buckets of days to expiry, both ends in.
const DTE_BUCKETS: [(i32, &str); 6] = [
    (0, "0"),
    (2, "1-2"),
    (7, "3-7"),
    (14, "8-14"),
    (30, "15-30"),
    (60, "31-60"),
];

/// The strongest signal scores 10 and shares the last bucket.
const LAST_STRENGTH_BUCKET: i32 = 9;

/// One value along one dimension. Sorts in the dimension's natural order, then by label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    order: u32,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DimensionError {
    #[error("{got:?} is not a dimension{}, expected {}", did_you_mean(*.nearest), names())]
    Unknown {
        got: String,
        nearest: Option<Dimension>,
    },
    #[error("{0} is crossed with itself")]
    Repeated(Dimension),
}

/// Reads `kind` or a crossing such as `kind,regime`. Fails on a name that is not a dimension, and
/// on one that comes twice.
pub fn parse_crossing(text: &str) -> Result<Vec<Dimension>, DimensionError> {
    let mut crossing = Vec::new();
    for name in text.split(',').map(str::trim) {
        let unknown = || DimensionError::Unknown {
            got: name.to_owned(),
            nearest: Dimension::nearest(name),
        };
        let dimension = Dimension::parse(&name.to_lowercase()).ok_or_else(unknown)?;
        if crossing.contains(&dimension) {
            return Err(DimensionError::Repeated(dimension));
        }
        crossing.push(dimension);
    }
    Ok(crossing)
}

fn names() -> String {
    let names: Vec<&str> = Dimension::ALL.iter().map(|d| d.as_str()).collect();
    format!("{}, or several with commas between", names.join(", "))
}

fn did_you_mean(nearest: Option<Dimension>) -> String {
    nearest.map_or(String::new(), |nearest| {
        format!(" (did you mean {nearest}?)")
    })
}

impl Dimension {
    /// The dimension somebody probably meant; `None` when nothing is near.
    fn nearest(name: &str) -> Option<Dimension> {
        let name = name.to_lowercase();
        let likeness = |d: &Dimension| strsim::jaro_winkler(&name, d.as_str());
        let best = Dimension::ALL
            .iter()
            .copied()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
        (likeness(&best) >= 0.7).then_some(best)
    }

    /// The groups of `trade` along this dimension: exactly one, except for tags.
    pub fn groups(self, trade: &ReportTrade) -> Vec<Group> {
        match self {
            Dimension::Kind => vec![Group::ranked(trade.kind as u32, trade.kind.as_str())],
            Dimension::Ticker => vec![Group::ranked(0, &trade.ticker)],
            Dimension::Tag => tags(trade),
            Dimension::Direction => vec![Group::ranked(
                trade.direction as u32,
                trade.direction.as_str(),
            )],
            Dimension::Strength => vec![strength(trade.strength)],
            Dimension::Dte => vec![dte(trade.dte)],
            Dimension::Hour => vec![Group::ranked(trade.hour, &format!("{:02}", trade.hour))],
            Dimension::Regime => vec![regime(&trade.regime_trend, &trade.regime_volatility)],
            Dimension::Outcome => vec![Group::ranked(trade.outcome as u32, trade.outcome.as_str())],
        }
    }
}

impl Group {
    fn ranked(order: u32, label: &str) -> Group {
        Group {
            order,
            label: label.to_owned(),
        }
    }
}

fn tags(trade: &ReportTrade) -> Vec<Group> {
    // Once per tag, however often a record repeats it.
    let mut groups: Vec<Group> = trade
        .tags
        .iter()
        .map(|tag| Group::ranked(tag_rank(tag), tag))
        .collect();
    groups.sort();
    groups.dedup();
    if groups.is_empty() {
        groups.push(Group::ranked(u32::MAX, "none"));
    }
    groups
}

/// The listing order of tags; one that this version does not know comes after them.
fn tag_rank(tag: &str) -> u32 {
    Tag::parse(tag).map_or(Tag::ALL.len(), |tag| tag as usize) as u32
}

/// Whole points, the lower end in: 7.0 is `7-8`.
fn strength(strength: f64) -> Group {
    let low = (strength.floor() as i32).clamp(0, LAST_STRENGTH_BUCKET);
    Group::ranked(low as u32, &format!("{low}-{}", low + 1))
}

fn dte(dte: i32) -> Group {
    let bucket = DTE_BUCKETS.iter().position(|(last, _)| dte <= *last);
    let label = bucket.map_or(">60", |index| DTE_BUCKETS[index].1);
    Group::ranked(bucket.unwrap_or(DTE_BUCKETS.len()) as u32, label)
}

fn regime(trend: &str, volatility: &str) -> Group {
    let trend_rank = RegimeTrend::parse(trend).map_or(RegimeTrend::ALL.len(), |t| t as usize);
    let volatility_rank =
        RegimeVolatility::parse(volatility).map_or(RegimeVolatility::ALL.len(), |v| v as usize);
    let order = trend_rank * (RegimeVolatility::ALL.len() + 1) + volatility_rank;
    Group::ranked(order as u32, &format!("{trend}/{volatility}"))
}

/// The trades of every group of a crossing, groups in order, trades in the order given.
pub fn grouped<'a>(
    trades: &[&'a ReportTrade],
    crossing: &[Dimension],
) -> BTreeMap<Vec<Group>, Vec<&'a ReportTrade>> {
    let mut groups: BTreeMap<Vec<Group>, Vec<&ReportTrade>> = BTreeMap::new();
    for trade in trades {
        for key in keys(trade, crossing) {
            groups.entry(key).or_default().push(trade);
        }
    }
    groups
}

/// Every combination of the trade's groups along the dimensions of `crossing`.
fn keys(trade: &ReportTrade, crossing: &[Dimension]) -> Vec<Vec<Group>> {
    crossing.iter().fold(vec![Vec::new()], |keys, dimension| {
        let groups = dimension.groups(trade);
        let extend = |key: Vec<Group>| {
            groups
                .iter()
                .map(move |group| [key.as_slice(), std::slice::from_ref(group)].concat())
        };
        keys.into_iter().flat_map(extend).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strength_bucket_holds_its_lower_end_and_ten_shares_the_last() {
        let labels = [5.9, 6.0, 6.99, 7.0, 9.0, 10.0].map(|value| strength(value).label);
        assert_eq!(labels, ["5-6", "6-7", "6-7", "7-8", "9-10", "9-10"]);
    }

    #[test]
    fn days_to_expiry_fall_into_their_buckets_both_ends_in() {
        let labels = [0, 1, 2, 3, 7, 8, 14, 15, 30, 31, 60, 61].map(|days| dte(days).label);
        assert_eq!(
            labels,
            [
                "0", "1-2", "1-2", "3-7", "3-7", "8-14", "8-14", "15-30", "15-30", "31-60",
                "31-60", ">60"
            ]
        );
        assert!(dte(9) > dte(3), "by number, not by letter");
    }

    #[test]
    fn regimes_sort_by_trend_then_volatility_and_unknown_ones_last() {
        let mut regimes = [
            ("UNKNOWN", "LOW"),
            ("UP", "UNKNOWN"),
            ("DOWN", "LOW"),
            ("UP", "LOW"),
            ("odd", "odd"),
            ("UP", "HIGH"),
        ]
        .map(|(trend, volatility)| regime(trend, volatility));
        regimes.sort();
        let labels = regimes.map(|group| group.label);
        assert_eq!(
            labels,
            [
                "UP/LOW",
                "UP/HIGH",
                "UP/UNKNOWN",
                "DOWN/LOW",
                "UNKNOWN/LOW",
                "odd/odd"
            ]
        );
    }

    #[test]
    fn a_new_tag_sorts_behind_the_known_ones() {
        assert!(tag_rank("PERSISTENT_BUYER") < tag_rank("A_NEW_TAG"));
        assert!(tag_rank("SIZE") < tag_rank("SWEEP"));
    }

    #[test]
    fn a_crossing_is_read_in_the_order_typed_whatever_its_case() {
        assert_eq!(
            parse_crossing("Regime, kind"),
            Ok(vec![Dimension::Regime, Dimension::Kind])
        );
    }
}
