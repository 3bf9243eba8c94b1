//! Everything on small data, in one binary: the program from outside, and strangers who read what it gives.

mod cql2;
mod crs;
mod database;
mod downloads;
mod filters;
mod keeping;
mod kills;
mod montfort;
mod ogcapi_features;
mod ogcapi_filtering;
mod pages;
mod postgis;
mod reading;
mod serving;
mod shared;
mod store;
mod strangers;
mod styles;
mod tile;
mod tiles_as_source;
mod tiles_served;
mod town;
