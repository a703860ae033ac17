//! The reader of repositories, and the reader of lines. The first byte selects.
//!
//! A repository is made of one commit and one tree with the input's bytes, under their true ids.
//! `git` itself unpacks bundles; what is in one gets here as objects.

#![no_main]

use std::cell::RefCell;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use countersign::sources::git::{GitLines, Limits};
use countersign::sources::lines::{Line, Lines};
use evidence::channel::Channel;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix::objs::Kind;
use libfuzzer_sys::fuzz_target;

/// A bare repository in memory, where there is one, and the objects of the input before.
struct Bare {
    folder: tempfile::TempDir,
    written: Vec<PathBuf>,
}

thread_local! {
    static BARE: RefCell<Bare> = RefCell::new(Bare::new());
}

fuzz_target!(|data: &[u8]| {
    let Some((select, bytes)) = data.split_first() else { return };
    match select % 3 {
        0 => lines(bytes, false),
        1 => lines(bytes, true),
        _ => BARE.with_borrow_mut(|bare| bare.read(bytes)),
    }
});

fn lines(bytes: &[u8], document: bool) {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let opened = if document { Lines::document(stream, 4096) } else { Lines::new(stream, 4096) };
    let Ok(mut lines) = opened else { return };
    let mut line = Vec::new();
    loop {
        match lines.next(&mut line) {
            Ok(Line::End) | Err(_) => break,
            Ok(Line::Whole) => assert!(line.len() <= 4096),
            Ok(Line::TooLong { bytes }) => assert!(bytes > 4096),
        }
        assert!(lines.packed_bytes() <= bytes.len() as u64);
    }
}

impl Bare {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(place).expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["objects", "refs/heads"] {
            fs::create_dir_all(at(name)).expect("made");
        }
        fs::write(at("HEAD"), "ref: refs/heads/main\n").expect("written");
        fs::write(at("config"), "[core]\n\tbare = true\n").expect("written");
        Self { folder, written: Vec::new() }
    }

    fn object(&mut self, kind: Kind, bytes: &[u8]) -> String {
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, bytes).expect("a hash");
        let id = id.to_string();
        let folder = self.folder.path().join("objects").join(&id[..2]);
        fs::create_dir_all(&folder).expect("made");
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(format!("{kind} {}\0", bytes.len()).as_bytes()).expect("packed");
        packed.write_all(bytes).expect("packed");
        let path = folder.join(&id[2..]);
        fs::write(&path, packed.finish().expect("packed")).expect("written");
        self.written.push(path);
        id
    }

    /// The input is a tree, then, after two zero bytes, what follows `tree <id>` in the commit.
    fn read(&mut self, bytes: &[u8]) {
        for old in std::mem::take(&mut self.written) {
            let _gone = fs::remove_file(old);
        }
        let end = bytes.windows(2).position(|w| w == [0, 0]).unwrap_or(0);
        let (tree, rest) = bytes.split_at(end);
        let tree = self.object(Kind::Tree, tree);
        let commit =
            [format!("tree {tree}\n").as_bytes(), rest.get(2..).unwrap_or_default()].concat();
        let commit = self.object(Kind::Commit, &commit);
        let main = self.folder.path().join("refs/heads/main");
        fs::write(main, format!("{commit}\n")).expect("written");
        let limits = Limits { line_bytes: 8192, compared: 100, ..Limits::default() };
        let mut opened = GitLines::open(self.folder.path(), limits).expect("a repository");
        let mut text = Vec::new();
        opened.read_to_end(&mut text).expect("lines");
        // Each line is a record of its channel, and is understood.
        for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let (entries, refusals) = fuzz::take(line, None);
            assert!(refusals.is_empty() && entries.len() == 1, "{refusals:?}");
            let record = fuzz::checked(&entries[0]);
            assert_eq!(record.cite.channel, Channel::GitCommit);
            assert!(fuzz::parse(Channel::GitCommit, &record.payload), "not understood");
        }
    }
}
