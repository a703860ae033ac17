//! What is wrong with a file: at which line and column, and what the forge makes of it.

use access::codeowners::{CodeOwners, Dialect};

fn problems(dialect: Dialect, file: &[u8]) -> Vec<String> {
    let owners = CodeOwners::parse("CODEOWNERS", dialect, file);
    let told = owners.problems().iter().map(|p| {
        assert_eq!(p.place.file, "CODEOWNERS");
        format!("{}:{} {}", p.place.line, p.place.column, p.kind)
    });
    told.collect()
}

fn check(table: &[(Dialect, &str, &[&str])]) {
    for (dialect, file, expected) in table {
        assert_eq!(problems(*dialect, file.as_bytes()), *expected, "{dialect:?}\n{file}");
    }
}

#[test]
fn problems_have_a_place_and_say_what_follows() {
    use Dialect::{Bitbucket, GitHub};
    check(&[
        (GitHub, "* @a\n/x @a @b/c m@x.example # ok\n/y", &[]),
        // The two examples of GitHub's `codeowners/errors`.
        (
            GitHub,
            "***/*.rb @m",
            &["1:1 invalid pattern \"***/*.rb\": three asterisks in a row; the line is skipped"],
        ),
        (GitHub, "*.txt docs@", &["1:7 invalid owner \"docs@\": the line is skipped"]),
        (
            GitHub,
            "\n  !/x @a",
            &["2:3 invalid pattern \"!/x\": ! does not negate; the line is skipped"],
        ),
        (
            GitHub,
            "\\#x @a",
            &[
                "1:1 invalid pattern \"\\\\#x\": a # at the start cannot be escaped; the line is skipped",
            ],
        ),
        (
            GitHub,
            "a[bc] @a",
            &["1:1 a range in [ ] has no effect in this file: the brackets are read as they stand"],
        ),
        (GitHub, "/ @a", &["1:1 a lone / has no effect in this file: it matches nothing"]),
        (
            GitHub,
            "x\\",
            &["1:1 invalid pattern \"x\\\\\": a backslash at the end; the line is skipped"],
        ),
        (
            GitHub,
            "/x @a\n/y @a\n/x @b",
            &["1:1 the same pattern stands again in line 3, and that one counts"],
        ),
        (Bitbucket, "* @a @@b", &["1:6 invalid owner \"@@b\": it is ignored"]),
        (
            Bitbucket,
            "@@@T @a",
            &[
                "1:1 this line has no effect in this file: it belongs to an app of the marketplace, and the line is skipped",
            ],
        ),
    ]);
}

#[test]
fn problems_of_sections_and_expressions() {
    use Dialect::{GitLab, Gitea};
    check(&[
        (
            GitLab,
            "[A",
            &[
                "1:1 a section header that cannot be read: it is skipped, and what follows belongs to the section above",
            ],
        ),
        (GitLab, "[]", &["1:1 a section header with no name: the section has an empty name"]),
        (
            GitLab,
            "^[A][2]",
            &[
                "1:1 a section header with a count: the section is optional, and the count has no effect",
            ],
        ),
        (
            GitLab,
            "[A][1 0]",
            &["1:1 a section header with a bad count: it counts as 1 or as its first number"],
        ),
        (
            GitLab,
            "[A] @o+x",
            &["1:1 a section header with more than it can hold: what does not fit is ignored"],
        ),
        (GitLab, "[A][2] @o\nx\n", &[]),
        (
            GitLab,
            "x",
            &[
                "1:1 a rule without owners: it can never be satisfied, so the forge approves it by itself",
            ],
        ),
        (GitLab, "x @a b @c", &["1:6 invalid owner \"b\": it is ignored"]),
        (
            GitLab,
            "x @a # b @c",
            &["1:6 comments at the end of a line are not supported: owners in it count"],
        ),
        (GitLab, "x @a\0", &["1:1 the file is binary: the forge reads it as empty"]),
        (Gitea, "x @a\ny", &["2:1 a rule without owners: the line is skipped"]),
        (
            Gitea,
            "  d/** @a",
            &["1:3 invalid pattern \"d/**\": a count on a count; the line is skipped"],
        ),
        (Gitea, "x @a @b/c/d", &["1:6 invalid owner \"@b/c/d\": it is ignored"]),
    ]);
}

#[test]
fn bytes_that_are_no_text() {
    assert_eq!(
        problems(Dialect::GitHub, b"* @a\n/\xff @b"),
        ["2:2 the line is not UTF-8: it is skipped"]
    );
    let mark = problems(Dialect::GitHub, b"\xef\xbb\xbf* @a");
    assert_eq!(mark, ["1:1 a byte order mark, which becomes part of the first line"]);
}
