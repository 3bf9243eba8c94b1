//! Links the distribution's libproj, the very copy that libgdal uses (proj-sys is built with `nobuild`).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Err(error) = pkg_config::Config::new().atleast_version("9.1").probe("proj") {
        println!("cargo:warning=libproj 9.1 or newer is needed: apt-get install libproj-dev libgdal-dev");
        panic!("{error}");
    }
}
