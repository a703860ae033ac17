//! The container: seven members in one order, each behind a line that says its name and sizes.
//!
//! ```text
//! countersign pack 1\n
//! README.txt 1034 1034\n…bytes…manifest.json 812 812\n…bytes…
//! ```
//!
//! Nothing is optional and nothing follows, so every byte is determined by the members.

use super::packed::{self, NotPacked};

const MAGIC: &[u8] = b"countersign pack 1\n";
/// The longest header line: the longest name and two numbers.
const HEADER_BYTES_MAX: usize = 40;

/// A member of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// What the file is, for people; follows from the manifest.
    Readme,
    /// What the pack holds, with the digests of the members that follow.
    Manifest,
    /// The newest published checkpoint: a signed note.
    Checkpoint,
    /// What ties the covered range, and checkpoints from before, to the newest one.
    Proofs,
    /// The people map, of those whom the story names.
    People,
    /// The entries of the covered range.
    Entries,
    /// The story.
    Story,
}

impl Member {
    /// All members, in their order.
    pub const ALL: [Self; 7] = [
        Self::Readme,
        Self::Manifest,
        Self::Checkpoint,
        Self::Proofs,
        Self::People,
        Self::Entries,
        Self::Story,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Readme => "README.txt",
            Self::Manifest => "manifest.json",
            Self::Checkpoint => "checkpoint",
            Self::Proofs => "proofs.json",
            Self::People => "people.json",
            Self::Entries => "entries",
            Self::Story => "story.json",
        }
    }

    /// Whether it is stored packed. The others can be read with any editor.
    pub const fn is_packed(self) -> bool {
        matches!(self, Self::People | Self::Entries | Self::Story)
    }
}

/// A member as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    member: Member,
    size: usize,
    bytes: &'a [u8],
}

impl Stored<'_> {
    /// Its content.
    pub fn content(&self) -> Result<Vec<u8>, NotPacked> {
        if self.member.is_packed() {
            packed::unpack(self.bytes, self.size)
        } else {
            Ok(self.bytes.to_vec())
        }
    }
}

/// Writes a pack of the contents of all members, in their order.
pub fn write(contents: [&[u8]; 7]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for (member, content) in Member::ALL.into_iter().zip(contents) {
        let packed = member.is_packed().then(|| packed::pack(content));
        let stored = packed.as_deref().unwrap_or(content);
        let header = format!("{} {} {}\n", member.name(), content.len(), stored.len());
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(stored);
    }
    out
}

/// Takes a pack apart, or names the member at which that fails.
pub fn read(pack: &[u8]) -> Result<[Stored<'_>; 7], (Member, String)> {
    let first = Member::Readme;
    let Some(mut rest) = pack.strip_prefix(MAGIC) else {
        return Err((first, "the file does not begin as a pack of version 1".to_owned()));
    };
    let nothing = |member| Stored { member, size: 0, bytes: &[] };
    let mut members = Member::ALL.map(nothing);
    for stored in &mut members {
        *stored = member(stored.member, &mut rest).map_err(|p| (stored.member, p))?;
    }
    if rest.is_empty() {
        Ok(members)
    } else {
        Err((Member::Story, format!("{} bytes follow the last member", rest.len())))
    }
}

fn member<'a>(member: Member, rest: &mut &'a [u8]) -> Result<Stored<'a>, String> {
    let begin = &rest[..rest.len().min(HEADER_BYTES_MAX)];
    let end = begin.iter().position(|b| *b == b'\n').ok_or("has no header line")?;
    let line = std::str::from_utf8(&begin[..end]).map_err(|_| "has no header line")?;
    let fields: Vec<&str> = line.split(' ').collect();
    let [name, size, stored] = fields[..] else {
        return Err("has no header line".to_owned());
    };
    if name != member.name() {
        let name = name.escape_default();
        return Err(format!("\"{name}\" stands where this member belongs"));
    }
    let (size, stored) = (decimal(size), decimal(stored));
    let (Some(size), Some(stored)) = (size, stored) else {
        return Err("has a size that is no number".to_owned());
    };
    if !member.is_packed() && size != stored {
        return Err("has two sizes and is not packed".to_owned());
    }
    let after = &rest[end + 1..];
    let (bytes, later) = after.split_at_checked(stored).ok_or("is cut short")?;
    *rest = later;
    Ok(Stored { member, size, bytes })
}

/// A number in its one spelling.
fn decimal(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number: &usize| number.to_string() == text)
}
