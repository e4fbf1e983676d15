# SPDX-License-Identifier: GPL-2.0
"""Decide whether a boot passed. Everything must say so; silence is a failure."""
import hashlib
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
# After this line v3.1 may still complain about the lock that reboot() holds, and 6.1
# about the one that the board's driver takes to switch the power off
OFF = re.compile(r"^\[ *\d+\.\d+\] (Power down\.|reboot: Power down)$", re.M)
# What init sends on the second serial port
BEGIN = b"CMA-TAP\n"
END = re.compile(rb"CMA-END bytes=(\d+) md5=([0-9a-f]{32})\n")
LEAKS = 3  # tests of init that look for leaks
# What kmemleak says on the console, and how it shows an object, which init makes a comment
NEW = re.compile(r"kmemleak: (\d+) new")
OBJECT = re.compile(r"# (unreferenced object) 0x[0-9a-f]+ (\(size \d+\)):$")
CALLER = re.compile(r"#  +\[<[^>]*>\] ([^ +]+)\S*( \[\w+\])?$")
LOST = "[cma_leak]"  # the module that loses objects on purpose


def clean(raw):
    """Console bytes as text: no escape sequences, no control bytes."""
    text = raw.decode("utf-8", "replace")
    text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|.)", "", text)
    return re.sub(r"[^\n\t\x20-\x7e]", "", text)


def message(line):
    """A console line without the kernel's time stamp."""
    return re.sub(r"^\[ *\d+\.\d+\] ", "", line).rstrip()


def stream(port):
    """What init sent, or None when it did not reach its end or not all of it arrived."""
    begin = port.find(BEGIN)
    end = port.rfind(b"CMA-END ")
    found = END.fullmatch(port, end) if 0 <= begin < end else None
    if not found:
        return None
    body = port[begin + len(BEGIN):end]
    size, digest = int(found[1]), found[2].decode()
    if len(body) != size or hashlib.md5(body).hexdigest() != digest:
        return None
    return body.decode("utf-8", "replace")


class Program:
    """The TAP of one program."""

    def __init__(self, name):
        self.name = name
        self.plans = []
        self.passed = self.failed = self.skipped = 0
        self.exit = None

    @property
    def run(self):
        return self.passed + self.failed + self.skipped

    def line(self, text):
        """Take a line of its output."""
        plan = re.match(r"1\.\.(\d+)(?=\s|$)(\s*# SKIP)?", text)
        result = re.match(r"(not )?ok(?=\s|$)(.*# SKIP)?", text)
        if plan and int(plan[1]) == 0 and plan[2]:  # all of it is skipped
            self.plans.append(1)
            self.skipped += 1
        elif plan:
            self.plans.append(int(plan[1]))
        elif result and result[1]:
            self.failed += 1
        elif result and result[2]:
            self.skipped += 1
        elif result:
            self.passed += 1

    def reasons(self):
        """Why it failed as a whole."""
        if self.exit is None:
            yield f"{self.name}: did not end"
        elif self.exit and not self.failed:
            yield f"{self.name}: exited with {self.exit} and reported no failure"
        if len(self.plans) != 1:
            yield f"{self.name}: {len(self.plans) or 'no'} plan{'s' * bool(self.plans)}"
        elif self.plans[0] == 0:
            yield f"{self.name}: planned no test"
        elif self.plans[0] != self.run:
            yield f"{self.name}: {self.run} of {self.plans[0]} planned tests were run"


class Tap:
    """What the programs of a boot said, and what is wrong with it."""

    def __init__(self, text):
        self.lines = [line.rstrip("\r") for line in text.split("\n")]
        self.programs = []
        self.leaks = None  # the leak check, which is the last thing
        self.stray = []
        current = None
        for line in self.lines:
            word, _, rest = line.partition(" ")
            if word == "#program" and not current and not self.leaks:
                current = Program(rest)
                self.programs.append(current)
            elif word == "#exit" and current and rest.isdigit():
                current.exit = int(rest)
                current = None
            elif word == "#leaks" and not current and not self.leaks:
                self.leaks = Program("leak check")
            elif word in ("#program", "#exit", "#leaks"):
                self.stray.append(line)
            elif current or self.leaks:
                (current or self.leaks).line(line)
            elif re.match(r"(not )?ok(\s|$)|1\.\.\d", line):
                self.stray.append(line)

    def total(self, what):
        return sum(getattr(p, what) for p in self.programs)

    def reasons(self, asked):
        """asked: names of the programs that are to run, None: any."""
        names = [p.name for p in self.programs]
        if asked is not None and names != asked:
            yield f"programs: {' '.join(names) or 'none'}, asked for: {' '.join(asked) or 'none'}"
        for p in self.programs:
            yield from p.reasons()
        for line in self.stray:
            yield f"out of place: {line}"
        if self.total("passed") == 0:
            yield "no test passed"
        if self.total("failed"):
            yield f"{self.total('failed')} failed"
        if not self.leaks:
            yield "no leak check"
        elif self.leaks.failed:
            yield f"{self.leaks.failed} leaks"
        elif self.leaks.plans or self.leaks.passed != LEAKS or self.leaks.skipped:
            yield f"the leak check is not complete: {self.leaks.passed} of {LEAKS} tests passed"


def remarks(tap, name):
    """What a report says about single tests: which were skipped, as results of their own,
    and then which failed and what they said, as comments."""
    failed = []
    said = []  # since the last result
    for line in tap.lines:
        if line.startswith("# "):
            said.append(line)
        elif re.match(r"not ok(\s|$)", line):
            failed += said[-8:] + [f"# {line}"]
            said = []
        elif re.match(r"ok(\s|$)", line):
            if "# SKIP" in line:
                text = re.sub(r"^ok(\s+\d+(?=\s))?[\s-]*", "", line)
                yield f"ok - {name}: {text}"
            said = []
    yield from failed


def unreferenced(lines):
    """The objects that kmemleak found: "unreferenced object (size N): FUNCTION < CALLER..."."""
    found = []
    for line in lines:
        begins, caller = OBJECT.match(line), CALLER.match(line)
        if begins:
            found.append([f"{begins[1]} {begins[2]}"])
        elif caller and found:
            found[-1].append(caller[1] + (caller[2] or ""))
    return [f"{what}: {' < '.join(callers)}" for what, *callers in found]


def with_kmemleak(scenario):
    return "kmemleak=on" in scenario.get("append", "").split()


def allowed(scenario, line):
    return any(re.search(a, line) for a in scenario.get("allow", []))


def lost(scenario, objects):
    """Reasons: objects that are not allowed, or kmemleak does not find what is lost on purpose."""
    if with_kmemleak(scenario) and not any(LOST in o for o in objects):
        yield "kmemleak did not find what cma_leak lost"
    yield from (o for o in objects if LOST not in o and not allowed(scenario, o))


def asked_for(scenario):
    """The programs that a scenario asks for, or None when it does not say."""
    if "tests" not in scenario:
        return None
    return (["expect-area"] * bool(scenario.get("expect-area")) + scenario["tests"].split()
            + ["kmemleak"] * with_kmemleak(scenario))


def verdict(scenario, console, port, status):
    """Reasons for failure (none: passed). console: cleaned text; port: bytes of the
    second serial port; status: QEMU's exit status, None when it timed out."""
    reasons = []
    if status is None:
        reasons.append("time limit")
    elif status != 0:
        reasons.append(f"QEMU exited with {status}")
    text = stream(port)
    tap = Tap(text or "")
    if text is None:
        reasons.append("no final token")
    else:
        reasons += tap.reasons(asked_for(scenario))
    lines = [message(line) for line in OFF.split(console)[0].splitlines()]
    objects = unreferenced(tap.lines)
    reasons += lost(scenario, objects)
    # It says how many objects are new, and the stream has all of them, with who allocated them
    shown = sum(int(found[1]) for found in map(NEW.search, lines) if found) == len(objects)
    for line in lines:
        if BAD.search(line) and not allowed(scenario, line) and not (shown and NEW.search(line)):
            reasons.append(f"console: {line}")
    # A message of the kernel can break a program's line on the console, not in the stream
    lines += [line.rstrip() for line in tap.lines]
    forbidden = {line: None for line in lines
                 if any(re.search(f, line) for f in scenario.get("forbid", []))}
    reasons += [f"forbidden: {line}" for line in forbidden]
    reasons += [f"missing: {e}" for e in scenario.get("expect", []) if e not in lines]
    reasons += [f"missing: {e}" for e in scenario.get("expect-re", [])
                if not any(re.search(e, line) for line in lines)]
    return reasons
