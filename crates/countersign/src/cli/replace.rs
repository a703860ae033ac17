//! A file that is written whole or not at all.

use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::ledger::LedgerError;

/// Replaces a file in one step: a crash leaves the old one or the new one. It keeps the permissions
/// that it had; a new one is for its owner's eyes only.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
    let failed = || LedgerError::file("write", path);
    // A link stays one; a device or a pipe is no file that could be replaced.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if path.exists() && !path.is_file() {
        return Err(failed()(std::io::Error::other("it is no file")));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file =
        NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new("."))).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    if let Ok(old) = std::fs::metadata(path) {
        file.as_file().set_permissions(old.permissions()).map_err(failed())?;
    }
    file.as_file().sync_all().map_err(failed())?;
    file.persist(path).map_err(|e| failed()(e.error))?;
    Ok(())
}
