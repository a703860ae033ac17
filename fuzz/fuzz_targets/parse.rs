//! The parser of each channel, on any bytes: the first byte selects.

#![no_main]

use evidence::channel::Channel;
use evidence::parse::leaves::Leaves;
use evidence::parse::operation_request::OperationRequest;
use evidence::time::Moment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((select, record)) = data.split_first() else { return };
    fuzz::parse(fuzz::channel(*select).unwrap_or(Channel::KubernetesAudit), record);
    if let Ok(value) = serde_json::from_slice(record) {
        let leaves = Leaves::of(&value);
        assert!(leaves.known.len() <= evidence::parse::leaves::LEAVES_MAX);
        let _ = OperationRequest::read(&value);
    }
    if let Ok(text) = std::str::from_utf8(record)
        && let Ok(moment) = Moment::parse(text)
    {
        assert!(moment.earliest() <= moment.latest());
    }
});
