//! A body of pieces that lie elsewhere: sent as they lie, with the length known.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use bytes::Bytes;
use bytes::BytesMut;
use http_body::Frame;
use http_body::SizeHint;

/// Pieces below this are copied together: the kernel takes some sixteen buffers a call, and a call costs as much as copying
/// four kilobytes.
const SMALL_BYTES: usize = 4 * 1024;

/// Copied pieces of one buffer.
const GATHERED_BYTES: usize = 64 * 1024;

/// Text and pieces in their order, then `finish`.
#[derive(Default)]
pub struct Pieces {
    ready: VecDeque<Bytes>,
    gathered: BytesMut,
    bytes: u64,
}

impl Pieces {
    pub fn text(&mut self, text: &[u8]) {
        self.bytes += text.len() as u64;
        self.gathered.extend_from_slice(text);
        if self.gathered.len() >= GATHERED_BYTES {
            self.gather();
        }
    }

    pub fn piece(&mut self, piece: Bytes) {
        if piece.len() < SMALL_BYTES {
            return self.text(&piece);
        }
        self.gather();
        self.bytes += piece.len() as u64;
        self.ready.push_back(piece);
    }

    fn gather(&mut self) {
        if !self.gathered.is_empty() {
            self.ready.push_back(self.gathered.split().freeze());
        }
    }

    pub fn finish(mut self) -> Body {
        self.gather();
        Body::new(PiecesBody { ready: self.ready, left: self.bytes })
    }
}

struct PiecesBody {
    ready: VecDeque<Bytes>,
    left: u64,
}

impl http_body::Body for PiecesBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.ready.pop_front();
        self.left -= next.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pieces_come_out_in_their_order_and_of_the_length_told() {
        let mut pieces = Pieces::default();
        let mut expected = Vec::new();
        for n in 0..40u8 {
            let piece = vec![n; usize::from(n) * 300];
            pieces.text(b"--");
            pieces.piece(piece.clone().into());
            expected.extend_from_slice(b"--");
            expected.extend(piece);
        }
        let body = pieces.finish();
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(expected.len() as u64));
        assert_eq!(axum::body::to_bytes(body, usize::MAX).await.expect("whole"), expected);
    }
}
