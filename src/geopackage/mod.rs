//! The GeoPackage file format (OGC 12-128r18): what `source`, `store` and `encode` share.
