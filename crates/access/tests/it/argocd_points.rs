//! Argo CD's decisions against the written account of its semantics, point by point: a row for each
//! point, named by it. What other tests show in more detail stands here once.
//!
//! | point | what it says |
//! |---|---|
//! | 1 | the default role is asked first, and only its allow counts |
//! | 2 | the project comes from the object: its first segment of six resources, the whole of `projects` |
//! | 3 | a token of a project role is bound to its project, and joins no groups |
//! | 4 | a subject is asked with the project's own policies; such that do not load are left out |
//! | 5 | a group is asked if some `g` line, built-in, the user's or the project's, has it as a member |
//! | 6 | everybody is at last asked as the empty name |
//! | deny | a deny binds within one subject's own roles alone |
//! | depth | roles are followed ten deep |
//! | object | an Application outside of Argo CD's namespace is `project/namespace/name` |
//! | glob | whole texts, a star crosses slashes; what does not compile fits nothing |
//! | mode | anything but `regex` is glob; an expression fits anywhere |
//! | line | leading blanks go, quotes may be; another effect than the two words is none |
//! | load | a line with a wrong number of fields refuses everything |
//! | built-in | `role:admin` holds `role:readonly`, and `admin` has it, whoever signs in by that name |
//! | project | a role may read its project; its groups have it |
//! | anonymous | without signing in there is the default role, if that is on |

use std::collections::BTreeMap;

use access::argocd::{AppName, Caller, Project, Rbac, Request, Right, Settings};
use access::origin::Origin;
use serde_json::json;

/// The rules that the rows share; some rows add a line or a setting.
const POLICY: &str = "\
p, role:dev, applications, get, */*, allow
p, role:dev, applications, sync, */*, allow
p, role:dev, applications, sync, prod/*, deny
p, role:sre, applications, sync, prod/*, allow
p, direct, applications, sync, prod/*, allow
p, named, applications, sync, prod/app, allow
p, inner, applications, sync, prod/team/app, allow
p, braces, applications, sync, \"{prod,dev}/app\", allow
p, crossing, applications, sync, pr*app, allow
p, broken, applications, sync, [, allow
p, part, applications, sync, rod/a, allow
p,    \"quoted, name\",applications, sync, prod/*, allow
p, perhaps, applications, sync, prod/*, maybe
g, devs, role:dev
g, sres, role:sre
g, both, role:dev
g, both, role:sre
g, deep0, deep1
g, deep1, deep2
g, deep2, role:sre
";

struct Row {
    point: &'static str,
    /// Pairs added to `argocd-rbac-cm`, `policy.more.csv` among them.
    rules: &'static [(&'static str, &'static str)],
    /// `None` never signed in.
    who: Option<&'static str>,
    groups: &'static [&'static str],
    asked: [&'static str; 3],
    allowed: bool,
}

const fn row(
    point: &'static str,
    rules: &'static [(&'static str, &'static str)],
    who: Option<&'static str>,
    groups: &'static [&'static str],
    asked: [&'static str; 3],
    allowed: bool,
) -> Row {
    Row { point, rules, who, groups, asked, allowed }
}

const SYNC: [&str; 3] = ["applications", "sync", "prod/app"];
const DEV: &[(&str, &str)] = &[("policy.default", "role:dev")];
const NONE: &[(&str, &str)] = &[];
const ANY: &[(&str, &str)] = &[
    ("policy.more.csv", "p, \"\", applications, sync, prod/*, allow"),
    ("policy.default", "role:nothing"),
];
const SHORT: &[(&str, &str)] = &[("policy.more.csv", "p, a, applications, sync, prod/*")];
const REGEX: &[(&str, &str)] = &[("policy.matchMode", "regex")];
const NO_REGEX: &[(&str, &str)] = &[("policy.matchMode", "Regex")];

const ROWS: [Row; 53] = [
    row("1 allows", DEV, Some("ann"), &[], ["applications", "sync", "dev/app"], true),
    row("1 denies nobody", DEV, Some("ann"), &["sres"], SYNC, true),
    row("1 goes around", DEV, Some("direct"), &[], SYNC, true),
    row(
        "2 applications",
        NONE,
        Some("ann"),
        &["own"],
        ["applications", "update", "prod/app"],
        true,
    ),
    row("2 sets", NONE, Some("ann"), &["own"], ["applicationsets", "create", "prod/x"], true),
    row("2 repositories", NONE, Some("ann"), &["own"], ["repositories", "create", "prod/x"], true),
    row("2 clusters", NONE, Some("ann"), &["own"], ["clusters", "update", "prod/x"], true),
    row("2 logs", NONE, Some("ann"), &["own"], ["logs", "get", "prod/app"], true),
    row("2 exec", NONE, Some("ann"), &["own"], ["exec", "create", "prod/app"], true),
    row("2 projects", NONE, Some("ann"), &["own"], ["projects", "get", "prod"], true),
    row("2 no segment", NONE, Some("ann"), &["own"], ["clusters", "update", "prod"], false),
    row("2 another", NONE, Some("ann"), &["own"], ["certificates", "get", "prod/x"], false),
    row(
        "2 other project",
        NONE,
        Some("ann"),
        &["own"],
        ["applications", "update", "dev/app"],
        false,
    ),
    row("3 own", NONE, Some("proj:prod:ops"), &[], ["applications", "update", "prod/app"], true),
    row("3 foreign", NONE, Some("proj:prod:ops"), &[], ["exec", "create", "dev/app"], false),
    row("3 no groups", NONE, Some("proj:prod:idle"), &["own", "sres"], SYNC, false),
    row("3 default", DEV, Some("proj:prod:ops"), &[], ["applications", "sync", "dev/app"], true),
    row("4 joined", NONE, Some("member"), &[], ["exec", "create", "prod/app"], true),
    row("4 left out", NONE, Some("proj:bad:ops"), &[], ["applications", "sync", "bad/app"], false),
    row(
        "4 the rest holds",
        NONE,
        Some("ann"),
        &["devs"],
        ["applications", "sync", "bad/app"],
        true,
    ),
    row("5 user's", NONE, Some("ann"), &["sres"], SYNC, true),
    row("5 project's", NONE, Some("ann"), &["own"], ["exec", "create", "prod/app"], true),
    row("5 built-in", NONE, Some("ann"), &["admin"], SYNC, true),
    row("5 direct line", NONE, Some("ann"), &["direct"], SYNC, false),
    row("5 direct as subject", NONE, Some("direct"), &[], SYNC, true),
    row("6 nobody", NONE, Some("ann"), &[], SYNC, false),
    row("6 everybody", ANY, Some("ann"), &[], SYNC, true),
    row("6 not signed in", ANY, None, &[], SYNC, true),
    row("deny binds", NONE, Some("ann"), &["devs"], SYNC, false),
    row("deny in one subject", NONE, Some("ann"), &["both"], SYNC, false),
    row("deny around", NONE, Some("ann"), &["devs", "sres"], SYNC, true),
    row("deny on the subject", NONE, Some("devs"), &["sres"], SYNC, true),
    row("depth", NONE, Some("deep0"), &[], SYNC, true),
    row("object", NONE, Some("named"), &[], SYNC, true),
    row(
        "object outside",
        NONE,
        Some("named"),
        &[],
        ["applications", "sync", "prod/team/app"],
        false,
    ),
    row("object inside", NONE, Some("inner"), &[], ["applications", "sync", "prod/team/app"], true),
    row("glob braces", NONE, Some("braces"), &[], SYNC, true),
    row("glob crosses", NONE, Some("crossing"), &[], ["applications", "sync", "prod/x/app"], true),
    row("glob whole", NONE, Some("part"), &[], SYNC, false),
    row("glob broken", NONE, Some("broken"), &[], SYNC, false),
    row("mode anywhere", REGEX, Some("part"), &[], SYNC, true),
    row("mode other word", NO_REGEX, Some("part"), &[], SYNC, false),
    row("line quoted", NONE, Some("quoted, name"), &[], SYNC, true),
    row("line effect", NONE, Some("perhaps"), &[], SYNC, false),
    row("load", SHORT, Some("direct"), &[], SYNC, false),
    row("load, default too", SHORT, Some("admin"), &[], SYNC, false),
    row("built-in admin", NONE, Some("admin"), &[], ["projects", "update", "prod"], true),
    row("built-in holds", NONE, Some("admin"), &[], ["applications", "get", "prod/app"], true),
    row("built-in reads", NONE, Some("role:readonly"), &[], ["logs", "get", "prod/app"], true),
    row("built-in only reads", NONE, Some("role:readonly"), &[], SYNC, false),
    row("project reads", NONE, Some("proj:prod:idle"), &[], ["projects", "get", "prod"], true),
    row("anonymous", DEV, None, &[], ["applications", "get", "dev/app"], true),
    row("anonymous has no groups", NONE, None, &[], SYNC, false),
];

fn projects() -> Vec<Project> {
    let own: Vec<String> =
        ["applications", "applicationsets", "repositories", "clusters", "logs", "exec"]
            .iter()
            .map(|resource| format!("p, proj:prod:ops, {resource}, *, prod/*, allow"))
            .chain(["g, member, proj:prod:ops".to_owned()])
            .collect();
    let prod = json!({"metadata": {"name": "prod"}, "spec": {"roles": [
        {"name": "ops", "groups": ["own"], "policies": own},
        {"name": "idle"},
    ]}});
    let bad = json!({"metadata": {"name": "bad"}, "spec": {"roles": [
        {"name": "ops", "policies": [
            "p, proj:bad:ops, applications, sync, bad/*, allow", "p, too, short",
        ]},
    ]}});
    let dev = json!({"metadata": {"name": "dev"}, "spec": {}});
    [prod, bad, dev].iter().map(|p| Project::read(p, Origin::whole("AppProject"))).collect()
}

#[test]
fn each_point_holds() {
    for row in ROWS {
        let mut rules = BTreeMap::from([("policy.csv".to_owned(), POLICY.to_owned())]);
        rules.extend(row.rules.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let anonymous = ("users.anonymous.enabled".to_owned(), "true".to_owned());
        let settings = Settings::read(&BTreeMap::from([anonymous]));
        let rbac = Rbac::new(&rules, Origin::whole, settings, projects());
        let [resource, action, object] = row.asked;
        let caller = match row.who {
            Some(subject) => Caller::Subject { subject, groups: row.groups },
            None => Caller::Anonymous,
        };
        let decision = rbac.decide(caller, &Request { resource, action, object });
        assert_eq!(decision.allowed, row.allowed, "{}: {decision:#?}", row.point);
    }
}

/// Since 3.0 logs are asked for, and a right on an Application is none on its resources.
#[test]
fn logs_are_asked_for_whatever_the_settings_say() {
    let app = AppName::new("prod", "argocd", "app", "argocd");
    for switch in ["true", "false"] {
        let key = "server.rbac.log.enforce.enable".to_owned();
        let settings = Settings::read(&BTreeMap::from([(key, switch.to_owned())]));
        let ways = Right::ReadLogs.ways(&app, &settings);
        let asked: Vec<_> = ways[0].iter().map(|c| (c.resource, c.action.as_str())).collect();
        assert_eq!(asked, [("applications", "get"), ("logs", "get")], "{switch}");
    }
}
