//! Files that are whole or absent, whatever happens.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use sha2::Digest;
use sha2::Sha256;

use crate::store::StoreError;

/// Puts a path to an error of the disk.
pub fn fault(path: &Path) -> impl Fn(io::Error) -> StoreError + use<'_> {
    |source| StoreError::Io { path: path.to_owned(), source }
}

/// Replaces a small file in one step: written beside, synced, renamed.
///
/// # Errors
/// `Io`; the file is then as it was.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if let Err(error) = renamed {
        let _ = fs::remove_file(&beside);
        return Err(fault(path)(error));
    }
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

/// Makes renames in a folder outlast a power cut.
///
/// # Errors
/// `Io`.
pub fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault(folder))
}

/// Length and SHA-256 of a file, which is synced on the way.
///
/// # Errors
/// `Io`.
pub fn seal(path: &Path) -> Result<(u64, String), StoreError> {
    let hash = || -> io::Result<(u64, String)> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        // A megabyte at a time keeps the memory constant and the disk busy.
        let mut buffer = vec![0; 1 << 20];
        let mut length = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            length += read as u64;
        }
        file.sync_all()?;
        Ok((length, hex(&hasher.finalize())))
    };
    hash().map_err(fault(path))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
