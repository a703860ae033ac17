//! `countersign serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use evidence::intake::cuts::Rules;

use super::{Context, Outcome};
use crate::ledger::dir::LedgerDir;
use crate::ledger::recover;
use crate::sources::http::Server;
use crate::sources::http::settings::Settings;
use crate::sources::http::tls::TlsFiles;

const SOURCES_HELP: &str = "The sources file (TOML), shortest form:

  [[source]]
  name = \"forge\"                # posts to /ingest/forge
  channel = \"github-webhook\"
  auth = { hmac-sha256 = { secret-file = \"forge.secret\" } }

Other ways: bearer = { token-file = … }, gitlab-token = { token-file = … },
client-certificate = { common-name | dns | uri | sha256 = … }, \"none-loopback-only\".
A [[reader]] has name and auth, and may ask questions at /v1 (docs/api.md).
docs/serve.md has every key, how each sender is set up, the answers and the metrics.

SIGTERM or SIGINT: finish what is under way, close the ledger in order, exit 0.";

#[derive(Debug, clap::Args)]
#[command(after_help = SOURCES_HELP)]
pub(super) struct Args {
    /// Who may send what: one source each, with its path, channel and authentication
    #[arg(long, env = "COUNTERSIGN_SOURCES", value_name = "FILE")]
    sources: PathBuf,
    /// Address and port that senders post to
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Serve /healthz, /readyz and /metrics here instead of beside the sources
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Certificate of this server, with those up to its authority (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of this server (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Authority that vouches for client certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let people = context.people()?;
    let tls = args.tls_cert.clone().zip(args.tls_key.clone());
    let tls = tls.map(|(certificate, key)| TlsFiles {
        certificate,
        key,
        client_ca: args.client_ca.clone(),
    });
    let settings = Settings::read(&args.sources, args.listen, args.client_ca.is_some())?;
    let server = Server {
        listen: args.listen,
        admin_listen: args.admin_listen,
        tls,
        settings,
        rules: Rules::new(people.identifying_strings().iter().copied())?,
        people,
        content_key: dir.content_key()?,
        clock: context.clock,
    };
    let (err, clock) = (&mut *context.err, context.clock);
    // A line that cannot be written is no reason to stop taking records.
    let mut tell = |line: &str| {
        let _unwritten = writeln!(err, "{:.3} {line}", clock());
    };
    if context.shared.people.is_none() {
        tell(
            "warning: no people map (--people): names in free text are not told apart and cannot be erased later",
        );
    }
    server.run(recover::open(&dir)?, &dir, &mut tell)?;
    tell("stopped, ledger closed");
    Ok(Outcome::Done)
}
