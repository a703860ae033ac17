//! Hashes, proofs and signatures a second on one core, beside raw SHA-256 and raw Ed25519 of the
//! same bytes: `cargo bench -p tlog --bench hashing [-- [--quick] [PART…]]`, parts `hashes`,
//! `proofs`, `checkpoints`.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use tlog::{
    Checkpoint, ConsistencyProof, Frontier, Hash, InclusionProof, LeafIndex, NodeId, NodeSource,
    Origin, RangeProof, Signer, TreeSize, UnverifiedCheckpoint, leaf_hash, node_hash,
    sign_checkpoint, verify_consistency, verify_inclusion, verify_range,
};

mod measure;

use measure::{Call, Outcome, Row, Runs, compared, load, machine, number, per_second};

/// The goal: hashes and proofs beside raw SHA-256 of the same bytes.
const GOAL: f64 = 0.7;
/// Bytes of an entry; an envelope has about as many.
const ENTRY_BYTES: usize = 300;
/// Bytes that a node's hash is made of.
const NODE_BYTES: usize = 65;

fn main() -> Outcome {
    let call = Call::from_args();
    let bench = Bench::new(&call);
    let mut out = std::io::stdout().lock();
    machine(&mut out)?;
    if call.wants("hashes") {
        let rows = [
            bench.leaves("leaf hashes of 300 B", 300),
            bench.leaves("leaf hashes of 1 KiB", 1024),
            bench.nodes(),
            bench.pushes(),
        ];
        compared(&mut out, "Hashes, one core", "hashes", &rows)?;
    }
    if call.wants("proofs") {
        let rows = [bench.inclusion()?, bench.consistency()?, bench.range()?];
        let size = number(per_second(bench.entries, Duration::from_secs(1)));
        let title = format!("Proofs verified in a tree of {size} entries of 300 B, one core");
        compared(&mut out, &title, "proofs or entries", &rows)?;
    }
    if call.wants("checkpoints") {
        let rows = [bench.signing()?, bench.verifying()?];
        compared(&mut out, "Checkpoints, one core", "checkpoints", &rows)?;
    }
    load(&mut out, "after")
}

struct Bench {
    runs: usize,
    long: Duration,
    entries: usize,
    tree: Tree,
}

/// Every complete subtree, level by level.
struct Tree {
    levels: Vec<Vec<Hash>>,
    size: TreeSize,
    root: Hash,
}

impl NodeSource for Tree {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Hash, Infallible> {
        Ok(self.levels[usize::from(id.level)][position(id.index)])
    }
}

impl Tree {
    fn of(entries: usize) -> Self {
        let (mut frontier, mut levels) = (Frontier::new(), Vec::<Vec<Hash>>::new());
        for index in 0..entries {
            frontier.push(leaf_hash(&entry(index, ENTRY_BYTES)), |id, hash| {
                let level = usize::from(id.level);
                levels.resize_with(levels.len().max(level + 1), Vec::new);
                levels[level].push(hash);
            });
        }
        Self { levels, size: frontier.size(), root: frontier.root() }
    }
}

impl Bench {
    fn new(call: &Call) -> Self {
        let entries = call.amount(1_000_000, 20_000);
        let (runs, long) = call.amount((9, 150), (5, 2));
        Self { runs, long: Duration::from_millis(long), entries, tree: Tree::of(entries) }
    }

    /// Runs ours and the limit in turns. Each does `items` a call.
    fn beside(
        &self,
        (what, items): (&str, usize),
        mut ours: impl FnMut(),
        (limit, mut raw): (&str, impl FnMut()),
    ) -> Row {
        let (mut rates, mut limits) = (Runs::default(), Runs::default());
        ours();
        raw();
        for _ in 0..self.runs {
            rates.0.push(rate(items, self.long, &mut ours));
            limits.0.push(rate(items, self.long, &mut raw));
        }
        let (what, limit) = (what.to_owned(), limit.to_owned());
        Row { what, ours: rates, limit, limits, goal: Some(GOAL) }
    }

    fn leaves(&self, what: &str, bytes: usize) -> Row {
        let entries: Vec<_> = (0..256).map(|i| entry(i, bytes)).collect();
        let inputs: Vec<_> = entries.iter().map(|e| leaf_input(e)).collect();
        let ours = || {
            for entry in &entries {
                black_box(leaf_hash(black_box(entry)));
            }
        };
        let limit = format!("SHA-256 of {} B", bytes + 1);
        self.beside((what, entries.len()), ours, (&limit, || raw_hashes(&inputs)))
    }

    fn nodes(&self) -> Row {
        let hashes: Vec<_> = (0..512).map(|i| leaf_hash(&entry(i, 32))).collect();
        let pairs: Vec<_> = hashes.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let inputs = vec![[1; NODE_BYTES]; pairs.len()];
        let ours = || {
            for (left, right) in &pairs {
                black_box(node_hash(black_box(left), black_box(right)));
            }
        };
        let limit = ("SHA-256 of 65 B", || raw_hashes(&inputs));
        self.beside(("node hashes", pairs.len()), ours, limit)
    }

    /// Leaves that are hashed already: appending each costs one node hash on average.
    fn pushes(&self) -> Row {
        let leaves: Vec<_> = self.tree.levels[0].iter().copied().take(1 << 14).collect();
        let input = [1; NODE_BYTES];
        let ours = || {
            let mut frontier = Frontier::new();
            for leaf in &leaves {
                black_box(frontier.push(*leaf, |_, _| ()));
            }
            black_box(frontier.root());
        };
        let limit = ("SHA-256 of 65 B", || raw_nodes(&input, leaves.len()));
        self.beside(("leaves pushed to a frontier", leaves.len()), ours, limit)
    }

    /// The leaf is hashed from its entry, as who checks a proof does.
    fn inclusion(&self) -> Outcome<Row> {
        let (tree, mut inputs, mut hashes, mut proofs) = (&self.tree, Vec::new(), 0, Vec::new());
        for index in spread(self.entries) {
            let proof = InclusionProof::build(tree, leaf(index), tree.size)?;
            hashes += proof.hashes().len();
            let bytes = entry(index, ENTRY_BYTES);
            inputs.push(leaf_input(&bytes));
            proofs.push((index, bytes, proof));
        }
        let ours = || {
            for (index, bytes, proof) in &proofs {
                let hash = leaf_hash(black_box(bytes));
                let verdict = verify_inclusion(proof, tree.size, &tree.root, leaf(*index), &hash);
                assert_eq!(verdict, Ok(()), "leaf {index}");
            }
        };
        let raw = || {
            raw_hashes(&inputs);
            raw_nodes(&[1; NODE_BYTES], hashes);
        };
        let limit = "SHA-256 of leaf and path";
        Ok(self.beside(("inclusion proofs", proofs.len()), ours, (limit, raw)))
    }

    fn consistency(&self) -> Outcome<Row> {
        let (tree, mut hashes, mut proofs) = (&self.tree, 0, Vec::new());
        for index in spread(self.entries) {
            let old = leaf(index).size_through();
            let frontier_root = root_of(tree, old)?;
            let proof = ConsistencyProof::build(tree, old, tree.size)?;
            hashes += consistency_hashes(old.get(), tree.size.get());
            proofs.push((old, frontier_root, proof));
        }
        let ours = || {
            for (old, root, proof) in &proofs {
                let verdict =
                    verify_consistency(black_box(proof), *old, root, tree.size, &tree.root);
                assert_eq!(verdict, Ok(()), "from size {old}");
            }
        };
        let limit = ("SHA-256 of the same nodes", || raw_nodes(&[1; NODE_BYTES], hashes));
        Ok(self.beside(("consistency proofs", proofs.len()), ours, limit))
    }

    fn range(&self) -> Outcome<Row> {
        let (tree, count) = (&self.tree, self.entries / 100);
        let first = self.entries / 3;
        let entries: Vec<_> = (first..first + count).map(|i| entry(i, ENTRY_BYTES)).collect();
        let inputs: Vec<_> = entries.iter().map(|e| leaf_input(e)).collect();
        let proof = RangeProof::build(tree, leaf(first)..leaf(first + count), tree.size)?;
        // Every node's hash makes one of two: so many lead from leaves and proof to one root.
        let nodes = count + proof.hashes().len() - 1;
        let ours = || {
            let hashes: Vec<_> = entries.iter().map(|e| leaf_hash(black_box(e))).collect();
            let verdict = verify_range(&proof, tree.size, &tree.root, leaf(first), &hashes);
            assert_eq!(verdict, Ok(()), "{count} from leaf {first}");
        };
        let raw = || {
            raw_hashes(&inputs);
            raw_nodes(&[1; NODE_BYTES], nodes);
        };
        let what = format!("entries of one range proof of {count}");
        Ok(self.beside((&what, count), ours, ("SHA-256 of leaves and nodes", raw)))
    }

    fn signing(&self) -> Outcome<Row> {
        let (checkpoint, signer) = (self.checkpoint()?, Signer::from_seed(name()?, &SEED));
        let (key, text) = (SigningKey::from_bytes(&SEED), checkpoint.to_string());
        let ours = || drop(black_box(sign_checkpoint(black_box(&checkpoint), &signer)));
        let raw = || {
            black_box(key.sign(black_box(text.as_bytes())));
        };
        Ok(self.beside(("signed", 1), ours, ("Ed25519 sign, same text", raw)))
    }

    fn verifying(&self) -> Outcome<Row> {
        let (checkpoint, signer) = (self.checkpoint()?, Signer::from_seed(name()?, &SEED));
        let note = sign_checkpoint(&checkpoint, &signer);
        let (origin, known) = (origin()?, [signer.verifier_key().clone()]);
        let (key, text) = (SigningKey::from_bytes(&SEED), checkpoint.to_string());
        let (signature, key) = (key.sign(text.as_bytes()), key.verifying_key());
        let ours = || {
            let read = UnverifiedCheckpoint::parse(black_box(note.as_bytes()));
            let verdict = read.and_then(|c| c.verify(&origin, &known));
            assert!(verdict.is_ok(), "{verdict:?}");
        };
        let raw = || {
            let verdict = key.verify_strict(black_box(text.as_bytes()), &signature);
            assert!(verdict.is_ok(), "{verdict:?}");
        };
        Ok(self.beside(("parsed and verified", 1), ours, ("Ed25519 verify, same text", raw)))
    }

    fn checkpoint(&self) -> Outcome<Checkpoint> {
        Ok(Checkpoint::new(origin()?, self.tree.size, self.tree.root)?)
    }
}

/// Calls `work`, which does `items` each time, for at least `long`, and gives items per second.
fn rate(items: usize, long: Duration, mut work: impl FnMut()) -> f64 {
    let (mut done, start) = (0, Instant::now());
    loop {
        work();
        done += items;
        let elapsed = start.elapsed();
        if elapsed >= long {
            return per_second(done, elapsed);
        }
    }
}

const SEED: [u8; 32] = [7; 32];
const LOG: &str = "bench.countersign.example/log";

fn origin() -> Outcome<Origin> {
    Ok(LOG.parse()?)
}

fn name() -> Outcome<tlog::KeyName> {
    Ok(LOG.parse()?)
}

/// An entry of so many bytes, another for each index.
fn entry(index: usize, bytes: usize) -> Vec<u8> {
    let digest = Sha256::digest(index.to_be_bytes());
    digest.iter().copied().cycle().take(bytes).collect()
}

/// What a leaf's hash is made of: the entry after a zero byte.
fn leaf_input(entry: &[u8]) -> Vec<u8> {
    [&[0], entry].concat()
}

/// A thousand places, spread over the whole tree.
fn spread(entries: usize) -> impl Iterator<Item = usize> {
    // A step that shares no factor with the size meets every kind of path.
    (1..1_000).map(move |i| i * 7_919 % (entries - 1))
}

fn raw_hashes<I: AsRef<[u8]>>(inputs: &[I]) {
    for input in inputs {
        black_box(Sha256::digest(black_box(input.as_ref())));
    }
}

fn raw_nodes(input: &[u8; NODE_BYTES], times: usize) {
    for _ in 0..times {
        black_box(Sha256::digest(black_box(input)));
    }
}

fn root_of(tree: &Tree, size: TreeSize) -> Outcome<Hash> {
    let peaks = tlog::peak_ids(size).into_iter().map(|id| tree.node(id));
    let peaks = peaks.collect::<Result<Vec<_>, _>>()?;
    Ok(Frontier::from_peaks(size, peaks)?.root())
}

/// How many nodes the verifier of RFC 9162 section 2.1.4.2 hashes between two sizes.
fn consistency_hashes(old: u64, new: u64) -> usize {
    let (mut node, mut last) = (old - 1, new - 1);
    while node % 2 == 1 {
        (node, last) = (node / 2, last / 2);
    }
    let mut hashes = 0;
    while last > 0 {
        if node % 2 == 1 || node == last {
            // A rightmost node without a sibling rises unhashed; a left sibling counts in both.
            while node.is_multiple_of(2) && node > 0 {
                (node, last) = (node / 2, last / 2);
            }
            hashes += if node > 0 { 2 } else { 0 };
        } else {
            hashes += 1;
        }
        (node, last) = (node / 2, last / 2);
    }
    hashes
}

fn leaf(index: usize) -> LeafIndex {
    LeafIndex::new(index as u64)
}

fn position(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
