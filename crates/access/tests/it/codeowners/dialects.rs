//! What each forge documents, as tables: a file, a path, and who has to look at it.

use access::codeowners::{CodeOwners, Dialect, Force, Ownership};

use super::check;

#[test]
fn github_patterns() {
    check(
        Dialect::GitHub,
        &[
            ("* @a", "x", "1:@a"),
            ("* @a", "d/e/.x", "1:@a"),
            ("/* @a", "x", "1:@a"),
            ("/* @a", "d/x", "unmatched"),
            ("*.js @a", "d/e/x.js", "1:@a"),
            ("*.js @a", "x.jsx", "unmatched"),
            ("docs/* @a", "docs/start.md", "1:@a"),
            ("docs/* @a", "docs/build/fix.md", "unmatched"),
            ("docs/* @a", "x/docs/start.md", "unmatched"),
            ("apps/ @a", "apps/x", "1:@a"),
            ("apps/ @a", "d/apps/e/x", "1:@a"),
            ("apps/ @a", "apps", "unmatched"),
            ("/docs/ @a", "docs/e/x", "1:@a"),
            ("/docs/ @a", "d/docs/x", "unmatched"),
            ("**/logs @a", "logs/x", "1:@a"),
            ("**/logs @a", "deep/down/logs/x", "1:@a"),
            ("**/logs @a", "logsx", "unmatched"),
            ("foo @a", "d/foo", "1:@a"),
            ("foo @a", "foo/d/x", "1:@a"),
            ("foo @a", "food", "unmatched"),
            ("/foo @a", "d/foo", "unmatched"),
            ("d/foo @a", "d/foo/x", "1:@a"),
            ("d/foo @a", "e/d/foo", "unmatched"),
            ("/ @a", "x", "unmatched"),
            ("** @a", "d/x", "1:@a"),
            ("d/** @a", "d/e/x", "1:@a"),
            ("d/** @a", "d", "unmatched"),
            ("d/**/x @a", "d/x", "1:@a"),
            ("d/**/x @a", "d/e/f/x", "1:@a"),
            ("apps/*/values.yaml @a", "apps/shop/values.yaml", "1:@a"),
            ("apps/*/values.yaml @a", "apps/values.yaml", "unmatched"),
            ("d/*.yaml @a", "d/x.yaml", "1:@a"),
            ("d/?.x @a", "d/é.x", "1:@a"),
            ("d/?.x @a", "d/ab.x", "unmatched"),
            ("/APPS/ @a", "apps/x", "unmatched"),
            ("/pages/[id]/ @a", "pages/[id]/x", "1:@a"),
            ("/pages/[id]/ @a", "pages/i/x", "unmatched"),
            (r"a\ b @a", "a b", "1:@a"),
            (r"a\* @a", "a*", "1:@a"),
            (r"a\* @a", "ab", "unmatched"),
            ("* @a\r\n/x @b\r\n", "x", "2:@b"),
            ("* @a", "/x", "1:@a"),
        ],
    );
}

#[test]
fn github_the_last_match_wins_and_unowned_is_not_unmatched() {
    check(
        Dialect::GitHub,
        &[
            ("* @a\n*.js @b", "x.js", "2:@b"),
            ("*.js @b\n* @a", "x.js", "2:@a"),
            ("/apps/ @o\n/apps/github", "apps/github/x", "2:nobody"),
            ("/apps/ @o\n/apps/github # on purpose", "apps/github", "2:nobody"),
            ("/apps/ @o\n/apps/github", "apps/x", "1:@o"),
            ("/apps/ @o\n/apps/github", "x", "unmatched"),
            ("*.js @js #comment", "x.js", "1:@js"),
            ("/x @a\n/x @b", "x", "2:@b"),
            ("/x @a @o/team m@x.example", "x", "1:@a,@o/team,m@x.example"),
            // A line with a fault is skipped: the rule before it counts.
            ("* @a\n/x docs@", "x", "1:@a"),
            ("* @a\n!/x @b", "x", "1:@a"),
            ("* @a\n\\#x @b", "#x", "1:@a"),
            ("* @a\n***/x @b", "x", "1:@a"),
            ("# * @a\n\n", "x", "unmatched"),
        ],
    );
}

#[test]
fn bitbucket_only_suggests() {
    check(
        Dialect::Bitbucket,
        &[
            ("*.md @a\ndocs/final.md @b", "docs/final.md", "2:@b?"),
            ("/root.txt @a", "sub/root.txt", "unmatched"),
            ("src/**/deep/ @a", "src/deep/x", "1:@a?"),
            (r"docs\ site/ @a", "docs site/x", "1:@a?"),
            ("* m@x.example @w/group:random(2)", "x", "1:m@x.example,@w/group?"),
            ("* @a @@b @\"C", "x", "1:@a?"),
            ("@@@Team @a\nCODEOWNERS.toplevel.x enable\n* @b", "x", "3:@b?"),
        ],
    );
    assert_eq!(Dialect::Bitbucket.force(), Force::RequestsOnly);
}

#[test]
fn gitlab_patterns() {
    check(
        Dialect::GitLab,
        &[
            ("* @a", "d/.x", "1:@a"),
            ("/README.md @a", "README.md", "1:@a"),
            ("/README.md @a", "d/README.md", "unmatched"),
            ("internal/README.md @a", "docs/api/internal/README.md", "1:@a"),
            ("/docs/ @a", "docs/e/x", "1:@a"),
            ("lib/ @a", "ee/lib/x", "1:@a"),
            // Unlike gitignore, a name is a file's: a directory needs its slash.
            ("docs @a", "docs/x", "unmatched"),
            ("/docs/* @a", "docs/x", "1:@a"),
            ("/docs/* @a", "docs/e/x", "unmatched"),
            ("/docs/** @a", "docs/x", "1:@a"),
            ("/docs/** @a", "docs/e/x", "unmatched"),
            ("/docs/**/index.md @a", "docs/index.md", "1:@a"),
            ("/docs/**/index.md @a", "docs/api/graphql/index.md", "1:@a"),
            ("/docs/index.* @a", "docs/index.xml", "1:@a"),
            ("/docs/*spec* @a", "docs/qa_specs.rb", "1:@a"),
            ("/docs/*/README.md @a", "docs/api/README.md", "1:@a"),
            ("/docs/*/README.md @a", "docs/a/b/README.md", "unmatched"),
            ("foo/* @a", "fufoo/bar", "unmatched"),
            ("foo/* @a", "baz/foo/bar", "1:@a"),
            (r"path\ with\ spaces/ @a", "path with spaces/x", "1:@a"),
            (r"\#x.rb @a", "d/#x.rb", "1:@a"),
            ("/[a-c].x @a", "b.x", "1:@a"),
            ("/[!a-c].x @a", "b.x", "unmatched"),
            ("/[^a-c].x @a", "d.x", "1:@a"),
            ("/[ab @a", "[ab", "unmatched"),
            ("/[].x @a", "].x", "unmatched"),
            ("/a?c @a", "abc", "1:@a"),
            ("/X @a", "x", "unmatched"),
            ("a**/x @a", "d/abc/x", "1:@a"),
        ],
    );
}

#[test]
fn gitlab_sections() {
    let two = "* @admin\n[README Owners]\nREADME.md @user1 @user2\ninternal/README.md @user4\n\
               [README other owners]\nREADME.md @user3";
    let approvers = "* @general\n[Documentation] @docs\ndocs/\n*.txt\n[Database] @db\nmodel/db/\n\
                     config/db/setup.md @docs";
    check(
        Dialect::GitLab,
        &[
            (two, "README.md", "1:@admin 3:@user1,@user2 6:@user3"),
            (two, "internal/README.md", "1:@admin 4:@user4 6:@user3"),
            (approvers, "model/db/CHANGELOG.txt", "1:@general 4:@docs 6:@db"),
            (approvers, "config/db/setup.md", "1:@general 7:@docs"),
            ("[A][2] @a\n*.md", "x.md", "2:@a×2"),
            ("[A][0] @a\n*.md", "x.md", "2:@a"),
            ("[A][x] @a\n*.md @b", "x.md", "2:@b"),
            ("^[A] @a\n*.md", "x.md", "2:@a?"),
            ("^[A][3] @a\n*.md", "x.md", "2:@a?"),
            // One header that is not optional makes the section required.
            ("^[A]\n*.md @a\n[a]\n*.x @b", "x.md", "2:@a"),
            // A count belongs to the rules under its own header.
            ("[A][2]\n*.md @a\n[a]\n*.x @b", "y.x", "4:@b"),
            // Sections of one name are one: the last match counts.
            ("[A]\n*.md @a\n[B]\n*.x @b\n[a]\nx.md @c", "x.md", "6:@c"),
            ("*.md @a\n[codeowners]\nx.md @b", "x.md", "3:@b"),
            // A header that cannot be read is skipped; its rules go to the section above.
            ("[A]\n*.md @a\n[B\nx.md @b", "x.md", "4:@b"),
            // Owners of a line replace the header's, even where none can be read.
            ("[A] @a\n*.md nobody", "x.md", "2:nobody"),
            (
                "[A] @a\n*.md @@maintainers @g/h m@x.example",
                "x.md",
                "2:@@maintainer,@g/h,m@x.example",
            ),
            // Owners in what looks like a comment count.
            ("*.md @a # and @b", "x.md", "1:@a,@b"),
            ("*.md", "x.md", "1:nobody"),
        ],
    );
}

#[test]
fn gitlab_exclusions_end_their_section_only() {
    let ruby = "* @all\n!pom.xml\n[Ruby]\n*.rb @ruby\n!/config/**/*.rb\n/config/routes.rb @ops\n\
                [Config]\n/config/ @conf";
    check(
        Dialect::GitLab,
        &[
            (ruby, "pom.xml", "2:excluded"),
            (ruby, "config/routes.rb", "1:@all 5:excluded 8:@conf"),
            (ruby, "app/x.rb", "1:@all 4:@ruby"),
            ("!*.rb\n* @a\n/special/*.rb @b", "special/x.rb", "1:excluded"),
            ("* @a\n!**/generated/", "d/generated/e/x", "2:excluded"),
            // The same pattern once more takes the earlier one's seat, exclusions included.
            ("*.rb @a\n!*.rb", "x.rb", "2:excluded"),
            ("!*.rb\n*.rb @a", "x.rb", "2:@a"),
            ("*.md @a\nx.md @b\n*.md @c", "x.md", "2:@b"),
            ("* @a\n! x", "y", "2:excluded"),
        ],
    );
}

#[test]
fn gitea_every_rule_counts() {
    check(
        Dialect::Gitea,
        &[
            (".* @a\ndocs/.* @b @o/t", "docs/x", "1:@a? 2:@b,@o/t?"),
            (".*\\\\.md @a", "d/x.md", "1:@a?"),
            (".*\\\\.md @a", "xmd", "unmatched"),
            // One backslash goes with the words of the line: the dot is any character.
            (".*\\.md @a", "x_md", "1:@a?"),
            ("!docs/.* @a", "src/x", "1:@a?"),
            ("!docs/.* @a", "docs/x", "unmatched"),
            ("docs @a", "docs/x", "unmatched"),
            // Between ^ and $, an alternative is open at one end.
            ("a|b @a", "ax", "1:@a?"),
            ("a|b @a", "xb", "1:@a?"),
            ("a\\ b @a", "a b", "1:@a?"),
            ("\\#x @a", "#x", "1:@a?"),
            ("x # @a", "x", "unmatched"),
            ("x", "x", "unmatched"),
            ("docs/** @a", "docs/x", "unmatched"),
            ("(?=x) @a", "x", "unmatched"),
            ("\\\\w+ @a", "é", "unmatched"),
            ("\\\\d @a", "٣", "unmatched"),
            ("[\\\\w-]+ @a", "a-b", "1:@a?"),
            ("[[]x @a", "[x", "1:@a?"),
            ("[]x]+ @a", "]x", "1:@a?"),
            ("[a&&b]+ @a", "a&b", "1:@a?"),
            ("x{a @a", "x{a", "1:@a?"),
            ("x{2} @a", "xx", "1:@a?"),
            ("\\\\Qa.b\\\\E @a", "a.b", "1:@a?"),
            ("\\\\Qa.b\\\\E @a", "axb", "unmatched"),
            ("(?i)X @a", "x", "1:@a?"),
            ("\\\\x41\\\\101 @a", "AA", "1:@a?"),
            ("(a)\\\\1 @a", "aa", "unmatched"),
            ("x a", "x", "1:@a?"),
            ("x @o/t/u", "x", "unmatched"),
        ],
    );
    assert_eq!(Dialect::Gitea.force(), Force::RequestsOnly);
}

#[test]
fn where_each_forge_looks() {
    let all = [
        "docs/CODEOWNERS",
        ".forgejo/CODEOWNERS",
        ".gitlab/CODEOWNERS",
        ".bitbucket/CODEOWNERS",
        "CODEOWNERS",
        ".gitea/CODEOWNERS",
        ".github/CODEOWNERS",
    ];
    let found = Dialect::ALL.map(|dialect| dialect.locate(all));
    let expected =
        [".github/CODEOWNERS", "CODEOWNERS", ".bitbucket/CODEOWNERS", "CODEOWNERS", "CODEOWNERS"];
    assert_eq!(found, expected.map(Some));
    assert_eq!(Dialect::GitHub.locate(["docs/CODEOWNERS", "x"]), Some("docs/CODEOWNERS"));
    assert_eq!(Dialect::Forgejo.locate([".forgejo/CODEOWNERS"]), Some(".forgejo/CODEOWNERS"));
    assert_eq!(Dialect::Gitea.locate([".forgejo/CODEOWNERS"]), None);
}

#[test]
fn a_file_too_large_for_github_asks_nobody() {
    let file = |bytes: usize| {
        let mut file = b"* @a\n".to_vec();
        file.resize(bytes, b'#');
        CodeOwners::parse("CODEOWNERS", Dialect::GitHub, &file)
    };
    for (bytes, loaded, problems) in
        [(2_999_999, true, 0), (3_000_000, true, 1), (3 << 20, false, 1)]
    {
        let owners = file(bytes);
        assert_eq!((owners.loaded(), owners.problems().len()), (loaded, problems), "{bytes}");
        assert_eq!(owners.owners_of("x") == Ownership::Unmatched, !loaded, "{bytes}");
    }
}
