//! Random changes of packs: none makes the verifier panic, and none is called intact.
//!
//! `PACK_MUTATIONS` says how many (`make mutations`: 100,000).

use evidence::pack::entries::take;
use evidence::pack::manifest::Manifest;
use evidence::pack::write::assemble;
use evidence::pack::{Terms, Trust, verify};

use crate::fixture::{Ledger, contents};

/// A generator of its own, so that a failure can be had again (Marsaglia, xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).expect("64 bits") % limit.max(1)
    }

    /// One random change of some bytes.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        // A cut may have left nothing to change.
        if bytes.is_empty() {
            return bytes.push(0);
        }
        let (at, other) = (self.below(bytes.len()), self.below(bytes.len()));
        let (from, to) = (at.min(other), (at.max(other)).min(at.min(other) + 40));
        match self.below(6) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = u8::try_from(self.below(256)).expect("a byte"),
            2 => drop(bytes.drain(from..to)),
            3 => bytes.insert(at, u8::try_from(self.below(256)).expect("a byte")),
            4 => bytes.truncate(at),
            _ => {
                let copy = bytes[from..to].to_vec();
                bytes.splice(other..other, copy);
            }
        }
    }
}

#[test]
fn no_random_change_is_called_intact() {
    let count = std::env::var("PACK_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let ledger = Ledger::new();
    let trust = Trust::in_log(ledger.key().parse().expect("a key"));
    let terms = Terms { trust: Some(&trust), kept: None };
    let packs = [ledger.whole(13), ledger.part(), ledger.pseudonymised()];
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut refused = 0;
    for number in 0..count {
        let pack = &packs[number % packs.len()];
        let mut changed = pack.clone();
        for _ in 0..=random.below(3) {
            random.change(&mut changed);
        }
        if number % 2 == 1 {
            changed = reassembled(pack, &mut random);
        }
        if changed == *pack {
            continue;
        }
        let verdict = verify(&changed, &terms);
        assert_eq!(verdict.code(), 4, "number {number}: {}", verdict.report());
        refused += 1;
    }
    println!("{refused} of {count} random changes refused, none called intact");
    assert!(refused > count * 9 / 10, "most of them change something");
}

/// The pack with what the ledger's key vouches for changed, and all that follows from it made to
/// fit.
fn reassembled(pack: &[u8], random: &mut Random) -> Vec<u8> {
    let mut contents = contents(pack);
    let member = if random.below(10) == 0 { 2 } else { 5 };
    random.change(&mut contents[member]);
    let mut manifest = Manifest::decode(&contents[1]).expect("a manifest");
    let mut rest = contents[5].as_slice();
    let entries = std::iter::from_fn(|| take(&mut rest)).count() as u64;
    manifest.end = manifest.start + entries;
    let members: [&[u8]; 5] = std::array::from_fn(|n| contents[n + 2].as_slice());
    assemble(manifest, members)
}
