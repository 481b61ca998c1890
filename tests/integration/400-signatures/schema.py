#!/usr/bin/python3
# SPDX-License-Identifier: MIT
import json, sys
import jsonschema

with open(sys.argv[1]) as s, open(sys.argv[2]) as d:
    schema, document = json.load(s), json.load(d)
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.Draft7Validator(schema).validate(document)
