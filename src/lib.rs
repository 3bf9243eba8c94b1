//! bocage turns a folder of GIS layers into checked, lawful, served open data.
//!
//! # Layout
//!
//! ```text
//!  8  cli                                    words on the command line
//!  7  server                                 router, middleware, watch, start and stop
//!  6  service                                one room a protocol: ogcapi, tiles, styles, download, fonts; assets of the pages
//!  5  http                                   what protocols share: faults, negotiation, parameters, links, streams
//!  4  catalogue   publish                    what is published · how it gets published
//!  3  source check store live tile encode config  neighbours that never meet
//!     portrayal
//!  2  query   geopackage   postgis           questions · the file formats and the database that several neighbours share
//!     mbtiles
//!  1  crs   xml                              reference systems, their names, their axes, transformation · XML of strangers, bounded
//!  0  model                                  nouns, findings among them
//! ```
//!
//! A room uses rooms of lower floors only; `tests/tidy.rs` holds the floors.
//!
//! # Absences
//!
//! 1. `model`, `crs`, `xml`, `query`, `check`, `tile` and `portrayal` do no network, read no clock and know no async: time
//!    arrives as an argument.
//! 2. `gdal` is named only in `source` and `encode`, `proj` only in `crs`, `axum` and `tower` only in `http`, `service`
//!    and `server`, SQL only in `geopackage`, `mbtiles`, `store`, `postgis` and `live`, `quick_xml` only in `xml`.
//! 3. In memory, coordinates are always east, north (x, y; lon, lat). Only `query` (coming in) and `encode` (going out)
//!    swap axes, both by [`model::crs::Crs::axis_order`].
//! 4. `publish` writes and `catalogue` reads the store; they meet only on disk. Nothing is changed in place: a
//!    publication is a new version, then one atomic switch. The exception is `purge`, which erases.
//! 5. A check reports and never repairs. Repair happens on the way in, in the reading worker, and is reported.
//! 6. No protocol room calls another; what two need goes down to `http`, `catalogue` or `encode`.
//! 7. An inner room knows no status code, and no inner error text reaches a client.
//! 8. Only `config` reads the environment and configuration files; libpq reads its own (services, passwords) for `postgis`,
//!    which knows the name of a service and nothing else of it.
//! 9. Nothing that a request carries is evaluated, fetched or opened.
//! 10. GDAL meets a stranger's file only in the worker, a child process of the same program, on a private copy; a conversion
//!     may read a GeoPackage in its own place, and refuses it where it changed meanwhile.

pub mod model;

pub mod crs;
pub mod xml;

pub mod geopackage;
pub mod mbtiles;
pub mod postgis;
pub mod query;

pub mod check;
pub mod config;
pub mod encode;
pub mod live;
pub mod portrayal;
pub mod source;
pub mod store;
pub mod tile;

pub mod catalogue;
pub mod publish;

pub mod http;

pub mod service;

pub mod server;

pub mod cli;
