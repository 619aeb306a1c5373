use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use s3s::StdError;
use s3s::dto::StreamingBlob;

/// Bytes of a body collected for one write to the disk. While one block is written, another is read.
const WRITE_BYTES: usize = 512 * 1024;

/// A body in blocks of [`WRITE_BYTES`]. The bytes are copied: a chunk of a few bytes may hold a buffer of many kilobytes.
pub(super) struct Blocks {
    body: StreamingBlob,
    /// Rest of a chunk.
    rest: Bytes,
}

impl Blocks {
    pub(super) fn new(body: StreamingBlob) -> Self {
        let rest = Bytes::new();
        Self { body, rest }
    }

    /// The next block, which is shorter if the body ends and empty at its end.
    pub(super) async fn next(&mut self) -> Result<BytesMut, StdError> {
        let mut block = BytesMut::with_capacity(WRITE_BYTES);
        while block.len() < WRITE_BYTES {
            if self.rest.is_empty() {
                match self.body.next().await {
                    None => break,
                    Some(chunk) => self.rest = chunk?,
                }
            }
            let length = self.rest.len().min(WRITE_BYTES - block.len());
            block.extend_from_slice(&self.rest.split_to(length));
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Buffer of a connection that counts itself while it is kept.
    struct Buffer(Vec<u8>, Arc<AtomicUsize>);

    impl AsRef<[u8]> for Buffer {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Buffer {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn body(lengths: Vec<usize>, kept: &Arc<AtomicUsize>) -> StreamingBlob {
        let kept = Arc::clone(kept);
        StreamingBlob::wrap(futures::stream::iter(lengths).map(move |length| {
            kept.fetch_add(1, Ordering::SeqCst);
            let buffer = Buffer(vec![7; 8 * 1024], Arc::clone(&kept));
            Ok::<_, std::io::Error>(Bytes::from_owner(buffer).slice(..length))
        }))
    }

    #[tokio::test]
    async fn small_chunks_keep_no_buffers() {
        let kept = Arc::default();
        let mut blocks = Blocks::new(body(vec![1; 20_000], &kept));
        let block = blocks.next().await.unwrap();
        assert_eq!(block.len(), 20_000);
        assert!(block.capacity() <= WRITE_BYTES);
        assert!(kept.load(Ordering::SeqCst) <= 1);
        assert!(blocks.next().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_chunk_across_two_blocks_is_split() {
        let kept = Arc::default();
        let count = WRITE_BYTES / 5000 + 1;
        let mut blocks = Blocks::new(body(vec![5000; count], &kept));
        let first = blocks.next().await.unwrap();
        assert_eq!((first.len(), first.capacity()), (WRITE_BYTES, WRITE_BYTES));
        let second = blocks.next().await.unwrap();
        assert_eq!(first.len() + second.len(), 5000 * count);
    }
}
