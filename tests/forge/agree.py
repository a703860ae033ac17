"""Holds `who-can merge` to what a running Gitea lets each account do.

For each set of branch rules the rules are set over Gitea's API, a snapshot is collected and asked,
and each account tries: to push to the branch, to merge a proposal without approvals, and to merge one
that was approved. What succeeds has to be what was said, in both directions.
"""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

GITEA, COUNTERSIGN, WORK = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
PASSWORD = "not-a-secret-1"
# Account, and what it is in the repository.
ACCOUNTS = {
    "olga": "owner of the organisation",
    "ann": "team release, write",
    "bob": "team release, write",
    "rhea": "team readers, read",
    "carl": "collaborator, admin",
    "wim": "collaborator, write",
    "dora": "collaborator, read",
    "eve": "nothing",
}
# Each sets rules of the branch; none means that there is none.
RULES = {
    "no rule": None,
    "two approvals": {"required_approvals": 2},
    "one approval, administrators bound": {"required_approvals": 1, "block_admin_merge_override": True},
    "no approval": {"required_approvals": 0},
    "release merges": {
        "required_approvals": 1,
        "enable_merge_whitelist": True,
        "merge_whitelist_teams": ["release"],
    },
    "release merges, administrators bound": {
        "required_approvals": 1,
        "enable_merge_whitelist": True,
        "merge_whitelist_teams": ["release"],
        "block_admin_merge_override": True,
    },
    "wim pushes": {
        "required_approvals": 1,
        "enable_push": True,
        "enable_push_whitelist": True,
        "push_whitelist_usernames": ["wim"],
    },
    "all writers push": {"required_approvals": 1, "enable_push": True},
    "wim merges": {
        "required_approvals": 1,
        "enable_merge_whitelist": True,
        "merge_whitelist_usernames": ["wim"],
    },
    "nobody merges": {"required_approvals": 1, "enable_merge_whitelist": True},
    "a pattern": {"rule_name": "ma*", "required_approvals": 1},
}


class Forge:
    """A Gitea that runs for as long as the block."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.root = f"http://127.0.0.1:{self.port}"
        self.config = folder / "app.ini"
        self.environment = dict(
            os.environ, GITEA_WORK_DIR=str(folder), GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT="true"
        )

    def __enter__(self):
        self.folder.mkdir(parents=True)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.config.write_text(
            f"RUN_MODE = prod\nRUN_USER = {user}\nWORK_PATH = {self.folder}\n"
            f"[database]\nDB_TYPE = sqlite3\nPATH = {self.folder}/gitea.db\n"
            f"[server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {self.port}\nROOT_URL = {self.root}/\n"
            f"STATIC_ROOT_PATH = {GITEA}\nDISABLE_SSH = true\nOFFLINE_MODE = true\n"
            f"[security]\nINSTALL_LOCK = true\nSECRET_KEY = none\n[log]\nLEVEL = error\n"
            f"[repository]\nROOT = {self.folder}/repositories\n"
            "[indexer]\nISSUE_INDEXER_TYPE = db\n"
        )
        self.gitea("migrate")
        made = self.gitea(
            "admin", "user", "create", "--username", "site", "--password", PASSWORD, "--admin",
            "--email", "site@x.example", "--access-token", "--access-token-scopes", "all",
        )
        self.token = made.split()[-1]
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [GITEA / "gitea", "-c", self.config, "web"],
            env=self.environment, stdout=self.log, stderr=self.log,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("GET", "/version")
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def gitea(self, *words):
        ran = subprocess.run(
            [GITEA / "gitea", "-c", self.config, *words],
            env=self.environment, capture_output=True, text=True, check=True,
        )
        return ran.stdout

    def ask(self, method, path, body=None, account=None):
        """The status and the body of an answer, as an account, else as the site's administrator."""
        basic = base64.b64encode(f"{account}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"{self.root}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Basic {basic}" if account else f"token {self.token}",
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def must(self, method, path, body=None, account=None):
        status, answer = self.ask(method, path, body, account)
        assert status < 300, (method, path, status, answer)
        return answer


def people(forge):
    """Accounts, teams and the repository."""
    for account in ACCOUNTS:
        forge.must("POST", "/admin/users", {
            "username": account, "email": f"{account}@x.example", "password": PASSWORD,
            "must_change_password": False,
        })
    forge.must("POST", "/admin/users/olga/orgs", {"username": "acme"})
    forge.must("POST", "/orgs/acme/repos", {"name": "gitops", "default_branch": "main", "private": True}, "olga")
    for team, right, members in [("release", "write", ["ann", "bob"]), ("readers", "read", ["rhea"])]:
        made = forge.must("POST", "/orgs/acme/teams", {
            "name": team, "permission": right, "units": ["repo.code", "repo.pulls"],
        }, "olga")
        for member in members:
            forge.must("PUT", f"/teams/{made['id']}/members/{member}")
        forge.must("PUT", f"/repos/acme/gitops/teams/{team}")
    for account, right in [("carl", "admin"), ("wim", "write"), ("dora", "read")]:
        forge.must("PUT", f"/repos/acme/gitops/collaborators/{account}", {"permission": right})


def countersign(*words, secret=""):
    ran = subprocess.run(
        [COUNTERSIGN, *words], env=dict(os.environ, COUNTERSIGN_FORGE_TOKEN=secret),
        capture_output=True, text=True,
    )
    assert ran.returncode != 5 and (not secret or secret not in ran.stdout + ran.stderr), ran.stderr
    return ran


def said(forge, folder):
    """By account: may push, may merge without approvals, may merge what was approved."""
    snapshot = WORK / "forge.json"
    countersign(
        "collect", "forge", "--forge", "gitea", "--name", "acme/gitops", "--api", forge.root,
        "--out", str(snapshot), secret=forge.token,
    )
    answer = json.loads(countersign(
        "who-can", "merge", "--env", "prod", "--repo", str(folder), "--forge", str(snapshot),
        "--format", "json",
    ).stdout)
    may = {what: set() for what in ["push", "merge", "merge approved"]}
    for one in answer["unmapped"]:
        for path in one["paths"]:
            approvals = [need for need in path["needs"] if "approval" in need]
            if path["part"] == "push":
                may["push"].add(path["account"])
            elif path["part"] == "merge":
                may["merge approved"].add(path["account"])
                if not approvals:
                    may["merge"].add(path["account"])
    return may


class Proposals:
    """One open proposal, tried by account after account; whoever merges it makes room for the next."""

    def __init__(self, forge, name, approved):
        self.forge, self.name, self.approved = forge, name, approved
        self.made, self.number = 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.number:
            self.forge.must("PATCH", f"/repos/acme/gitops/pulls/{self.number}", {"state": "closed"})

    def merged_by(self, account):
        if self.number is None:
            self.number = self.propose()
        done = merges(self.forge, self.number, account)
        if done:
            self.number = None
        return done

    def propose(self):
        self.made += 1
        name = f"{self.name}-{self.made}"
        self.forge.must("POST", "/repos/acme/gitops/branches", {"new_branch_name": name, "old_branch_name": "main"}, "olga")
        self.forge.must("POST", f"/repos/acme/gitops/contents/{name}", {
            "branch": name, "content": "eA==", "message": name,
        }, "olga")
        made = self.forge.must("POST", "/repos/acme/gitops/pulls", {"head": name, "base": "main", "title": name}, "olga")
        reviews = f"/repos/acme/gitops/pulls/{made['number']}/reviews"
        for account in ["ann", "bob", "wim"] if self.approved else []:
            self.forge.must("POST", reviews, {"event": "APPROVED"}, account)
        return made["number"]


def merges(forge, number, account):
    """Whether an account merges a proposal. Gitea looks at a proposal in the background first."""
    forced = {"Do": "merge", "force_merge": True}
    deadline = time.monotonic() + 30
    while True:
        status, answer = forge.ask("POST", f"/repos/acme/gitops/pulls/{number}/merge", forced, account)
        busy = status == 405 and "try again later" in str(answer).lower()
        if not busy or time.monotonic() > deadline:
            assert status in (200, 403, 404, 405), (status, answer)
            return status == 200
        time.sleep(0.1)


def tried(forge, round_):
    """The same by trying."""
    may = {what: set() for what in ["push", "merge", "merge approved"]}
    for account in ACCOUNTS:
        name = f"{round_}-{account}"
        status, _ = forge.ask("POST", f"/repos/acme/gitops/contents/push-{name}", {
            "branch": "main", "content": "eA==", "message": name,
        }, account)
        if status == 201:
            may["push"].add(account)
    for what in ["merge", "merge approved"]:
        with Proposals(forge, f"{what.replace(' ', '-')}-{round_}", what == "merge approved") as proposals:
            may[what].update(account for account in ACCOUNTS if proposals.merged_by(account))
    return may


def publish(forge, folder):
    countersign(
        "init", str(folder), "--forge", "gitea", "--name", "acme/gitops",
        "--url", f"{forge.root}/acme/gitops.git",
    )
    git = ["git", "-C", str(folder), "-c", "user.name=olga", "-c", "user.email=olga@x.example"]
    address = f"http://olga:{PASSWORD}@127.0.0.1:{forge.port}/acme/gitops.git"
    for words in [["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "layout"],
                  ["push", "-q", address, "main"]]:
        subprocess.run([*git, *words], check=True)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    wrong = checked = 0
    with Forge(WORK / "gitea") as forge:
        people(forge)
        folder = WORK / "gitops"
        publish(forge, folder)
        for round_, (name, rule) in enumerate(RULES.items()):
            for old in forge.must("GET", "/repos/acme/gitops/branch_protections"):
                forge.must("DELETE", f"/repos/acme/gitops/branch_protections/{old['rule_name']}")
            if rule is not None:
                forge.must("POST", "/repos/acme/gitops/branch_protections", {"rule_name": "main", **rule}, "olga")
            claimed, done = said(forge, folder), tried(forge, round_)
            told = "; ".join(f"{what}: {' '.join(sorted(done[what])) or 'nobody'}" for what in done)
            print(f"forge: {name}: {told}", flush=True)
            for what in claimed:
                checked += len(ACCOUNTS)
                if claimed[what] != done[what]:
                    wrong += 1
                    print(f"forge: {name}, {what}: said {sorted(claimed[what])}, tried {sorted(done[what])}")
    if wrong:
        sys.exit(f"forge: {wrong} sets differ")
    print(f"forge: Gitea let {len(ACCOUNTS)} accounts do what who-can says: {checked} attempts, {len(RULES)} sets of rules")


main()
