//! Columns: from the header line to the place of each field that is read.

use std::collections::BTreeSet;

use super::error::UwError;

/// The fields that are read, by the name of their column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    ExecutedAt,
    Chain,
    Underlying,
    Expiry,
    OptionType,
    Strike,
    Price,
    Size,
    Side,
    Tags,
    Bid,
    Ask,
    Volume,
    OpenInterest,
    Iv,
    Delta,
    UnderlyingPrice,
    Exchange,
    Flags,
    Detail,
    Canceled,
}

impl Field {
    /// Name of the column, and the reason under which its bad rows are counted.
    pub const NAMES: [(&'static str, &'static str); 21] = [
        ("executed_at", "bad_executed_at"),
        ("option_chain_id", "bad_option_chain_id"),
        ("underlying_symbol", "bad_underlying_symbol"),
        ("expiry", "bad_expiry"),
        ("option_type", "bad_option_type"),
        ("strike", "bad_strike"),
        ("price", "bad_price"),
        ("size", "bad_size"),
        ("side", "bad_side"),
        ("tags", "bad_tags"),
        ("nbbo_bid", "bad_nbbo_bid"),
        ("nbbo_ask", "bad_nbbo_ask"),
        ("volume", "bad_volume"),
        ("open_interest", "bad_open_interest"),
        ("implied_volatility", "bad_implied_volatility"),
        ("delta", "bad_delta"),
        ("underlying_price", "bad_underlying_price"),
        ("exchange", "bad_exchange"),
        ("report_flags", "bad_report_flags"),
        ("upstream_condition_detail", "bad_upstream_condition_detail"),
        ("canceled", "bad_canceled"),
    ];
    pub const COUNT: usize = Field::NAMES.len();

    pub const fn name(self) -> &'static str {
        Field::NAMES[self as usize].0
    }

    pub const fn reason(self) -> &'static str {
        Field::NAMES[self as usize].1
    }
}

/// Columns that such files have and nothing here asks for.
const NOT_READ: [&str; 22] = [
    "id",
    "ewma_nbbo_bid",
    "ewma_nbbo_ask",
    "premium",
    "theta",
    "gamma",
    "vega",
    "rho",
    "theo",
    "sector",
    "equity_type",
    "full_name",
    "marketcap",
    "industry_type",
    "next_earnings_date",
    "er_time",
    "flow_alert_id",
    "rule_id",
    "ask_vol",
    "bid_vol",
    "mid_vol",
    "no_side_vol",
];

/// Place of a column that is not read.
pub(super) const SKIPPED: u8 = Field::COUNT as u8;

/// Which field stands in which column of a file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// Per column the number of its field, or [`SKIPPED`].
    pub fields: Vec<u8>,
    pub unknown: BTreeSet<String>,
}

impl Columns {
    /// Reads a header line. Names are compared without case and surrounding spaces.
    pub fn of(file: &str, line: &[u8]) -> Result<Columns, UwError> {
        let line = String::from_utf8_lossy(line);
        // Spreadsheets begin a UTF-8 file with a mark.
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            let file = file.to_owned();
            return Err(UwError::Empty { file });
        }
        let mut columns = Columns {
            fields: Vec::new(),
            unknown: BTreeSet::new(),
        };
        let mut seen = BTreeSet::new();
        for name in line.split(',') {
            let name = name.trim().trim_matches('"').trim().to_ascii_lowercase();
            let field = Field::NAMES.iter().position(|(known, _)| *known == name);
            if field.is_none() && !NOT_READ.contains(&name.as_str()) {
                columns.unknown.insert(name.clone());
            }
            columns
                .fields
                .push(field.map_or(SKIPPED, |field| field as u8));
            if field.is_some() && !seen.insert(name.clone()) {
                return Err(UwError::ColumnTwice {
                    file: file.to_owned(),
                    column: name,
                });
            }
        }
        let missing = columns.missing();
        if missing.is_empty() {
            return Ok(columns);
        }
        Err(UwError::MissingColumns {
            file: file.to_owned(),
            missing,
            present: line.split(',').map(|name| name.trim().to_owned()).collect(),
        })
    }

    fn has(&self, field: Field) -> bool {
        self.fields.contains(&(field as u8))
    }

    fn missing(&self) -> Vec<&'static str> {
        let needed = [Field::ExecutedAt, Field::Price, Field::Size];
        let mut missing: Vec<Field> = needed.into_iter().filter(|f| !self.has(*f)).collect();
        let parts = [
            Field::Underlying,
            Field::Expiry,
            Field::OptionType,
            Field::Strike,
        ];
        if !self.has(Field::Chain) && !parts.iter().all(|part| self.has(*part)) {
            missing.push(Field::Chain);
        }
        missing.into_iter().map(Field::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_columns_is_free_and_strangers_are_named() {
        let columns = Columns::of(
            "x",
            b"\xef\xbb\xbfprice, Size,mood,\"executed_at\",premium,option_chain_id\r",
        )
        .unwrap();
        let fields = [Field::Price, Field::Size, Field::ExecutedAt, Field::Chain];
        let [price, size, executed_at, chain] = fields.map(|field| field as u8);
        assert_eq!(
            columns.fields,
            [price, size, SKIPPED, executed_at, SKIPPED, chain]
        );
        assert_eq!(columns.unknown, BTreeSet::from(["mood".to_owned()]));
    }

    #[test]
    fn a_contract_may_be_named_by_its_parts() {
        let line = b"executed_at,price,size,underlying_symbol,expiry,option_type,strike";
        assert!(Columns::of("x", line).is_ok());
        let error = Columns::of("x.csv", b"executed_at,size,underlying_symbol,expiry").unwrap_err();
        assert_eq!(error.to_string(), "x.csv: no column price, option_chain_id");
        assert_eq!(
            error.hint().unwrap(),
            "the first line must name the columns; it says executed_at, size, underlying_symbol, expiry"
        );
    }

    #[test]
    fn a_column_that_is_there_twice_is_refused() {
        let line = b"executed_at,price,size,option_chain_id,price";
        let error = Columns::of("x.csv", line).unwrap_err();
        assert_eq!(error.to_string(), "x.csv: column price is there twice");
        assert!(matches!(
            Columns::of("x.csv", b""),
            Err(UwError::Empty { .. })
        ));
    }
}
