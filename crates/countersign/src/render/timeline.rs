//! The answer to `timeline` as text: rows, then who started what, then what cannot be seen.

use evidence::ask::timeline::{Question, Row, Source, Timeline, What};
use evidence::story::claim::{Claim, ClaimSource, Voice};
use evidence::story::effect::{Effect, Wrote};
use evidence::story::operation::{Applied, Operation};
use evidence::story::write::Write;
use jiff::Timestamp;

use self::words::{
    With as _, as_whom, by, claimed, counted, name, object, outcome, reach, result, stands, state,
    tool, via,
};
use super::{ALERT, PLAIN, RenderOptions, Sheet, TITLE, columns, printable, short};

pub(super) mod acts;
pub(super) mod effect;
#[cfg(test)]
mod tests;
mod words;

/// Renders the answer; ends with a line break.
pub fn render(timeline: &Timeline, options: &RenderOptions<'_>) -> String {
    let mut page = Page { sheet: Sheet::new(options), options, timeline };
    page.heading();
    page.rows();
    for question in &timeline.questions {
        page.question(question);
    }
    page.footer();
    page.sheet.text
}

struct Page<'a> {
    sheet: Sheet,
    options: &'a RenderOptions<'a>,
    timeline: &'a Timeline,
}

/// Where the words of a row begin, under its time and its step.
const STEP: usize = 17;

impl Page<'_> {
    fn heading(&mut self) {
        let query = &self.timeline.query;
        let title = match (self.timeline.apps.as_slice(), &query.app, &query.namespace) {
            ([app], _, _) => match &app.destination_namespace {
                Some(place) if *place != app.name => format!("{} · {place}", app.name),
                _ => app.name.clone(),
            }
            .with(app.environment.as_deref())
            .with(app.criticality.as_deref()),
            (_, Some(app), _) => app.clone(),
            (_, None, Some(namespace)) => format!("namespace {namespace}"),
            (apps, None, None) => format!("{} applications", apps.len()),
        };
        let title = printable(&title);
        let window = self.window();
        let gap = self.sheet.width.saturating_sub(columns(&title) + columns(&window)).max(2);
        self.sheet.push(&title, TITLE);
        self.sheet.text.push_str(&" ".repeat(gap));
        self.sheet.push(&window, PLAIN);
        self.sheet.blank();
        let contradicted: Vec<&Question> = self.timeline.contradicted().collect();
        for question in contradicted {
            let mut text = format!(
                "!! INITIATOR CONTRADICTED: {}, operation of {}",
                printable(&question.app.name),
                self.options.clock(question.at.as_ref()).trim_end(),
            );
            if !question.expected_absent.is_empty() {
                let without = effect::named(&question.expected_absent);
                text = format!("{text}; without {without}");
            }
            self.sheet.entry("", &text, "", ALERT);
        }
        self.sheet.blank();
    }

    fn window(&self) -> String {
        let zoned = |t: Timestamp| t.to_zoned(self.options.tz.clone());
        let (from, to) = (zoned(self.timeline.query.from), zoned(self.timeline.query.to));
        let day = from.strftime("%a %Y-%m-%d, %H:%M:%S");
        let same_day = from.date() == to.date();
        let end = to.strftime(if same_day { "%H:%M:%S %Z" } else { "%a %Y-%m-%d, %H:%M:%S %Z" });
        format!("{day}–{end}")
    }

    fn rows(&mut self) {
        let several = self.timeline.apps.len() > 1;
        if self.timeline.rows.is_empty() {
            self.sheet.entry(
                "",
                "nothing recorded in this window; see the sources below",
                "",
                PLAIN,
            );
        }
        let date = |t: Timestamp| t.to_zoned(self.options.tz.clone()).date();
        let days = date(self.timeline.query.from) != date(self.timeline.query.to);
        let mut day = String::new();
        for row in &self.timeline.rows {
            let own = row
                .at
                .as_ref()
                .map_or_else(|| "undated".to_owned(), |at| self.options.zoned(at, "%a %Y-%m-%d"));
            if days && own != day {
                self.sheet.entry("", &own, "", TITLE);
                day = own;
            }
            self.row(row, several);
        }
    }

    fn row(&mut self, row: &Row, several: bool) {
        let time = self.options.clock(row.at.as_ref());
        let time = time + if row.same_time { "=" } else { " " };
        let app = |name: &str| {
            if several { format!("{}: ", printable(name)) } else { String::new() }
        };
        match &row.what {
            What::Write(write) => self.write(&time, "write", write),
            What::Refused(write) => self.write(&time, "refused", write),
            What::Operation(operation) => {
                let text = app(&operation.app.name) + &self.sync(operation);
                self.step(&time, "sync", &text, &self.options.number(&operation.cites));
                self.did(operation);
            }
            What::UnmatchedStart(start) => {
                let by = start.who.as_ref().map_or_else(|| "nobody named".to_owned(), name);
                let text = format!(
                    "{}start recorded by Argo CD's API server for {by}; the operation of version \
                     {} was not seen",
                    app(&start.name),
                    start.version
                );
                self.step(&time, "start", &text, &self.options.number(&start.cites));
            }
            What::Commit(commit) => {
                self.step(
                    &time,
                    "commit",
                    &words::commit(commit),
                    &self.options.number(&commit.cites),
                );
            }
            What::Act(act) => {
                let (step, text) = acts::told(act);
                let text = act.app.as_deref().map_or_else(String::new, app) + &text;
                self.step(&time, step, &text, &self.options.number(&act.cites));
                if let Some(writer) = &act.writer {
                    self.detail("as", &as_whom(writer));
                    if let Some(via) = via(writer) {
                        self.detail("via", &via);
                    }
                }
                for note in &act.notes {
                    self.detail("note", &printable(note));
                }
            }
            What::State(change) => {
                let text = app(&change.app.name) + &state(change);
                self.step(&time, "state", &text, &self.options.number(&change.cites));
            }
        }
    }

    fn step(&mut self, time: &str, step: &str, text: &str, note: &str) {
        let label = format!("{time}{step:<8}");
        self.sheet.entry(&label, text, note, PLAIN);
    }

    fn detail(&mut self, word: &str, text: &str) {
        let label = format!("{:11}{word:<6}", "");
        self.sheet.entry(&label, text, "", PLAIN);
    }

    fn write(&mut self, time: &str, step: &str, write: &Write) {
        let mut text = object(write);
        text.push_str(", ");
        text.push_str(&tool(&write.writer, &write.verb));
        if step == "refused" {
            let code = write.code.map_or_else(|| "no status".to_owned(), |c| c.to_string());
            text = format!("{text}, answered {code}");
        }
        self.step(time, step, &text, &self.options.number(&write.cites));
        self.detail("as", &as_whom(&write.writer));
        if let Some(via) = via(&write.writer) {
            self.detail("via", &via);
        }
        if let Some(asked) = &write.operation {
            let revision = asked.revision.as_deref().map_or_else(|| "none".to_owned(), short);
            let by = match (&asked.claimed_by, asked.automated) {
                (Some(claimed), _) => name(claimed),
                (None, true) => "automated".to_owned(),
                (None, false) => "nobody".to_owned(),
            };
            self.detail("set", &format!("revision {revision}, initiatedBy {by}"));
        }
    }

    fn sync(&self, operation: &Operation) -> String {
        let mut kind = operation.kind.word().to_owned();
        let revision = operation.revision.as_ref().or(operation.requested_revision.as_ref());
        if let Some(revision) = revision {
            kind = format!("{kind} to {}", short(revision));
        }
        let end = operation
            .finished_at
            .as_ref()
            .map_or_else(|| "end not seen".to_owned(), |end| self.options.clock(Some(end)));
        let phase =
            operation.phase.as_deref().map_or_else(|| "phase not seen".to_owned(), printable);
        let mut parts = vec![kind, format!("{phase} {end}"), by(&operation.initiator)];
        if let Some(id) = operation.history_id {
            parts.push(format!("Argo CD history id {id}"));
        }
        for (key, value) in &operation.info {
            parts.push(format!("{} {}", printable(key), printable(value)));
        }
        parts.join(", ")
    }

    fn did(&mut self, operation: &Operation) {
        match &operation.applied {
            Applied::Nothing => self.detail("did", "applied nothing"),
            Applied::Tried(tried) if tried.is_empty() => self.detail("did", "dry run, no change"),
            Applied::Tried(tried) => {
                self.detail("did", &format!("dry run of {} resources, no change", tried.len()));
            }
            Applied::Undetermined => self.detail("did", "undetermined: no result in the records"),
            Applied::Resources(resources) => {
                let (same, changed): (Vec<_>, Vec<_>) =
                    resources.iter().partition(|r| r.message.ends_with(" unchanged"));
                let wrote: Vec<&Wrote> = self.wrote(operation).collect();
                let words = |r: &evidence::parse::argocd_application_watch::ResourceOutcome| {
                    if let Some(wrote) = wrote.iter().find(|w| w.kind == r.kind && w.name == r.name)
                    {
                        return effect::values(wrote);
                    }
                    let word = if r.status == "Synced" { outcome(&r.message) } else { &r.status };
                    format!("{}/{} {}", printable(&r.kind), printable(&r.name), printable(word))
                };
                let mut parts: Vec<String> = changed.into_iter().map(words).collect();
                if !same.is_empty() {
                    parts.push(format!("{} unchanged", same.len()));
                }
                self.detail("did", &parts.join("; "));
            }
        }
        if let Some(note) = &operation.kind_note {
            self.detail("kind", note);
        }
    }

    /// The values that the audit log says were written in an operation.
    fn wrote(&self, operation: &Operation) -> impl Iterator<Item = &Wrote> {
        let (uid, version) = (operation.app.uid.clone(), operation.set.version());
        let of = move |e: &&Effect| e.uid == uid && e.version == version;
        self.timeline.effects.iter().filter(of).flat_map(|e| &e.wrote)
    }

    fn question(&mut self, question: &Question) {
        self.sheet.blank();
        let at = self.options.clock(question.at.as_ref());
        let name = printable(&question.app.name);
        let title = format!("Who started the {at} operation of {name}?");
        self.sheet.entry("", &title, "", TITLE);
        let names = question.claims.iter().map(|claim| columns(&claimed(claim)));
        let room = names.max().unwrap_or_default().clamp(12, 28);
        for claim in question.claims.iter().rev() {
            self.claim(claim, room);
        }
        for absence in &question.not_found {
            self.sheet.entry(&format!("  {:<room$} ", "not found"), &absence.what, "", PLAIN);
        }
        for absence in &question.cannot_tell {
            let reason = absence.reason.as_deref().unwrap_or("no reason recorded");
            let text = format!("{}: {reason}", absence.what);
            self.sheet.entry(&format!("  {:<room$} ", "cannot tell"), &text, "", PLAIN);
        }
        let style = if question.result.is_contradicted() { ALERT } else { PLAIN };
        self.sheet.entry("  ", &format!("Result: {}", result(&question.result)), "", style);
        self.sheet.blank();
        let mut label = "Effect";
        for line in effect::lines(question, &self.timeline.effects) {
            self.sheet.entry(&format!("{label:<STEP$}"), &line, "", PLAIN);
            label = "";
        }
        self.expected(question);
    }

    /// What one expects before such an operation, as far as it is not there.
    fn expected(&mut self, question: &Question) {
        let mut label = "Expected, absent";
        if !question.expected_absent.is_empty() {
            let names: Vec<&str> =
                question.expected_absent.iter().map(|a| a.what.as_str()).collect();
            self.sheet.entry(&format!("{label:<STEP$}"), &names.join(" · "), "", PLAIN);
            label = "";
        }
        for absence in &question.expected_unknown {
            let reason = absence.reason.as_deref().unwrap_or("no reason recorded");
            let text = format!("undetermined: {}, {reason}", absence.what);
            self.sheet.entry(&format!("{label:<STEP$}"), &text, "", PLAIN);
            label = "";
        }
    }

    fn claim(&mut self, claim: &Claim, room: usize) {
        let strength = match claim.voice {
            Voice::Asserted => "weak",
            Voice::Recorded => "recorded",
            Voice::Authenticated => "strong",
        };
        let note = format!("{strength:<9}{:>7}", self.options.number(&claim.cites));
        let audit = claim.writer.as_ref().map(|w| w.audit_id.chars().take(8).collect::<String>());
        let place = match (claim.source, audit) {
            (ClaimSource::AuditWrite, Some(id)) => {
                format!("authenticated by Kubernetes, audit {id}")
            }
            (ClaimSource::AuditWriteBefore, Some(id)) => {
                format!("authenticated by Kubernetes on the version before, audit {id}")
            }
            (source, _) => stands(source).to_owned(),
        };
        let who = claimed(claim);
        self.sheet.entry(&format!("  {who:<room$} "), &place, note.trim_end(), PLAIN);
    }

    fn footer(&mut self) {
        self.sheet.blank();
        let unseen = self.timeline.cannot_see.join(" · ");
        self.sheet.entry(&format!("{:<STEP$}", "Cannot see"), &unseen, "", PLAIN);
        let mut label = "Sources";
        let whole = |s: &&Source| s.incomplete.is_none() && s.coverage.interpreted;
        let complete: Vec<&Source> = self.timeline.sources.iter().filter(whole).collect();
        if !complete.is_empty() {
            let text = format!("{}: no gap detected", counted(&complete));
            self.sheet.entry(&format!("{label:<STEP$}"), &text, "", PLAIN);
            label = "";
        }
        for source in self.timeline.sources.iter().filter(|s| !whole(s)) {
            let text = reach(source, |at| self.options.clock(Some(at)));
            self.sheet.entry(&format!("{label:<STEP$}"), &text, "", PLAIN);
            label = "";
        }
        if self.timeline.sources.is_empty() {
            self.sheet.entry(&format!("{label:<STEP$}"), "no record of any channel", "", PLAIN);
        }
        self.recorded();
        if self.timeline.rows.iter().any(|row| row.same_time) {
            let text = "= marks the same time as the row above, as far as the clocks resolve";
            self.sheet.entry(&format!("{:<STEP$}", "Order"), text, "", PLAIN);
        }
    }

    /// The entries that the rows rest on, and where to go on from the contradicted ones.
    fn recorded(&mut self) {
        let cites = self.timeline.rows.iter().flat_map(|row| row.cites().iter());
        let numbers: Vec<u64> = cites.filter_map(|cite| (self.options.entry_of)(cite)).collect();
        if let (Some(first), Some(last)) = (numbers.iter().min(), numbers.iter().max()) {
            let checkpoint = self
                .options
                .checkpoint
                .map_or_else(|| "no checkpoint".to_owned(), |size| format!("checkpoint {size}"));
            let text = format!("#{first:04}–#{last:04}, {checkpoint}; outside timestamp: none");
            self.sheet.entry(&format!("{:<STEP$}", "Recorded"), &text, "", PLAIN);
        }
        let mut label = "Next";
        for question in self.timeline.contradicted() {
            let text = format!(
                "countersign change show operation:{}@{}",
                printable(&question.app.name),
                question.version
            );
            self.sheet.entry(&format!("{label:<STEP$}"), &text, "", PLAIN);
            label = "";
        }
    }
}
