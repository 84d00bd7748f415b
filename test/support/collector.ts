/** A scripted OTLP collector: takes what is posted to /v1/traces, or never answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it arrived, its attributes and its service as plain values. */
export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly error: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Every body and the headers it came with, as text. */
  readonly raw: readonly string[];
  /** From now on nothing is answered. */
  hang(): void;
  /** From now on answers take this long, in milliseconds. */
  delay(ms: number): void;
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: string;
    readonly arrayValue?: { readonly values: readonly Attribute['value'][] };
  };
}

interface Post {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<{
        readonly name: string;
        readonly kind: number;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly status?: { readonly code: number; readonly message: string };
        readonly attributes: readonly Attribute[];
      }>;
    }>;
  }>;
}

/** Starts it on a port of its own. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const raw: string[] = [];
  let hangs = false;
  let delayMs = 0;
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      raw.push(`${JSON.stringify(incoming.headers)}\n${body}`);
      if (hangs) return;
      const isTraces =
        incoming.url === '/v1/traces' && incoming.headers['content-type'] === 'application/json';
      if (isTraces) spans.push(...readSpans(JSON.parse(body) as Post));
      setTimeout(() => {
        outgoing.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
      }, delayMs);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    raw,
    hang() {
      hangs = true;
    },
    delay(ms) {
      delayMs = ms;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function readSpans({ resourceSpans }: Post): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(toRecord(resource.attributes)['service.name']),
        name: span.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? null,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        error: span.status?.code === 2 ? span.status.message : null,
        attributes: toRecord(span.attributes),
      })),
    ),
  );
}

function toRecord(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toPlain(value)]));
}

function toPlain(value: Attribute['value']): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.arrayValue?.values.map(toPlain);
}
