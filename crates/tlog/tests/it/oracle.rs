//! The definitions of RFC 6962 sections 2.1 to 2.1.2, word for word and as slow as they are.
//!
//! Shares nothing with the crate under test, not even the hash function.

use sha2::{Digest, Sha256};

/// A hash as plain bytes.
pub(crate) type Bytes = [u8; 32];

/// `MTH(D[n])`.
pub(crate) fn mth(entries: &[Vec<u8>]) -> Bytes {
    match entries {
        [] => Sha256::digest(b"").into(),
        [entry] => Sha256::digest([&[0x00], entry.as_slice()].concat()).into(),
        _ => {
            let (left, right) = entries.split_at(split(entries.len()));
            Sha256::digest([[0x01].as_slice(), &mth(left), &mth(right)].concat()).into()
        }
    }
}

/// `PATH(m, D[n])`.
pub(crate) fn path(m: usize, entries: &[Vec<u8>]) -> Vec<Bytes> {
    if entries.len() == 1 {
        return Vec::new();
    }
    let k = split(entries.len());
    let (left, right) = entries.split_at(k);
    if m < k { then(path(m, left), mth(right)) } else { then(path(m - k, right), mth(left)) }
}

/// `PROOF(m, D[n])`.
pub(crate) fn proof(m: usize, entries: &[Vec<u8>]) -> Vec<Bytes> {
    subproof(m, entries, true)
}

/// `SUBPROOF(m, D[n], b)`.
fn subproof(m: usize, entries: &[Vec<u8>], whole: bool) -> Vec<Bytes> {
    if m == entries.len() {
        return if whole { Vec::new() } else { vec![mth(entries)] };
    }
    let k = split(entries.len());
    let (left, right) = entries.split_at(k);
    if m <= k {
        then(subproof(m, left, whole), mth(right))
    } else {
        then(subproof(m - k, right, false), mth(left))
    }
}

/// The hashes a range proof must have, from left to right: every largest subtree of the recursive
/// definition that holds no leaf of `start..end`.
pub(crate) fn range(start: usize, end: usize, entries: &[Vec<u8>]) -> Vec<Bytes> {
    let inside = |leaf: usize| start <= leaf && leaf < end;
    if !(0..entries.len()).any(inside) {
        return vec![mth(entries)];
    }
    if entries.len() == 1 {
        return Vec::new();
    }
    let k = split(entries.len());
    let (left, right) = entries.split_at(k);
    let mut hashes = range(start.min(k), end.min(k), left);
    hashes.extend(range(start.saturating_sub(k), end.saturating_sub(k), right));
    hashes
}

/// The turns from leaf to root. Two positions with equal turns have the same proofs.
pub(crate) fn inclusion_shape(m: usize, n: usize) -> String {
    if n == 1 {
        return String::new();
    }
    let k = split(n);
    if m < k { inclusion_shape(m, k) + "L" } else { inclusion_shape(m - k, n - k) + "R" }
}

/// The steps of `SUBPROOF`. Two pairs of sizes with equal steps have the same proofs.
pub(crate) fn consistency_shape(m: usize, n: usize) -> String {
    if m == n {
        return String::new();
    }
    let k = split(n);
    if m <= k { consistency_shape(m, k) + "L" } else { consistency_shape(m - k, n - k) + "R" }
}

/// The tree around a run: `.` a leaf of the run, `#` a hash of the proof. Two runs with equal
/// shapes have the same proofs.
pub(crate) fn range_shape(start: usize, end: usize, n: usize) -> String {
    let inside = |leaf: usize| start <= leaf && leaf < end;
    if !(0..n).any(inside) {
        return "#".to_owned();
    }
    if n == 1 {
        return ".".to_owned();
    }
    let k = split(n);
    let left = range_shape(start.min(k), end.min(k), k);
    let right = range_shape(start.saturating_sub(k), end.saturating_sub(k), n - k);
    format!("({left}{right})")
}

/// The largest power of two smaller than `n`.
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

fn then(mut hashes: Vec<Bytes>, last: Bytes) -> Vec<Bytes> {
    hashes.push(last);
    hashes
}
