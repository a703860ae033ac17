//! Drawing: which rows a nonce takes from a frozen population.
//!
//! Every row has a rank that the population's entry and the nonce decide together; the rows of the
//! lowest ranks are drawn. Sorting by a keyed hash is a draw without replacement in which every set
//! of rows is as likely as any other, and whoever has the rows draws it again.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tlog::Hash;

use super::population::Row;

/// The numbers of the rows that are drawn, ascending.
///
/// `leaf` is the leaf hash of the population's entry. With `stratified` every row of a stratum that
/// is taken whole is drawn, and `size` rows of the others; else `size` rows of all. Fewer rows than
/// asked for are all drawn.
pub fn draw<'r>(
    rows: impl IntoIterator<Item = &'r Row>,
    leaf: &Hash,
    nonce: &str,
    size: u64,
    stratified: bool,
) -> Vec<u64> {
    let key = keyed(nonce.as_bytes(), &[b"countersign/sample/v1\n", leaf.as_bytes()]);
    let (mut drawn, mut ranked) = (Vec::new(), Vec::new());
    for row in rows {
        if stratified && row.stratum.is_taken_whole() {
            drawn.push(row.row);
        } else {
            ranked.push((keyed(&key, &[&row.line()]), row.row));
        }
    }
    ranked.sort_unstable();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    drawn.extend(ranked.into_iter().take(size).map(|(_, number)| number));
    drawn.sort_unstable();
    drawn
}

/// HMAC-SHA-256 (RFC 2104) over the parts, one after the other.
fn keyed(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length (RFC 2104)"));
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
