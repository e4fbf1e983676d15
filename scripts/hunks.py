# SPDX-License-Identifier: GPL-2.0
"""The hunks of patches, and where they land: for hunks-check and fit."""
import collections
import os
import pathlib
import re
import subprocess

ENV = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
ENV.update(LC_ALL="C", GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
LABEL = re.compile(r"\w+\s*:\s*($|/[/*])")
ATTRIBUTE = re.compile(r"\b(__attribute__\s*\(\(.*?\)\)|"
                       r"__(?:acquires|releases|printf|section)\s*\([^)]*\))")


# new: the patch creates the file; number: in the file, from 1; old, start: the line where it
# begins in the old and in the new file; heading: the line that git writes behind the second @@
Hunk = collections.namedtuple("Hunk", "path new number old start body heading")


def hunks(text):
    """All hunks of a patch."""
    out = []
    for part in re.split(r"^(?=diff --git )", text, flags=re.M)[1:]:
        path = re.match(r"diff --git a/(\S+)", part)[1]
        pieces = re.split(r"^(?=@@ )", part, flags=re.M)
        for number, piece in enumerate(pieces[1:], 1):
            head, *lines = piece.split("\n")
            found = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)", head)
            old, new, heading = found[1], found[3], found[5]
            counts = [int(n) if n else 1 for n in (found[2], found[4])]
            body, have = [], [0, 0]
            for line in lines:
                if have == counts:
                    break
                body.append(line or " ")
                have[0] += line[:1] in (" ", "-", "")
                have[1] += line[:1] in (" ", "+", "")
            out.append(Hunk(path, "\nnew file mode" in pieces[0], number, int(old), int(new),
                            body, heading))
    return out


def name_of(line):
    """The name that a line in the first column declares, or None."""
    line = ATTRIBUTE.sub("", line)
    found = re.match(r"(?:typedef\s+)?(?:static\s+)?(?:const\s+)?"
                     r"(struct|enum|union)\s+(\w+)[^(;]*\{", line)
    if found:
        return f"{found[1]} {found[2]}"
    found = re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*=", line)
    if found and "(" not in line[:found.start()]:
        return found[1]
    found = re.search(r"\b(\w+)\s*\(", line)
    return found[1] + "()" if found else None


def enclosing(path, lines, at):
    """What encloses line number at (from 0): a function, a struct, an entry."""
    base = os.path.basename(path)
    if base.startswith("Kconfig"):
        for line in reversed(lines[:at + 1]):
            found = re.match(r"(?:menu)?config\s+(\w+)", line)
            if found or re.match(r"(source|endmenu|endif|menu|choice|endchoice|if)\b", line):
                return f"config {found[1]}" if found else "file"
        return "file"
    if not re.search(r"\.[ch]$", base):
        return "file"
    for number in range(at, -1, -1):
        line = lines[number]
        if number < at and line[:1] == "}":
            return "file"
        if not re.match(r"[A-Za-z_]", line) or LABEL.match(line):
            continue
        name = name_of(line)
        # a declaration, or its first part, opens nothing unless a brace follows
        rest = []
        for later in lines[number:number + 16]:
            rest.append(later)
            if re.search(r"[{;]", later):
                break
        end = number + len(rest) - 1
        if "{" not in rest[-1] or ";" in rest[-1].split("{")[0]:
            if end < at:
                return "file"
            return name or "file"
        if name:
            return name
        if len(rest) > 1:
            continue
    return "file"


def changed(body, start):
    """(numbers from 0 of lines in the new file next to or in the change)"""
    at, out = start - 1, []
    for line in body:
        if line[0] == "+":
            out.append(at)
            at += 1
        elif line[0] == "-":
            out.append(max(at - 1, 0))
        else:
            at += 1
    return out


def replaced(body, start):
    """(numbers from 0 of lines in the old file that the change removes or follows)"""
    at, out = start - 1, []
    for line in body:
        if line[0] == "+":
            out.append(max(at - 1, 0))
        else:
            if line[0] == "-":
                out.append(at)
            at += 1
    return sorted(set(out))


def named(hunk):
    """What enclosed the changes in the old file, as far as the hunk alone tells, or None."""
    body = [line[1:] for line in hunk.body if line[0] in " -"]
    heading = hunk.heading
    # a label and a declaration enclose nothing
    if not re.match(r"(?!extern\b)[A-Za-z_]", heading) or LABEL.match(heading):
        heading = ""
    found = set()
    for at in replaced(hunk.body, 3):
        place = enclosing(hunk.path, ["", ""] + body, at)
        shown = [line for line in body[:max(at - 1, 1)] if line.strip() and line[0] != "#"
                 and not LABEL.match(line)]
        # within the function of the heading, if no line before it is outside
        if place == "file" and shown and all(line[0] == "\t" for line in shown):
            place = enclosing(hunk.path, [heading, "{"] + body, at)
        found.add(place)
    return None if "file" in found or not found else sorted(found)


def stood(lines, hunk, offset):
    """What enclosed the changes in these lines of the old file, for named()."""
    return sorted({enclosing(hunk.path, lines, at)
                   for at in replaced(hunk.body, hunk.old + offset)})


class Copy:
    """Copies of the files that patches touch, in a directory of our own."""

    def __init__(self, name, paths, top, read):
        """read(path): the content of the tree's file, or None"""
        self.name = name
        self.dir = pathlib.Path(top, re.sub(r"\W", "_", name))
        self.dir.mkdir()
        for path in paths:
            content = read(path)
            if content is not None:
                to = self.dir / path
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(content)

    def git_apply(self, patch, *options):
        env = {**ENV, "GIT_CEILING_DIRECTORIES": str(self.dir.parent)}
        done = subprocess.run(["git", "apply", "-v", "--whitespace=nowarn", *options, patch],
                              cwd=self.dir, env=env, check=False, capture_output=True)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def apply_rest(self, patch):
        """Apply the hunks that do, and return git's words about the others."""
        log = self.git_apply(patch, "--reject")[1]
        for rej in self.dir.rglob("*.rej"):
            rej.unlink()
        return log

    def lines(self, path):
        """The lines of a file as git counts them: a form feed ends none."""
        to = self.dir / path
        if not to.exists():
            return []
        lines = to.read_bytes().decode(errors="replace").split("\n")
        return lines if lines[-1] else lines[:-1]


def offsets(log):
    """{(path, number of the hunk): offset} that git reported"""
    out, path = {}, None
    for line in log.splitlines():
        found = re.match(r"Checking patch (\S+?)\.\.\.", line)
        if found:
            path = found[1]
        found = re.match(r"Hunk #(\d+) succeeded at (-?\d+) \(offset (-?\d+) line", line)
        if found:
            out[path, int(found[1])] = int(found[3])
    return out


def landed(copy, log, all_hunks):
    """{(path, number of the hunk): what encloses the changes}, where log is git's"""
    places, moved = {}, offsets(log)
    for hunk in all_hunks:
        lines = copy.lines(hunk.path)
        start = hunk.start + moved.get((hunk.path, hunk.number), 0)
        want = [line[1:] for line in hunk.body if line[0] in " +"]
        if lines[start - 1:start - 1 + len(want)] != want and want:
            places[hunk.path, hunk.number] = ["?"]
            continue
        places[hunk.path, hunk.number] = sorted({enclosing(hunk.path, lines, n)
                                                 for n in changed(hunk.body, start)})
    return places


def elsewhere(wanted, found, same):
    """Do these places differ? same: pairs of names for the same"""
    return len(wanted) != len(found) or any(
        a != b and (a, b) not in same for a, b in zip(wanted, found))
