//! Tiles that are made when they are asked: of a table as it is now, and of several layers at once. Kept for a while, within
//! bounds.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalogue::LiveTile;
use crate::catalogue::PublishedLayer;
use crate::http::fault::Fault;
use crate::model::layer::LayerId;
use crate::model::tile_matrix_set::TileAddress;
use crate::service::state::AppState;
use crate::tile::Tileset;

/// Bytes that each cache keeps: some thousand tiles.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// A table's tile is asked of it again after so long.
const LIVE_FOR: Duration = Duration::from_secs(10);
/// What an entry takes beside its bytes.
const ENTRY_BYTES: usize = 128;

/// A tile that no archive holds.
pub struct Made {
    pub gzip: Bytes,
    pub hash: u64,
}

/// Whose tile, of which of its descriptions, where.
type LiveKey = (LayerId, u64, TileAddress);

#[derive(Clone)]
pub struct MadeTiles {
    /// `None`: nothing is there.
    live: Cache<LiveKey, Option<Arc<Made>>>,
    /// By the hash of their parts, so that nothing in it grows stale.
    joined: Cache<u64, Bytes>,
}

impl Default for MadeTiles {
    fn default() -> MadeTiles {
        let weight = |bytes: usize| u32::try_from(bytes + ENTRY_BYTES).unwrap_or(u32::MAX);
        let live = Cache::builder()
            .max_capacity(KEPT_BYTES_MAX)
            .weigher(move |_, made: &Option<Arc<Made>>| weight(made.as_ref().map_or(0, |made| made.gzip.len())))
            .time_to_live(LIVE_FOR);
        let joined = Cache::builder().max_capacity(KEPT_BYTES_MAX).weigher(move |_, bytes: &Bytes| weight(bytes.len()));
        MadeTiles { live: live.build(), joined: joined.build() }
    }
}

impl MadeTiles {
    pub fn joined(&self, hash: u64) -> Option<Bytes> {
        self.joined.get(&hash)
    }

    pub fn keep_joined(&self, hash: u64, bytes: Bytes) -> Bytes {
        self.joined.insert(hash, bytes.clone());
        bytes
    }
}

/// A layer's tile as its table is now; where the table has too much in it for one answer, as it was when it was last checked.
///
/// # Errors
/// `Away`, `Closed`, `TooLong`, `Unavailable`.
pub async fn part(
    state: &AppState,
    layer: &Arc<PublishedLayer>,
    tileset: &Tileset,
    address: TileAddress,
) -> Result<Option<Arc<Made>>, Fault> {
    if !(tileset.min_zoom()..=tileset.max_zoom()).contains(&address.zoom) {
        return Ok(None);
    }
    let key = (layer.id().clone(), layer.live_mark(), address);
    if let Some(known) = state.made_tiles.live.get(&key) {
        return Ok(known);
    }
    let turns = state.turns(layer);
    let found = turns.run(|| Ok(layer.live_tile(address)?)).await?;
    let gzip = match found {
        LiveTile::Cut(bytes) => Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty()),
        LiveTile::TooMany => tileset.find(address).map(|place| tileset.bytes(place)),
    };
    let made = gzip.map(|gzip| Arc::new(Made { hash: xxh3_64(&gzip), gzip }));
    state.made_tiles.live.insert(key, made.clone());
    Ok(made)
}
