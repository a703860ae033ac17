//! Which addresses name the repository that is read.

/// An address without what does not tell repositories apart: scheme, user, port of ssh, `.git`.
pub fn normal(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    let (is_scp, rest) = match url.split_once("://") {
        Some((_, rest)) => (false, rest),
        None => (true, url),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let rest = match rest[..end].rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    // `git@host:path` and `ssh://git@host/path` name the same.
    let rest = if is_scp { rest.replacen(':', "/", 1) } else { rest.to_owned() };
    match rest.split_once('/') {
        Some((host, path)) => {
            let host = host.strip_suffix(":22").or(host.strip_suffix(":443")).unwrap_or(host);
            format!("{}/{}", host.to_lowercase(), path)
        }
        None => rest.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn addresses_of_one_repository_are_one() {
        let table = [
            ("https://git.example/p/r.git", "git.example/p/r"),
            ("https://user:word@Git.example/p/r/", "git.example/p/r"),
            ("git@git.example:p/r.git", "git.example/p/r"),
            ("ssh://git@git.example:22/p/r.git", "git.example/p/r"),
            ("http://git.example:3000/p/r", "git.example:3000/p/r"),
        ];
        for (url, expected) in table {
            assert_eq!(normal(url), expected, "{url}");
        }
    }
}
