//! Whether a list goes on, by the headers of a page.

/// What the headers of a page say of further ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// Whether there is another page, if that is said.
    next: Option<bool>,
    /// Items of the whole list, if that is said.
    total: Option<u64>,
}

/// How a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Further {
    /// There is another page, and the forge says so.
    Announced,
    /// Nothing is said, and there may be one.
    Possible,
    /// This was the last page.
    None,
    /// There should be more, and it does not come.
    Lost,
}

impl Paging {
    /// Reads the headers `Link` (RFC 8288; there may be several), `X-Next-Page` (GitLab) and
    /// `X-Total-Count` (Gitea). Of a link nothing is used but that it is there; links that are about
    /// something else than pages, such as those of a proxy, say nothing.
    pub fn of<'h>(
        links: impl IntoIterator<Item = &'h str>,
        next_page: Option<&str>,
        total: Option<&str>,
    ) -> Self {
        let all = links.into_iter().flat_map(|header| header.split(','));
        let relations: Vec<&str> = all
            .flat_map(|link| link.split(';').skip(1))
            .filter_map(|p| Some(p.trim().strip_prefix("rel=")?.trim_matches('"')))
            .collect();
        let pages = ["next", "prev", "first", "last"];
        let by_link =
            relations.iter().any(|r| pages.contains(r)).then(|| relations.contains(&"next"));
        let by_number = next_page.map(|page| !page.trim().is_empty());
        let next = match (by_link, by_number) {
            (None, None) => None,
            (by_link, by_number) => Some(by_link == Some(true) || by_number == Some(true)),
        };
        Self { next, total: total.and_then(|total| total.trim().parse().ok()) }
    }

    /// How a list goes on behind a page with so many items, so many with those before it, asked for with
    /// this size.
    pub(super) const fn further(self, got: u64, all: u64, size: u64) -> Further {
        match (self.next, self.total) {
            (Some(true), _) => Further::Announced,
            (_, Some(total)) if all < total && got == 0 => Further::Lost,
            (_, Some(total)) if all < total => Further::Announced,
            // A page that is longer than asked for is a list without pages.
            (None, None) if got == size => Further::Possible,
            _ => Further::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str =
        r#"<https://x.example/a?page=2>; rel="next", <https://x.example/a?page=9>; rel="last""#;
    const PREV: &str = r#"<https://x.example/next?page=1>; rel="prev""#;
    const PROXY: &str = "</s.css>; rel=preload; as=style";

    #[test]
    fn headers_say_whether_there_is_more() {
        type Row<'a> = (&'a [&'a str], Option<&'a str>, Option<&'a str>, Option<bool>, Option<u64>);
        let table: [Row<'_>; 10] = [
            (&[NEXT], None, None, Some(true), None),
            (&[PROXY, NEXT], None, None, Some(true), None),
            (&[PROXY], None, Some("70"), None, Some(70)),
            (&[PREV], None, Some("70"), Some(false), Some(70)),
            (&[], Some("2"), None, Some(true), None),
            (&[], Some(""), Some("3"), Some(false), Some(3)),
            (&[PREV], Some("3"), None, Some(true), None),
            (&[], None, Some("70"), None, Some(70)),
            (&[], None, Some("many"), None, None),
            (&[], None, None, None, None),
        ];
        for (links, page, total, next, all) in table {
            let paging = Paging::of(links.iter().copied(), page, total);
            assert_eq!(paging, Paging { next, total: all }, "{links:?} {page:?} {total:?}");
        }
    }

    #[test]
    fn a_list_ends_where_nothing_is_announced() {
        for (next, total, got, all, further) in [
            (Some(true), None, 100, 100, Further::Announced),
            (Some(true), None, 0, 100, Further::Announced),
            (Some(false), None, 100, 100, Further::None),
            (Some(false), Some(70), 50, 50, Further::Announced),
            (None, Some(70), 50, 50, Further::Announced),
            (None, Some(70), 20, 70, Further::None),
            (None, Some(70), 0, 50, Further::Lost),
            (None, None, 100, 100, Further::Possible),
            (None, None, 99, 99, Further::None),
            (None, None, 160, 160, Further::None),
        ] {
            let paging = Paging { next, total };
            assert_eq!(paging.further(got, all, 100), further, "{paging:?} {got} {all}");
        }
    }
}
