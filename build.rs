//! Links the distribution's libproj, the very copy that libgdal uses (proj-sys is built with `nobuild`), and prepares what the
//! pages and the labels are made with: scripts and sheets compressed, fonts as they are.

use std::env;
use std::fs;
use std::path::Path;

use libdeflater::CompressionLvl;
use libdeflater::Compressor;

/// Where `make assets` lays what npm holds, below the manifest.
const NPM: &str = "target/npm-assets/node_modules";

/// Ours, below the manifest.
const OURS: &str = "src/service/assets";

const PACKED: [(&str, &str); 6] = [
    (NPM, "maplibre-gl/dist/maplibre-gl.mjs"),
    (NPM, "maplibre-gl/dist/maplibre-gl-worker.mjs"),
    (NPM, "maplibre-gl/dist/maplibre-gl.css"),
    (OURS, "page.css"),
    (OURS, "map.mjs"),
    (OURS, "icon.svg"),
];

/// What the licences ask to go along with the copies.
const LICENCES: [(&str, &str); 2] =
    [("MapLibre GL JS", "maplibre-gl/LICENSE.txt"), ("Noto Sans", "@expo-google-fonts/noto-sans/LICENSE_FONT")];

const FONTS: [&str; 4] = [
    "400Regular/NotoSans_400Regular.ttf",
    "400Regular_Italic/NotoSans_400Regular_Italic.ttf",
    "700Bold/NotoSans_700Bold.ttf",
    "700Bold_Italic/NotoSans_700Bold_Italic.ttf",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Err(error) = pkg_config::Config::new().atleast_version("9.1").probe("proj") {
        println!("cargo:warning=libproj 9.1 or newer is needed: apt-get install libproj-dev libgdal-dev");
        panic!("{error}");
    }
    let out = env::var("OUT_DIR").expect("cargo says where");
    let out = Path::new(&out);
    for (folder, path) in PACKED {
        let text = read(folder, path);
        fs::write(out.join(format!("{}.gz", name(path))), packed(&text)).expect("written");
    }
    let mut licences = Vec::new();
    for (what, path) in LICENCES {
        licences.extend_from_slice(format!("{what}\n\n").as_bytes());
        licences.extend_from_slice(&read(NPM, path));
        licences.extend_from_slice(b"\n\n");
    }
    fs::write(out.join("licences.txt.gz"), packed(&licences)).expect("written");
    for path in FONTS {
        fs::write(out.join(name(path)), read(NPM, &format!("@expo-google-fonts/noto-sans/{path}"))).expect("written");
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn read(folder: &str, path: &str) -> Vec<u8> {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where");
    let path = Path::new(&root).join(folder).join(path);
    println!("cargo:rerun-if-changed={}", path.display());
    fs::read(&path).unwrap_or_else(|error| {
        println!("cargo::error=`make assets` fetches the maps' script and fonts from npm; run it once ({}: {error})", path.display());
        std::process::exit(1);
    })
}

/// gzip: what every browser takes.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut packed = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut packed).expect("the bound is enough");
    packed.truncate(length);
    packed
}
