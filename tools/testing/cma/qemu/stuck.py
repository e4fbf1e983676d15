# SPDX-License-Identifier: GPL-2.0
"""Where the CPUs and tasks of a guest are that has not ended in time."""
import bisect
import re
import time

from screen import monitor

# The magic key that shows all tasks and, with lockdep, the locks that they hold
TASKS = "sendkey alt-sysrq-t"
CPU = re.compile(r"CPU#(\d+)(.*?)(?=CPU#|\Z)", re.S)


def symbols(text):
    """([address], [name]) of the kernel's functions, from System.map, in order."""
    found = sorted((int(address, 16), name) for address, kind, name in
                   (line.split() for line in text.splitlines())
                   if kind in "tT" and not name.startswith("$"))
    return [address for address, _ in found], [name for _, name in found]


def function(address, table):
    """Name and offset of an address as in an oops."""
    i = bisect.bisect_right(table[0], address)
    if not i or table[0][-1] < address:
        return f"{address:#010x}"
    return f"{table[1][i - 1]}+{address - table[0][i - 1]:#x}"


def cpus(registers, table):
    """A line for each CPU in the output of "info registers -a"."""
    for number, text in CPU.findall(registers):
        values = {int(r): int(v, 16) for r, v in re.findall(r"R(\d\d)=([0-9a-f]{8})", text)}
        if 14 in values and 15 in values:
            yield (f"CPU {number}: PC is at {function(values[15], table)}, "
                   f"LR is at {function(values[14], table)}")


def look(path, system_map, seconds=3):
    """(all that the monitor says, lines that tell where the CPUs are, looked at twice).
    For so many seconds, the guest shows its tasks on its console, if that is not stuck."""
    try:
        table = symbols(system_map.read_text())
        texts = []
        for pause in (0, seconds and 1):
            time.sleep(pause)
            texts.append(monitor(path, "info registers -a").decode("utf-8", "replace"))
        monitor(path, TASKS)
        time.sleep(seconds)
    except (OSError, ValueError) as error:
        return "", [f"the monitor does not answer: {error}"]
    # what follows the echo of the command, which is full of control bytes
    texts = [text[max(text.find("CPU#"), 0):] for text in texts]
    return "".join(texts), [line for text in texts for line in cpus(text, table)]
