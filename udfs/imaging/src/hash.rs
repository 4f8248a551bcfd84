//! Fingerprint of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{ImageError, Result};

/// SHA-256 of a file's bytes in lower-case hexadecimal.
pub fn sha256_file(path: impl AsRef<Path>) -> Result<String> {
    sha256_files(&[path])
}

/// SHA-256 of the bytes of several files, one after the other.
pub fn sha256_files(paths: &[impl AsRef<Path>]) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    for path in paths {
        let path = path.as_ref();
        let mut file = File::open(path).map_err(|e| ImageError::io(path, "opening the file", e))?;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => hasher.update(&buffer[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(ImageError::io(path, "reading the file", e)),
            }
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_abc_is_the_standards() {
        let path = std::env::temp_dir().join(format!("esccsql-sha256-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        let digest = sha256_file(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        // FIPS 180-4, appendix B.1.
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(sha256_file(&path).unwrap_err().to_string().contains("no such file"));
    }
}
