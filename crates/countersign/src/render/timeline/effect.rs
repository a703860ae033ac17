//! The words of effects: values that were written, pods that followed, series around it.

use evidence::ask::timeline::Question;
use evidence::story::act::What;
use evidence::story::claim::Absence;
use evidence::story::effect::{Effect, Measured, Value, Wrote};

use crate::render::printable;

/// The values that an operation wrote into one object.
pub(super) fn values(wrote: &Wrote) -> String {
    let value = |value: &Value| {
        let before = value.before.as_deref().unwrap_or("not known");
        let after = value.after.as_deref().unwrap_or("removed");
        format!("{} {before} → {after}", value.key)
    };
    let values: Vec<String> = wrote.values.iter().map(value).collect();
    printable(&format!("{}/{} {}", wrote.kind, wrote.name, values.join(", ")))
}

/// Two means of a series: what was measured, not what brought it about.
pub(crate) fn measured(measured: &Measured) -> String {
    let labels: Vec<String> = measured.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mean = |value: &Option<String>| value.clone().unwrap_or_else(|| "no data".to_owned());
    let (before, after) = (mean(&measured.before), mean(&measured.after));
    printable(&format!("series {} {before} → {after}", labels.join(",")))
}

/// What followed from an operation, a line each.
pub(super) fn lines(question: &Question, effects: &[Effect]) -> Vec<String> {
    let of = |e: &&Effect| e.uid == question.app.uid && e.version == question.version;
    let own = effects.iter().find(of);
    let mut lines = Vec::new();
    for wrote in own.into_iter().flat_map(|e| &e.wrote) {
        lines.extend(restored(question, wrote, effects));
    }
    for act in &question.rollouts {
        if let What::Rollout(rollout) = &act.what {
            let (name, pods, images) =
                (&rollout.name, rollout.pods.len(), rollout.images.join(", "));
            lines.push(printable(&format!("{name}: {pods} new pods, {images}")));
        }
    }
    if question.rollouts.is_empty() {
        lines.push(match &question.rollouts_unknown {
            None => "no pod started for it; images unchanged".to_owned(),
            Some(reason) => format!("whether pods started is undetermined: {reason}"),
        });
    }
    let series = own.into_iter().flat_map(|e| &e.measured).map(measured);
    lines.extend(series.map(|s| format!("{s} (means of the minute before and after)")));
    lines
}

/// Values that a later operation of the same Application put back.
fn restored(question: &Question, wrote: &Wrote, effects: &[Effect]) -> Vec<String> {
    let later =
        effects.iter().filter(|e| e.uid == question.app.uid && e.version > question.version);
    let same = |w: &&Wrote| w.kind == wrote.kind && w.name == wrote.name;
    let writes: Vec<&Wrote> = later.flat_map(|e| &e.wrote).filter(same).collect();
    let back = |value: &Value| {
        let put = writes
            .iter()
            .find(|w| w.values.iter().any(|v| v.key == value.key && v.after == value.before))?;
        let lasted = put.at.earliest().duration_since(wrote.at.earliest()).as_secs_f64();
        let before = value.before.as_deref()?;
        Some(printable(&format!("{} back to {before} after {lasted:.1} s", value.key)))
    };
    wrote.values.iter().filter_map(back).collect()
}

/// Absences in words: `pull request · ticket`.
pub(super) fn named(absences: &[Absence]) -> String {
    let names: Vec<&str> = absences.iter().map(|a| a.what.as_str()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.join(""),
    }
}
