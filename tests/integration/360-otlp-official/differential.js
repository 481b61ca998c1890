// SPDX-License-Identifier: MIT
// Sends mutated requests to the collector at argv[2]. OpenTelemetry's own definitions must
// decode every request that the collector accepts, and the collector must accept every
// request that they decode and encode to the same bytes. argv[3]: a good request, argv[4]:
// the number of requests.
const fs = require('fs');
const http = require('http');
const { proto } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry;
const Request = proto.collector.trace.v1.ExportTraceServiceRequest;
const agent = new http.Agent({ keepAlive: true });
const good = fs.readFileSync(process.argv[3]);
let state = 12345;
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % below;
};

function bend() {
  let data = Buffer.from(good);
  for (let i = random(3); i >= 0; i--) {
    const at = random(data.length), some = random(8) + 1;
    switch (random(4)) {
      case 0: data[at] = random(256); break;
      case 1: data[at] ^= 1 << random(8); break;
      case 2: data = Buffer.concat([data.subarray(0, at), data.subarray(at + some)]); break;
      default: data = Buffer.concat([data.subarray(0, at), data.subarray(at, at + some), data.subarray(at)]);
    }
  }
  return data;
}

const post = (body) => new Promise((done, fail) => {
  const request = http.request(process.argv[2], {
    method: 'POST', agent, headers: { 'Content-Type': 'application/x-protobuf', 'Content-Length': body.length },
  }, (response) => {
    response.resume();
    response.on('end', () => done(response.statusCode));
  });
  request.on('error', fail);
  request.end(body);
});

function isRead(body) {
  try {
    Request.decode(body);
    return true;
  } catch { return false; }
}

(async () => {
  const counts = { taken: 0, refused: 0 };
  for (let i = 0; i < Number(process.argv[4]); i++) {
    const body = i === 0 ? good : bend();
    const status = await post(body);
    if (status !== 200 && status !== 400) throw new Error(`status ${status}: ${body.toString('hex')}`);
    if (status === 200 && !isRead(body)) throw new Error(`taken, but not readable: ${body.toString('hex')}`);
    if (i === 0 && status !== 200) throw new Error('the good one was refused');
    counts[status === 200 ? 'taken' : 'refused']++;
  }
  console.log(JSON.stringify(counts));
  if (!(counts.taken > 10 && counts.refused > 10)) process.exit(1);
  agent.destroy();
})().catch((e) => { console.error(e); process.exit(1); });
