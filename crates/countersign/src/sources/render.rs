//! Renders charts and kustomizations of a repository with the helm and kustomize of this machine.
//!
//! What a job is and what comes of it is [`access::repository::rendering`]'s; here are the processes.
//! A tool gets the files of the commit that was read, in a private folder that is removed afterwards,
//! and nothing else: no environment, no plugin, no other program, no way to the network that it would
//! know of. It has a limit of time and of output.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use access::repository::rendering::Job;
use access::repository::{Made, Rendering, Repository, Tool};
use serde::Serialize;

use super::checkout::Checkout;

mod arguments;
mod folder;
mod run;
mod tools;

use self::folder::Folder;
pub use self::run::{Failure, Limits, run};
pub use self::tools::{Program, Tools};

/// Renderings at the same time: more would only wait for memory.
const AT_ONCE_MAX: usize = 8;

/// Called after each rendering: how many are done, of how many.
pub type Monitor<'m> = &'m mut dyn FnMut(usize, usize);

/// Renders what a reading asks for.
pub struct Workshop<'w> {
    tools: &'w Tools,
    checkout: &'w Checkout,
    limits: Limits,
    /// Paths without their content, with the reason.
    left_out: BTreeMap<&'w str, &'static str>,
    came: BTreeMap<Rendering, bool>,
}

/// A tool, as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// The tool.
    pub tool: Tool,
    /// What it calls its version; none if it is not there.
    pub version: Option<String>,
    /// Renderings that it made.
    pub made: usize,
    /// Renderings that it did not make.
    pub not_made: usize,
}

impl<'w> Workshop<'w> {
    /// For the files of a repository.
    pub fn new(tools: &'w Tools, checkout: &'w Checkout, limits: Limits) -> Self {
        let left_out = checkout.left_out.iter().map(|(path, why)| (path.as_str(), *why)).collect();
        Self { tools, checkout, limits, left_out, came: BTreeMap::new() }
    }

    /// Renders. A rendering that fails is no error; that no folder can be made is one.
    pub fn render(
        &mut self,
        wanted: &BTreeSet<Rendering>,
        monitor: Monitor<'_>,
    ) -> io::Result<BTreeMap<Rendering, Made>> {
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let folder = Folder::new(self.checkout)?;
        let made = self.all(&folder, &wanted.iter().collect::<Vec<_>>(), monitor);
        for (rendering, made) in &made {
            self.came.insert(rendering.clone(), matches!(made, Made::Output(_)));
        }
        Ok(made)
    }

    fn all(
        &self,
        folder: &Folder<'_>,
        wanted: &[&Rendering],
        monitor: Monitor<'_>,
    ) -> BTreeMap<Rendering, Made> {
        let next = AtomicUsize::new(0);
        let (send, receive) = mpsc::channel();
        let threads = thread::available_parallelism().map_or(1, |n| n.get().min(AT_ONCE_MAX));
        thread::scope(|scope| {
            for _ in 0..threads.min(wanted.len()) {
                let (next, send) = (&next, send.clone());
                scope.spawn(move || {
                    while let Some(one) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // The other end is gone only if this thread is no longer waited for.
                        let _unheard = send.send(((*one).clone(), self.one(folder, one)));
                    }
                });
            }
            drop(send);
            let mut all = BTreeMap::new();
            for (rendering, made) in receive {
                all.insert(rendering, made);
                monitor(all.len(), wanted.len());
            }
            all
        })
    }

    fn one(&self, folder: &Folder<'_>, rendering: &Rendering) -> Made {
        let Some(program) = self.tools.get(rendering.tool()) else { return Made::NoTool };
        if let Some(why) = self.hidden(rendering) {
            return Made::Failed(why);
        }
        let laid = match folder.lay_out(rendering) {
            Ok(laid) => laid,
            Err(e) => return Made::Failed(format!("its files could not be laid out: {e}")),
        };
        let mut command = folder.command(program, &laid);
        command.args(arguments::of(rendering, &laid));
        match run(&mut command, &self.limits) {
            Ok(output) => Made::Output(output),
            Err(failure) => Made::Failed(self.words(&failure, rendering, &laid)),
        }
    }

    /// Why something that the tool would read is not among the files: without it the tool may make
    /// something else of the rest.
    fn hidden(&self, rendering: &Rendering) -> Option<String> {
        let mut known = rendering.files.iter().map(|path| &**path);
        let hidden = known.find_map(|path| Some((path, *self.left_out.get(path)?)));
        let below = match rendering.folder.as_str() {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        // A link in a chart, or one that leads to values.
        let in_chart = || {
            let Job::Helm(job) = &rendering.job else { return None };
            let mut all = self.left_out.iter().map(|(path, why)| (*path, *why));
            let leads =
                |link: &str| job.absent.iter().any(|path| Path::new(path).starts_with(link));
            all.find(|(path, _)| path.starts_with(&below) || leads(path))
        };
        hidden.or_else(in_chart).map(|(path, why)| format!("{path} is {why}"))
    }

    fn words(&self, failure: &Failure, rendering: &Rendering, laid: &folder::Laid) -> String {
        let Failure::Exit(error) = failure else { return failure.to_string() };
        let values = arguments::values(rendering, self.checkout);
        let is_path = |path: &str| {
            let own = match rendering.folder.as_str() {
                "" => path.to_owned(),
                folder => format!("{folder}/{path}"),
            };
            self.checkout.content(path).is_some() || self.checkout.content(&own).is_some()
        };
        let values: Vec<&str> = values.iter().map(|value| &**value).collect();
        let folder = laid.root.to_string_lossy();
        access::repository::rendering::said(error, &folder, &is_path, &values)
    }

    /// The tools that a reading used, or would have.
    pub fn used(&self, repository: &Repository) -> Vec<Used> {
        let rendered = repository.rendered();
        let one = |tool: Tool| {
            let own = rendered.iter().filter(|rendering| rendering.tool() == tool);
            let came: Vec<bool> =
                own.filter_map(|rendering| self.came.get(rendering).copied()).collect();
            let made = came.iter().filter(|made| **made).count();
            let version = self.tools.get(tool).map(|program| program.version.clone());
            Used { tool, version, made, not_made: came.len() - made }
        };
        [Tool::Helm, Tool::Kustomize].map(one).into()
    }
}
