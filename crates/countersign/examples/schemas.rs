//! Writes the schemas of the answers and the `OpenAPI` description into a folder:
//! `cargo xtask schemas`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/schema"), Into::into);
    for (name, text) in countersign::schema::files() {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
