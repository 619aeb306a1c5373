use std::net::{IpAddr, Ipv6Addr};

/// Network that is counted as one client: an IPv4 address, or the /64 of an IPv6 address, all of which a client can
/// use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let prefix = address.to_bits() & !u128::from(u64::MAX);
                Self(Ipv6Addr::from_bits(prefix).into())
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

impl Network {
    /// IPv4 address or IPv6 /48, which providers give to one site at most; a client with a /48 has 65 536 networks.
    pub(crate) fn site(self) -> IpAddr {
        match self.0 {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 48)).into(),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("2001:db8:0:1::1").site(), of("2001:db8:0:2::1").site());
        assert_ne!(of("2001:db8:0:1::1").site(), of("2001:db8:1:1::1").site());
        assert_ne!(of("192.0.2.1").site(), of("192.0.2.2").site());
    }
}
