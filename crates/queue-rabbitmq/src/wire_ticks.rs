//! Messages with progress ticks: a JSON array.

use rapidphoto_application::ports::ProgressTick;
use rapidphoto_domain::{JobId, PhotoId, UserId, values::Progress};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct WireTick {
    owner: UserId,
    job: JobId,
    photo: PhotoId,
    sent: u64,
    total: u64,
}

pub(crate) fn encode(ticks: &[ProgressTick]) -> Result<Vec<u8>, serde_json::Error> {
    let ticks: Vec<WireTick> = ticks
        .iter()
        .map(|tick| WireTick {
            owner: tick.owner,
            job: tick.job,
            photo: tick.photo,
            sent: tick.progress.bytes_sent(),
            total: tick.progress.bytes_total(),
        })
        .collect();
    serde_json::to_vec(&ticks)
}

pub(crate) fn decode(body: &[u8]) -> Result<Vec<ProgressTick>, serde_json::Error> {
    let ticks: Vec<WireTick> = serde_json::from_slice(body)?;
    let ticks = ticks.into_iter().map(|tick| ProgressTick {
        owner: tick.owner,
        job: tick.job,
        photo: tick.photo,
        progress: Progress::new(tick.sent, tick.total),
    });
    Ok(ticks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_decoded_as_encoded_and_unknown_members_ignored() {
        let tick = ProgressTick {
            owner: UserId::from_bits(1),
            job: JobId::from_bits(2),
            photo: PhotoId::from_bits(3),
            progress: Progress::new(5, 9),
        };
        let body = encode(&[tick, tick]).unwrap();
        assert_eq!(decode(&body).unwrap(), [tick, tick]);
        let body = String::from_utf8(body).unwrap();
        let newer = body.replace("\"sent\"", "\"speed\":1.5,\"sent\"");
        assert_eq!(decode(newer.as_bytes()).unwrap(), [tick, tick]);
        assert!(decode(b"{}").is_err());
    }
}
