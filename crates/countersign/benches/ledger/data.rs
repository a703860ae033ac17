//! Records of exactly 1 KiB, and the sealed entries made of them.

use std::io::Write;

use countersign::entropy::SystemSalts;
use countersign::ledger::append::{Batch, Reading};
use countersign::store::Cursor;
use evidence::intake::cuts::Rules;
use evidence::intake::key::ContentKey;
use evidence::intake::{Intake, Taken, Terms};
use evidence::record::envelope::Auth;

use crate::measure::Outcome;

/// Bytes of a record.
pub(crate) const RECORD_BYTES: usize = 1024;
/// Records of a batch, as `ingest` has them.
pub(crate) const BATCH: usize = countersign::sources::files::BATCH_ENTRIES;

/// The terms of an ingest without a people map.
pub(crate) fn terms() -> Outcome<Terms> {
    Ok(Terms {
        rules: Rules::new([])?,
        content_key: ContentKey::new([7; 32]),
        record_bytes_max: 2 << 20,
        named: None,
        auth: Auth::OperatorFile,
    })
}

/// An audit event of exactly [`RECORD_BYTES`]: a write by the controller, each tenth by a person.
pub(crate) fn line(number: u64) -> Vec<u8> {
    let (a, b) = (mixed(number), mixed(number ^ (1 << 40)));
    let user = if number.is_multiple_of(10) {
        "dave.okafor@bank.example"
    } else {
        "system:serviceaccount:argocd:argocd-application-controller"
    };
    let (micros, minute, second) = (number % 1_000_000, number / 60 % 60, number % 60);
    let time = format!("2026-11-23T21:{minute:02}:{second:02}.{micros:06}Z");
    let (name, image) = (a % 1000, mixed(b));
    let mut text = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{a:016x}-{b:016x}","stage":"ResponseComplete","requestURI":"/apis/apps/v1/namespaces/payments-prod/deployments/api-{name}?fieldManager=argocd-controller","verb":"patch","user":{{"username":"{user}","groups":["system:authenticated"]}},"sourceIPs":["10.244.0.12"],"userAgent":"argocd-application-controller/v3.2.1","objectRef":{{"resource":"deployments","namespace":"payments-prod","name":"api-{name}","apiGroup":"apps","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"{time}","stageTimestamp":"{time}","requestObject":{{"spec":{{"template":{{"spec":{{"containers":[{{"name":"api","image":"registry.bank.example/payments/api@sha256:{image:016x}{a:016x}{b:016x}{name:016x}"}}]}}}}}}}},"annotations":{{"authorization.k8s.io/decision":"allow","pad":""#
    );
    let end = "\"}}";
    let mut word = image;
    while text.len() + end.len() < RECORD_BYTES {
        word = mixed(word);
        text.push(char::from(b'a' + u8::try_from(word % 26).unwrap_or_default()));
    }
    text.push_str(end);
    text.into_bytes()
}

/// Writes `count` records, a line each.
pub(crate) fn write_lines(out: &mut impl Write, count: usize) -> Outcome {
    for number in 0..count {
        out.write_all(&line(number as u64))?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Seals `lines` in batches, as `ingest` does.
pub(crate) fn sealed(lines: &[Vec<u8>], batch: usize) -> Outcome<Vec<Batch>> {
    let (terms, mut salts) = (terms()?, SystemSalts::new());
    let (mut intake, mut batches, mut read) = (Intake::new(&terms), Vec::new(), 0);
    for lines in lines.chunks(batch) {
        batches.push(seal(&mut intake, lines, &mut salts, read)?);
        read += lines.len();
    }
    Ok(batches)
}

/// Seals the lines of one batch; `before` were read before.
pub(crate) fn seal(
    intake: &mut Intake<'_>,
    lines: &[Vec<u8>],
    salts: &mut SystemSalts,
    before: usize,
) -> Outcome<Batch> {
    let mut batch = Batch::default();
    for line in lines {
        match intake.take(line, countersign::clock::now(), salts)? {
            Taken::Pending(entry) => batch.entries.push(*entry),
            Taken::Several(_) => return Err("a batch among single records".into()),
            Taken::ReadByPerson(channel) => return Err(format!("a read of {channel}").into()),
        }
    }
    let lines = (before + lines.len()) as u64;
    batch.reading = Some(Reading {
        cursor: Cursor { source: "bench".to_owned(), lines, bytes: lines << 10 },
        epoch: 1,
        at: countersign::clock::now(),
        dropped: std::collections::BTreeMap::new(),
        refused: Vec::new(),
    });
    Ok(batch)
}

/// A permutation of 64-bit numbers that looks random (`SplitMix64`).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
