//! `ledger-assessment`: the ledger's own record of a frozen population or a drawn sample.

use evidence::channel::Channel;
use evidence::parse::ledger_assessment::{Of, parse};

use crate::captures;
use crate::scenes::told;

const SAMPLE: &str = r#"{"assessment":1,"of":{"sample":{"population":7,"leaf":"00","nonce":"n","size":2,"stratified":false,"rules":1,"rows":[1,3],"earlier":[]}}}"#;

const POPULATION: &str = r#"{"assessment":1,"of":{"population":{"environment":"prod","from":null,"to":null,"size":7,"root":"r","program":"countersign 0.1.0","rules":{"story":1,"changes":1,"assessment":1},"rows":2,"digest":"d","strata":{"other":2},"excluded":0,"unplaced":0}}}"#;

#[test]
fn an_assessment_is_read_as_it_was_written() {
    for text in [SAMPLE, POPULATION] {
        let read = parse(text.as_bytes()).expect("an assessment record");
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
    let Of::Sample(sample) = parse(SAMPLE.as_bytes()).unwrap().of else { panic!("a sample") };
    assert_eq!((sample.population, sample.rows), (7, vec![1, 3]));
}

#[test]
fn what_is_no_assessment_record_is_refused() {
    let table = [
        SAMPLE.replace("\"assessment\":1", "\"assessment\":2"),
        SAMPLE.replace("\"nonce\":\"n\",", ""),
        SAMPLE.replace("\"size\":2", "\"size\":-2"),
        SAMPLE.replace("\"size\":2", "\"size\":2,\"name\":\"who\""),
        SAMPLE.replace("sample", "opinion"),
        String::new(),
    ];
    for text in table {
        parse(text.as_bytes()).expect_err(&text);
    }
}

#[test]
fn a_story_is_the_same_with_and_without_it() {
    let assessment = captures::record(Channel::LedgerAssessment, "assessment/8", SAMPLE);
    let story = told(&[assessment]);
    assert!(story.operations.is_empty() && story.population.is_empty());
    assert_eq!(story.coverage.first().map(|c| (c.not_understood, c.interpreted)), Some((0, false)));
}
