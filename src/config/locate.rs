//! Locating: from a document and a key's path to the line and column where the key stands.
//!
//! A YAML value forgets where it came from, and only an error knows its place. So the document is
//! walked again and the walk fails, on purpose, at the key that is looked for. A config is a page
//! long and this happens for messages only.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Where the key at `path` first stands in `text`.
pub fn key(text: &str, path: &[String]) -> Option<Place> {
    find(text, &|parent, key, _| {
        path.split_last()
            .is_some_and(|(last, rest)| parent == rest && key == last)
    })
    .map(|(_, place)| place)
}

/// The path of the first key that its block already has, and where it stands the second time.
pub fn duplicate(text: &str) -> Option<(Vec<String>, Place)> {
    find(text, &|_, _, is_repeated| is_repeated)
}

/// Asked at each key: its block's path, its name, whether the block already has it.
type IsIt<'a> = &'a dyn Fn(&[String], &str, bool) -> bool;

fn find(text: &str, is_it: IsIt) -> Option<(Vec<String>, Place)> {
    let found = RefCell::new(None);
    let walk = Walk {
        is_it,
        found: &found,
        path: Vec::new(),
    };
    let error = walk
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .err()?;
    let at = error.location()?;
    Some((
        found.into_inner()?,
        Place {
            line: at.line(),
            column: at.column(),
        },
    ))
}

#[derive(Clone)]
struct Walk<'a> {
    is_it: IsIt<'a>,
    found: &'a RefCell<Option<Vec<String>>>,
    path: Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key_seed(Key {
            walk: &self,
            seen: &mut seen,
        })? {
            let mut child = self.clone();
            child.path.push(key);
            map.next_value_seed(child)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a key's name, or fails there when it is the one.
struct Key<'a, 'w> {
    walk: &'a Walk<'w>,
    seen: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        let is_repeated = !self.seen.insert(key.to_owned());
        if (self.walk.is_it)(&self.walk.path, key, is_repeated) {
            let mut path = self.walk.path.clone();
            path.push(key.to_owned());
            *self.walk.found.borrow_mut() = Some(path);
            return Err(E::custom("here"));
        }
        Ok(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_key_is_found_by_its_path_and_not_by_its_name() {
        let text = "scalp:\n  enabled: true\nswing:\n  # off\n  enabled: false\n";
        assert_eq!(
            key(text, &path("swing.enabled")),
            Some(Place { line: 5, column: 3 })
        );
        assert_eq!(key(text, &path("swing.min_dte")), None);
    }

    #[test]
    fn json_is_walked_the_same_way() {
        let text = "{\n\t\"scalp\": {\n\t\t\"tp_pct\": 2, \"tp_pct\": 3\n\t}\n}";
        let (found, place) = duplicate(text).expect("tp_pct is there twice");
        assert_eq!((found, place.line), (path("scalp.tp_pct"), 3));
        assert_eq!(
            key(text, &path("scalp.tp_pct")).map(|place| place.column),
            Some(3)
        );
    }
}
