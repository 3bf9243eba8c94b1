//! What protocols share: faults, negotiation, parameters, links, streams.

pub mod fault;
pub mod negotiate;
pub mod params;
pub mod stream;
