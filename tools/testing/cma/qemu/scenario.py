# SPDX-License-Identifier: GPL-2.0
"""Scenarios: what is booted, and what has to come of it.

A scenario is a file scenarios/SUBJECT/NAME or ../clients/scenarios/NAME, or any other
path.  Its lines are "KEY: VALUE"; # begins a comment.  A line that begins with a base
("v6.1 append: ...") counts on that base only.  Of two lines with the same key the last
one counts, unless the key is a list.

A base that inherits the patches of another one (patches/BASE/series) runs what that
runs, and its lines count there, too.  Scenarios of a section that it drops are left out.
Unless $BASE asks for this base, it runs only the scenarios with the tag each-base.

  about: TEXT            one sentence that says what is tested
  inherit: NAME...       the lines of other scenarios (names or paths) come first; names
                         that begin with "_" exist only for this and are not booted
  tags: NAME...          (list) for run --tag; the subject is a tag, too.  "slow": takes
                         minutes.  "each-base": also for bases that inherit.
                         "extended": only for make check-all, or if it is named or BASE
                         is set.  These two are not inherited
  bases: v3.1 v6.1       where it runs, default v3.1
  tree: board            the series, on v3.1 with board.patch (default), or
                         series: the series alone, or
                         base: v3.1 as released, with the patches that make it compile, or
                         ref-6.1 or ref-6.12: an unmodified kernel to compare with
  config: NAME...        fragments of config/, added to common and tree-TREE; default:
                         everything, or nothing for the trees base and ref-6.1
  memory: 256            MiB
  smp: 1                 CPUs, which take turns on one CPU of this machine
  parallel: yes          they run at the same time, and no other boot does
  idle: yes              most of the time it waits, for pictures, say, so that it may run
                         beside as many others as there are CPUs, as do short ones
  append: cma=64M        on the kernel's command line, after what is inherited
  dtb: board             device tree of v6.1 with the additions in dts/board.dtso
  tests: NAME...         programs of ../guest, ../demo, ../bench, ../clients, in this order
  expect-area: yes       CmaTotal has to be (no: must not be) above zero
  drive: 64              an ext2 disk of so many MiB (a power of two) with data.bin and
                         data.md5, mounted on /mnt
  clients: yes           add programs from Debian, and ../clients/expected in /clients; media:
                         GStreamer and others instead; load: stress-ng;
                         desktop: players and display servers
  qemu: -icount shift=0  options of QEMU
  limit: 120             seconds; with this or less it counts as short
  expect: LINE           (list) this line has to be in the output (the whole line)
  expect-re: REGEX       (list) the same with a regular expression
  forbid: REGEX          (list) no line may match it
  allow: REGEX           (list) a console line that would otherwise fail the boot, or an object
                         that kmemleak finds: "unreferenced object (size N): FUNCTION < CALLER..."
  row: ARGS | yes|no | LINE   (list) one boot for each row, with values for append,
                         expect-area and expect, or expect-re if LINE begins with "^"
"""
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
DEFAULTS = {"about": "", "bases": "v3.1", "tree": "board", "config": None, "memory": "256",
            "smp": "1", "parallel": "", "idle": "", "dtb": "", "tests": "", "expect-area": "",
            "drive": "", "clients": "", "qemu": "", "limit": "120"}
LISTS = ["expect", "expect-re", "forbid", "allow", "row", "append", "tags"]
OWN = ["about"]  # never inherited
EACH, EXTENDED = "each-base", "extended"  # tags that are not inherited, either
# The section of the series that the scenarios of a subject test
SECTION = {"heap": "DMABUF", "dmabuf": "DMABUF", "v4l2": "V4L2", "drm": "DRM", "clients": "DRM",
           "iommu": "IOMMU"}


def read_bases():
    """({base: [itself, the base that it inherits its patches from, ...]}, v6.1 last,
    {base: the sections that it drops})."""
    listed = subprocess.run([HERE.parents[3] / "scripts/series", "bases"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    lines = [line.partition(":") for line in listed.splitlines()]
    lineages = sorted((names.split() for names, _, _ in lines),
                      key=lambda names: (names[-1], len(names) > 1, names[0]))
    return ({names[0]: names for names in lineages},
            {names.split()[0]: dropped.split() for names, _, dropped in lines})


LINEAGE, DROPPED = read_bases()
BASES = list(LINEAGE)


def family(base):
    """The last base that it inherits from, or itself; a reference is its own, too."""
    return LINEAGE.get(base, [base])[-1]


class ScenarioError(Exception):
    """A message for the user: something is not there, or not understood."""


def catalog():
    """{name: path} of the scenarios that belong to the harness."""
    return {p.name: p for p in [*HERE.glob("scenarios/*/*"), *HERE.glob("../clients/scenarios/*")]
            if p.is_file()}


def subject(path):
    """The directory of a scenario, or of the scenarios/ that it is in."""
    return path.parent.parent.name if path.parent.name == "scenarios" else path.parent.name


def lines_of(path, base):
    """[(number, key, value)] of the lines that count on base."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ScenarioError(f"no scenario {path}: {error.strerror}") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        first, _, rest = key.partition(" ")
        only = first if first in BASES else base
        if only is first:
            key = rest
        if not colon:
            raise ScenarioError(f"{path}:{number}: not KEY: VALUE: {line}")
        if key not in DEFAULTS and key not in LISTS and key != "inherit":
            raise ScenarioError(f"{path}:{number}: unknown key: {key}")
        if only in LINEAGE.get(base, [base]):
            found.append((number, key, value.strip()))
    return found


def resolve(path, base, heirs=()):
    """{key: value} of a scenario on base, with what it inherits."""
    if path in heirs:
        raise ScenarioError(f"{path}: inherits itself")
    s = {**DEFAULTS, **{key: [] for key in LISTS}}
    lines = lines_of(path, base)
    for number, key, value in lines:
        for name in value.split() if key == "inherit" else ():
            beside = path.parent / name
            parent = beside if beside.is_file() else catalog().get(name)
            if not parent:
                raise ScenarioError(f"{path}:{number}: no scenario to inherit from: {name}")
            for k, v in resolve(parent, base, heirs + (path,)).items():
                if k in LISTS:
                    s[k] = s[k] + [x for x in v if x not in [*s[k], EACH, EXTENDED]]
                elif k not in OWN and v != DEFAULTS[k]:
                    s[k] = v
    append = []
    for number, key, value in lines:
        if key == "append":
            append = [value]
        elif key == "tags":
            s[key] = s[key] + value.split()
        elif key in LISTS:
            s[key] = s[key] + [value]
        elif key != "inherit":
            s[key] = value
    s["append"] = s["append"] + append
    return s


def boots_on(path, base, only):
    """The boots of a scenario on base; only: $BASE, which keeps the base out of names."""
    s = resolve(path, base)
    if s["tree"].startswith("ref-"):
        if base != BASES[-1]:
            return []  # lines for the latest base count for references
        s["base"] = s["bases"] = s["tree"]
    else:
        s["base"] = base
    s["family"] = family(s["base"])
    if not set(LINEAGE.get(s["base"], [s["base"]])) & set(s["bases"].split()):
        return []
    if SECTION.get(subject(path)) in DROPPED.get(s["base"], []):
        return []
    if s["family"] != s["base"] and only != base and EACH not in s["tags"]:
        return []
    if s["config"] is None:
        s["config"] = "" if s["tree"] == "base" or s["tree"].startswith("ref-") else "everything"
    s["name"] = path.name
    if s["base"] in BASES[1:] and not only:
        s["name"] += f"-{base}"
    s["append"] = " ".join(s["append"])
    s["tags"] = list(dict.fromkeys([subject(path)] + s["tags"]))
    rows = s.pop("row")
    if not rows:
        return [s]
    found = []
    for number, row in enumerate(rows, 1):
        fields = [f.strip() for f in row.split(" | ", 2)]
        if len(fields) != 3:
            raise ScenarioError(f"{path}: not ARGS | yes or no | LINE: {row}")
        append, area, line = fields
        key = "expect-re" if line.startswith("^") else "expect"
        found.append({**s, "name": f"{s['name']}/{number:02}", "row": append,
                      "append": f"{s['append']} {append}".strip(), "expect-area": area,
                      key: s[key] + [line]})
    return found


def boots_of(path, only):
    """The boots of a scenario on all bases."""
    return [boot for base in BASES for boot in boots_on(path, base, only)]


def choose(names, tags, only, extended=False):
    """[(path, boots)]: of the scenarios with these names (none: all) those that have all
    tags, and of their boots those on the base only, or on any.  A reference kernel boots
    on any base when its scenario is named.  If nothing is asked for, those with the tag
    extended are left out unless extended is true."""
    extended = extended or names or tags or only
    known = catalog()
    unknown = [n for n in names if "/" not in n and n not in known]
    if unknown:
        raise ScenarioError(f"no such scenario: {' '.join(unknown)}; --list shows all")
    abstract = [n for n in names if n.rpartition("/")[2].startswith("_")]
    if abstract:
        raise ScenarioError(f"only to inherit from: {' '.join(abstract)}")
    every = {name: boots_of(path, only) for name, path in sorted(known.items())
             if not name.startswith("_")}
    all_tags = {tag for boots in every.values() for boot in boots for tag in boot["tags"]}
    unknown = [t for t in tags if t not in all_tags]
    if unknown:
        raise ScenarioError(f"no such tag: {' '.join(unknown)}; there are: {' '.join(sorted(all_tags))}")
    found = []
    for name in names or every:
        boots = every[name] if name in every else boots_of(pathlib.Path(name), only)
        boots = [b for b in boots if set(tags) <= set(b["tags"])]
        mine = [b for b in boots if only in ("", b["base"])] or [
            b for b in boots if names and b["base"].startswith("ref-")]
        mine = [b for b in mine if extended or EXTENDED not in b["tags"]]
        if mine:
            found.append((known.get(name, pathlib.Path(name)), mine))
    if not found:
        raise ScenarioError("nothing to boot" + f" for BASE={only}" * bool(only) +
                            f" with the tags {' '.join(tags)}" * bool(tags))
    return found


def listing(chosen):
    """A line for each scenario: name, bases, tags, about."""
    rows = [(path.name, " ".join(dict.fromkeys(b["base"] for b in boots)),
             " ".join(dict.fromkeys(t for b in boots for t in b["tags"])), boots[0]["about"])
            for path, boots in chosen]
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    return ["  ".join([*(f"{row[n]:{widths[n]}}" for n in range(3)), row[3]]).rstrip()
            for row in rows]
