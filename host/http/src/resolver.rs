//! Names to addresses, with every address checked against the grants.
//!
//! The check is in the resolver that the connector itself uses, so a name cannot be resolved once for the check and
//! again, to something else, for the connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::grants::Grants;

type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Asks for the addresses of a name.
pub(crate) trait Lookup: Send + Sync + fmt::Debug {
    fn addresses(&self, name: &str) -> Addresses;
}

/// The resolver of the operating system.
#[derive(Debug)]
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: &str) -> Addresses {
        let name = name.to_owned();
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Gives only the addresses that the grants allow; an error when there are others but none of these.
#[derive(Debug)]
pub(crate) struct GrantedAddresses {
    pub(crate) grants: Arc<Grants>,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for GrantedAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let grants = Arc::clone(&self.grants);
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let name = name.as_str();
            let all = lookup.addresses(name).await?;
            let allowed: Vec<SocketAddr> = all
                .iter()
                .filter(|address| grants.allows_address(name, **address))
                .map(|address| SocketAddr::new(*address, 0))
                .collect();
            if allowed.is_empty() && !all.is_empty() {
                return Err(grants.address_denied(name, &all).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server that answers every question with these addresses.
    #[derive(Debug)]
    struct Answers(Vec<IpAddr>);

    impl Lookup for Answers {
        fn addresses(&self, _: &str) -> Addresses {
            let addresses = self.0.clone();
            Box::pin(async { Ok(addresses) })
        }
    }

    /// The addresses of `a.example` that may be connected to, where the name has these.
    fn resolve(addresses: &[&str]) -> Result<Vec<String>, String> {
        let grants = Grants { origins: vec!["https://a.example".parse().unwrap()], ..Grants::default() };
        let lookup = Answers(addresses.iter().map(|address| address.parse().unwrap()).collect());
        let resolver = GrantedAddresses { grants: Arc::new(grants), lookup: Arc::new(lookup) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(resolver.resolve("a.example".parse().unwrap())) {
            Ok(addresses) => Ok(addresses.map(|address| address.ip().to_string()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn each_of_several_addresses_is_checked() {
        let allowed = |addresses: &[&str]| resolve(addresses).unwrap();
        assert_eq!(
            allowed(&["1.1.1.1", "10.0.0.7", "127.0.0.1", "2606:4700::1111", "fd00::1", "169.254.169.254"]),
            ["1.1.1.1", "2606:4700::1111"]
        );
        assert_eq!(allowed(&["10.0.0.7", "1.1.1.1"]), ["1.1.1.1"]);
        assert!(allowed(&[]).is_empty());
        insta::assert_snapshot!(resolve(&["10.0.0.7", "127.0.0.1"]).unwrap_err(), @r#"`a.example` at 10.0.0.7: the address is private, and no `http` grant names it; if `a.example` has this address in your own network, write grants = { http = ["https://a.example", "https://10.0.0.7"] }"#);
    }
}
