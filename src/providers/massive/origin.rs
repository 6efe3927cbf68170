//! The origin: from paths and the vendor's links to addresses that may be called.
//!
//! Every address starts with the configured origin (scheme, host, port). A link to the next page
//! lends its path and query only, and only when it points there, or when both hosts are the vendor's.

use url::Url;

use super::MassiveError;

/// The vendor answers under its new name and its old one.
const VENDOR_HOSTS: [&str; 2] = ["api.massive.com", "api.polygon.io"];
const KEY_PARAMETER: &str = "apikey";

pub(super) struct Base(Url);

impl Base {
    /// Fails on an address that cannot have paths, or holds more than an origin and a path.
    pub fn new(url: &Url) -> Result<Base, MassiveError> {
        let expected = if url.cannot_be_a_base() || !["http", "https"].contains(&url.scheme()) {
            "an http or https address"
        } else if !url.username().is_empty() || url.password().is_some() {
            "no user name or password"
        } else if url.query().is_some() || url.fragment().is_some() {
            "no query"
        } else {
            return Ok(Base(url.clone()));
        };
        // Not the whole of it: what is too much may be a secret.
        let got = origin_of(url);
        Err(MassiveError::BadUrl { got, expected })
    }

    pub fn origin(&self) -> String {
        origin_of(&self.0)
    }

    /// The address of an endpoint. Segments and values are escaped where needed.
    pub fn endpoint(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut()
            .expect("checked to have paths")
            .pop_if_empty()
            .extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The address behind the `next_url` of an answer from `path`.
    pub fn next(&self, next_url: &str, path: &str) -> Result<Url, MassiveError> {
        let malformed = |_| MassiveError::Malformed {
            path: path.to_owned(),
            what: "next_url is not an address".to_owned(),
        };
        let next = self.0.join(next_url).map_err(malformed)?;
        if next.origin() != self.0.origin() && !(is_vendor(&next) && is_vendor(&self.0)) {
            return Err(MassiveError::ForeignOrigin {
                path: path.to_owned(),
                expected: self.origin(),
                got: origin_of(&next),
            });
        }
        let mut url = self.0.clone();
        url.set_path(next.path());
        // Byte by byte as it came: a cursor means something to the server only.
        let is_key = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            name.eq_ignore_ascii_case(KEY_PARAMETER)
        };
        let pairs = next.query().unwrap_or_default().split('&');
        let query = pairs
            .filter(|pair| !is_key(pair))
            .collect::<Vec<_>>()
            .join("&");
        url.set_query((!query.is_empty()).then_some(query.as_str()));
        Ok(url)
    }
}

/// Path and query for people: no key, and a cursor says nothing to anybody.
pub(super) fn shown(url: &Url) -> String {
    let pairs: Vec<String> = url
        .query_pairs()
        .filter(|(name, _)| !name.eq_ignore_ascii_case(KEY_PARAMETER))
        .map(|(name, value)| match name.as_ref() {
            "cursor" => "cursor=..".to_owned(),
            name => format!("{name}={value}"),
        })
        .collect();
    if pairs.is_empty() {
        url.path().to_owned()
    } else {
        format!("{}?{}", url.path(), pairs.join("&"))
    }
}

pub(super) fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn is_vendor(url: &Url) -> bool {
    let is_plain = url.scheme() == "https" && url.port().is_none();
    is_plain
        && url
            .host_str()
            .is_some_and(|host| VENDOR_HOSTS.contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> Base {
        Base::new(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn segments_and_values_are_escaped_and_a_base_may_have_a_path() {
        let url = base("http://127.0.0.1:9/rest/").endpoint(
            &["v3", "trades", "O:A/../B?C"],
            &[("timestamp.gte", "1"), ("ticker", "A&B")],
        );
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:9/rest/v3/trades/O:A%2F..%2FB%3FC?timestamp.gte=1&ticker=A%26B"
        );
    }

    #[test]
    fn a_link_is_followed_on_its_own_origin_and_between_the_vendors_hosts_only() {
        for (from, link, expected) in [
            (
                "https://api.massive.com",
                "https://api.massive.com/a?cursor=x",
                Some("https://api.massive.com/a?cursor=x"),
            ),
            (
                "https://api.massive.com",
                "https://api.polygon.io/a?cursor=x&apiKey=k",
                Some("https://api.massive.com/a?cursor=x"),
            ),
            (
                "https://api.massive.com",
                "/a?apiKey=k&cursor=%2Bx+y==&limit=1",
                Some("https://api.massive.com/a?cursor=%2Bx+y==&limit=1"),
            ),
            (
                "https://api.massive.com",
                "https://eve@api.massive.com/a",
                Some("https://api.massive.com/a"),
            ),
            ("https://api.massive.com", "http://api.massive.com/a", None),
            (
                "https://api.massive.com",
                "https://api.massive.com:8443/a",
                None,
            ),
            (
                "https://api.massive.com",
                "https://api.massive.com.eve.net/a",
                None,
            ),
            ("https://api.massive.com", "//eve.net/a", None),
            ("http://127.0.0.1:1", "http://127.0.0.1:2/a", None),
            ("http://127.0.0.1:1", "https://api.massive.com/a", None),
            ("https://api.massive.com", "https://", None),
        ] {
            let next = base(from).next(link, "/a").ok();
            assert_eq!(next.as_ref().map(Url::as_str), expected, "{from} {link}");
        }
    }

    #[test]
    fn what_people_see_has_no_key_and_no_cursor() {
        let url = Url::parse("https://h/v3/x?apiKey=abc&cursor=def&limit=1").unwrap();
        assert_eq!(shown(&url), "/v3/x?cursor=..&limit=1");
    }

    #[test]
    fn a_base_is_an_origin_and_a_path() {
        for url in [
            "ftp://h/",
            "data:x",
            "https://u:p@h/",
            "https://h/?apiKey=abc",
        ] {
            let Err(error) = Base::new(&Url::parse(url).unwrap()) else {
                panic!("{url} is no base");
            };
            assert!(!error.to_string().contains("abc"), "{error}");
        }
    }
}
