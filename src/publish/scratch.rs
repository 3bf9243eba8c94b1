//! A folder for private copies of sources, gone with its owner: a killed one's is swept by the next.

use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::FlockOperation;
use tempfile::TempDir;

/// Locked for as long as the owner lives; the kernel unlocks it when the process dies.
const HELD: &str = ".held";

/// Locked for the moment of sweeping and making, so that nobody sweeps what is just being made.
const GATE: &str = ".gate";

pub struct Scratch {
    folder: TempDir,
    _held: File,
}

impl Scratch {
    /// Sweeps what dead owners left below `root` and makes a folder of our own there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open(root: &Path) -> io::Result<Scratch> {
        fs::create_dir_all(root)?;
        let gate = File::create(root.join(GATE))?;
        rustix::fs::flock(&gate, FlockOperation::LockExclusive)?;
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            if path.is_dir() && !is_held(&path) {
                fs::remove_dir_all(&path)?;
            }
        }
        let folder = TempDir::new_in(root)?;
        let held = File::create(folder.path().join(HELD))?;
        rustix::fs::flock(&held, FlockOperation::LockExclusive)?;
        Ok(Scratch { folder, _held: held })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn is_held(folder: &Path) -> bool {
    File::open(folder.join(HELD)).is_ok_and(|held| rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_swept_and_the_living_are_not() {
        let root = tempfile::tempdir().expect("a folder");
        let living = Scratch::open(root.path()).expect("opened");
        fs::write(living.path().join("copie.gpkg"), "").expect("written");
        let dead = root.path().join("dead");
        fs::create_dir(&dead).expect("made");
        fs::write(dead.join(HELD), "").expect("written");
        fs::write(dead.join("personnes.csv"), "").expect("written");
        let other = Scratch::open(root.path()).expect("opened");
        assert!(!dead.exists() && living.path().join("copie.gpkg").exists());
        let path = other.path().to_owned();
        drop(other);
        assert!(!path.exists());
    }
}
