//! What operators write: the sources file, moments, selectors, the people map. The first byte
//! selects.

#![no_main]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::LazyLock;

use countersign::ask::when;
use countersign::sources::http::settings::Settings;
use evidence::ask::change::Selector;
use evidence::intake::cuts::Rules;
use evidence::people::People;
use jiff::Zoned;
use libfuzzer_sys::fuzz_target;

/// A day on which the clock is put back, in the hour that comes twice.
static NOW: LazyLock<Zoned> =
    LazyLock::new(|| "2026-10-25T02:30:00+02:00[Europe/Madrid]".parse().expect("a time"));

fuzz_target!(|data: &[u8]| {
    let Some((select, bytes)) = data.split_first() else { return };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match select % 4 {
        0 => sources(text),
        1 => {
            if let Ok(moment) = when::parse(text, &NOW) {
                assert_eq!(when::parse(text, &NOW), Ok(moment));
                // What is said to the second is understood alike when it is written out.
                let again = when::parse(&moment.from.to_string(), &NOW).expect("a time");
                assert_eq!(again.from, moment.from);
            }
        }
        2 => {
            let _ = Selector::parse(text);
        }
        _ => {
            if let Ok(people) = People::from_json(bytes) {
                for id in people.ids() {
                    assert!(people.accounts(id).all(|a| people.person_of(a) == Some(id)));
                }
                let rules = Rules::new(people.identifying_strings().iter().copied());
                let rules = rules.expect("a small map fits");
                // Every name of the map is found where it stands alone.
                for name in people.identifying_strings().iter().filter(|n| n.len() > 2) {
                    rules.is_personal(name);
                }
            }
        }
    }
});

fn sources(text: &str) {
    let listen: SocketAddr = "127.0.0.1:8080".parse().expect("an address");
    match Settings::parse(text, Path::new("/nonexistent/sources.toml"), listen, true) {
        Ok(settings) => assert!(!settings.sources.is_empty()),
        Err(e) => assert!(!e.to_string().is_empty()),
    }
}
