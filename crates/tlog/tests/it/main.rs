//! Tests of the public interface, one module for each subject.

mod checkpoint;
mod consistency;
mod cosignature;
mod fixture;
mod hash;
mod inclusion;
mod note;
mod oracle;
mod range;
mod size;
mod tile;
mod tile_path;
mod tree;
mod verifier_key;
