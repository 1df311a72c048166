#!/usr/bin/python3
"""Prints what a page has an administrator do, as lines for a shell.

    steps.py PAGE HEADING

From HEADING to the next one, in the order of the page: every indented block is commands, as they are; but after
"in `FILE`, in place of `LINE`:" it is what comes there, printed as `replace FILE LINE BLOCK`. A heading that is not on the
page, or without commands, is an error: then the page has changed, and who asks for it has not.
"""

import re
import shlex
import sys

EDIT = re.compile(r"[Ii]n `([^`]+)`, in place of `([^`]+)`:$")


def section(text, heading):
    found = re.search(rf"^#+ {re.escape(heading)}$\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"no heading: {heading}")
    return found[1]


def steps(text):
    edit = None
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = paragraph.split("\n")
        if not all(line.startswith("    ") for line in lines):
            edit = EDIT.search(" ".join(paragraph.split()))
            continue
        # Whoever starts a program in the background sees what it says before the next line is typed.
        block = "\n".join(line[4:] + "\nready" * line.endswith(" &") for line in lines)
        yield shlex.join(["replace", edit[1], edit[2], block]) if edit else block
        edit = None


page, heading = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    found = list(steps(section(file.read(), heading)))
if not found:
    sys.exit(f"no commands: {heading}")
print("\n".join(found))
