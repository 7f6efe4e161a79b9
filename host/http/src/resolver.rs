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
