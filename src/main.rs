//! bocage.

fn main() {}
