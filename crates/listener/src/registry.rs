use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{activity::Activity, address::Network};

/// Open connections of an acceptor.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<Connections>);

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    total: usize,
    clients: HashMap<Network, Client>,
}

#[derive(Debug, Default)]
struct Client {
    /// True for a trusted proxy, which stands for many clients.
    exempt: bool,
    /// By order of arrival.
    connections: BTreeMap<u64, Activity>,
}

/// Slot of an open connection; dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct Slot {
    registry: Arc<Registry>,
    network: Network,
    number: u64,
}

/// Limit that a refused connection would have exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    PerAddress,
    Overall,
}

impl Registry {
    /// Takes a slot for a new connection. Beyond `max` connections, it is taken from the site that has the most, and there
    /// from the newest connection of the client that has the most, which the caller must close; unless that is the new
    /// connection's own site.
    pub(crate) fn enter(
        self: &Arc<Self>,
        network: Network,
        exempt: bool,
        max: usize,
        max_per_address: usize,
        activity: &Activity,
    ) -> Result<(Slot, Option<Activity>), Exceeded> {
        let mut connections = self.lock();
        let own = connections
            .clients
            .get(&network)
            .map_or(0, |client| client.connections.len());
        if !exempt && own >= max_per_address {
            return Err(Exceeded::PerAddress);
        }
        let displaced = if connections.total < max {
            None
        } else {
            let displaced = connections.displace(network.site(), exempt);
            Some(displaced.ok_or(Exceeded::Overall)?)
        };
        let number = connections.next;
        connections.next += 1;
        connections.total += 1;
        let client = connections.clients.entry(network).or_default();
        client.exempt = exempt;
        client.connections.insert(number, activity.clone());
        let slot = Slot {
            registry: Arc::clone(self),
            network,
            number,
        };
        Ok((slot, displaced))
    }

    /// Number of open connections.
    pub(crate) fn len(&self) -> usize {
        self.lock().total
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Activity)) {
        let connections = self.lock();
        let clients = connections.clients.values();
        clients
            .flat_map(|client| client.connections.values())
            .for_each(&mut visit);
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// Removes a connection of the site with the most, if it has more than one beyond those of the `own` site; a proxy has
    /// none of its own.
    fn displace(&mut self, own: IpAddr, exempt: bool) -> Option<Activity> {
        let mut sites: HashMap<IpAddr, usize> = HashMap::new();
        let limited = self.clients.iter().filter(|(_, client)| !client.exempt);
        for (network, client) in limited.clone() {
            *sites.entry(network.site()).or_default() += client.connections.len();
        }
        let own = if exempt {
            0
        } else {
            sites.get(&own).copied().unwrap_or(0)
        };
        let (site, most) = sites.into_iter().max_by_key(|(_, connections)| *connections)?;
        let (network, client) = limited
            .filter(|(network, _)| most > own + 1 && network.site() == site)
            .max_by_key(|(_, client)| client.connections.len())?;
        let (network, number) = (*network, *client.connections.keys().next_back()?);
        self.remove(network, number)
    }

    fn remove(&mut self, network: Network, number: u64) -> Option<Activity> {
        let client = self.clients.get_mut(&network)?;
        let removed = client.connections.remove(&number)?;
        if client.connections.is_empty() {
            self.clients.remove(&network);
        }
        self.total -= 1;
        Some(removed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // A displaced connection has lost its slot already.
        self.registry.lock().remove(self.network, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 8;
    const MAX_PER_ADDRESS: usize = 5;

    fn enter(registry: &Arc<Registry>, client: u8) -> Result<Slot, Exceeded> {
        let network = Network::of([192, 0, 2, client].into());
        let entered = registry.enter(network, client == 0, MAX, MAX_PER_ADDRESS, &Activity::new());
        entered.map(|(slot, _)| slot)
    }

    #[tokio::test]
    async fn one_address_has_a_share_of_the_connections() {
        let registry = Arc::default();
        let mut slots: Vec<Slot> = (0..MAX_PER_ADDRESS)
            .map(|_| enter(&registry, 1).unwrap())
            .collect();
        assert_eq!(enter(&registry, 1).unwrap_err(), Exceeded::PerAddress);
        assert!(enter(&registry, 2).is_ok());
        slots.pop();
        assert!(enter(&registry, 1).is_ok());
    }

    #[tokio::test]
    async fn a_new_client_takes_the_slot_of_the_client_with_the_most() {
        let registry: Arc<Registry> = Arc::default();
        let mut slots: Vec<Slot> = [1, 1, 1, 1, 1, 2, 2, 2]
            .map(|client| enter(&registry, client).unwrap())
            .into();
        slots.push(enter(&registry, 3).unwrap());
        slots.push(enter(&registry, 3).unwrap());
        // All have three or two now: a further slot would not make the shares more equal.
        assert_eq!(enter(&registry, 3).unwrap_err(), Exceeded::Overall);
        assert_eq!(enter(&registry, 1).unwrap_err(), Exceeded::Overall);
        assert_eq!(registry.len(), MAX);
        let mut closed = 0;
        registry.for_each(|_| closed += 1);
        assert_eq!(closed, MAX);
        slots.clear();
        assert_eq!(registry.len(), 0);
    }

    #[tokio::test]
    async fn many_networks_of_one_site_have_the_share_of_one_client() {
        let registry: Arc<Registry> = Arc::default();
        let enter_from = |address: &str| {
            let network = Network::of(address.parse().unwrap());
            let entered = registry.enter(network, false, MAX, MAX_PER_ADDRESS, &Activity::new());
            entered.map(|(slot, _)| slot)
        };
        let of_site = |network: usize| enter_from(&format!("2001:db8:0:{network}::1"));
        let mut slots: Vec<Slot> = (0..MAX).map(|network| of_site(network).unwrap()).collect();
        assert_eq!(of_site(MAX).unwrap_err(), Exceeded::Overall);
        slots.push(enter_from("2001:db8:1::1").unwrap());
        slots.push(enter_from("192.0.2.1").unwrap());
        assert_eq!(registry.len(), MAX);
        assert_eq!(of_site(MAX).unwrap_err(), Exceeded::Overall);
    }

    #[tokio::test]
    async fn a_proxy_is_neither_limited_nor_displaced() {
        let registry: Arc<Registry> = Arc::default();
        let _slots: Vec<Slot> = (0..MAX).map(|_| enter(&registry, 0).unwrap()).collect();
        assert_eq!(enter(&registry, 1).unwrap_err(), Exceeded::Overall);
    }
}
