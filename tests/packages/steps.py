#!/usr/bin/python3
"""Prints what a page has an administrator do, as lines for a shell.

    steps.py PAGE HEADING

HEADING is one, or the bold words that a paragraph begins with. From there to the next, in the order of the page: every
indented block is commands, as they are. But after one of these words a block, fenced or not, is what comes into a file:

    in `FILE`, in place of `LINE`:                 replace FILE LINE BLOCK
    `FILE` gets this line in place of its `LINE`   replace FILE LINE BLOCK
    `FILE` gets this:                              put FILE BLOCK

A heading that is not on the page, or without commands, is an error: then the page has changed, and who asks for it has not.
"""

import re
import shlex
import sys

REPLACED = re.compile(r"(?:[Ii]n `([^`]+)`, in place of `([^`]+)`:|`([^`]+)` gets this line in place of its `([^`]+)`)$")
WRITTEN = re.compile(r"`(/[^`]+)` gets this:$")
BLOCK = re.compile(r"^```\w*\n(?P<fenced>(?:[^\n]*\n)*?)```$|(?P<indented>(?:^    [^\n]*\n?(?:\n(?=    ))?)+)", re.MULTILINE)


def section(text, heading):
    starts = rf"(?:#+ {re.escape(heading)}$|\*\*{re.escape(heading)}\*\*)"
    found = re.search(rf"^{starts}(.*?)(?=^#+ |^\*\*|\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"no heading: {heading}")
    return found[1]


def steps(text):
    told = 0
    for block in BLOCK.finditer(text):
        # What leads to the block, on one line.
        words = " ".join(text[told : block.start()].split())
        told = block.end()
        if block["fenced"] is not None:
            content = block["fenced"].rstrip("\n")
        else:
            content = "\n".join(line[4:] for line in block["indented"].rstrip("\n").split("\n"))
        if replaced := REPLACED.search(words):
            file, line = [group for group in replaced.groups() if group]
            yield shlex.join(["replace", file, line, content])
        elif written := WRITTEN.search(words):
            yield shlex.join(["put", written[1], content])
        elif block["fenced"] is None:
            # Whoever starts a program in the background sees what it says before the next line is typed.
            yield re.sub(r" &$", " &\nready", content, flags=re.MULTILINE)


page, heading = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    found = list(steps(section(file.read(), heading)))
if not found:
    sys.exit(f"no commands: {heading}")
print("\n".join(found))
