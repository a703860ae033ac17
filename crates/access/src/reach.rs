//! Who can change an environment, and by which path: git, forge, Argo CD and cluster, joined.
//!
//! ```text
//! repository, API objects ──► places ──► scope: the Applications asked about, their roots, files
//! forge snapshot ──► merge ──┐             │
//! Argo CD rules ───► sync ───┼─ by account ┴──► gather ──► people, machines, unmapped, undetermined
//! cluster roles ───► cluster ┘                    ▲
//! people map ─────────────────────────────────────┘
//! ```
//!
//! A path is a chain of sentences, each with the place that gives the right. A path is claimed only
//! where the evaluators of [`crate::forge`], [`crate::argocd`] and [`crate::kubernetes`] allow it. A
//! source that is missing makes its part *undetermined*; it never makes anybody harmless.
//!
//! Out of scope: paths through what is not among these sources (the build, the image registry, the
//! database behind a pod), and rights that Argo CD gives on single resources of an Application.

pub(crate) mod answer;
pub(crate) mod cluster;
mod gather;
mod merge;
pub(crate) mod places;
pub(crate) mod scope;
mod sync;
mod why;
pub(crate) mod world;

pub use self::answer::{
    Answer, Gap, Holder, Hop, Need, Part, Path, Person, Reached, Verb, World, listed,
};
pub use self::sync::may_sync;
pub use self::why::why;
pub use self::world::{Joined, Sources, applications_of};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// What somebody may be able to do.
    pub verb: Verb,
    /// In which environment of the policy; production when neither this nor an Application is named.
    pub environment: Option<String>,
    /// To which Application.
    pub application: Option<String>,
}

/// Who can.
pub fn who_can(joined: &Joined<'_>, question: &Question) -> Answer {
    let scope = scope::Scope::of(joined, question);
    let mut gather = gather::Gather::new(joined, question.verb);
    gather.gaps.extend(joined.gaps(question.verb));
    gather.gaps.extend(scope.gaps.iter().cloned());
    let wants_merge = matches!(question.verb, Verb::Deploy | Verb::Merge);
    if wants_merge {
        merge::paths(joined, &scope, &mut gather);
    }
    if !matches!(question.verb, Verb::Merge | Verb::ReadSecrets) {
        sync::paths(joined, &scope, question.verb, &mut gather);
    }
    if question.verb != Verb::Merge {
        cluster::paths(joined, &scope, question.verb, &mut gather);
    }
    gather.answer(question, &scope)
}
