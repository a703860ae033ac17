//! The answers to `change`, `running` and `drift` as text.

use evidence::ask::change::{ChangeList, ChangeView, DUTIES, Verdict};
use evidence::ask::running::{Application, Running};
use evidence::story::act::{Act, What};
use evidence::story::change::population::{Class, Transition};
use evidence::story::change::{Change, Content, Deployed, Head, Merge, Pin, Review, Step, Ticket};
use evidence::story::claim::Identity;
use evidence::story::effect::{Effect, Measured};
use evidence::story::initiator::Initiator;
use evidence::story::operation::Operation;
use evidence::story::wire::Cites;
use evidence::time::Moment;
use jiff::Timestamp;

use super::timeline::acts;
use super::{ALERT, PLAIN, RenderOptions, Sheet, TITLE, columns, printable, short};

struct Page<'a> {
    sheet: Sheet,
    options: &'a RenderOptions<'a>,
}

impl<'a> Page<'a> {
    fn new(options: &'a RenderOptions<'a>) -> Self {
        Self { sheet: Sheet::new(options), options }
    }

    fn day(&self, at: Option<&Moment>) -> String {
        at.map_or_else(String::new, |at| self.options.zoned(at, "%a %Y-%m-%d %Z"))
    }

    fn step(&mut self, at: Option<&Moment>, step: &str, text: &str, link: &str, cites: &Cites) {
        let label = format!("{} {step:<8} ", self.options.clock(at));
        let note = format!("{link:<7} {:>5}", self.options.number(cites));
        self.sheet.entry(&label, &printable(text), &note, PLAIN);
    }

    fn field(&mut self, label: &str, text: &str) {
        self.sheet.entry(&format!("{label:<13}"), &printable(text), "", PLAIN);
    }

    fn title(&mut self, left: &str, right: &str) {
        let (left, right) = (printable(left), printable(right));
        let gap = self.sheet.width.saturating_sub(columns(&left) + columns(&right));
        if gap < 2 {
            self.sheet.entry("", &left, "", TITLE);
            self.sheet.entry("", &right, "", PLAIN);
        } else {
            self.sheet.push(&left, TITLE);
            self.sheet.text.push_str(&" ".repeat(gap));
            self.sheet.push(&right, PLAIN);
            self.sheet.blank();
        }
    }
}

fn who(who: Option<&Identity>) -> String {
    who.map_or_else(
        || "account not known".to_owned(),
        |w| w.person.clone().unwrap_or_else(|| w.account.clone()),
    )
}

/// One change.
pub fn change_show(view: &ChangeView, options: &RenderOptions<'_>) -> String {
    let mut page = Page::new(options);
    let change = &view.change;
    page.title(&title(change), &page.day(change.at.as_ref()));
    let mut names = vec![
        change.number.map_or_else(|| "push without a proposal".to_owned(), |n| format!("PR {n}")),
    ];
    names.extend(change.tickets.iter().map(|t| t.key.clone()));
    let apps: std::collections::BTreeSet<&str> =
        change.operations.iter().map(|d| d.app.name.as_str()).collect();
    names.extend(apps.into_iter().map(str::to_owned));
    page.sheet.entry("", &printable(&names.join(" · ")), "", PLAIN);
    let count = |verdict| view.count(verdict);
    let (met, not, open) =
        (count(Verdict::Met), count(Verdict::NotMet), count(Verdict::Undetermined));
    let text = format!("Conditions: {met} met · {not} not met · {open} undetermined");
    page.sheet.entry("", &text, "", if not > 0 { ALERT } else { PLAIN });
    page.sheet.blank();
    page.sheet.entry("Time     Step     ", "What the sources recorded", "Link    Entry", TITLE);
    for (_, step) in steps(view) {
        page.step(step.at.as_ref(), step.word, &step.text, step.link, &step.cites);
    }
    duties(&mut page, view);
    page.sheet.blank();
    content(&mut page, change);
    verdicts(&mut page, view, "Not met", Verdict::NotMet);
    verdicts(&mut page, view, "Undetermined", Verdict::Undetermined);
    verdicts(&mut page, view, "Met", Verdict::Met);
    later(&mut page, view);
    let mut label = "Noted";
    for note in &view.noted {
        page.field(label, note);
        label = "";
    }
    let name = change.number.map_or_else(|| change.id.clone(), |number| format!("pr:{number}"));
    page.field("Evidence", &format!("countersign evidence export --change {name} --out FILE"));
    page.sheet.text
}

fn title(change: &Change) -> String {
    let title = change.title.clone().unwrap_or_else(|| {
        change.heads.first().map_or_else(String::new, |h| format!("commit {}", short(&h.commit)))
    });
    let mut places: Vec<String> = change
        .operations
        .iter()
        .flat_map(|d| [d.app.environment.clone(), d.app.criticality.clone()])
        .flatten()
        .collect();
    places.sort();
    places.dedup();
    [vec![title], places].concat().join(", ")
}

struct Line {
    at: Option<Moment>,
    word: &'static str,
    text: String,
    link: &'static str,
    cites: Cites,
}

/// The steps of a change in order of time, with the order of a change where clocks do not say.
fn steps(view: &ChangeView) -> Vec<((Timestamp, usize), Line)> {
    let change = &view.change;
    let mut lines: Vec<Line> = change.heads.iter().map(|head| asked(view, head)).collect();
    lines.extend(change.reviews.iter().map(reviewed));
    lines.extend(change.tickets.iter().flat_map(ticketed));
    lines.extend(change.merge.iter().map(merged));
    lines.extend(change.pins.iter().filter(|pin| !pin.again).map(|pin| pinned(view, pin)));
    lines.extend(change.elsewhere.iter().map(|step| earlier(change, step)));
    let deployed = change.operations.iter().filter(|d| !d.again && !is_pin(change, d));
    lines.extend(deployed.map(|deployed| sync(view, deployed)));
    let followed_first = change.rollouts.iter().chain(&change.alerts).filter(|step| !step.again);
    lines.extend(followed_first.map(followed));
    lines.extend(measured(view));
    let mut keyed: Vec<((Timestamp, usize), Line)> = lines
        .into_iter()
        .enumerate()
        .map(|(n, line)| ((line.at.map_or(Timestamp::MAX, |at| at.earliest()), n), line))
        .collect();
    // A stamp of a whole second counts as its second: steps within it keep the order of a change.
    keyed.sort_by_key(|((at, n), _)| (at.as_second(), *n));
    keyed
}

fn asked(view: &ChangeView, head: &Head) -> Line {
    let commit = view.commits.iter().find(|c| c.id == head.commit);
    let subject = commit.and_then(|c| c.subject.as_deref()).unwrap_or_default();
    let text = format!("{}: {} {subject}", who(head.who.as_ref()), short(&head.commit));
    let text = text.trim_end().to_owned();
    let word = if view.change.is_push() { "push" } else { "request" };
    Line { at: head.at, word, text, link: "exact", cites: head.cites.clone() }
}

fn reviewed(review: &Review) -> Line {
    let on = review.commit.as_deref().map_or_else(String::new, |c| format!(", on {}", short(c)));
    let head = match review.on_merged_head {
        Some(true) => " (merged head)",
        Some(false) => " (not the merged head)",
        None => "",
    };
    let word = if review.state == "approved" { "approve" } else { "review" };
    let state = if word == "approve" { String::new() } else { format!(" {}", review.state) };
    let text = format!("{}{state}{on}{head}", who(review.who.as_ref()));
    Line { at: review.at, word, text, link: "exact", cites: review.cites.clone() }
}

fn ticketed(ticket: &Ticket) -> impl Iterator<Item = Line> {
    ticket.history.iter().map(|step| {
        let before = step.before.as_deref().unwrap_or("new");
        let text = format!("{} {}: {before} → {}", ticket.key, who(step.who.as_ref()), step.status);
        Line { at: step.at, word: "ticket", text, link: "text", cites: step.cites.clone() }
    })
}

fn merged(merge: &Merge) -> Line {
    let commit = merge.commit.as_deref().map_or_else(String::new, |c| format!(" → {}", short(c)));
    let text = format!("{}{commit}", who(merge.who.as_ref()));
    Line { at: merge.at, word: "merge", text, link: "exact", cites: merge.cites.clone() }
}

fn pinned(view: &ChangeView, pin: &Pin) -> Line {
    let operation = pin.by.as_ref().and_then(|(name, version)| {
        view.operations.iter().find(|o| o.app.name == *name && o.set.version() == *version)
    });
    let by = operation.map_or_else(
        || "by a write whose operation is not known".to_owned(),
        |o| format!("{} syncs {}", starter(o), o.app.name),
    );
    let text = format!("{by}; targetRevision of {} {}", pin.app.name, short(&pin.revision));
    Line { at: pin.at, word: "pin", text, link: "time", cites: pin.cites.clone() }
}

/// Where the same images ran before, and how long before: a tag may be moved in between.
fn earlier(change: &Change, step: &Step) -> Line {
    let mut line = followed(step);
    let first = change.rollouts.iter().filter(|s| !s.again).filter_map(|s| s.act.at).min();
    if let Some((before, after)) = step.act.at.zip(first) {
        let seconds = after.earliest().duration_since(before.earliest()).as_secs();
        line.text = format!("{}; {seconds} s before", line.text);
    }
    Line { word: "earlier", link: "image", ..line }
}

/// Series around the first operation that deployed the change.
fn measured(view: &ChangeView) -> Vec<Line> {
    let first = view.change.operations.iter().find(|d| d.applied && !is_pin(&view.change, d));
    let Some(first) = first else { return Vec::new() };
    let own = |e: &&Effect| e.uid == first.app.uid && e.version == first.version;
    let all = view.effects.iter().filter(own).flat_map(|e| &e.measured);
    let line = |m: &Measured| Line {
        at: first.at,
        word: "metric",
        text: format!("{}: {}", first.app.name, super::timeline::effect::measured(m)),
        link: "time",
        cites: m.cites.clone(),
    };
    all.map(line).collect()
}

fn followed(step: &Step) -> Line {
    let (word, text) = acts::told(&step.act);
    let link = if word == "alert" { "time" } else { "exact" };
    let app = step.act.app.as_deref().map_or_else(String::new, |a| format!("{a}: "));
    Line { at: step.act.at, word, text: app + &text, link, cites: step.act.cites.clone() }
}

/// Whether an operation only moved pins of others: then the pin tells it.
fn is_pin(change: &Change, deployed: &Deployed) -> bool {
    let by = Some((deployed.app.name.clone(), deployed.version));
    change.pins.iter().any(|pin| pin.by == by)
}

fn sync(view: &ChangeView, deployed: &Deployed) -> Line {
    let same =
        |o: &&Operation| o.app.uid == deployed.app.uid && o.set.version() == deployed.version;
    let operation = view.operations.iter().find(same);
    let by = operation.map_or_else(String::new, starter);
    let kind = operation.map_or("", |o| o.kind.word());
    let phase = operation.and_then(|o| o.phase.clone()).unwrap_or_default();
    let revision = deployed.revision.as_deref().map_or_else(String::new, short);
    let idle = if deployed.applied { "" } else { ", applied nothing" };
    let info: Vec<String> =
        operation.iter().flat_map(|o| &o.info).map(|(k, v)| format!("{k} {v}")).collect();
    let info = if info.is_empty() { String::new() } else { format!("; info {}", info.join(", ")) };
    let text = format!("{by}, {} {kind} to {revision}, {phase}{idle}{info}", deployed.app.name);
    Line { at: deployed.at, word: "sync", text, link: "exact", cites: deployed.cites.clone() }
}

fn starter(operation: &Operation) -> String {
    match &operation.initiator {
        Initiator::Determined { who: by, .. } | Initiator::Machine { who: by, .. } => who(Some(by)),
        Initiator::Automated { .. } => "automated".to_owned(),
        Initiator::Contradicted { writer, .. } => {
            format!("initiator contradicted, written by {}", writer.acting().account)
        }
        Initiator::Undetermined { .. } => "initiator undetermined".to_owned(),
    }
}

/// What brought the change back after another had been deployed, and what followed from that.
fn later(page: &mut Page<'_>, view: &ChangeView) {
    let change = &view.change;
    let mut lines: Vec<Line> = change
        .operations
        .iter()
        .filter(|d| d.again && !is_pin(change, d))
        .map(|d| sync(view, d))
        .collect();
    lines.extend(change.pins.iter().filter(|pin| pin.again).map(|pin| pinned(view, pin)));
    let steps = change.rollouts.iter().chain(&change.alerts).filter(|step| step.again);
    lines.extend(steps.map(followed));
    lines.sort_by_key(|line| line.at.map_or(Timestamp::MAX, |at| at.earliest()));
    let mut label = "Again";
    for line in lines {
        let text = format!("{} {} {}", page.options.clock(line.at.as_ref()), line.word, line.text);
        page.field(label, &text);
        label = "";
    }
}

fn duties(page: &mut Page<'_>, view: &ChangeView) {
    if view.duties.is_empty() {
        return;
    }
    page.sheet.blank();
    let room = view.duties.iter().map(|p| columns(&p.who)).max().unwrap_or(0).clamp(6, 26);
    let head: String = DUTIES.iter().map(|d| format!("{:<10}", d.word())).collect();
    page.sheet.entry(&format!("{:<room$} ", "Duties"), head.trim_end(), "", TITLE);
    for part in &view.duties {
        let marks: String = DUTIES
            .iter()
            .map(|d| if part.duties.contains(d) { format!("{:<10}", "x") } else { " ".repeat(10) })
            .collect();
        let name: String = printable(&part.who).chars().take(room).collect();
        page.sheet.push(&format!("{name:<room$} "), PLAIN);
        page.sheet.text.push_str(marks.trim_end());
        page.sheet.blank();
    }
}

fn content(page: &mut Page<'_>, change: &Change) {
    let mut label = "Content";
    let mut said = std::collections::BTreeSet::new();
    for deployed in change.operations.iter().filter(|d| !is_pin(change, d)) {
        let revision = deployed.revision.as_deref().map_or_else(String::new, short);
        let text = match &deployed.content {
            Content::Approved { head, differs_in, in_deployed_path } if !differs_in.is_empty() => {
                let (place, verdict) = if *in_deployed_path {
                    ("inside the deployed folder", "not the same content")
                } else {
                    ("outside the deployed folder", "same content")
                };
                format!(
                    "{revision}, held by approved {}; they differ only in {}, {place}: {verdict}",
                    short(head),
                    differs_in.join(", ")
                )
            }
            Content::Approved { head, .. } | Content::Merged { head } => {
                format!("{revision}, {} {}", deployed.content.word(), short(head))
            }
            Content::NotApproved { approved } => {
                let heads: Vec<String> = approved.iter().map(|h| short(h)).collect();
                let heads = if heads.is_empty() { "none".to_owned() } else { heads.join(", ") };
                format!("{revision}: no approved head holds it (approved: {heads})")
            }
            Content::Undetermined { reason } => format!("{revision}: undetermined, {reason}"),
        };
        let text = format!("{} runs {text}", deployed.app.name);
        if deployed.applied && said.insert(text.clone()) {
            page.field(label, &text);
            label = "";
        }
    }
}

fn verdicts(page: &mut Page<'_>, view: &ChangeView, label: &str, verdict: Verdict) {
    let mut label = label;
    if verdict == Verdict::Undetermined {
        // Several conditions with one reason are one line.
        let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
        for c in view.conditions.iter().filter(|c| c.verdict == verdict) {
            match by_reason.iter_mut().find(|(reason, _)| *reason == c.reason) {
                Some((_, names)) => names.push(c.condition),
                None => by_reason.push((&c.reason, vec![c.condition])),
            }
        }
        for (reason, names) in by_reason {
            page.field(label, &format!("{}: {reason}", names.join(" · ")));
            label = "";
        }
        return;
    }
    for c in view.conditions.iter().filter(|c| c.verdict == verdict) {
        page.field(label, &format!("{}: {}", c.condition, c.reason));
        label = "";
    }
}

/// All changes and the population.
pub fn change_list(list: &ChangeList, options: &RenderOptions<'_>) -> String {
    let mut page = Page::new(options);
    let classes: Vec<String> = list.population.iter().map(|(c, n)| format!("{n} {c}")).collect();
    page.sheet.entry(
        "Population   ",
        &format!("{} transitions = {}", list.transitions, classes.join(" + ")),
        "",
        TITLE,
    );
    for (reason, count) in &list.outside_git {
        page.field("", &format!("outside git: {count}, {reason}"));
    }
    page.sheet.blank();
    for change in &list.changes {
        let number = change.number.map_or_else(|| "push".to_owned(), |n| format!("PR {n}"));
        let title = change
            .title
            .clone()
            .unwrap_or_else(|| change.heads.first().map_or_else(String::new, |h| short(&h.commit)));
        let apps: std::collections::BTreeSet<&str> =
            change.operations.iter().filter(|d| d.applied).map(|d| d.app.name.as_str()).collect();
        let apps: Vec<&str> = apps.into_iter().collect();
        let apps = if apps.is_empty() { "not deployed".to_owned() } else { apps.join(", ") };
        let unapproved = change
            .operations
            .iter()
            .any(|d| d.applied && matches!(d.content, Content::NotApproved { .. }));
        let mark = if unapproved { "; content nobody approved" } else { "" };
        let text = format!("{title}; {}; {apps}{mark}", who(change.author.as_ref()));
        let label = format!("{} {number:<8} ", page.options.clock(change.at.as_ref()));
        page.sheet.entry(&label, &printable(&text), &page.options.number(&change.cites), PLAIN);
    }
    page.sheet.blank();
    page.field(
        "Residuals",
        &format!("merged and not deployed: {}", listed(&list.merged_not_deployed)),
    );
    page.field("", &format!("tickets that no change cites: {}", listed(&list.tickets_unused)));
    page.sheet.text
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A transition that belongs to no change.
pub fn transition(transition: &Transition, options: &RenderOptions<'_>) -> String {
    let mut page = Page::new(options);
    let app = transition.app.as_deref().unwrap_or("no Application");
    page.title(&format!("{} · {app}", transition.what), &page.day(transition.at.as_ref()));
    let reason = match &transition.class {
        Class::OutsideGit { reason }
        | Class::Excluded { reason }
        | Class::Undetermined { reason } => reason.as_str(),
        Class::Change { id } => id.as_str(),
        Class::SelfHeal {} => "Argo CD put the live state back",
    };
    let text = format!("{}: {reason}", transition.class.word());
    page.step(transition.at.as_ref(), "no change", &text, "", &transition.cites);
    let at = transition.at.map(|at| at.earliest().to_string()).unwrap_or_default();
    page.field("Next", &format!("countersign timeline --at {at} --app {app}"));
    page.sheet.text
}

/// What ran at a moment.
pub fn running(running: &Running, at: Timestamp, options: &RenderOptions<'_>) -> String {
    let mut page = Page::new(options);
    let zoned = at.to_zoned(options.tz.clone());
    page.title(
        "Running, as far as the records show",
        &zoned.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string(),
    );
    for application in &running.applications {
        page.sheet.blank();
        one(&mut page, application);
    }
    if running.applications.is_empty() {
        page.field("", "no record before that moment names an Application");
    }
    page.sheet.text
}

fn one(page: &mut Page<'_>, application: &Application) {
    let app = &application.app;
    let places: Vec<&str> =
        [app.environment.as_deref(), app.criticality.as_deref()].into_iter().flatten().collect();
    let state = [application.sync.as_deref(), application.health.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    page.title(&[&[app.name.as_str()], places.as_slice()].concat().join(" · "), &state);
    match &application.deployed {
        Some(last) => {
            let revision = last
                .revision
                .as_deref()
                .map_or_else(|| "local manifests, no commit".to_owned(), short);
            let text = format!("{revision}, {} sync that applied something", last.kind.word());
            page.step(last.at.as_ref(), "git", &text, "", &last.cites);
        }
        None => page.field("  git", "no operation that applied something is in the records before"),
    }
    for workload in &application.workloads {
        let text = format!(
            "{} revision {}: {}",
            workload.name,
            workload.deployment_revision,
            workload.images.join(", ")
        );
        page.step(workload.since.as_ref(), "pods", &text, "", &workload.cites);
    }
    for act in &application.drift {
        let (word, text) = acts::told(act);
        page.step(act.at.as_ref(), word, &text, "", &act.cites);
    }
}

/// All drift.
pub fn drift_list(drift: &[Act], options: &RenderOptions<'_>) -> String {
    let mut page = Page::new(options);
    if drift.is_empty() {
        page.field("", "no divergence observed in the records; see `countersign ledger status` for what they cover");
    }
    for act in drift {
        let What::Drift { ended, .. } = &act.what else { continue };
        let lasted = act.at.filter(|_| *ended).map(|at| {
            let seconds = at.latest().duration_since(at.earliest()).as_secs();
            format!("; lasted {seconds} s")
        });
        let app = act.app.as_deref().unwrap_or("no Application");
        let text = format!("{app}: {}{}", acts::told(act).1, lasted.unwrap_or_default());
        page.step(act.at.as_ref(), "drift", &text, "", &act.cites);
        for note in &act.notes {
            page.sheet.entry(&" ".repeat(18), &printable(note), "", PLAIN);
        }
    }
    page.sheet.text
}
