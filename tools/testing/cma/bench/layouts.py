# SPDX-License-Identifier: GPL-2.0
"""The figures of guest/layout_bench.c and guest/load_bench.c: parse, judge, print."""
import re

KIB, MIB = 1024, 1 << 20
SAME = 1.02
# Layout, size, us at most on v3.1 with the series (None: no limit), text
ROWS = [
    ("tmpfs", MIB, 800, "1 MiB, full of tmpfs"),
    ("tmpfs", 4 * MIB, None, "4 MiB, full of tmpfs"),
    ("tmpfs", 16 * MIB, 12000, "16 MiB, full of tmpfs"),
    ("anon", MIB, 1100, "1 MiB, full of mapped anonymous memory"),
    ("anon", 4 * MIB, None, "4 MiB, full of mapped anonymous memory"),
    ("anon", 16 * MIB, None, "16 MiB, full of mapped anonymous memory"),
    ("cache", MIB, 400, "1 MiB, full of clean page cache"),
    ("cache", 4 * MIB, 1500, "4 MiB, full of clean page cache"),
    ("cache", 16 * MIB, 6000, "16 MiB, full of clean page cache"),
    ("pinned", MIB, 400, "1 MiB, the same with 16 pins"),
    ("scan", 16 * MIB, None, "16 MiB cannot be had: 8 pins"),
]
LOAD_RATIO = 10
# Columns: kernel, name in a table
KERNELS = {"series": "v3.1+", "series-v6.1": "6.1+", "ref-6.1": "6.1", "ref-6.12": "6.12"}

LEGEND = """\
Memory has to be emptied first. v3.1+ and 6.1+ have the series. The whole area is filled with pages
of one kind before each row, in an order that a seed decides; the test reads from the page frames
that no page is free. Figures are means of 4 buffers of 1 MiB, or 2 of 4 or 16 MiB, held at once.
pages: how many pages left the area for one buffer, on v3.1+; a * means that it was another number
on another kernel, which bench.json has. tmpfs and anonymous memory have to be moved because there
is no swap; clean page cache that is not mapped can be dropped.
pins: pages with an extra reference, as get_user_pages() takes it. 16 of them are spread over the
front half of the area. The last row has one in each 8 MiB, so 16 MiB cannot be had: it is the time
until the call, which may not wait (wait_budget_ms is 0), fails: the cost of looking for a range.
misses: above the limit for v3.1+, or more than 2 % slower than 6.1 or 6.12 with the same layout."""

LOAD_LEGEND = """\
10,000 allocations of 64 KiB to 2 MiB under load, in us: median / slowest. Up to 32 buffers live at a
time. Between the allocations, in an order that a seed decides, files of a tmpfs grow and shrink,
processes that use up to 1 MiB come and go, and parts of a file on the SD card are copied. Before
the first buffer all but 32 MiB of memory is in use. Disk requests end when the emulator's host has
them, so these figures, unlike all others, are not quite the same in each run.
x: slowest / median on v3.1+, at most 10; slept: how often the slowest call slept; others: how often
other tasks, such as the threads that write to the card, ran during it."""


def layouts(console):
    """{layout: {"made": bool, "pages": of the area, "text": the line}} of a console."""
    found = {}
    for line in console:
        m = re.search(r"# layout (\S+) (seed \d+ pages (\d+) .*)", line)
        if m:
            made = found.get(m[1], {}).get("made", True) and not m[2].endswith("not made")
            found[m[1]] = {"made": made, "pages": int(m[3]), "text": m[2]}
    return found


def cells(console):
    """{(layout, size): {"us":, "moved":, "fails":}} of a console."""
    found = {}
    for line in console:
        m = re.search(r"# (\S+) bench alloc (\d+) (\d+) (fails (\d+) )?(\d+)", line)
        if m:
            found[m[1], int(m[2])] = {"us": int(m[6]) / 1000, "count": int(m[3]),
                                      "fails": int(m[5] or 0)}
        m = re.search(r"# moved (\S+) (\d+) (\d+)", line)
        if m and (m[1], int(m[2])) in found:
            cell = found[m[1], int(m[2])]
            cell["moved"] = int(m[3]) / cell["count"]
    return found


def usable(cell, may_fail):
    return bool(cell) and (may_fail or not cell["fails"])


def judge(row, limit, may_fail):
    """What v3.1 and 6.1 with the series miss: a text, "ok", or nothing without figures."""
    missed = []
    for kernel, name in ("series", ""), ("series-v6.1", "6.1+: "):
        cell = row.get(kernel)
        if not usable(cell, may_fail):
            missed.append(f"{name}{'fails' if cell else 'no figure'}")
            continue
        if kernel == "series" and limit and cell["us"] > limit:
            missed.append(f"{limit}")
        for ref in "ref-6.1", "ref-6.12":
            other = row.get(ref)
            if usable(other, may_fail) and cell["us"] > other["us"] * SAME:
                missed.append(f"{name}{KERNELS[ref]} is faster")
    return "misses: " + ", ".join(missed) if missed else "ok"


def rows(consoles):
    """The rows of the table; consoles: {kernel: lines}."""
    all_cells = {kernel: cells(lines) for kernel, lines in consoles.items()}
    found = []
    for layout, size, limit, text in ROWS:
        row = {kernel: c.get((layout, size)) for kernel, c in all_cells.items()}
        found.append({"what": text, "layout": layout, "size": size, "limit": limit, **row,
                      "verdict": judge(row, limit, layout == "scan")})
    return found


def figure(cell, may_fail):
    if not cell:
        return "-"
    return f"{cell['us']:.0f}" if usable(cell, may_fail) else "fails"


def pages(row):
    moved = [row[k]["moved"] for k in KERNELS if row[k] and "moved" in row[k]]
    if not row["series"] or "moved" not in row["series"]:
        return "-"
    mine = row["series"]["moved"]
    return f"{mine:.0f}" + "*" * any(round(other) != round(mine) for other in moved)


def table(found):
    form = "{:<40}{:>7}{:>8}{:>8}" + "{:>8}" * 3 + "  {}"
    names = list(KERNELS.values())
    lines = [form.format("", "pages", names[0], "at most", *names[1:], "").rstrip()]
    for row in found:
        scan = row["layout"] == "scan"
        first, *others = (figure(row[k], scan) for k in KERNELS)
        lines.append(form.format(row["what"], pages(row), first, row["limit"] or "-", *others,
                                 row["verdict"]).rstrip())
    return lines


def load(console):
    """{size: {"fails":, "median":, "max":, "slept":}} and {counter: change} of a console."""
    sizes, counters = {}, {}
    for line in console:
        m = re.search(r"# load (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", line)
        if m:
            _, count, fails, median, slowest, slept, preempted = map(int, m.groups())
            sizes[int(m[1])] = {"count": count, "fails": fails, "median": median / 1000,
                                "max": slowest / 1000, "slept": slept,
                                "preempted": preempted}
        m = re.search(r"# counter (\S+) (-?\d+)$", line)
        if m:
            counters[m[1]] = int(m[2])
    return {"sizes": sizes, "counters": counters}


def load_rows(consoles):
    found = {kernel: load(lines) for kernel, lines in consoles.items()}
    result = []
    for size in sorted(found["series"]["sizes"]):
        row = {kernel: f["sizes"].get(size) for kernel, f in found.items()}
        mine = row["series"]
        ratio = mine["max"] / mine["median"] if mine["median"] else None
        missed = [f"{mine['fails']} fail"] * bool(mine["fails"])
        if ratio is None or ratio > LOAD_RATIO:
            missed.append(f"{LOAD_RATIO}")
        result.append({"size": size, **row, "ratio": ratio,
                       "verdict": "misses: " + ", ".join(missed) if missed else "ok"})
    return {"rows": result, "counters": {kernel: f["counters"] for kernel, f in found.items()}}


def load_cell(cell):
    if not cell:
        return "-"
    fails = f" ({cell['fails']} fail)" if cell["fails"] else ""
    return f"{cell['median']:.0f} / {cell['max']:.0f}{fails}"


def load_table(result):
    form = "{:<8}{:>20}{:>6}{:>6}{:>7}" + "{:>20}" * 3 + "  {}"
    names = list(KERNELS.values())
    lines = [form.format("", names[0], "x", "slept", "others", *names[1:], "").rstrip()]
    for row in result["rows"]:
        first, *others = (load_cell(row[k]) for k in KERNELS)
        ratio = f"{row['ratio']:.1f}" if row["ratio"] else "-"
        size = f"{row['size'] // MIB} MiB" if row["size"] >= MIB else f"{row['size'] // KIB} KiB"
        lines.append(form.format(size, first, ratio, row["series"]["slept"],
                                 row["series"]["preempted"], *others,
                                 row["verdict"]).rstrip())
    for kernel in "series", "series-v6.1":
        counters = ", ".join(f"{k} {v:+}" for k, v in sorted(result["counters"][kernel].items()))
        if counters:
            lines.append(f"counters of the area, {KERNELS[kernel]}: {counters}")
    return lines


def report(consoles):
    """Everything here, for bench.json; consoles: {kernel: lines of its boot}."""
    return {"unit": "us", "rows": rows(consoles), "load": load_rows(consoles),
            "layouts": {kernel: layouts(lines) for kernel, lines in consoles.items()}}


def text(result):
    """The same as lines of bench.txt."""
    lines = [LEGEND, ""] + table(result["rows"])
    unmade = [f"{KERNELS[kernel]}: {name}" for kernel, made in result["layouts"].items()
              for name, layout in made.items() if not layout["made"]]
    if unmade:
        lines.append("Layouts that could not be made: " + ", ".join(unmade))
    return lines + ["", LOAD_LEGEND, ""] + load_table(result["load"])
