"""Compares the JSON Schema's verdict on recipes with that of `mkvbench check`."""
import copy
import json
import multiprocessing
import os
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(os.environ["ROOT"])
MKV = os.environ["BUILD"] + "/mkvbench"
TMP = pathlib.Path(os.environ["TEST_TMP"])


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema (section 10.3.2), which recipes are read by."""


Core.yaml_implicit_resolvers = {}
for tag, expression, first in [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
     list("-+.0123456789")),
]:
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(expression), first)


def load(path):
    return yaml.load(path.read_text(), Core)


schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
hardware = jsonschema.Draft202012Validator(
    {"$ref": "#/$defs/hardware", "$defs": schema["$defs"]})
failures = []
only = sys.argv[2] if len(sys.argv) > 2 else None  # a place to look at alone


def expect(what, valid, wanted):
    if valid != wanted and only is not None:
        sys.exit(3)
    if valid != wanted:
        failures.append(f"{what}: the schema {'accepts' if valid else 'refuses'} it")


# What ships is accepted.
for path in sorted(ROOT.glob("recipes/*.yaml")) + sorted(ROOT.glob("recipes/emulated/*.yaml")):
    if path.name != "common.yaml":
        expect(path, validator.is_valid(load(path)), True)
for path in sorted(ROOT.glob("recipes/hardware/*.yaml")):
    expect(path, hardware.is_valid(load(path)), True)
part = jsonschema.Draft202012Validator({"$ref": "#/$defs/part", "$defs": schema["$defs"]})
for path in [ROOT / "recipes/common.yaml", *sorted(ROOT.glob("recipes/parts/*.yaml"))]:
    expect(path, part.is_valid(load(path)), True)

# Negative control: each of these cases is refused by its structure alone.
for name in ["unknown-key", "wrong-type", "bad-word", "missing-keys", "not-a-mapping",
             "bad-name", "number-as-text", "mac-malformed", "unit-without-suffix",
             "path-escapes", "ports", "accept-without-reason", "version", "merge-key",
             "duplicate-item", "include-absolute", "include-not-text"]:
    path = ROOT / f"tests/reject/recipe-{name}/input.yaml"
    expect(path, validator.is_valid(load(path)), False)


# Every value of a whole recipe, replaced by others one at a time: both verdicts
# must agree. Messages about how values fit together or exceed a measure's range
# are beyond the schema, and those cases are passed over.
beyond = re.compile(
    r"' does not define|must be a (size|duration) from |requires |does not support '|is outside|is already|"
    r"already publishes|overlaps|is not an IPv4|must be a network|prefix length|no host has|can't be divided|"
    r"is not a multiple of|more than the machine's|overlay '.*' not found|unknown program|"
    r"disk size of a guest|'huge-pages' must be|is reserved|unused service|on the host's network|"
    r"hypervisor's image|a port must be|can't be combined|OCI image is empty|no program to run|no space for|"
    r"network or broadcast address|multicast|not a valid MAC|both enabled|host '.*' can't|"
    r"has no hypervisor host|is listed as a guest|has no guests|pinned to the same|"
    r"is not one of the experiment's|number of the request|more than the maximum|load generator sets|is set twice|hosts have the role|"
    r"has no body|requests at once|does not publish|has neither a container|follows from 'tracing'|"
    r"'hardware' (must be a name|names)|is the image's kernel|both unified and|defined twice")


def ours(documents):
    """The diagnostics of each document; an empty list means that the document is valid."""
    paths = []
    for i, document in enumerate(documents):
        paths.append(f"{TMP}/{i}.yaml")
        pathlib.Path(paths[-1]).write_text(json.dumps(document))  # YAML by its subset
    lines = {path: [] for path in paths}
    for i in range(0, len(paths), 500):
        run = subprocess.run([MKV, "check", *paths[i:i + 500]], capture_output=True, text=True)
        right = {l.split(":")[0] for l in run.stdout.splitlines()}
        for line in run.stderr.splitlines():
            lines[line.split(":")[0]].append(line)
        for path in paths[i:i + 500]:
            assert (path in right) == (not lines[path]), path
    return [lines[path] for path in paths]


def places(node, path=()):
    yield path
    if isinstance(node, dict):
        for key in node:
            yield from places(node[key], path + (key,))
    elif isinstance(node, list):
        for i, item in enumerate(node):
            yield from places(item, path + (i,))


def replaced(document, path, value):
    if not path and value is not ADD:
        return value
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    if value is ADD:
        (at[path[-1]] if path else at)["a-new-key"] = "x"
    elif value is DROP:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


def at(document, path):
    for key in path:
        document = document[key]
    return document


DROP, ADD = object(), object()
values = [DROP, ADD, None, True, 7, -1, 70000, "", "x", "A b", "5MB", "3s", "tsc", [], {}, ["x"],
          ["x", "x"], {"x": {}}, {"x": "y"}, "line\nline", "x" * 400]
whole = load(ROOT / "tests/integration/101-recipe-schema/whole.yaml")
expect("whole.yaml", validator.is_valid(whole), True)
assert ours([whole]) == [[]], ours([whole])
variants = [(path, value, replaced(whole, path, value))
            for path in places(whole) if only is None or ".".join(map(str, path)) == only
            for value in values
            if (path or value is not DROP) and
            (value is not ADD or isinstance(at(whole, path), dict))]


def verdict(variant):
    return validator.is_valid(variant[2])


with multiprocessing.Pool() as pool: # the interpreter is slow
    verdicts = pool.map(verdict, variants, 200)
compared = 0
for (path, value, document), lines, valid in zip(variants, ours([v[2] for v in variants]), verdicts):
    # A text that isn't a measure at all is the schema's to refuse too.
    number = isinstance(value, str) and re.match("^[0-9]+[a-zA-Z]+$", value)
    told = [l for l in lines if not beyond.search(l) or
            ("a whole number and its unit" in l and not number)]
    if lines and not told:
        continue
    compared += 1
    said = {DROP: "dropped", ADD: "with a key more"}[value] if value is DROP or value is ADD else f"= {value!r:.60}"
    expect(f"{'.'.join(map(str, path))} {said}", valid, not lines)
print(f"{compared} of {len(variants)} variants compared")
print("\n".join(failures))
sys.exit(1 if failures or compared < 1000 else 0)
