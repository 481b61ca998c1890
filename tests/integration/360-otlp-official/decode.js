// SPDX-License-Identifier: MIT
// Reads spans by OpenTelemetry's own definitions (opentelemetry-proto, compiled by
// its JavaScript project) and prints each as a line of JSON, with its resource.
//
//     node decode.js request FILE...      bodies of OTLP/HTTP with protobuf
//     node decode.js delimited FILE       messages, each after its length
//     node decode.js lines FILE           the OTLP file format
//
// Unknown fields, and messages that do not encode to the same bytes again, are errors.
const fs = require('fs');
const assert = require('assert');
const { proto } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry;
const Request = proto.collector.trace.v1.ExportTraceServiceRequest;
const Traces = proto.trace.v1.TracesData;

function decode(type, bytes) {
  const message = type.decode(bytes);
  assert.strictEqual(type.verify(message), null);
  assert.strictEqual(type.encode(message).finish().length, bytes.length, 'unknown fields');
  return message;
}

// OTLP's JSON has ids in hexadecimal, where protobuf's own has base64.
const ids = new Set(['traceId', 'spanId', 'parentSpanId']);
const toBytes = (key, value) => (ids.has(key) ? Buffer.from(value, 'hex').toString('base64') : value);

function keys(value) {
  if (Array.isArray(value)) return value.map(keys);
  if (value === null || typeof value !== 'object') return '';
  const there = Object.keys(value).filter((k) => !(Array.isArray(value[k]) && value[k].length === 0));
  return Object.fromEntries(there.sort().map((k) => [k, keys(value[k])]));
}

function decodeLine(line) {
  const object = JSON.parse(line, toBytes);
  const message = Traces.fromObject(object);
  assert.strictEqual(Traces.verify(message), null);
  const again = Traces.toObject(message, { longs: String, enums: Number, bytes: String });
  assert.deepStrictEqual(keys(again), keys(object), 'unknown keys');
  return Traces.decode(Traces.encode(message).finish());
}

const value = (v) => v.stringValue ?? (v.intValue === null || v.intValue === undefined ? null : Number(v.intValue));
const attributes = (list) => Object.fromEntries(list.map((a) => [a.key, value(a.value)]));
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const text = (number) => (typeof number === 'number' ? BigInt(number) : BigInt(number.toString())).toString();

function print(message) {
  for (const { resource, scopeSpans } of message.resourceSpans)
    for (const { scope, spans } of scopeSpans)
      for (const s of spans)
        console.log(JSON.stringify({
          resource: attributes(resource.attributes), scope: scope.name, name: s.name, kind: s.kind,
          traceId: hex(s.traceId), spanId: hex(s.spanId), parent: hex(s.parentSpanId ?? []),
          start: text(s.startTimeUnixNano), end: text(s.endTimeUnixNano),
          attributes: attributes(s.attributes), status: s.status?.code ?? 0, flags: s.flags,
        }));
}

const [kind, ...files] = process.argv.slice(2);
for (const file of files) {
  let data = fs.readFileSync(file);
  if (kind === 'request') print(decode(Request, data));
  if (kind === 'lines')
    for (const line of data.toString().split('\n').slice(0, -1)) print(decodeLine(line));
  if (kind === 'delimited') {
    const reader = require('protobufjs/minimal').Reader.create(data);
    while (reader.pos < reader.len) print(decode(Request, reader.bytes()));
  }
}
