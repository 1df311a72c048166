#!/usr/bin/python3
"""Lists what is compiled into each program: for a package, its bill of materials and the licences of others.

    inventory.py OUT

writes OUT/inventory/PACKAGE.cdx.json (CycloneDX 1.5), PACKAGE.txt (every crate with its licence, then the texts) and
PACKAGE.licences (one SPDX expression). What counts is what Cargo resolves for that program alone on Linux: no crate that
only a test, a build script or a macro needs. Two runs over one Cargo.lock write the same bytes.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# package -> the crate that becomes its program
PROGRAMS = {
    "libpam-mobileid": "pam_mobileid",
    "mobileid-radiusd": "mobileid-radiusd",
    "mobileid-tools": "mobileidctl",
    "mobileid-simulator": "mobileid-simulator",
}
TARGET = "x86_64-unknown-linux-gnu"
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
# Crates that carry the sources of something with a licence of its own.
NESTED = {
    "aws-lc-sys": ["aws-lc/LICENSE", "aws-lc/third_party/fiat/LICENSE"],
    "ring": ["third_party/fiat/LICENSE", "src/polyfill/once_cell/LICENSE-APACHE", "src/polyfill/once_cell/LICENSE-MIT"],
}
# What of the standard library is compiled in on Linux, by its own COPYRIGHT-library.html.
STD = ["MIT", "Apache-2.0", "Unicode-3.0"]


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout


def crates_of(program):
    """What is compiled in, with who needs whom: {(name, version): {(name, version), ...}}."""
    edges = "normal,no-proc-macro"
    tree = run("cargo", "tree", "--locked", "-p", program, "-e", edges, "--target", TARGET, "--prefix", "depth",
               "--format", " {p}")
    needs, way = {}, []
    for line in tree.splitlines():
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        crate = (name, version)
        needs.setdefault(crate, set())
        del way[int(depth):]
        if way:
            needs[way[-1]].add(crate)
        way.append(crate)
    return needs


def standard_library():
    """The compiler's own library is in every program too."""
    version = run("rustc", "--version").split()[1]
    return {
        "name": "rust-std",
        "version": version,
        "license": "(MIT OR Apache-2.0) AND Unicode-3.0",
        "description": "The standard library of Rust",
        "authors": ["The Rust Project Developers"],
        "texts": [Path(run("rustc", "--print", "sysroot").strip()) / f"share/doc/rust/licenses/{name}.txt" for name in STD],
    }


def texts(about):
    """The licence files that a crate brings, without blank lines at their ends."""
    if "folder" in about:
        folder = about["folder"]
        files = sorted(f for f in folder.glob("*") if f.is_file() and LICENCE_FILE.match(f.name))
        files += [folder / name for name in NESTED.get(about["name"], [])]
    else:
        # A compiler that did not come from rustup has them elsewhere.
        files = [f for f in about["texts"] if f.exists()]
    return [f.read_text(encoding="utf-8", errors="replace").strip() + "\n" for f in files]


def spdx(expression):
    """As SPDX writes it today; some crates still write MIT/Apache-2.0."""
    return re.sub(r"\s*/\s*", " OR ", expression)


def together(expressions):
    """One expression for all of them: what each asks for, once."""
    parts = set()
    for expression in expressions:
        for part in re.split(r" AND (?![^(]*\))", expression):
            parts.add(" OR ".join(sorted(part.strip("() ").split(" OR "))))
    ordered = sorted(parts, key=lambda part: (" OR " in part, part))
    return " AND ".join(f"({part})" if " OR " in part and len(ordered) > 1 else part for part in ordered)


def purl(name, version):
    return f"pkg:cargo/{name}@{version}"


def component(about, checksum):
    entry = {
        "type": "library",
        "bom-ref": purl(about["name"], about["version"]),
        "name": about["name"],
        "version": about["version"],
        "licenses": [{"expression": spdx(about["license"])}],
    }
    # Our own crates are on no registry: somebody else may have their names there.
    if about.get("source"):
        entry["purl"] = purl(about["name"], about["version"])
    if about.get("description"):
        entry["description"] = " ".join(about["description"].split())
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if about.get("repository"):
        entry["externalReferences"] = [{"type": "vcs", "url": about["repository"]}]
    return entry


def bill(package, own, needs, known, checksums, std):
    refs = {crate: purl(*crate) for crate in needs}
    components = [component(known[crate], checksums.get(crate)) for crate in sorted(needs) if crate != own]
    components.append(component(std, None))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": refs[own],
                "name": package,
                "version": own[1],
                "licenses": [{"expression": known[own]["license"]}],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": refs[crate], "dependsOn": sorted(refs[other] for other in others)}
            for crate, others in sorted(needs.items())
        ],
    }
    # A number that names exactly this content.
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()
    document["serialNumber"] = uuid.UUID(bytes=digest[:16], version=4).urn
    return json.dumps(document, indent=1) + "\n"


def licences(package, abouts):
    lines = [f"What others wrote that is compiled into {package}, and on what terms.", ""]
    wide = max(len(f"{about['name']} {about['version']}") for about in abouts)
    by_text = {}
    for about in abouts:
        name = f"{about['name']} {about['version']}"
        lines.append(f"{name:{wide}}  {spdx(about['license'])}")
        found = texts(about)
        if not found:
            people = ", ".join(about.get("authors") or []) or "its contributors"
            found = [f"{spdx(about['license'])}, without a text of its own. Copyright: {people}.\n"]
        for text in found:
            by_text.setdefault(text, []).append(name)
    for text, names in by_text.items():
        lines += ["", "-" * 78, ", ".join(names), "", text.rstrip("\n")]
    return "\n".join(lines) + "\n"


def main():
    out = Path(sys.argv[1]) / "inventory"
    out.mkdir(parents=True, exist_ok=True)
    metadata = json.loads(run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET))
    known = {(p["name"], p["version"]): {**p, "folder": Path(p["manifest_path"]).parent} for p in metadata["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    ours = {(p["name"], p["version"]) for p in metadata["packages"] if p["source"] is None}
    std = standard_library()
    for package, program in PROGRAMS.items():
        needs = crates_of(program)
        own = next(crate for crate in needs if crate[0] == program)
        others = [known[crate] for crate in sorted(needs) if crate not in ours] + [std]
        (out / f"{package}.cdx.json").write_text(bill(package, own, needs, known, checksums, std), encoding="utf-8")
        (out / f"{package}.txt").write_text(licences(package, others), encoding="utf-8")
        expression = together([spdx(about["license"]) for about in [*others, known[own]]])
        (out / f"{package}.licences").write_text(expression + "\n", encoding="utf-8")


main()
