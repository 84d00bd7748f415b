import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { DeliveryError } from '../../../shared/errors.ts';
import { createTracer } from '../../../shared/otlp.ts';
import { toStepSpan } from '../../../shared/trace.ts';
import { createEvent } from '../../../shared/events.ts';
import { makeAlertEntry, makeWebhook } from '../../support/alerts.ts';
import { startCollector } from '../../support/collector.ts';
import type { Collector } from '../../support/collector.ts';
import { startReceiver } from '../../support/receiver.ts';

let collector: Collector;
afterEach(() => collector?.close());

async function start() {
  collector = await startCollector();
  return createTracer({ service: 'test', endpoint: collector.url, headers: '' });
}

describe('a span', () => {
  it('says how it failed in one word, and fails as the work does', async () => {
    const tracer = await start();
    const failing = tracer.inSpan({ name: 'a', kind: 'client' }, () =>
      Promise.reject(new DeliveryError('delivery-permanent', 'https://token@provider.example said no')),
    );
    await expect(failing).rejects.toThrow('said no');
    await expect(
      tracer.inSpan({ name: 'b', kind: 'client' }, () =>
        Promise.reject(new TypeError('undefined is not a cat')),
      ),
    ).rejects.toThrow('cat');
    await tracer.flush();
    expect(collector.spans.map(({ error }) => error)).toEqual(['delivery-permanent', 'bug']);
    expect(collector.raw.join()).not.toContain('said no');
  });

  it('stands below the one around it, also when several run at once', async () => {
    const tracer = await start();
    await Promise.all(
      ['x', 'y'].map((name) =>
        tracer.inSpan({ name, kind: 'consumer' }, async () => {
          await sleep(5);
          tracer.annotate({ own: name });
          await tracer.inSpan({ name: `${name}-call`, kind: 'client' }, () => sleep(5));
        }),
      ),
    );
    await tracer.flush();
    expect(collector.spans.length).toBe(4);
    for (const name of ['x', 'y']) {
      const outer = collector.spans.find((span) => span.name === name);
      const inner = collector.spans.find((span) => span.name === `${name}-call`);
      expect(outer?.attributes).toEqual({ own: name });
      expect([inner?.parentSpanId, inner?.traceId]).toEqual([outer?.spanId, outer?.traceId]);
    }
  });

  it('waits for no collector, and a flush gives up after a second', async () => {
    const tracer = await start();
    collector.hang();
    const startedAt = performance.now();
    await tracer.inSpan({ name: 'a', kind: 'server' }, () => Promise.resolve());
    expect(performance.now() - startedAt).toBeLessThan(500);
    await tracer.flush();
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('takes from an event only what has the shape of an id', () => {
    const source = { cluster: 'test', name: 'receive' } as const;
    const event = createEvent(
      'dev.alertgest.notice.received',
      source,
      'n 1\n"x"',
      'received',
      {},
      { severity: 'warning' },
    );
    expect(toStepSpan('classify', '/explain', event)).toEqual({
      name: 'explain',
      kind: 'consumer',
      attributes: {
        'alertgest.event': 'dev.alertgest.notice.received',
        'alertgest.notice': undefined,
        'alertgest.pattern': undefined,
        'alertgest.severity': 'warning',
      },
    });
  });
});

describe('the exporter', () => {
  it('sends what waits before the process ends', { timeout: 30_000 }, async () => {
    collector = await startCollector();
    const receiver = await startReceiver({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    try {
      // The second span waits for the answer to the first one's post.
      collector.delay(600);
      for (const alertname of ['First', 'Second'])
        await receiver.post(makeWebhook([makeAlertEntry({ labels: { alertname } })]));
      process.kill(receiver.pid() ?? 0, 'SIGTERM');
      await expect
        .poll(() => collector.spans.map(({ name }) => name), { timeout: 5_000 })
        .toEqual(['receive', 'receive']);
    } finally {
      await receiver.stop();
    }
  });

  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'not a URL' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
  ])('is loaded with %j: %s', (env, isLoaded) => {
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
      const { startTracing } = await import(${JSON.stringify(new URL('../../../shared/trace.ts', import.meta.url).href)});
      await startTracing('test', ${JSON.stringify(env)});
      console.log(loaded.some((url) => url.endsWith('/shared/otlp.ts')));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect([stdout.trim(), stderr]).toEqual([String(isLoaded), '']);
  });
});
