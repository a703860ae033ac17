//! `kubernetes-object-watch`: kept, counted and not interpreted.

use evidence::channel::Channel;

use crate::captures;
use crate::scenes::told;

#[test]
fn objects_are_counted_and_their_gaps_are_gaps() {
    let line = |id, text: &str| captures::record(Channel::KubernetesObjectWatch, id, text);
    let story = told(&[
        line("a", r#"{"type":"ADDED","object":{"kind":"Pod"}}"#),
        line("b", r#"{"type":"ERROR","object":{}}"#),
        line("c", r#"{"type":"ADDED""#),
    ]);
    let coverage = &story.coverage[0];
    assert!(!coverage.interpreted);
    assert_eq!((coverage.records, coverage.gaps.len(), coverage.not_understood), (3, 1, 1));
}
