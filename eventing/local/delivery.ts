/**
 * One event to one Trigger, as the channel-based broker does it: attempts by the table of status codes, the reply
 * published, the dead letter. Read from Knative Eventing 1.22: pkg/kncloudevents/{retries,event_dispatcher}.go and
 * pkg/broker/filter/filter_handler.go. Only an empty 2xx or a 2xx with a valid event counts as success.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { announcesEvent, readEnvelope, toHeaders, withAttributes, type Envelope } from './envelope.ts';
import type { Ledger } from './ledger.ts';
import type { Delivery } from './manifest-schemas.ts';
import type { Answer, Sender } from './sender.ts';
import type { Slots } from './slots.ts';

/** How often and how long to try; the part of a delivery spec that every send shares. */
export type Policy = Pick<Delivery, 'retry' | 'backoffPolicy' | 'backoffDelayMs' | 'timeoutMs'>;

/** A Trigger with its addresses resolved. */
export interface Route {
  readonly trigger: string;
  readonly namespace: string;
  readonly subscriber: URL;
  readonly policy: Policy;
  readonly deadLetterSink: URL | undefined;
  readonly slots: Slots;
}

export interface DeliveryTools {
  readonly sender: Sender;
  readonly ledger: Ledger;
  /** Publishes a reply to the Trigger's own Broker and says with which status it was taken. */
  readonly publish: (reply: Envelope) => Promise<number>;
  readonly brokerUrl: string;
  /** Set where the sender waits: its leaving ends the attempts and nothing is dead-lettered. */
  readonly signal?: AbortSignal | undefined;
}

type Outcome =
  | { readonly ok: true; readonly status: number; readonly reply: Envelope | undefined }
  | { readonly ok: false; readonly retryable: boolean; readonly failure: Failure };

interface Failure {
  readonly destination: string;
  readonly detail: string;
  readonly status: number | undefined;
  /** The subscriber's own words; undefined when the broker itself gave up on it, and then no error is attached. */
  readonly body: Buffer | undefined;
}

const RETRIED = new Set([404, 408, 409, 429]);
/** knativeerrordata is cut to this many characters of base64 … */
const ERROR_DATA_MAX = 1024;
/** … and the dispatcher panics on bodies that would need more (eventing 1.22.2, dispatchExecutionInfoTransformers). */
export const ERROR_BODY_MAX = 768;
const PASSING_OVER = { knativebrokerttl: undefined };

/** Whether a status is worth another attempt. */
export function isRetried(status: number): boolean {
  return status >= 500 || RETRIED.has(status);
}

/** The wait before a retry, which counts from 0: the first linear one is immediate. */
export function backoffMs({ backoffPolicy, backoffDelayMs }: Policy, retry: number): number {
  if (backoffPolicy === 'linear') return backoffDelayMs * retry;
  return backoffPolicy === 'exponential' ? backoffDelayMs * 2 ** retry : 0;
}

/** Delivers an event; answers false when it is lost, which a waiting sender is told with 500. */
export async function deliver(event: Envelope, route: Route, tools: DeliveryTools): Promise<boolean> {
  const { ledger, signal } = tools;
  const { trigger, policy } = route;
  const message = {
    headers: {
      ...toHeaders(withAttributes(event, PASSING_OVER)),
      prefer: 'reply',
      'kn-namespace': route.namespace,
    },
    body: event.body,
  };
  let violated = false;
  let outcome = await repeat(policy, signal, async () => {
    const answer = await route.slots.run(() =>
      tools.sender.send(route.subscriber, message, policy.timeoutMs, signal),
    );
    const attempt = judge(answer, route.subscriber);
    if (attempt.ok) return attempt;
    ledger.record('failed', event, {
      trigger,
      status: attempt.failure.status,
      detail: attempt.failure.detail,
    });
    const bytes = attempt.failure.body?.length ?? 0;
    if (bytes > ERROR_BODY_MAX && route.deadLetterSink && !violated) {
      violated = true;
      ledger.violate({ rule: 'error-body', trigger, type: event.attributes['type'] ?? '', bytes });
    }
    return attempt;
  });
  if (outcome.ok && outcome.reply) outcome = await publishReply(outcome.reply, event, policy, tools);
  if (outcome.ok) {
    ledger.record('delivered', event, { trigger, status: outcome.status });
    return true;
  }
  return deadLetter(event, outcome.failure, route, tools);
}

async function publishReply(
  reply: Envelope,
  event: Envelope,
  policy: Policy,
  { publish, brokerUrl, signal }: DeliveryTools,
): Promise<Outcome> {
  const ttl = event.attributes['knativebrokerttl'];
  const hopping = withAttributes(reply, { knativebrokerttl: ttl });
  return repeat(policy, signal, async () => {
    const status = await publish(hopping);
    if (status < 300) return { ok: true, status: 200, reply: undefined };
    const failure = {
      destination: brokerUrl,
      detail: 'the broker refused the reply',
      status,
      body: Buffer.alloc(0),
    };
    return { ok: false, retryable: isRetried(status), failure };
  });
}

async function deadLetter(
  event: Envelope,
  failure: Failure,
  { trigger, policy, deadLetterSink }: Route,
  { sender, ledger, signal }: DeliveryTools,
): Promise<boolean> {
  const { status, detail } = failure;
  if (!deadLetterSink || signal?.aborted) {
    ledger.record('lost', event, { trigger, status, detail });
    return false;
  }
  const dead = withAttributes(event, errorAttributes(failure));
  const outcome = await repeat(policy, signal, async () => {
    const answer = await sender.send(
      deadLetterSink,
      { headers: toHeaders(dead), body: dead.body },
      policy.timeoutMs,
      signal,
    );
    if (answer.status !== undefined && answer.status >= 200 && answer.status < 300) {
      return { ok: true, status: answer.status, reply: undefined };
    }
    return failed(answer, deadLetterSink);
  });
  ledger.record(outcome.ok ? 'dead-lettered' : 'lost', event, { trigger, status, detail });
  return outcome.ok;
}

function errorAttributes({ destination, status, body }: Failure): Record<string, string> {
  if (body === undefined || status === undefined) return {};
  const printable = body.filter((byte) => byte >= 0x20 && byte !== 0x7f);
  const data = Buffer.from(printable).toString('base64').slice(0, ERROR_DATA_MAX);
  return {
    knativeerrordest: destination,
    knativeerrorcode: String(status),
    ...(data !== '' && { knativeerrordata: data }),
  };
}

async function repeat(
  policy: Policy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<Outcome>,
): Promise<Outcome> {
  for (let retry = 0; ; retry += 1) {
    const outcome = await attempt();
    if (outcome.ok || !outcome.retryable || retry >= policy.retry || signal?.aborted) return outcome;
    try {
      await sleep(backoffMs(policy, retry), undefined, signal ? { signal } : {});
    } catch {
      return outcome;
    }
  }
}

function judge(answer: Answer, destination: URL): Outcome {
  if (answer.status === undefined || answer.status < 200 || answer.status >= 300)
    return failed(answer, destination);
  const { status, headers, body } = answer;
  const isEvent = announcesEvent(headers);
  if (!isEvent && body.length === 0) return { ok: true, status, reply: undefined };
  try {
    return { ok: true, status, reply: readEnvelope(headers, body) };
  } catch (error) {
    const detail = `answered ${status} with a body that is no event: ${error instanceof Error ? error.message : ''}`;
    return {
      ok: false,
      retryable: true,
      failure: { destination: destination.href, detail, status: 502, body: undefined },
    };
  }
}

function failed(answer: Answer, { href: destination }: URL): Outcome {
  if (answer.status === undefined) {
    const failure = { destination, detail: answer.error, status: undefined, body: undefined };
    return { ok: false, retryable: true, failure };
  }
  const { status, body } = answer;
  return {
    ok: false,
    retryable: isRetried(status),
    failure: { destination, detail: `answered ${status}`, status, body },
  };
}
