//! Values: the numbers and names a config may hold, each refusing what cannot be meant.
//!
//! The check happens while the file is read, because only then is it known where the value stands.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The largest whole number: one that every integer type of the config can hold.
const MAX_WHOLE: f64 = i32::MAX as f64;

/// Reads any number that `accepts` likes.
struct Bounded {
    expected: &'static str,
    accepts: fn(f64) -> bool,
}

impl Bounded {
    fn check<E: Error>(&self, value: f64, as_typed: Unexpected) -> Result<f64, E> {
        if value.is_finite() && (self.accepts)(value) {
            Ok(value)
        } else {
            Err(E::invalid_value(as_typed, self))
        }
    }
}

impl Visitor<'_> for Bounded {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        self.check(value as f64, Unexpected::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        self.check(value as f64, Unexpected::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        self.check(value, Unexpected::Float(value))
    }
}

fn is_whole(value: f64) -> bool {
    value.fract() == 0.0 && value <= MAX_WHOLE
}

/// 2 and 2.0 are the same setting, so they are written, and hashed, the same way.
fn write_number<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        serializer.serialize_i64(value as i64)
    } else {
        serializer.serialize_f64(value)
    }
}

macro_rules! numbers {
    ($($name:ident: $expected:literal, $accepts:expr, $schema:tt;)+) => {$(
        #[doc = concat!("Holds ", $expected, ".")]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name(f64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let bounded = Bounded { expected: $expected, accepts: $accepts };
                deserializer.deserialize_any(bounded).map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                write_number(self.0, serializer)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

numbers! {
    NonNegative: "a number of at least 0", |v| v >= 0.0, { "type": "number", "minimum": 0 };
    Positive: "a number above 0", |v| v > 0.0, { "type": "number", "exclusiveMinimum": 0 };
    Strength: "a number from 0 to 10", |v| (0.0..=10.0).contains(&v), { "type": "number", "minimum": 0, "maximum": 10 };
    // From 10 000 on an exit would cost all it brings.
    BasisPoints: "a number from 0 to below 10000", |v| (0.0..10_000.0).contains(&v),
        { "type": "number", "minimum": 0, "exclusiveMaximum": 10000 };
    Percent: "a percentage from -10 to 100", |v| (-10.0..=100.0).contains(&v), { "type": "number", "minimum": -10, "maximum": 100 };
    Whole: "a whole number of at least 0", |v| v >= 0.0 && is_whole(v), { "type": "integer", "minimum": 0 };
    Threads: "a whole number from 1 to 256", |v| (1.0..=256.0).contains(&v) && is_whole(v), { "type": "integer", "minimum": 1, "maximum": 256 };
    Count: "a whole number of at least 1", |v| v >= 1.0 && is_whole(v), { "type": "integer", "minimum": 1 };
}

/// Reads any text that `accepts` likes. It is asked for as text, so that a ticker TRUE or an
/// experiment 1.0 stays what was typed.
struct Name {
    expected: &'static str,
    shown: for<'a> fn(&'a str) -> Unexpected<'a>,
    accepts: fn(&str) -> bool,
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if (self.accepts)(text) {
            Ok(text.to_owned())
        } else {
            Err(E::invalid_value((self.shown)(text), &self))
        }
    }
}

macro_rules! names {
    ($($name:ident: $expected:literal, $shown:expr, $accepts:expr, $pattern:literal;)+) => {$(
        #[doc = concat!("Holds ", $expected, ".")]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name(String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = Name { expected: $expected, shown: $shown, accepts: $accepts };
                deserializer.deserialize_str(name).map($name)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )+};
}

names! {
    ExperimentId: "a name fit for a folder: letters, digits, `.`, `-`, `_`, a letter or digit first",
        |text| Unexpected::Str(text), is_folder_name, "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$";
    Ticker: "a ticker in capitals, such as TSLA or BRK.B",
        |text| Unexpected::Str(text), is_ticker, "^[A-Z0-9][A-Z0-9./-]{0,14}$";
    HttpUrl: "an address such as https://api.massive.com: http or https, a host, a port if need be, no path",
        |_| Unexpected::Other("another text"), is_origin, r"^https?://[A-Za-z0-9.\[\]:-]+/?$";
    SocketUrl: "a websocket's address such as wss://socket.massive.com/options, without a query",
        |_| Unexpected::Other("another text"), is_socket, r"^wss?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9/_-]*)?$";
    ChannelName: "a channel's name that begins with telegram_, discord_, slack_ or webhook_",
        |text| Unexpected::Str(text), is_channel, "^(telegram|discord|slack|webhook)_[A-Za-z0-9_]+$";
    RoutedChannel: "console or a channel of routing.channels",
        |text| Unexpected::Str(text), |text| text == super::CONSOLE || is_channel(text),
        "^(console|(telegram|discord|slack|webhook)_[A-Za-z0-9_]+)$";
    Bucket: "a bucket's name",
        |text| Unexpected::Str(text), is_bucket, "^[a-z0-9][a-z0-9.-]{1,62}$";
    // What was typed may be the secret itself, so it is not repeated.
    Placeholder: "a placeholder for an environment variable, such as ${TELEGRAM_MAIN_CHAT_ID}",
        |_| Unexpected::Other("a literal"), is_placeholder, r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$";
}

fn is_folder_name(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// Nobody's name and password, no path and no query: what is typed there could be a secret.
fn is_origin(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    host.is_some_and(|host| !host.is_empty() && host.chars().all(is_plain))
        && url::Url::parse(text).is_ok()
}

/// As an origin, and a path without anything that could be a secret.
fn is_socket(text: &str) -> bool {
    let rest = text
        .strip_prefix("wss://")
        .or_else(|| text.strip_prefix("ws://"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]/_".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_plain))
        && url::Url::parse(text).is_ok()
}

fn is_channel(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let service = text.split_once('_').filter(|(_, rest)| !rest.is_empty());
    service.is_some_and(|(service, rest)| {
        ["telegram", "discord", "slack", "webhook"].contains(&service) && rest.chars().all(is_plain)
    })
}

fn is_bucket(text: &str) -> bool {
    let is_small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (2..=63).contains(&text.len())
        && text.starts_with(is_small)
        && text.chars().all(|c| is_small(c) || ".-".contains(c))
}

pub(super) fn is_ticker(text: &str) -> bool {
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    text.len() <= 15
        && text.starts_with(is_capital)
        && text.chars().all(|c| is_capital(c) || "./-".contains(c))
}

fn is_placeholder(text: &str) -> bool {
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Lists whose items stand in them once.
macro_rules! lists {
    ($($name:ident of $item:ident: $expected:literal;)+) => {$(
        #[doc = concat!("Holds ", $expected, ".")]
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[schemars(inline)]
        pub struct $name(Vec<$item>);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct EachOnce;

                impl<'de> Visitor<'de> for EachOnce {
                    type Value = Vec<$item>;

                    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_seq<A: SeqAccess<'de>>(
                        self,
                        mut seq: A,
                    ) -> Result<Vec<$item>, A::Error> {
                        let mut items = Vec::new();
                        while let Some(item) = seq.next_element::<$item>()? {
                            if items.contains(&item) {
                                let twice = format!("a list with {} twice", item.0);
                                let unexpected = Unexpected::Other(&twice);
                                return Err(A::Error::invalid_value(unexpected, &self));
                            }
                            items.push(item);
                        }
                        Ok(items)
                    }
                }

                deserializer.deserialize_seq(EachOnce).map($name)
            }
        }
    )+};
}

lists! {
    Tickers of Ticker: "a list of tickers, each once";
    ChannelNames of RoutedChannel: "a list of channels, each once";
}
