/** One webhook through every function, seen by a collector: the spans are one trace, each below the right one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCollector } from '../support/collector.ts';
import type { CollectedSpan, Collector } from '../support/collector.ts';
import { makeFiring, startTestMachine, toWebhook } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';

/** What no span may carry. */
const SECRETS = ['the summary of a test', 'very-secret-label', 'https://runbooks.example/secret'];

let collector: Collector;
let machine: TestMachine;

beforeAll(async () => {
  collector = await startCollector();
  machine = await startTestMachine({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=ops%20team, authorization=Bearer collector',
    },
  });
}, 120_000);
afterAll(async () => {
  await machine?.stop();
  await collector?.close();
});

describe('a trace', () => {
  it('goes from the webhook to the provider', { timeout: 60_000 }, async () => {
    const spans = await trace(null, 'TraceOne');
    const receive = one(spans, 'receive');
    expect([receive.parentSpanId, receive.kind]).toEqual([null, 2]);
    const notice = (receive.attributes['alertgest.notices'] as string[])[0] ?? '';
    expect(receive.attributes['alertgest.alerts']).toBe(1);
    for (const name of ['classify', 'explain', 'suppress-check', 'notify']) {
      const span = one(spans, name);
      expect([span.parentSpanId, span.kind, span.error], name).toEqual([receive.spanId, 5, null]);
      expect(span.attributes, name).toMatchObject({
        'alertgest.notice': notice,
        'alertgest.severity': 'warning',
        'alertgest.pattern': expect.stringMatching(/^v\d+:/),
      });
    }
    expect(one(spans, 'explain').service).toBe('classify');
    const send = one(spans, 'send ntfy');
    const notify = one(spans, 'notify');
    expect([send.parentSpanId, send.kind, send.service]).toEqual([notify.spanId, 3, 'notify']);
    expect(send.attributes).toEqual({ 'alertgest.channel': 'ntfy', 'alertgest.notice': notice });
    expect(send.startNs).toBeGreaterThanOrEqual(notify.startNs);
    expect(send.endNs).toBeLessThanOrEqual(notify.endNs);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it('continues the one that the sender began', { timeout: 60_000 }, async () => {
    const given = { trace: 'a'.repeat(32), span: 'b'.repeat(16) };
    const spans = await trace(`00-${given.trace}-${given.span}-01`, 'TraceTwo');
    const receive = one(spans, 'receive');
    expect([receive.traceId, receive.parentSpanId]).toEqual([given.trace, given.span]);
    expect(one(spans, 'notify').parentSpanId).toBe(receive.spanId);
  });

  it('is not sent when the sender does not want it', { timeout: 60_000 }, async () => {
    const before = collector.spans.length;
    await push(`00-${'c'.repeat(32)}-${'d'.repeat(16)}-00`, 'TraceThree');
    await push(null, 'TraceFour');
    await expect.poll(() => collector.spans.filter(({ name }) => name === 'send ntfy').length).toBe(3);
    expect(collector.spans.slice(before).filter(({ traceId }) => traceId.startsWith('c'))).toEqual([]);
  });

  it('carries no text of alerts, no address and no secret', () => {
    const everything = collector.raw.join('\n');
    for (const secret of [...SECRETS, machine.token, machine.sink.url, ...Object.values(machine.sink.env)])
      expect(everything).not.toContain(secret);
    expect(everything).toContain('"x-team":"ops team"');
    expect(everything).toContain('"authorization":"Bearer collector"');
  });

  it('costs no message when the collector does not answer', { timeout: 60_000 }, async () => {
    collector.hang();
    const startedAt = performance.now();
    await push(null, 'TraceFive');
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(machine.crashes).toEqual([]);
  });
});

/** Posts one alert and waits for its push. */
async function push(traceparent: string | null, alertname: string): Promise<void> {
  const alert = makeFiring(
    { alertname, [SECRETS[1] ?? '']: SECRETS[1] ?? '' },
    { annotations: { summary: SECRETS[0] ?? '', runbook_url: SECRETS[2] ?? '' } },
  );
  const before = machine.sink.pushes.length;
  const answer = await fetch(`${machine.machine.url}/api/v1/alerts`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${machine.token}`,
      ...(traceparent !== null && { traceparent }),
    },
    body: JSON.stringify(toWebhook([alert])),
  });
  expect(answer.status).toBe(200);
  await machine.sink.waitFor(before + 1);
  await machine.settle();
}

/** The spans of the trace of one alert. */
async function trace(traceparent: string | null, alertname: string): Promise<CollectedSpan[]> {
  const before = collector.spans.length;
  await push(traceparent, alertname);
  const fresh = (): CollectedSpan[] => collector.spans.slice(before);
  await expect
    .poll(() => fresh().map(({ name }) => name), { timeout: 10_000 })
    .toEqual(
      expect.arrayContaining(['receive', 'classify', 'explain', 'suppress-check', 'notify', 'send ntfy']),
    );
  expect(new Set(fresh().map(({ traceId }) => traceId)).size).toBe(1);
  return fresh();
}

function one(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const [found, ...more] = spans.filter((span) => span.name === name);
  if (found === undefined || more.length > 0) throw new Error(`not one span is called ${name}`);
  return found;
}
