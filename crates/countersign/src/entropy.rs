//! Randomness: the only place that asks the system for it.

use evidence::intake::seal::Salts;
use evidence::record::payload::{SALT_BYTES, Salt};

/// Bytes asked for at once: a system call for each salt would cost more than the hashing.
const BUFFER_BYTES: usize = 256 * SALT_BYTES;

/// Fills `bytes` from the system's generator.
#[expect(clippy::disallowed_methods, reason = "everything else takes randomness from here")]
pub fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(bytes)
}

/// Salts from the system's generator.
#[derive(Debug)]
pub struct SystemSalts {
    buffer: Box<[u8; BUFFER_BYTES]>,
    used: usize,
}

impl SystemSalts {
    /// Starts with an empty buffer.
    pub fn new() -> Self {
        Self { buffer: Box::new([0; BUFFER_BYTES]), used: BUFFER_BYTES }
    }
}

impl Default for SystemSalts {
    fn default() -> Self {
        Self::new()
    }
}

impl Salts for SystemSalts {
    /// # Panics
    ///
    /// If the system has no randomness to give: a salt that can be guessed would give away what it
    /// is there to hide, so there is nothing to go on with.
    fn salt(&mut self) -> Salt {
        if self.used == BUFFER_BYTES {
            let filled = fill(self.buffer.as_mut());
            assert!(filled.is_ok(), "the system gave no randomness: {filled:?}");
            self.used = 0;
        }
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&self.buffer[self.used..self.used + SALT_BYTES]);
        self.used += SALT_BYTES;
        salt
    }
}
