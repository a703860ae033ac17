//! The order in which files arrive changes nothing, and neither does a redelivery.

use crate::support::{Bench, Dice, people, recorded};

const FILES: [&str; 3] = [
    "kubernetes/watch/applications.jsonl.gz",
    "kubernetes/watch/events.jsonl.gz",
    "kubernetes/audit.jsonl.gz",
];

/// Interleaves files at random, each in its own order, and sends every fifth line twice.
fn interleaved(files: &[Vec<String>], dice: &mut Dice) -> Vec<String> {
    let mut at = vec![0; files.len()];
    let mut lines = Vec::new();
    loop {
        let open: Vec<usize> = (0..files.len()).filter(|f| at[*f] < files[*f].len()).collect();
        let Some(file) = open.get(dice.below(open.len())).copied() else { return lines };
        let line = &files[file][at[file]];
        at[file] += 1;
        lines.push(line.clone());
        if dice.below(5) == 0 {
            lines.push(line.clone());
        }
    }
}

#[test]
fn any_order_gives_the_same_story_and_no_second_entry() {
    let files: Vec<Vec<String>> = FILES.iter().map(|f| recorded(f)).collect();
    let first = Bench::new();
    for (i, lines) in files.iter().enumerate() {
        first.ingest(&format!("{i}.jsonl"), lines).done();
    }
    let (story, checkpoint) = (first.story(&people()), first.checkpoint());
    assert!(story.contains("payments-prod"), "the story tells of the recording");

    for seed in 1..=4 {
        let mut dice = Dice::new(seed);
        let lines = interleaved(&files, &mut dice);
        let again = first.ingest(&format!("again-{seed}.jsonl"), &lines).done();
        assert_eq!(first.checkpoint(), checkpoint, "seed {seed}: the root moved");
        assert!(again.out.contains("known already"), "{}", again.out);

        let fresh = Bench::new();
        fresh.ingest("mixed.jsonl", &lines).done();
        assert!(fresh.story(&people()) == story, "seed {seed}: another story");
    }
    assert_eq!(first.story(&people()), story);
}
