use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Address of the client: that of the peer, unless the peer is a trusted proxy.
///
/// `X-Forwarded-For` is read from its end, where the nearest proxy adds its peer: as long as an address belongs to a
/// trusted network, the one before it counts, for at most `hops` proxies. A client can forge only addresses that are
/// never reached this way.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet], hops: usize) -> IpAddr {
    let forwarded = headers.get_all(X_FORWARDED_FOR);
    let mut forwarded: Vec<_> = forwarded
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    // A proxy that listens on IPv6 reports an IPv4 address in its mapped form.
    let mut address = peer.to_canonical();
    for _ in 0..hops {
        if !trusted.iter().any(|network| network.contains(&address)) {
            break;
        }
        let Some(next) = forwarded.pop().and_then(parse) else {
            break;
        };
        address = next.to_canonical();
    }
    address
}

/// An address with or without brackets and port.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let address = str::from_utf8(entry).ok()?.trim();
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| address.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "203.0.113.9";

    /// Address of a request from `peer`, with `10.0.0.0/8` and `fd00::/8` as trusted networks.
    fn address(peer: &str, forwarded: &[&str], hops: usize) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client_address(peer.parse().unwrap(), &headers, &trusted, hops).to_string()
    }

    #[test]
    fn the_header_of_an_unknown_peer_counts_for_nothing() {
        assert_eq!(address("192.0.2.1", &[CLIENT], 3), "192.0.2.1");
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, CLIENT.parse().unwrap());
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(client_address(peer, &headers, &[], 3), peer);
    }

    #[test]
    fn a_trusted_proxy_names_the_client() {
        for forwarded in [
            CLIENT,
            "203.0.113.9:4711",
            "6.6.6.6, 203.0.113.9",
            "6.6.6.6,10.0.0.7 , 203.0.113.9",
        ] {
            assert_eq!(address("10.0.0.1", &[forwarded], 3), CLIENT, "{forwarded}");
        }
        assert_eq!(address("10.0.0.1", &["6.6.6.6", CLIENT], 3), CLIENT);
        assert_eq!(address("::ffff:10.0.0.1", &[CLIENT], 1), CLIENT);
        assert_eq!(address("fd00::1", &["[2001:db8::1]:4711"], 1), "2001:db8::1");
        assert_eq!(address("fd00::1", &["[2001:db8::1]"], 1), "2001:db8::1");
        assert_eq!(address("10.0.0.1", &["::ffff:203.0.113.9"], 1), CLIENT);
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_walked_for_the_number_of_hops() {
        let chain = ["6.6.6.6, 203.0.113.9, 10.0.0.3, 10.0.0.2"];
        assert_eq!(address("10.0.0.1", &chain, 3), CLIENT);
        assert_eq!(address("10.0.0.1", &chain, 9), CLIENT);
        // A client in a trusted network can't forge an address beyond the last proxy.
        assert_eq!(address("10.0.0.1", &chain, 2), "10.0.0.3");
        assert_eq!(address("10.0.0.1", &chain, 0), "10.0.0.1");
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_walk() {
        assert_eq!(address("10.0.0.1", &["203.0.113.9, unknown"], 3), "10.0.0.1");
        assert_eq!(
            address("10.0.0.1", &["203.0.113.9, nothing, 10.0.0.2"], 3),
            "10.0.0.2"
        );
        assert_eq!(address("10.0.0.1", &[], 3), "10.0.0.1");
    }
}
