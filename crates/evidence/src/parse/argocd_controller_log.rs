//! `argocd-controller-log`: lines of the log of Argo CD's application controller.
//!
//! Its audit lines say the same as its Events, in the same words and without their versions
//! (`argoproj/argo-cd` `util/argo/audit_logger.go` `logEvent`): they corroborate, and remain when
//! the Events have expired.

use serde::Deserialize;

use super::{NotUnderstood, object_only, text};
use crate::time::Moment;

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerLine {
    /// When it was written, to the second.
    pub time: Moment,
    /// The Application that it is about, by name.
    pub application: Option<String>,
    /// The reason of the Event that it stands beside, such as `OperationCompleted`.
    pub reason: Option<String>,
    /// What it says.
    pub message: String,
}

#[derive(Deserialize)]
struct Raw {
    time: Moment,
    #[serde(rename = "level")]
    _level: String,
    msg: String,
    application: Option<String>,
    reason: Option<String>,
}

/// Reads one line.
pub fn parse(line: &[u8]) -> Result<ControllerLine, NotUnderstood> {
    let raw: Raw = serde_json::from_slice(object_only(line)?)?;
    Ok(ControllerLine {
        time: raw.time,
        application: text(raw.application),
        reason: text(raw.reason),
        message: raw.msg,
    })
}
