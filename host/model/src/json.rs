//! JSON from elsewhere, read without a second meaning.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

/// Parses one JSON document and refuses what two parsers could read differently: an object with the same key
/// twice (serde's maps would keep the last), anything after the document, a byte order mark, more than 128 levels.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice::<DistinctKeys>(bytes)?;
    serde_json::from_slice(bytes)
}

/// Refuses a key that some readers take for one of `known`: Go's ignore case, and to it `ſ` and `s` are one letter.
pub fn check_key(key: &str, known: &[&str]) -> Result<(), String> {
    let folded = |key: &str| key.to_uppercase().to_lowercase();
    match known.iter().find(|known| **known != key && folded(known) == folded(key)) {
        None => Ok(()),
        Some(meant) => {
            let shown: String = key.chars().take(80).collect();
            Err(format!("it has the key {shown:?}, which some tools take for `{meant}`"))
        }
    }
}

/// Any JSON value whose objects have no key twice.
struct DistinctKeys;

impl<'de> de::Deserialize<'de> for DistinctKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctKeysVisitor)
    }
}

struct DistinctKeysVisitor;

impl<'de> Visitor<'de> for DistinctKeysVisitor {
    type Value = DistinctKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<DistinctKeys, E> {
        Ok(DistinctKeys)
    }

    fn visit_i64<E>(self, _: i64) -> Result<DistinctKeys, E> {
        Ok(DistinctKeys)
    }

    fn visit_u64<E>(self, _: u64) -> Result<DistinctKeys, E> {
        Ok(DistinctKeys)
    }

    fn visit_f64<E>(self, _: f64) -> Result<DistinctKeys, E> {
        Ok(DistinctKeys)
    }

    fn visit_str<E>(self, _: &str) -> Result<DistinctKeys, E> {
        Ok(DistinctKeys)
    }

    fn visit_unit<E>(self) -> Result<DistinctKeys, E> {
        Ok(DistinctKeys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<DistinctKeys, A::Error> {
        while items.next_element::<DistinctKeys>()?.is_some() {}
        Ok(DistinctKeys)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DistinctKeys, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                let shown: String = key.chars().take(80).collect();
                return Err(de::Error::custom(format_args!("the key {shown:?} appears twice")));
            }
            map.next_value::<DistinctKeys>()?;
        }
        Ok(DistinctKeys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_two_parsers_could_read_differently() {
        let deep = "[".repeat(200);
        for bad in [r#"{"a":1,"a":2}"#, r#"[{"x":{"b":1,"\u0062":2}}]"#, "{} {}", "\u{feff}{}", "NaN", &deep]
        {
            assert!(parse::<serde_json::Value>(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse::<serde_json::Value>(br#"{"a":[1,-2,3.5,true,null,"a",{"a":1}]}"#).is_ok());
    }

    #[test]
    fn a_key_is_not_one_of_another_case() {
        for good in ["layers", "other", ""] {
            assert_eq!(check_key(good, &["layers"]), Ok(()), "{good}");
        }
        for bad in ["Layers", "LAYERS", "layer\u{17f}"] {
            assert!(check_key(bad, &["layers"]).is_err(), "{bad}");
        }
    }
}
