"""The workflows of GitHub, as far as they can be tried without it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from helpers.book import address
from helpers.book.execute import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
JOBS = {(name, job): content for name, workflow in WORKFLOWS.items() for job, content in workflow["jobs"].items()}
STEPS = [(*job, step) for job, content in JOBS.items() for step in content.get("steps", [])]
ON = True  # how YAML 1.1 reads the key "on"


def command(job: str, start: str) -> str:
    """The command of the step of publish.yml that starts so."""
    (found,) = (s["run"] for s in JOBS["publish", job]["steps"] if s.get("run", "").startswith(start))
    return found


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_only_read_and_its_jobs_end(name):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"} and workflow[ON]
    for job, content in workflow["jobs"].items():
        assert "uses" in content or ("timeout-minutes" in content and content["steps"]), job
        assert {*content.get("needs", "").split()} <= set(workflow["jobs"]), job


def test_every_command_exists_and_is_a_script():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    called = set()
    for name, job, step in STEPS:
        if "run" not in step:
            continue
        script = re.sub(r"\$\{\{.*?\}\}", "x", step["run"])
        assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0, (name, job, script)
        called |= set(re.findall(r"\bmake ([a-z-]+)", script))
        for word in re.findall(r"(?:^|\s)(\.ci/\S+)", script):
            assert os.access(ROOT / word, os.X_OK), word
    assert called <= targets and {"address", "html", "pdf", "wheel"} <= called, called - targets


def test_actions_are_pinned_and_one_has_one_version():
    versions: dict[str, set] = {}
    for *_, step in STEPS:
        if "uses" in step:
            action, version = step["uses"].split("@")
            assert action.startswith("actions/") and re.fullmatch(r"v\d+", version), step["uses"]
            versions.setdefault(action, set()).add(version)
    assert all(len(found) == 1 for found in versions.values()), versions


def test_publishing_waits_for_the_tests_and_each_job_may_do_what_it_must():
    jobs = WORKFLOWS["publish"]["jobs"]
    assert (FOLDER / jobs["test"]["uses"].removeprefix("./.github/workflows/")).is_file()
    assert "workflow_call" in WORKFLOWS["ci"][ON] and "push" not in WORKFLOWS["ci"][ON], "the tests would run twice"
    assert jobs["pages"]["needs"] == jobs["release"]["needs"] == "test" and jobs["deploy"]["needs"] == "pages"
    assert {job: content.get("permissions") for job, content in jobs.items()} == {
        "test": None,
        "pages": {"contents": "write", "pages": "read"},
        "deploy": {"pages": "write", "id-token": "write"},
        "release": {"contents": "write"},
    }
    group = WORKFLOWS["ci"]["concurrency"]["group"]
    assert "concurrency" not in WORKFLOWS["publish"] and group.startswith("${{ github.workflow }}"), (
        "a called workflow has its caller's name: two groups of one name would wait for each other"
    )


@pytest.mark.skipif(not shutil.which("git"), reason="no git")
def test_a_fork_gets_its_own_address_once(tmp_path):
    """The steps that set and commit the address, on a copy whose remote is a folder."""
    remote, copy = tmp_path / "remote", tmp_path / "copy"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_REPOSITORY": "some-body/a-book"}

    def run(*words: str, folder: Path = copy) -> str:
        return subprocess.run(words, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout

    for path in address.files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(remote), folder=tmp_path)
    run("git", "init", "--quiet", "--initial-branch", "main")
    run("git", "remote", "add", "origin", str(remote))
    run("git", "add", "--all")
    run("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "a book")
    run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    setting = command("pages", "make address")
    assert setting == command("release", "make address")
    for commits in (2, 2):  # the second time there is nothing to do
        url = run("bash", "-c", setting.replace("make address URL=", "echo "), folder=tmp_path).strip()
        assert address.main([url], copy) == 0
        run("bash", "-e", "-c", command("pages", "if ! git diff"))
        assert len(run("git", "log", "--format=%s", "origin/main").splitlines()) == commits
    assert run("git", "status", "--short") == "" and address.current(copy) == "some-body/a-book"
    committed = run("git", "show", "main:book/appendix/speed.ipynb", folder=remote)
    assert "git+https://github.com/some-body/a-book" in committed
