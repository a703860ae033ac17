//! Each way of authentication, with what is accepted and what is refused.

use hyper::header::HeaderValue;

use super::*;
use crate::sources::secret::Place;

fn secret(text: &str) -> Secret {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    std::fs::write(&path, text).expect("written");
    Place::File(path).read(&mut Vec::new()).expect("read")
}

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

/// RFC 4231 test case 2.
const RFC_4231: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
const BODY: &[u8] = b"what do ya want for nothing?";

#[test]
fn signatures() {
    let header = HeaderName::from_static("x-hub-signature-256");
    let ways = [
        Authenticator::hmac(&[secret("Jefe")], header.clone()),
        // While a secret is replaced, either one counts.
        Authenticator::hmac(&[secret("new"), secret("Jefe")], header.clone()),
    ];
    let wrong = Err(Unauthenticated::WrongSignature(header.clone()));
    let name = "x-hub-signature-256";
    let (plain, prefixed) = (RFC_4231.to_owned(), format!("sha256={RFC_4231}"));
    let upper = format!("sha256={}", RFC_4231.to_uppercase());
    let other = format!("sha256=0{}", &RFC_4231[1..]);
    let short = format!("sha256={}", &RFC_4231[2..]);
    let sha1 = format!("sha1={RFC_4231}");
    let table = [
        (plain, Ok(())),
        (prefixed, Ok(())),
        (upper, Ok(())),
        (other, wrong.clone()),
        (short, wrong.clone()),
        (sha1, wrong.clone()),
        (String::new(), wrong.clone()),
    ];
    for way in &ways {
        for (value, expected) in &table {
            assert_eq!(way.check_body(&headers(&[(name, value)]), BODY), *expected, "{value}");
        }
        assert_eq!(way.check_body(&headers(&[(name, RFC_4231)]), b"what do ya want"), wrong);
        let none = Unauthenticated::NoSignature(header.clone());
        assert_eq!(way.check_head(&headers(&[]), None), Err(none));
        let twice = headers(&[(name, RFC_4231), (name, RFC_4231)]);
        assert_eq!(way.check_head(&twice, None), Err(Unauthenticated::Twice(header.clone())));
        assert_eq!(way.check_body(&twice, BODY), Err(Unauthenticated::Twice(header.clone())));
    }
}

#[test]
fn tokens() {
    let bearer = Authenticator::bearer(&[secret("old-token"), secret("new-token")]);
    let expected = "Authorization: Bearer …";
    let (none, wrong) = (Unauthenticated::NoToken(expected), Unauthenticated::WrongToken(expected));
    let table = [
        ("Bearer old-token", Ok(())),
        ("bearer new-token", Ok(())),
        ("Bearer old-toke", Err(wrong.clone())),
        ("Bearer ", Err(none.clone())),
        ("Basic old-token", Err(none.clone())),
        ("old-token", Err(none.clone())),
        ("Bearer old-token2", Err(wrong)),
    ];
    for (value, result) in table {
        let headers = headers(&[("authorization", value)]);
        assert_eq!(bearer.check_head(&headers, None), result, "{value}");
    }
    assert_eq!(bearer.check_head(&headers(&[]), None), Err(none));
    let gitlab = Authenticator::gitlab(&[secret("t")]);
    assert_eq!(gitlab.check_head(&headers(&[("x-gitlab-token", "t")]), None), Ok(()));
    for wrong in [&[("x-gitlab-token", "u")][..], &[("authorization", "Bearer t")], &[]] {
        assert!(gitlab.check_head(&headers(wrong), None).is_err(), "{wrong:?}");
    }
}

#[test]
fn certificates() {
    let certificate = Certificate {
        common_name: Some("kube-apiserver".to_owned()),
        dns_names: vec!["api.bank.example".to_owned()],
        uris: vec!["spiffe://bank.example/api".to_owned()],
        sha256: [7; 32],
    };
    let table = [
        (Wanted::CommonName("kube-apiserver".to_owned()), true),
        (Wanted::CommonName("api.bank.example".to_owned()), false),
        (Wanted::Dns("api.bank.example".to_owned()), true),
        (Wanted::Dns("kube-apiserver".to_owned()), false),
        (Wanted::Uri("spiffe://bank.example/api".to_owned()), true),
        (Wanted::Uri("spiffe://bank.example/".to_owned()), false),
        (Wanted::Sha256([7; 32]), true),
        (Wanted::Sha256([8; 32]), false),
    ];
    for (wanted, genuine) in table {
        let way = Authenticator::Certificate(wanted);
        let checked = way.check_head(&HeaderMap::new(), Some(&certificate));
        assert_eq!(checked.is_ok(), genuine, "{way:?}");
        let none = way.check_head(&HeaderMap::new(), None);
        assert_eq!(none, Err(Unauthenticated::NoCertificate));
    }
}

#[test]
fn nothing_shows_a_secret() {
    let header = HeaderName::from_static("x-sig");
    let way = Authenticator::hmac(&[secret("hunter2-hunter2")], header);
    let refused = way.check_body(&headers(&[("x-sig", "hunter2")]), b"").expect_err("wrong");
    let said = format!("{way:?} {refused} {refused:?} {}", way.challenge());
    assert!(!said.contains("hunter2"), "{said}");
}
