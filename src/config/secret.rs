//! Secrets: from names of environment variables to values that cannot be printed by accident.
//!
//! Every function takes the lookup as an argument; `cli` passes the environment, tests a table.

use std::fmt;

/// In the order they are tried.
pub const MASSIVE_KEY_NAMES: [&str; 3] =
    ["POLYGON_MASSIVE_KEY", "POLYGON_API_KEY", "MASSIVE_API_KEY"];
pub const S3_ACCESS_KEY_ID: &str = "MASSIVE_S3_ACCESS_KEY_ID";
pub const S3_SECRET_ACCESS_KEY: &str = "MASSIVE_S3_SECRET_ACCESS_KEY";

/// A value that prints as `Secret(..)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The key pair of the flat files, which is not the API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatFileKeys {
    pub access_key_id: Secret,
    pub secret_access_key: Secret,
}

/// Carries names, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("environment variable {} is not set", .names.join(" or "))]
    NotSet { names: Vec<String> },
    #[error("a placeholder has no closing brace or no name, expected ${{NAME}}")]
    BadPlaceholder,
}

/// The API key and the name of the variable that held it. A variable set to nothing is not set.
pub fn massive_key(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(Secret, &'static str), SecretError> {
    MASSIVE_KEY_NAMES
        .into_iter()
        .find_map(|name| Some((get(&lookup, name)?, name)))
        .ok_or_else(|| SecretError::NotSet {
            names: MASSIVE_KEY_NAMES.map(str::to_owned).to_vec(),
        })
}

pub fn flat_file_keys(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<FlatFileKeys, SecretError> {
    Ok(FlatFileKeys {
        access_key_id: require(&lookup, S3_ACCESS_KEY_ID)?,
        secret_access_key: require(&lookup, S3_SECRET_ACCESS_KEY)?,
    })
}

/// `text` with every `${NAME}` replaced by the variable's value.
pub fn expand(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Secret, SecretError> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or(SecretError::BadPlaceholder)?;
        if name.is_empty() {
            return Err(SecretError::BadPlaceholder);
        }
        expanded += before;
        expanded += require(&lookup, name)?.expose();
        rest = after;
    }
    Ok(Secret(expanded + rest))
}

fn require(lookup: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Secret, SecretError> {
    get(lookup, name).ok_or_else(|| SecretError::NotSet {
        names: vec![name.to_owned()],
    })
}

fn get(lookup: &impl Fn(&str) -> Option<String>, name: &str) -> Option<Secret> {
    let value = lookup(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        move |name| {
            pairs
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        }
    }

    #[test]
    fn the_first_name_that_is_set_supplies_the_key() {
        let both = env(&[
            ("MASSIVE_API_KEY", "late"),
            ("POLYGON_API_KEY", "early"),
            ("POLYGON_MASSIVE_KEY", " "),
        ]);
        assert_eq!(
            massive_key(both),
            Ok((Secret::new("early"), "POLYGON_API_KEY"))
        );
    }

    #[test]
    fn a_missing_variable_is_named() {
        let half =
            flat_file_keys(env(&[(S3_ACCESS_KEY_ID, "id")])).expect_err("half a pair is none");
        assert_eq!(
            half.to_string(),
            "environment variable MASSIVE_S3_SECRET_ACCESS_KEY is not set"
        );
        let none = massive_key(env(&[])).expect_err("nothing is set");
        let message = "environment variable POLYGON_MASSIVE_KEY or POLYGON_API_KEY or MASSIVE_API_KEY is not set";
        assert_eq!(none.to_string(), message);
    }

    #[test]
    fn placeholders_expand_and_errors_name_the_variable_and_not_the_value() {
        let chat = env(&[("CHAT", "-100")]);
        assert_eq!(expand("id ${CHAT}.", &chat), Ok(Secret::new("id -100.")));
        let error = expand("${CHAT}${TOPIC}", &chat).expect_err("TOPIC is not set");
        assert_eq!(error.to_string(), "environment variable TOPIC is not set");
        assert_eq!(expand("${CHAT", &chat), Err(SecretError::BadPlaceholder));
    }

    #[test]
    fn a_secret_prints_as_nothing() {
        let (key, _) = massive_key(env(&[("MASSIVE_API_KEY", "abc123")])).expect("it is set");
        assert_eq!(format!("{key} {key:?}"), "Secret(..) Secret(..)");
    }
}
