//! Tamper-evident logs as pure functions on bytes.
//!
//! A log is an append-only list of entries. Its Merkle tree condenses the list into one root hash;
//! a checkpoint signs that root; short proofs tie an entry, a run of entries or an older tree to
//! it. This crate holds the formats and the arithmetic, and nothing else:
//!
//! ```text
//! entry ──leaf_hash──▶ leaf ──Frontier──▶ root ──Checkpoint──▶ signed note ──▶ cosigned note
//!                       │                  ▲
//!                       └──▶ tiles ──▶ inclusion, consistency and range proofs
//! ```
//!
//! | module | specification |
//! |---|---|
//! | [`hash`], [`tree`], [`proof`] | [RFC 6962] section 2.1, [RFC 9162] section 2.1 |
//! | [`note`] | [C2SP signed-note] |
//! | [`checkpoint`] | [C2SP tlog-checkpoint] |
//! | [`cosignature`] | [C2SP tlog-cosignature], Ed25519 `cosignature/v1` |
//! | [`tile`] | [C2SP tlog-tiles] |
//!
//! **In scope**: hashing, compact ranges, building and verifying proofs, parsing and signing notes
//! and checkpoints, the paths and contents of tiles.
//!
//! **Out of scope**: storage, networks, clocks, randomness and trust policy. Keys come in as
//! seeds, times as arguments, and stored hashes through [`NodeSource`].
//!
//! [RFC 6962]: https://www.rfc-editor.org/rfc/rfc6962#section-2.1
//! [RFC 9162]: https://www.rfc-editor.org/rfc/rfc9162#section-2.1
//! [C2SP signed-note]: https://c2sp.org/signed-note
//! [C2SP tlog-checkpoint]: https://c2sp.org/tlog-checkpoint
//! [C2SP tlog-cosignature]: https://c2sp.org/tlog-cosignature
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles

pub mod checkpoint;
pub mod cosignature;
mod encoding;
pub mod hash;
pub mod note;
pub mod proof;
pub mod size;
pub mod tile;
pub mod tree;

pub use checkpoint::{
    Checkpoint, CheckpointError, Origin, OriginError, UnverifiedCheckpoint, VerifiedCheckpoint,
    sign_checkpoint,
};
pub use cosignature::{CosignError, Cosignature, Cosigner};
pub use hash::{EMPTY_ROOT, Hash, HashParseError, empty_root, leaf_hash, node_hash};
pub use note::{
    KeyId, KeyName, KeyNameError, NoteError, NoteSignature, SignatureType, Signer, UnverifiedNote,
    VerifiedNote, VerifiedSignature, VerifierKey, VerifierKeyError, WrongSignature, sign_note,
};
pub use proof::{
    BuildError, ConsistencyProof, InclusionProof, NodeSource, ProofError, RangeProof, root_within,
    verify_consistency, verify_inclusion, verify_range,
};
pub use size::{LeafIndex, ParseSizeError, TreeSize};
pub use tile::{
    EntryBundle, HashTile, MAX_ENTRY_BYTES, TileError, TileKind, TilePath, TilePathError, TileSlot,
    TileWidth,
};
pub use tree::{CompactRange, Frontier, NodeId, TreeError, peak_ids};
