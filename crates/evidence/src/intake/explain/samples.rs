//! A sample of each channel's shape: real members, and `<…>` for what they say.

use crate::channel::Channel;

/// Lines of a channel's shape, and which other forms are taken.
pub(super) struct Samples {
    pub(super) lines: &'static [&'static str],
    pub(super) forms: &'static str,
}

const DELIVERY: &str = "a body posted to its source, or a recorded delivery in a line";
const LINE: &str = "a line";

/// The samples of a channel. The ledger's own records are never ingested.
pub(super) const fn of(channel: Channel) -> Samples {
    let (lines, forms): (&[&str], _) = match channel {
        Channel::AlertmanagerWebhook => (&[ALERT], DELIVERY),
        Channel::ArgocdApplicationWatch => (APPLICATION, LINE),
        Channel::ArgocdControllerLog => (&[CONTROLLER], LINE),
        Channel::ArgocdNotification => (&[NOTIFICATION], DELIVERY),
        Channel::ArgocdServerLog => (&[SERVER], LINE),
        Channel::ArgocdStream => (&[STREAM], LINE),
        Channel::Cloudevent => (&[CLOUDEVENT], "structured, batch and binary mode"),
        Channel::ForgeSnapshot => {
            (&[FORGE], "a document; names beside accounts and links to them are personal too")
        }
        Channel::GitCommit => (COMMIT, "a repository or a bundle, read as lines"),
        Channel::GithubWebhook => (&[GITHUB], DELIVERY),
        Channel::GitlabWebhook => (&[GITLAB], DELIVERY),
        Channel::JiraWebhook => (&[JIRA], DELIVERY),
        Channel::KubernetesAudit => {
            (AUDIT, "a line, an EventList, the wrappers of EKS and AKS, entries of GKE")
        }
        Channel::KubernetesEventWatch => (EVENT, LINE),
        Channel::KubernetesObjectWatch => (OBJECT, LINE),
        Channel::LedgerAssessment | Channel::LedgerRedaction => (&[], ""),
        Channel::OpenbaoAudit => (OPENBAO, LINE),
        Channel::PrometheusRange => (&[RANGE], "a line, or a document over several"),
    };
    Samples { lines, forms }
}

const ALERT: &str = r#"{"received_at":"<time>","headers":{},"body":"{\"version\":\"4\",\"groupKey\":\"<key>\",\"status\":\"<status>\",\"alerts\":[{\"labels\":{\"alertname\":\"<name>\"},\"startsAt\":\"<time>\"}]}"}"#;

const APPLICATION: &[&str] = &[
    r#"{"type":"MODIFIED","object":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>","name":"<name>"},"operation":{"initiatedBy":{"username":"<account>"},"info":[{"name":"<name>","value":"<value>"}]},"spec":{"source":{"repoURL":"https://<user>:<password>@<host>/<path>","helm":{"parameters":[{"name":"<name>.password","value":"<value>"}],"values":"db:\n  password: <value>"}}},"status":{"operationState":{"operation":{"initiatedBy":{"username":"<account>"}},"message":"by a@b.example"}}}}"#,
    r#"{"type":"DELETED","object":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>"}}}"#,
];

const CONTROLLER: &str = r#"{"level":"info","msg":"a@b.example initiated sync","time":"<time>","application":"<name>","reason":"<reason>","dest-namespace":"<namespace>"}"#;

const NOTIFICATION: &str = r#"{"received_at":"<time>","headers":{},"body":"{\"kind\":\"Application\",\"apiVersion\":\"argoproj.io/v1alpha1\",\"metadata\":{\"name\":\"<name>\"},\"status\":{\"operationState\":{\"operation\":{\"initiatedBy\":{\"username\":\"<account>\"}}}}}"}"#;

const SERVER: &str = r#"{"level":"info","msg":"<text>","time":"<time>","grpc.method":"<method>","grpc.request.claims":"<claims>","user":"<account>","peer.address":"<address>","grpc.request.content":{"token":"<token>"}}"#;

const STREAM: &str = r#"{"result":{"type":"MODIFIED","application":{"metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>"},"operation":{"initiatedBy":{"username":"<account>"}}}}}"#;

const CLOUDEVENT: &str = r#"{"received_at":"<time>","headers":{},"body":"{\"specversion\":\"1.0\",\"id\":\"<id>\",\"source\":\"<source>\",\"type\":\"<type>\",\"data\":{\"user\":\"<account>\",\"token\":\"<token>\"}}"}"#;

const COMMIT: &[&str] = &[
    r#"{"git":"commit","id":"<commit>","tree":"<tree>","parents":[],"author":{"name":"<name>","email":"a@b.example","time":"<time>"},"committer":{"name":"<name>","email":"a@b.example","time":"<time>"},"message":"<text>\n\nReviewed-by: a@b.example"}"#,
    r#"{"git":"refs","refs":{"refs/heads/<name>":"<commit>"},"head":"<name>"}"#,
];

const FORGE: &str = r#"{"forge_snapshot":1,"forge":"github","repository":"<repository>","taken_at":"<time>","answers":[{"path":"<path>","status":200,"body":{"login":"<account>","name":"<name>","html_url":"<link>"}}]}"#;

const GITHUB: &str = r#"{"received_at":"<time>","headers":{"X-GitHub-Event":"event","X-GitHub-Delivery":"<delivery>","X-Hub-Signature-256":"<signature>"},"body":"{\"sender\":{\"login\":\"<account>\"},\"pusher\":{\"name\":\"<account>\",\"email\":\"a@b.example\"},\"head_commit\":{\"author\":{\"name\":\"<name>\",\"email\":\"a@b.example\"},\"committer\":{\"name\":\"<name>\"}},\"pull_request\":{\"user\":{\"login\":\"<account>\"},\"body\":\"<text>\"},\"review\":{\"user\":{\"login\":\"<account>\"}}}"}"#;

const GITLAB: &str = r#"{"received_at":"<time>","headers":{"X-Gitlab-Event":"event","Idempotency-Key":"<idempotency-key>","X-Gitlab-Token":"<token>"},"body":"{\"object_kind\":\"merge_request\",\"user\":{\"name\":\"<name>\",\"username\":\"<account>\",\"email\":\"a@b.example\"},\"user_username\":\"<account>\",\"commits\":[{\"author\":{\"name\":\"<name>\",\"email\":\"a@b.example\"}}]}"}"#;

const JIRA: &str = r#"{"received_at":"<time>","headers":{"X-Atlassian-Webhook-Identifier":"<x-atlassian-webhook-identifier>"},"body":"{\"webhookEvent\":\"<event>\",\"timestamp\":0,\"user\":{\"accountId\":\"<account>\",\"displayName\":\"<name>\",\"emailAddress\":\"a@b.example\"},\"issue\":{\"key\":\"<key>\"}}"}"#;

const AUDIT: &[&str] = &[
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"<auditID>","stage":"<stage>","stageTimestamp":"<stageTimestamp>","verb":"patch","user":{"username":"<account>","groups":["<group>"]},"impersonatedUser":{"username":"<account>"},"sourceIPs":["<address>"],"objectRef":{"resource":"secrets","name":"<name>"},"requestObject":{"kind":"Secret","data":{"<key>":"<value>"},"stringData":{"<key>":"<value>"}},"responseObject":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"<copy>"}},"data":{"<key>":"<value>"}}}"#,
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"<auditID>","stage":"<stage>","stageTimestamp":"<stageTimestamp>","verb":"create","user":{"username":"<account>"},"objectRef":{"resource":"serviceaccounts","subresource":"token"},"responseObject":{"status":{"token":"<token>"}}}"#,
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"<auditID>","stage":"<stage>","stageTimestamp":"<stageTimestamp>","verb":"get","user":{"username":"<account>"},"objectRef":{"resource":"pods"}}"#,
    r#"{"insertId":"<insertId>","timestamp":"<time>","protoPayload":{"serviceName":"k8s.io","methodName":"<method>","authenticationInfo":{"principalEmail":"<account>"},"requestMetadata":{"callerIp":"<address>"}}}"#,
];

const EVENT: &[&str] = &[
    r#"{"type":"ADDED","object":{"kind":"Event","apiVersion":"v1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>"},"message":"a@b.example initiated sync"}}"#,
    r#"{"type":"BOOKMARK","object":{"kind":"Event","apiVersion":"v1","metadata":{"resourceVersion":"<resourceVersion>"}}}"#,
];

const OBJECT: &[&str] = &[
    r#"{"type":"MODIFIED","object":{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>"},"spec":{"template":{"spec":{"containers":[{"env":[{"name":"<NAME>_PASSWORD","value":"<value>"}],"args":["--password=<value>"]}]}}}}}"#,
    r#"{"type":"MODIFIED","object":{"kind":"Secret","apiVersion":"v1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"<copy>"}},"data":{"<key>":"<value>"}}}"#,
    r#"{"type":"DELETED","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"<copy>"}}}}"#,
    r#"{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"uid":"<uid>","resourceVersion":"<resourceVersion>"},"data":{"<key>":"client_secret: <value>"}}}"#,
];

const OPENBAO: &[&str] = &[
    r#"{"time":"<time>","type":"request","auth":{"client_token":"<token>","display_name":"<account>","metadata":{"username":"<account>"}},"request":{"id":"<id>","operation":"read","path":"<path>","client_token":"<token>","remote_address":"<address>","data":{"password":"<value>"}}}"#,
    r#"{"time":"<time>","type":"response","auth":{"client_token":"<token>"},"request":{"id":"<id>","path":"<path>"},"response":{"auth":{"client_token":"<token>"},"data":{"secret_id":"<value>"}}}"#,
];

const RANGE: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"<label>":"<value>"},"values":[[0,"1"]]}]}}"#;
