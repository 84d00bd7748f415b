/**
 * Exports spans over OTLP/HTTP in JSON. Loaded only when it is wanted. What is sent when: a span that has none around it in
 * this process ends a request, and what is recorded by then goes out at once, in one post at a time, each of at most a
 * second; a collector that is slow or gone costs spans, never an answer.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import manifest from '../package.json' with { type: 'json' };
import { AppError } from './errors.ts';
import { request } from './http.ts';
import type { SpanAttributes, SpanKind, SpanStart, Tracer } from './trace.ts';

/** One post may take this long, in milliseconds; then its spans are given up. */
const POST_MS = 1_000;
/** Spans that wait; more are dropped. */
const QUEUE_LIMIT = 2_000;
/** OTLP's numbers for kinds and states (opentelemetry/proto/trace/v1/trace.proto). */
const KINDS: Readonly<Record<SpanKind, number>> = { server: 2, client: 3, consumer: 5 };
const STATUS_ERROR = 2;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

interface Open {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
  attributes: SpanAttributes;
}

export interface TracerOptions {
  readonly service: string;
  /** The collector; `/v1/traces` is added, as the specification says. */
  readonly endpoint: string;
  /** `name=value` pairs with commas between, values percent-encoded. */
  readonly headers: string;
}

/** Creates the tracer of one process. */
export function createTracer({ service, endpoint, headers }: TracerOptions): Tracer {
  const around = new AsyncLocalStorage<Open>();
  const resource = {
    attributes: toAttributes({
      'service.name': service,
      'service.namespace': 'alertgest',
      'service.version': manifest.version,
    }),
  };
  const target = {
    method: 'POST',
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { 'content-type': 'application/json', ...parseHeaders(headers) },
    timeoutMs: POST_MS,
  };
  let queue: object[] = [];
  let sending: Promise<void> | null = null;

  const post = async (): Promise<void> => {
    while (queue.length > 0) {
      const spans = queue;
      queue = [];
      const scopeSpans = [{ scope: { name: 'alertgest' }, spans }];
      // Tracing is for looking on: whatever goes wrong with it, the work goes on.
      await request({
        ...target,
        body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] }),
      }).catch(() => undefined);
    }
    sending = null;
  };
  const flush = (): Promise<void> => (sending ??= queue.length === 0 ? null : post()) ?? Promise.resolve();

  return {
    flush,
    annotate(attributes) {
      const span = around.getStore();
      if (span !== undefined) span.attributes = { ...span.attributes, ...attributes };
    },
    async inSpan(start, work) {
      const outer = around.getStore();
      const { parentId, ...span } = open(start, outer);
      const startedAt = now();
      let failure: unknown = null;
      try {
        return await around.run(span, () => work(toTraceparent(span)));
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        if (span.isSampled && queue.length < QUEUE_LIMIT) {
          queue.push({
            traceId: span.traceId,
            spanId: span.spanId,
            ...(parentId !== null && { parentSpanId: parentId }),
            name: start.name,
            kind: KINDS[start.kind],
            startTimeUnixNano: startedAt,
            endTimeUnixNano: now(),
            attributes: toAttributes(span.attributes),
            ...(failure !== null && { status: { code: STATUS_ERROR, message: reasonOf(failure) } }),
          });
        }
        if (outer === undefined) void flush();
      }
    },
  };
}

function open(
  { traceparent, isRoot = false, attributes = {} }: SpanStart,
  outer: Open | undefined,
): Open & { parentId: string | null } {
  const [, traceId, contextId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const freshId = randomBytes(8).toString('hex');
  if (traceId === undefined || contextId === undefined || flags === undefined) {
    const { traceId: outerTrace, spanId, isSampled = true } = outer ?? {};
    const trace = outerTrace ?? randomBytes(16).toString('hex');
    return { traceId: trace, spanId: freshId, isSampled, attributes, parentId: spanId ?? null };
  }
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return isRoot
    ? { traceId, spanId: contextId, isSampled, attributes, parentId: null }
    : { traceId, spanId: freshId, isSampled, attributes, parentId: contextId };
}

function toTraceparent({ traceId, spanId, isSampled }: Open): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

function toAttributes(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: toValue(value) }],
  );
}

function toValue(value: string | number | readonly string[]): object {
  if (typeof value === 'number')
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (typeof value === 'string') return { stringValue: value };
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
}

/** One word of a closed set: an error's text may hold what a span must not. */
function reasonOf(error: unknown): string {
  return error instanceof AppError ? error.reason : 'bug';
}

function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [, name, value] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), decode(value)] as const];
  });
  return Object.fromEntries(pairs);
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Nanoseconds since 1970 as OTLP's JSON writes them. */
function now(): string {
  return String(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000)) * 1_000n);
}
