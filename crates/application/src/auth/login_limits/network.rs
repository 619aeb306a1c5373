use std::net::IpAddr;

/// IPv4 address or IPv6 /64. A subscriber usually has at least a /64, so single IPv6 addresses would be no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// The address.
    V4(u32),
    /// The first 64 bits.
    V6(u64),
}

impl Network {
    /// Network of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6(
                    [a, b, c, d]
                        .into_iter()
                        .fold(0, |bits, segment| bits << 16 | u64::from(segment)),
                )
            }
        }
    }
}

impl Network {
    /// The first 48 bits of an IPv6 network: what providers give to one site at most.
    pub(super) const fn site(self) -> Option<u64> {
        match self {
            Self::V4(_) => None,
            Self::V6(bits) => Some(bits >> 16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_ipv4_address_or_an_ipv6_64() {
        let network = |address: &str| Network::of(address.parse().unwrap());
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_eq!(network("::ffff:203.0.113.9"), network("203.0.113.9"));
        assert_ne!(network("203.0.113.8"), network("203.0.113.9"));
    }
}
