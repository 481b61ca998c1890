// SPDX-License-Identifier: MIT
// OpenTelemetry's own exporter sends a span, uncompressed and with gzip, to the collector
// at argv[2], which must acknowledge it.
const { BasicTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { CompressionAlgorithm } = require('@opentelemetry/otlp-exporter-base');
const { ROOT_CONTEXT, trace } = require('@opentelemetry/api');

async function send(compression) {
  const exporter = new OTLPTraceExporter({ url: process.argv[2], compression, timeoutMillis: 5000 });
  const result = new Promise((done) => {
    const own = exporter.export.bind(exporter);
    exporter.export = (spans, told) => own(spans, (r) => { told(r); done(r); });
  });
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('official');
  const parent = tracer.startSpan(`parent ${compression}`);
  const span = tracer.startSpan(`official ${compression}`, {
    kind: 2,
    attributes: { text: 'ü', number: 1.5, list: [1, 2], flag: true },
    links: [{ context: parent.spanContext() }],
  }, trace.setSpan(ROOT_CONTEXT, parent));
  span.addEvent('event', { a: 'b' });
  span.end();
  const { code, error } = await result;
  await provider.shutdown();
  if (code !== 0) throw error;
}

send(CompressionAlgorithm.NONE).then(() => send(CompressionAlgorithm.GZIP)).catch((e) => {
  console.error(e);
  process.exit(1);
});
