//! Readers: who may ask questions, and how each is authenticated.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hyper::HeaderMap;
use serde::Deserialize;

use super::answer::Problem;
use super::authenticate::Authenticator;
use super::bucket::Bucket;
use super::certificate::Certificate;
use super::settings::{self, Around, AuthTable, Rate};

/// Somebody who may ask questions.
#[derive(Debug)]
pub struct Reader {
    /// Its name, in metrics and messages.
    pub name: String,
    pub(super) authenticator: Authenticator,
    pub(super) rate: Option<Rate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ReaderTable {
    pub(super) name: String,
    auth: AuthTable,
    rate: Option<Rate>,
}

impl ReaderTable {
    pub(super) fn checked(
        self,
        around: &Around<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Reader, settings::Problem> {
        settings::check_name(&self.name)?;
        settings::check_rate(self.rate)?;
        // A browser on this machine can be made to send a request to the loopback, and a question
        // has no body to sign.
        if !matches!(self.auth, AuthTable::Bearer(_) | AuthTable::ClientCertificate(_)) {
            return Err("a reader has bearer = { token-file = … } or client-certificate".to_owned());
        }
        let authenticator = self.auth.checked(None, around, warnings)?;
        Ok(Reader { name: self.name, authenticator, rate: self.rate })
    }
}

/// The readers while they are served.
#[derive(Debug)]
pub(super) struct Readers(Vec<Admitted>);

#[derive(Debug)]
struct Admitted {
    reader: Reader,
    bucket: Option<Mutex<Bucket>>,
}

impl Readers {
    pub(super) fn new(readers: Vec<Reader>) -> Self {
        let admitted = readers.into_iter().map(|reader| Admitted {
            bucket: reader.rate.map(|rate| Mutex::new(Bucket::new(rate, Instant::now()))),
            reader,
        });
        Self(admitted.collect())
    }

    /// Who asks, or why nobody who may. Every reader is compared, so that the time does not say which
    /// one came close.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        certificate: Option<&Certificate>,
    ) -> Result<&str, Problem> {
        let (mut found, mut refused) = (None, None);
        for one in &self.0 {
            let way = &one.reader.authenticator;
            match way.check_head(headers, certificate) {
                Ok(()) => found = found.or(Some(one)),
                // A token is what most readers have: its absence is told first.
                Err(why) if refused.is_none() || way.is_token() => {
                    refused = Some(Problem::unauthenticated(&why, way.challenge()));
                }
                Err(_) => {}
            }
        }
        match (found, refused) {
            (Some(one), _) => one.allowed(),
            (None, Some(refused)) => Err(refused),
            (None, None) => Err(Problem::no_reader()),
        }
    }
}

impl Admitted {
    fn allowed(&self) -> Result<&str, Problem> {
        if let Some(bucket) = &self.bucket {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(Instant::now()).map_err(Problem::asked_too_often)?;
        }
        Ok(&self.reader.name)
    }
}
