"""Whether this machine is fit to tune: the compiler, the CPU, the places, the noise. Exits 1 if it is not."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ansord.cli.exits import FAILED, OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import show, show_json

if TYPE_CHECKING:
    from ansord.daemon import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """`hint`: what to do about it, empty where there is nothing to do."""

    about: str
    verdict: Literal["good", "fair", "bad"]
    says: str
    hint: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "cache", "inbox", "state", "threads")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    findings = [finding for check in CHECKS for finding in check(settings)]
    if options.json:
        show_json({"findings": [asdict(finding) for finding in findings]})
    else:
        for one in findings:
            hint = f"; {one.hint}" if one.hint else ""
            show(f"{one.verdict:<4}  {one.about:<9}  {one.says}{hint}")
    return FAILED if any(one.verdict == "bad" for one in findings) else OK


def check_python(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "good", f"{version} at {sys.executable}")


def check_host(settings: Settings) -> Iterator[Finding]:
    from ansord_client.host import host

    here = host().with_threads(settings.threads)
    yield Finding("host", "good", f"{here.key}, {here.cpu_model or here.arch}")
    if here.arch == "x86_64" and "avx2" not in here.isa:
        yield Finding("host", "fair", "no AVX2: kernels will be slow whatever is tuned")


def check_compiler(settings: Settings) -> Iterator[Finding]:
    from ansord.build import NoCompiler, find_compiler

    try:
        yield Finding("compiler", "good", str(find_compiler(settings.compiler)))
    except NoCompiler as error:
        says, _, hint = str(error).partition("; hint: ")
        yield Finding("compiler", "bad", says, hint)


def check_execution(_: Settings) -> Iterator[Finding]:
    """Candidates are built and loaded in the temporary directory."""
    with tempfile.TemporaryDirectory(prefix="ansord-doctor-") as place:
        script = Path(place) / "true"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o700)
        try:
            subprocess.run([str(script)], check=True, capture_output=True)
        except (OSError, subprocess.SubprocessError):
            where = tempfile.gettempdir()
            yield Finding(
                "temporary", "bad", f"{where} does not allow execution", "set TMPDIR to one that does"
            )
        else:
            yield Finding("temporary", "good", f"{tempfile.gettempdir()} allows execution")


def check_places(settings: Settings) -> Iterator[Finding]:
    for name in ("inbox", "cache", "state"):
        path: Path = getattr(settings, name)
        nearest = next(one for one in (path, *path.parents) if one.exists())
        origin = settings.origin.get(name, "default")
        if not os.access(nearest, os.W_OK):
            yield Finding(
                name, "bad", f"{path} ({origin}): {nearest} is not writable", f"chown it, or set {name}"
            )
        else:
            state = "" if path.exists() else ", to be made"
            yield Finding(name, "good", f"{path} ({origin}{state})")


def check_noise(settings: Settings) -> Iterator[Finding]:
    """What disturbs measurements."""
    from ansord_client.host import host

    threads = host().with_threads(settings.threads).threads
    load = os.getloadavg()[0]
    if load > 0.5 * threads:
        says = f"load {load:.1f} on {threads} CPUs"
        yield Finding("noise", "fair", says, "latencies will be marked noisy while others compute")
    else:
        yield Finding("noise", "good", f"load {load:.1f} on {threads} CPUs")
    governor = _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if (
        governor == "powersave"
        and _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver") != "intel_pstate"
    ):
        yield Finding(
            "frequency", "fair", "the governor is powersave", "cpupower frequency-set -g performance"
        )


def check_inotify(_: Settings) -> Iterator[Finding]:
    instances = _text("/proc/sys/fs/inotify/max_user_instances")
    if instances.isdigit() and int(instances) < 16:
        hint = "sysctl fs.inotify.max_user_instances=128"
        yield Finding("inotify", "fair", f"only {instances} instances a user", hint)


def check_daemon(settings: Settings) -> Iterator[Finding]:
    from ansord.daemon import holder

    pid = holder(settings.state)
    yield Finding("daemon", "good", f"running (pid {pid})" if pid is not None else "not running")


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    check_python,
    check_host,
    check_compiler,
    check_execution,
    check_places,
    check_noise,
    check_inotify,
    check_daemon,
)


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
