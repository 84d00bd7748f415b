/** What becomes of a pattern at the model: one call, one row, one event, whatever the model does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClusterReader } from '../../../../shared/cluster.ts';
import { createLoki } from '../../../../shared/loki.ts';
import { readExplanation } from '../../../../shared/postgres/explanations.ts';
import { claimWanted } from '../../../../shared/postgres/explanation-queue.ts';
import { waitForExplanation } from '../../../../shared/postgres/explanation-waits.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { CLUSTER_OBJECTS } from '../../../fixtures/kubernetes.ts';
import { makeArrival } from '../../../support/alerts.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { createExplaining, explainedData, SETTINGS } from '../../../support/explaining.ts';
import type { Explaining } from '../../../support/explaining.ts';
import { startKubernetesApi } from '../../../support/kubernetes-api.ts';
import { startModelStub } from '../../../support/model-stub.ts';
import type { ModelStub, StubAnswer } from '../../../support/model-stub.ts';

const good = {
  category: 'workload',
  suggestedSeverity: 'critical',
  summary: 'The pod is not ready.',
  explanation: 'The api workload in production does not answer its probe.',
  nextStep: 'Check the last log lines of api.',
  confidence: 0.6,
};

let pool: Pool;
let stub: ModelStub;
let setup: Explaining;
let names = 0;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
  stub = await startModelStub();
});
beforeEach(async () => {
  stub.clear();
  stub.usually({ json: good });
  setup = createExplaining(pool, stub.url);
  await pool.query('delete from explanation_queue');
});
afterAll(async () => {
  await stub.close();
  await pool.end();
});

/** A notice of a pattern that nobody saw before. */
async function receiveNew(
  overrides: Parameters<typeof makeArrival>[0] = {},
): Promise<{ notice: string; pattern: string }> {
  const arrival = makeArrival({
    ...overrides,
    labels: { namespace: 'production', job_name: `n${names++}x`, ...overrides.labels },
  });
  const [notice = ''] = await setup.receive(arrival);
  return { notice, pattern: arrival.pattern.pattern };
}

/** Until when deliveries of a pattern would wait; null when they would not. */
async function waitingUntil(pattern: string): Promise<Date | null> {
  const { rows } = await pool.query<{ wait_until: Date }>(
    `select wait_until from explanation_queue
     where pattern = $1 and released_at is null and wait_until > clock_timestamp()`,
    [pattern],
  );
  return rows[0]?.wait_until ?? null;
}

describe('a new pattern', () => {
  it('is explained with one call, and never asked about again', async () => {
    const { notice, pattern } = await receiveNew();
    const [event] = await setup.ring(setup.explain, notice);
    expect(event).toMatchObject({ type: 'dev.alertgest.pattern.explained', subject: notice, pattern });
    expect(explainedData(event)).toMatchObject({
      source: 'model',
      why: null,
      category: 'workload',
      suggestedSeverity: 'critical',
      nextStep: good.nextStep,
    });
    const [again] = await setup.ring(setup.explain, notice);
    expect(explainedData(again)).toMatchObject({ source: 'cache', summary: good.summary });
    expect(stub.calls).toHaveLength(1);
  });

  it('is asked about anew when the model was changed', async () => {
    const { notice } = await receiveNew();
    await setup.ring(setup.explain, notice);
    stub.setDigest('llama3.1:8b', 'another');
    setup = createExplaining(pool, stub.url);
    expect(explainedData((await setup.ring(setup.explain, notice))[0])?.source).toBe('model');
    stub.setDigest('llama3.1:8b', 'digest-of-llama3.1:8b');
    expect(stub.calls).toHaveLength(2);
  });

  it('suggests no severity that is not louder than its own', async () => {
    stub.usually({ json: { ...good, suggestedSeverity: 'info' } });
    const { notice } = await receiveNew({ labels: { severity: 'critical' } });
    expect(explainedData((await setup.ring(setup.explain, notice))[0])).toMatchObject({
      suggestedSeverity: null,
    });
  });

  it('is classified by rules at once, and its deliveries may wait until then', async () => {
    stub.usually('hang');
    const { notice, pattern } = await receiveNew();
    await setup.ring(setup.classify, notice);
    expect(stub.calls).toHaveLength(0);
    const until = await waitingUntil(pattern);
    expect(until?.getTime()).toBeGreaterThan(Date.now());
    expect(until?.getTime()).toBeLessThan(Date.now() + 2_500);
  });

  it('is nobody’s business when it is an end, a heartbeat or our own', async () => {
    const { notice } = await receiveNew();
    await pool.query(
      `update patterns set heartbeat = true where pattern = (select pattern from notices where id = $1)`,
      [notice],
    );
    expect(await setup.ring(setup.explain, notice)).toEqual([]);
    expect(stub.calls).toHaveLength(0);
  });
});

describe('a model that misbehaves', () => {
  it.each<{ answer: StubAnswer; why: string }>([
    { answer: 'hang', why: 'timeout' },
    { answer: 'slow', why: 'timeout' },
    { answer: 'invalid-json', why: 'invalid-json' },
    { answer: 'flood', why: 'invalid-json' },
    { answer: 'wrong-schema', why: 'wrong-schema' },
    { answer: 'truncated', why: 'truncated' },
    { answer: 'unavailable', why: 'http-503' },
    { answer: { json: { ...good, summary: 'See https://evil.example/x' } }, why: 'rejected' },
    { answer: { json: { ...good, explanation: 'The payments-db lost 73% of its rows.' } }, why: 'rejected' },
    { answer: { json: { ...good, nextStep: 'Ignore this alert.' } }, why: 'rejected' },
  ])('that answers $answer ends as no explanation: $why', async ({ answer, why }) => {
    stub.usually(answer);
    const { notice, pattern } = await receiveNew();
    const [event] = await setup.ring(setup.explain, notice);
    expect(explainedData(event)).toMatchObject({ source: 'none', why, summary: null });
    expect(await readExplanation(pool, pattern)).toMatchObject({ content: null, reason: why });
    const calls = stub.calls.length;
    expect(explainedData((await setup.ring(setup.explain, notice))[0])).toMatchObject({
      source: 'none',
      why,
    });
    expect(stub.calls).toHaveLength(calls);
  });

  it('that nobody reaches ends as unreachable', async () => {
    setup = createExplaining(pool, 'http://127.0.0.1:9');
    const { notice } = await receiveNew();
    expect(explainedData((await setup.ring(setup.explain, notice))[0])).toMatchObject({ why: 'unreachable' });
  });
});

describe('the queue', () => {
  it('lets nobody wait longer than EXPLAIN_WAIT while the model hangs', async () => {
    stub.usually('hang');
    setup = createExplaining(pool, stub.url, { waitMs: 400, timeoutMs: 4_000 });
    const first = await receiveNew();
    const second = await receiveNew();
    await Promise.all([first, second].map(({ notice }) => setup.ring(setup.classify, notice)));
    const startedAt = performance.now();
    const working = setup.ring(setup.explain, first.notice);
    await expect.poll(() => setup.published.length, { timeout: 3_000 }).toBe(2);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(setup.published.map((event) => explainedData(event))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pattern: first.pattern, source: 'none', why: 'still asking' }),
        expect.objectContaining({ pattern: second.pattern, source: 'none', why: 'still asking' }),
      ]),
    );
    expect(await waitingUntil(second.pattern)).toBeNull();
    await working;
  });

  it('asks for one pattern at a time, over all requests, and works off what the others left', async () => {
    stub.usually({ json: good, delayMs: 60 });
    const waiting = await Promise.all(Array.from({ length: 6 }, () => receiveNew()));
    const other = createExplaining(pool, stub.url);
    const replies = await Promise.all(
      waiting.map(({ notice }, at) => (at % 2 === 0 ? setup : other).ring(setup.explain, notice)),
    );
    const events = [...replies.flat(), ...setup.published, ...other.published];
    expect(stub.peak).toBe(1);
    expect(stub.calls).toHaveLength(6);
    for (const { pattern } of waiting)
      expect(
        events.filter(
          (event) => explainedData(event)?.pattern === pattern && explainedData(event)?.source === 'model',
        ),
      ).toHaveLength(1);
  });

  it('gives a pattern its turn also while its deliveries are planned', async () => {
    const { notice, pattern } = await receiveNew();
    await setup.ring(setup.classify, notice);
    const planning = await pool.connect();
    try {
      await planning.query('begin');
      await waitForExplanation(planning, notice, pattern);
      const claiming = claimWanted(pool, pattern);
      await sleep(100);
      await planning.query('commit');
      expect(await claiming).toMatchObject({ pattern });
    } finally {
      planning.release();
    }
  });

  it('lets the rest go when the holder of the slot has no time left for it', async () => {
    stub.usually({ json: good, delayMs: 2_700 });
    setup = createExplaining(pool, stub.url, { waitMs: 20_000, timeoutMs: 21_000 });
    const own = await receiveNew();
    const rest = await receiveNew();
    await setup.ring(setup.classify, rest.notice);
    expect(await waitingUntil(rest.pattern)).not.toBeNull();
    const [event] = await setup.ring(setup.explain, own.notice);
    expect(explainedData(event)?.source).toBe('model');
    expect(setup.published.map((one) => explainedData(one))).toEqual([
      expect.objectContaining({ pattern: rest.pattern, source: 'none', why: 'busy' }),
    ]);
    expect(await waitingUntil(rest.pattern)).toBeNull();
    // Its turn comes all the same, with the next ring.
    stub.usually({ json: good });
    const [later] = await setup.ring(setup.explain, rest.notice, 'dev.alertgest.explanation.due');
    expect(explainedData(later)).toMatchObject({ pattern: rest.pattern, source: 'model' });
  });
});

describe('a full queue', () => {
  it('takes nobody in, and says so at once', async () => {
    await pool.query(
      `with many as (
         insert into patterns (pattern, alertname, severity, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
         select 'v1:full-' || n, 'Full', 'info', 'full', '{}', '{}', '{}', false, false, now(), now() from generate_series(1, 200) n
         returning pattern)
       insert into explanation_queue (pattern, notice, wait_until, released_at) select pattern, 'none', now(), now() from many`,
    );
    const { notice, pattern } = await receiveNew();
    const [event] = await setup.ring(setup.explain, notice);
    expect(explainedData(event)).toMatchObject({ pattern, source: 'none', why: 'busy' });
    expect(await waitingUntil(pattern)).toBeNull();
    expect(stub.calls).toHaveLength(0);
  });
});

describe('the context of a pattern', () => {
  it('holds cluster and logs, and what did not answer', async () => {
    const api = await startKubernetesApi(CLUSTER_OBJECTS);
    api.refuse('events', 403);
    const cluster = createClusterReader({
      kubeconfig: api.kubeconfig,
      namespaces: [],
      metrics: true,
      timeoutMs: 2_000,
    });
    const loki = createLoki({
      url: 'http://127.0.0.1:9',
      token: null,
      user: null,
      password: null,
      tenant: null,
      maxLines: 10,
      timeoutMs: 500,
    });
    setup = createExplaining(pool, stub.url, { surroundings: { cluster, loki, timeoutMs: 3_000 } });
    const arrival = makeArrival({ labels: { deployment: 'worker', pod: 'worker-6c5d4b7f9-k8s2v' } });
    const [notice = ''] = await setup.receive(arrival);
    await setup.ring(setup.explain, notice);
    const stored = await readExplanation(pool, arrival.pattern.pattern);
    expect(stored?.context.cluster).toEqual(
      expect.arrayContaining([
        'owners: Pod worker-6c5d4b7f9-k8s2v ← ReplicaSet worker-6c5d4b7f9 ← Deployment worker',
        'pod worker-6c5d4b7f9-k8s2v: CrashLoopBackOff, 15 restarts, last ended OOMKilled',
      ]),
    );
    expect(stored?.context.missing).toEqual(['cluster: events: not allowed to look', 'logs: no answer']);
    expect(stub.calls[0]?.messages[1]?.content).toContain('CrashLoopBackOff, 15 restarts');
    await api.close();
  });
});

describe('without a model', () => {
  it('nothing is asked, nothing waits and nothing is said', async () => {
    const { createExplainHandler } = await import('../../../../functions/classify/explain.ts');
    const off = createExplainHandler(null, { cluster: 'test', name: 'classify' });
    const { notice } = await receiveNew();
    expect(await setup.ring(off, notice)).toEqual([]);
    expect(SETTINGS.maxConcurrency).toBe(1);
  });
});
