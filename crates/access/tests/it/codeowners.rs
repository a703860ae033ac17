//! CODEOWNERS: every sentence that the forges document, and rules against a slow reader.

use access::codeowners::{CodeOwners, Dialect, Ownership, Part, Standing};

mod dialects;
mod naive;
mod problems;

/// What a file says of a path: `unmatched`, or a word for each rule that counts:
/// `line:@owner,@owner` with `×n` where more than one approval is asked for and `?` where none is,
/// `line:nobody`, `line:excluded`.
fn told(dialect: Dialect, file: &str, path: &str) -> String {
    let owners = CodeOwners::parse("CODEOWNERS", dialect, file.as_bytes());
    words(&owners.owners_of(path))
}

fn words(ownership: &Ownership<'_>) -> String {
    if *ownership == Ownership::Unmatched {
        return "unmatched".to_owned();
    }
    let mut parts: Vec<&Part<'_>> = ownership.parts().collect();
    parts.sort_by_key(|part| part.rule.place.line);
    let words: Vec<String> = parts.into_iter().map(word).collect();
    words.join(" ")
}

fn word(part: &Part<'_>) -> String {
    let names: Vec<String> = part.rule.owners.iter().map(|o| o.owner.to_string()).collect();
    let said = match part.standing {
        Standing::Owned => names.join(","),
        Standing::NoOwners => "nobody".to_owned(),
        Standing::Excluded => "excluded".to_owned(),
    };
    let count = match (part.standing, part.rule.required) {
        (Standing::Owned, 0) => "?".to_owned(),
        (_, 0 | 1) => String::new(),
        (_, n) => format!("×{n}"),
    };
    format!("{}:{said}{count}", part.rule.place.line)
}

fn check(dialect: Dialect, table: &[(&str, &str, &str)]) {
    for (file, path, expected) in table {
        assert_eq!(told(dialect, file, path), *expected, "{path} under\n{file}");
    }
}
