# SPDX-License-Identifier: GPL-2.0
"""Did a boot pass?  Everything must say so; silence is a failure."""
import re

# Any of these on the console fails the boot, unless the scenario allows the line
BAD = re.compile(
    r"WARNING:|\bBUG\b|Oops|Kernel panic|Internal error|scheduling while atomic"
    r"|INFO: (possible|inconsistent|suspicious|trying|rcu|task|.*detected stall)"
    r"|inconsistent lock state|DEBUG_LOCKS_WARN_ON|turning off the locking"
    r"|invoked oom-killer|Out of memory|page allocation failure"
    r"|[Bb]ad page|Bad rss|slab error|Slab corruption|kmemleak: \d+ new"
    r"|Unable to handle kernel|Unhandled fault|soft lockup|blocked for more than"
    r"|nobody cared|unable to open an initial console|respawning too fast"
    r"|undefined symbol|Unknown symbol|disagrees about version|EXT2-fs.*error")
# When it has said this v3.1 can still complain of the lock that it has in reboot(), and
# 6.1 of the one that the board's driver takes to switch the power off, under rcu_read_lock()
OFF = re.compile(r"^\[ *\d+\.\d+\] (Power down\.|reboot: Power down)$", re.M)
RESULT = re.compile(r"CMA-RESULT planned=(\d+) run=(\d+) passed=(\d+) failed=(\d+) "
                    r"skipped=(\d+) leaks=(\d+) end")


def clean(raw):
    """Console bytes as text: no escape sequences, no control bytes."""
    text = raw.decode("utf-8", "replace")
    text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|.)", "", text)
    return re.sub(r"[^\n\t\x20-\x7e]", "", text)


def message(line):
    """A console line without the kernel's time stamp."""
    return re.sub(r"^\[ *\d+\.\d+\] ", "", line).rstrip()


def counts(port):
    """{planned, run, passed, failed, skipped, leaks} or None: no final token."""
    lines = [line for line in clean(port).splitlines() if line.strip()]
    found = RESULT.fullmatch(lines[0]) if len(lines) == 1 else None
    if not found:
        return None
    return dict(zip("planned run passed failed skipped leaks".split(), map(int, found.groups())))


def verdict(scenario, console, port, status):
    """Reasons for failure (none: passed).  console: cleaned text; port: bytes of
    the second serial port; status: QEMU's exit status, None when it timed out."""
    reasons = []
    if status is None:
        reasons.append("time limit")
    elif status != 0:
        reasons.append(f"QEMU exited with {status}")
    n = counts(port)
    if n is None:
        reasons.append("no final token")
    else:
        if n["run"] != n["planned"]:
            reasons.append(f"{n['run']} of {n['planned']} planned tests were run")
        if n["passed"] + n["failed"] + n["skipped"] < n["run"]:
            reasons.append("the counts do not add up")
        if n["passed"] == 0:
            reasons.append("no test passed")
        for what in ("failed", "leaks"):
            if n[what]:
                reasons.append(f"{n[what]} {what}")
    lines = [message(line) for line in OFF.split(console)[0].splitlines()]
    for line in lines:
        if BAD.search(line) and not any(re.search(a, line) for a in scenario.get("allow", [])):
            reasons.append(f"console: {line}")
        if any(re.search(f, line) for f in scenario.get("forbid", [])):
            reasons.append(f"forbidden: {line}")
    reasons += [f"missing: {e}" for e in scenario.get("expect", []) if e not in lines]
    reasons += [f"missing: {e}" for e in scenario.get("expect-re", [])
                if not any(re.search(e, line) for line in lines)]
    return reasons
