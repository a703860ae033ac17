//! What could not be read or followed, and why. Never a fault of the repository by itself.

use serde::Serialize;

use super::rendering::Tool;
use crate::place::Place;
use crate::yaml::Fault;

/// Something that was not assessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotAssessed {
    /// Where it stands.
    pub place: Place,
    /// Why.
    pub reason: Reason,
}

/// Why something was not assessed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The file has to be rendered first.
    #[error("a template: render it, or run with helm on the PATH and --render{}", mentions(.kinds))]
    Template {
        /// The kinds that the text mentions.
        kinds: Vec<String>,
    },
    /// The file could not be read.
    #[error("the file {0}")]
    Unreadable(String),
    /// A base, component or values file lies elsewhere; nothing is fetched.
    #[error("{0} lies outside of this repository, and nothing is fetched")]
    Remote(String),
    /// A chart lies in a chart repository; nothing is fetched.
    #[error("the chart {0} lies in a chart repository, and nothing is fetched")]
    Chart(String),
    /// A path that is named is not there.
    #[error("there is no {0} in this commit")]
    Missing(String),
    /// A field of a kustomization that this reading does not render.
    #[error("the field {0} of a kustomization is not rendered by this reading")]
    Field(String),
    /// A patch that this reading does not apply.
    #[error("this reading does not apply the patch: {0}")]
    Patch(String),
    /// Kustomizations that hold one another, or too many within one another.
    #[error("kustomizations hold one another, or too many stand within one another")]
    Cycle,
    /// Jsonnet.
    #[error("{0} is Jsonnet, which is not evaluated")]
    Jsonnet(String),
    /// A plugin of Argo CD.
    #[error("a plugin of Argo CD renders it")]
    Plugin,
    /// A generator of an `ApplicationSet` that asks what is not in git.
    #[error("the generator {0} takes its parameters from outside of this reading")]
    Generator(String),
    /// A part of an `ApplicationSet`'s template that this reading does not fill in.
    #[error("the template of the ApplicationSet has {0}, which this reading does not fill in")]
    Fill(String),
    /// A tool would have to be told, or would read, what this reading cannot hand to it as Argo CD
    /// does.
    #[error("it was not rendered: {0} cannot be handed to the tool as Argo CD does it")]
    NotPassed(String),
    /// A chart that a chart brings along is not among its files.
    #[error("it was not rendered: the chart {0} is not in its charts/, and nothing is fetched")]
    Dependency(String),
    /// `--render` was asked for, and there is no tool.
    #[error("it was not rendered: {0} is not on the PATH")]
    NoTool(Tool),
    /// The tool failed.
    #[error("{tool} did not render it: {said}")]
    Failed {
        /// The tool.
        tool: Tool,
        /// What it said, without what may be a secret.
        said: String,
    },
    /// What the tool wrote could not be read.
    #[error("the output of {tool} {fault}")]
    Output {
        /// The tool.
        tool: Tool,
        /// What is wrong with it.
        fault: String,
    },
    /// Templates ask what the cluster offers.
    #[error(
        "its templates may ask what the cluster offers (.Capabilities); helm's defaults were taken"
    )]
    Cluster,
    /// Another repository.
    #[error("its manifests lie in the repository {0}, which is not read here")]
    OtherRepository(String),
}

impl Reason {
    pub(super) fn of_output(tool: Tool, fault: &Fault) -> Self {
        Self::Output { tool, fault: fault.to_string() }
    }
}

fn mentions(kinds: &[String]) -> String {
    if kinds.is_empty() { String::new() } else { format!(" (mentions {})", kinds.join(", ")) }
}
