//! Whether a list goes on, by the headers of a page.

/// What the headers of a page say of further ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// There is another page.
    More,
    /// This is the last.
    Last,
    /// So many items are in the whole list.
    Total(u64),
    /// Nothing.
    #[default]
    Unsaid,
}

impl Paging {
    /// Reads the headers `Link` (RFC 8288), `X-Next-Page` (GitLab) and `X-Total-Count` (Gitea). Of a
    /// link nothing is used but that it is there.
    pub fn of(link: Option<&str>, next_page: Option<&str>, total: Option<&str>) -> Self {
        let next = |link: &str| {
            let parameters = link.split(',').flat_map(|one| one.split(';').skip(1));
            { parameters }.any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next"))
        };
        match (link, next_page, total.and_then(|total| total.parse().ok())) {
            (Some(link), _, _) if next(link) => Self::More,
            (_, Some(page), _) if !page.trim().is_empty() => Self::More,
            (Some(_), _, _) | (_, Some(_), _) => Self::Last,
            (None, None, Some(total)) => Self::Total(total),
            (None, None, None) => Self::Unsaid,
        }
    }

    /// Whether a list goes on behind a page with so many items, so many with those before it, asked
    /// for with this size. Where nothing is said a full page may be followed by another.
    pub(super) const fn has_more(self, got: u64, all: u64, size: u64) -> bool {
        match self {
            Self::More => got > 0,
            Self::Last => false,
            Self::Total(total) => got > 0 && all < total,
            Self::Unsaid => got >= size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_whether_there_is_more() {
        let next =
            r#"<https://x.example/a?page=2>; rel="next", <https://x.example/a?page=9>; rel="last""#;
        let prev = r#"<https://x.example/next?page=1>; rel="prev""#;
        for (link, page, total, is) in [
            (Some(next), None, None, Paging::More),
            (Some(prev), None, Some("70"), Paging::Last),
            (None, Some("2"), None, Paging::More),
            (None, Some(""), Some("3"), Paging::Last),
            (Some(prev), Some("3"), None, Paging::More),
            (None, None, Some("70"), Paging::Total(70)),
            (None, None, Some("many"), Paging::Unsaid),
            (None, None, None, Paging::Unsaid),
        ] {
            assert_eq!(Paging::of(link, page, total), is, "{link:?} {page:?} {total:?}");
        }
    }

    #[test]
    fn a_list_ends_where_a_page_is_empty() {
        for (paging, got, all, more) in [
            (Paging::More, 100, 100, true),
            (Paging::More, 0, 100, false),
            (Paging::Last, 100, 100, false),
            (Paging::Total(70), 50, 50, true),
            (Paging::Total(70), 20, 70, false),
            (Paging::Total(70), 0, 50, false),
            (Paging::Unsaid, 100, 100, true),
            (Paging::Unsaid, 99, 99, false),
        ] {
            assert_eq!(paging.has_more(got, all, 100), more, "{paging:?} {got} {all}");
        }
    }
}
