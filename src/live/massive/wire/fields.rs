//! Fields: from the JSON of one message to its fields as they came, without an opinion on them.
//!
//! The kinds of messages share their letters: `s` is the size of a trade and the start of a bar, `c`
//! the conditions of the one and the close of the other. So all are read by the same rule, which
//! accepts whatever JSON can say, and are judged when the kind is known.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::flow::Codes;

/// Beyond this, an `f64` skips whole numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What of a message anybody here reads; other fields are passed over, whatever they hold.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub ev: Text<'a>,
    #[serde(borrow)]
    pub sym: Text<'a>,
    pub x: Value,
    pub p: Value,
    pub s: Value,
    pub c: Value,
    pub t: Value,
    pub q: Value,
    pub bp: Value,
    pub ap: Value,
    pub e: Value,
    pub o: Value,
    pub h: Value,
    pub l: Value,
    pub v: Value,
    pub vw: Value,
}

/// A field that should be text; `None` when it is missing or something else.
#[derive(Default)]
pub(super) struct Text<'a>(pub Option<Cow<'a, str>>);

/// A field that should be a number or a list of condition codes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Value {
    /// Not there, or null.
    #[default]
    Missing,
    Int(i64),
    Float(f64),
    Codes(Codes),
    /// Text, a truth value, an object, a list that cannot be of codes.
    Other,
}

impl Value {
    pub fn number(self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }

    /// `10` and `10.0`, not `10.5`.
    pub fn whole(self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(value),
            Value::Float(value) if value.fract() == 0.0 && value.abs() < EXACT => {
                Some(value as i64)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing => f.write_str("missing"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Codes(_) => f.write_str("a list"),
            Value::Other => f.write_str("something else"),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Missing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut codes = [0; Codes::ROOM];
        let mut count = 0;
        let mut are_codes = true;
        while let Some(element) = seq.next_element::<Value>()? {
            let code = element.whole().and_then(|code| i16::try_from(code).ok());
            match (codes.get_mut(count), code) {
                (Some(place), Some(code)) => *place = code,
                _ => are_codes = false,
            }
            count += 1;
        }
        let codes = Codes::of(&codes).filter(|_| are_codes);
        Ok(codes.map_or(Value::Other, Value::Codes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(value))))
    }

    /// Text with escapes in it.
    fn visit_str<E>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(value.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}
