//! What protocols share: faults, validators, negotiation, parameters, links, streams, turns.

pub mod cache;
pub mod fault;
pub mod negotiate;
pub mod packed;
pub mod params;
pub mod pieces;
pub mod stream;
pub mod work;
