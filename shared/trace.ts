/**
 * Spans around what a function does, exported when OTEL_EXPORTER_OTLP_ENDPOINT is set. Without it nothing is loaded and a
 * span is a plain call. A span carries ids and words of ours, never an alert's text, an address or a secret.
 */
import type { CloudEvent } from 'cloudevents';
import type { Environment } from './env.ts';

/** What a span says beside its name and times. */
export type SpanAttributes = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Why it is there: `server` answers HTTP, `consumer` an event, `client` calls a provider. */
export type SpanKind = 'server' | 'consumer' | 'client';

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: SpanAttributes;
  /** The W3C trace context it belongs to; without it, that of the span around it. */
  readonly traceparent?: string;
  /** The context was made here and nobody's: the span is its first. */
  readonly isRoot?: boolean;
}

/** What records spans; shared/otlp.ts has the only one. */
export interface Tracer {
  inSpan<T>(span: SpanStart, work: (traceparent: string) => Promise<T>): Promise<T>;
  annotate(attributes: SpanAttributes): void;
  /** Sends what is recorded, for at most a second. */
  flush(): Promise<void>;
}

let tracer: Tracer | null = null;

/** Loads the exporter when an endpoint is configured. One that is no URL is left for the configuration to refuse. */
export async function startTracing(service: string, env: Environment): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = env;
  if (endpoint === undefined || !URL.canParse(endpoint)) return;
  const { createTracer } = await import('./otlp.ts');
  tracer = createTracer({ service, endpoint, headers: headers ?? '' });
}

/** Does some work inside a span; `work` gets the trace context to hand on. */
export function inSpan<T>(span: SpanStart, work: (traceparent: string) => Promise<T>): Promise<T> {
  return tracer === null ? work(span.traceparent ?? '') : tracer.inSpan(span, work);
}

/** Ids and words of ours have this shape; events come from outside, and what has another is left out. */
const WORD = /^[\w.:-]{1,120}$/;

/** The span of one step: a function at work on an event, or on an HTTP request when there is none. */
export function toStepSpan(
  service: string,
  path: string,
  event: CloudEvent<unknown> | undefined,
): Pick<SpanStart, 'name' | 'kind' | 'attributes'> {
  if (event === undefined) return { name: service, kind: 'server' };
  const word = (value: unknown): string | undefined =>
    typeof value === 'string' && WORD.test(value) ? value : undefined;
  return {
    // A path of its own is a step of its own, such as explain.
    name: path === '/' ? service : path.slice(1),
    kind: 'consumer',
    attributes: {
      'alertgest.event': word(event.type),
      'alertgest.notice': word(event.subject),
      'alertgest.pattern': word(event['pattern']),
      'alertgest.severity': word(event['severity']),
    },
  };
}

/** Adds to the span around the caller, if there is one. */
export function annotate(attributes: SpanAttributes): void {
  tracer?.annotate(attributes);
}

/** Sends what is left; call it before the process ends. */
export async function flushSpans(): Promise<void> {
  await tracer?.flush();
}
