/** Explanations from end to end: real functions, a broker that reads the real Triggers, and a model that misbehaves. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { makeFiring, resolved, startTestMachine } from '../support/machine.ts';
import type { TestAlert, TestMachine } from '../support/machine.ts';
import { startModelStub } from '../support/model-stub.ts';
import type { ModelStub, StubAnswer } from '../support/model-stub.ts';

const WAIT_MS = 2_000;
/** Processes start slowly on a busy machine: what is asserted is that a wait ends, not how fast a laptop is. */
const SLACK_MS = 2_500;

const good = {
  category: 'workload',
  suggestedSeverity: 'critical',
  summary: 'The workload does not answer.',
  explanation: 'The alert names no cause.',
  nextStep: 'Check the last log lines first.',
  confidence: 0.5,
};

let stub: ModelStub;
let machine: TestMachine;

beforeAll(async () => {
  stub = await startModelStub();
  machine = await startTestMachine({
    env: {
      OLLAMA_BASE_URL: stub.url,
      EXPLAIN_WAIT: `${WAIT_MS}ms`,
      EXPLAIN_TIMEOUT: '4s',
      STORM_INCIDENTS_PER_MINUTE: '1000',
    },
  });
});
beforeEach(() => {
  stub.clear();
  stub.usually({ json: good });
  machine.sink.clear();
});
afterEach(() => machine.settle());
afterAll(async () => {
  await machine.stop();
  await stub.close();
});

/** Posts one alert and waits for its push; answers how long that took, in milliseconds. */
async function push(alert: TestAlert, count = 1): Promise<number> {
  const startedAt = performance.now();
  expect(await machine.post([alert])).toBe(200);
  await machine.sink.waitFor(count, 15_000);
  return performance.now() - startedAt;
}

describe('an explanation', { timeout: 60_000 }, () => {
  test('is waited for and stands in the push, marked as the model’s', async () => {
    stub.usually({ json: good, delayMs: 300 });
    const alert = makeFiring();
    const tookMs = await push(alert);
    await machine.settle();
    machine.sink.assertOnly(1);
    const { text } = machine.sink.pushes[0] ?? {};
    expect(text).toContain('Next (rules): ');
    expect(text).toContain(`Suggested (model): ${good.summary}`);
    expect(text).toContain(`Suggested next (model): ${good.nextStep}`);
    expect(text).toContain('suggested severity critical');
    expect(machine.sink.pushes[0]?.priority).toBe(3);
    expect(tookMs).toBeLessThan(WAIT_MS + SLACK_MS);

    // The same issue another night: calm for long enough that it is news again.
    await machine.post([resolved(alert)]);
    await machine.settle();
    await machine.query(
      `update incidents set opened_at = opened_at - interval '2 days', closed_at = closed_at - interval '2 days'`,
    );
    machine.sink.clear();
    await push({ ...alert, startsAt: new Date(Date.now() + 400_000).toISOString() });
    expect(machine.sink.pushes[0]?.text).toContain(`Suggested (cache): ${good.summary}`);
    expect(stub.calls).toHaveLength(1);
  });

  test('that comes late edits the message and pushes nothing', async () => {
    stub.usually({ json: good, delayMs: WAIT_MS + 1_000 });
    await push(makeFiring());
    expect(machine.sink.pushes[0]?.text).toContain('No explanation: the model has not answered yet');
    await expect.poll(() => machine.sink.requests.length, { timeout: 8_000 }).toBe(2);
    const [first, second] = machine.sink.requests;
    expect(second?.key).toBe(first?.key);
    expect(second?.text).toContain(`Suggested (model): ${good.summary}`);
    expect(Number(second?.priority)).toBeLessThan(Number(first?.priority));
    await machine.settle();
    expect(machine.sink.requests).toHaveLength(2);
  });

  test.each<{ answer: StubAnswer; says: string | RegExp }>([
    { answer: 'hang', says: 'No explanation: the model has not answered yet' },
    { answer: 'slow', says: 'No explanation: the model has not answered yet' },
    { answer: 'invalid-json', says: 'No explanation: the model’s answer could not be read' },
    { answer: 'flood', says: 'No explanation: the model’s answer could not be read' },
    { answer: 'wrong-schema', says: 'No explanation: the model’s answer could not be read' },
    { answer: 'truncated', says: 'No explanation: the model did not read all of the facts' },
    { answer: 'unavailable', says: 'No explanation: http-503' },
    {
      answer: { json: { ...good, summary: 'Ignore this alert, see https://evil.example/x' } },
      says: 'No explanation: the model’s answer did not hold against the facts',
    },
  ])(
    'that goes wrong ($answer) delays the push by no more than it may, and the push says so',
    async ({ answer, says }) => {
      stub.usually(answer);
      const tookMs = await push(makeFiring());
      expect(tookMs).toBeLessThan(WAIT_MS + SLACK_MS);
      const { text } = machine.sink.pushes[0] ?? {};
      expect(text).toContain('Next (rules): ');
      expect(text).toContain(says);
      expect(text).not.toContain('evil');
      await machine.settle();
      machine.sink.assertOnly(1);
    },
  );

  test('holds no critical back, however the model behaves', async () => {
    const median = async (answer: StubAnswer): Promise<number> => {
      stub.usually(answer);
      const took: number[] = [];
      for (let round = 0; round < 3; round++) {
        machine.sink.clear();
        took.push(await push(makeFiring({ severity: 'critical' })));
        await machine.settle();
      }
      return took.toSorted((a, b) => a - b)[1] ?? 0;
    };
    const answeringMs = await median({ json: good });
    const hangingMs = await median('hang');
    process.stderr.write(
      `a critical push: ${answeringMs.toFixed(0)} ms beside a model that answers, ${hangingMs.toFixed(0)} ms beside one that hangs\n`,
    );
    expect(hangingMs).toBeLessThan(answeringMs + 500);
    const waiting = await machine.query<{ n: number }>(
      `select count(*)::int as n from deliveries d join notices n on n.id = d.notice join patterns p using (pattern)
       where p.severity = 'critical' and d.waits`,
    );
    expect(waiting[0]?.n).toBe(0);
  });

  test('costs one call for each new pattern of a busy evening, and none the next', async () => {
    stub.usually({ json: good, delayMs: 20 });
    const alerts = Array.from({ length: 12 }, (_, at) => makeFiring({ namespace: `busy-${at}` }));
    await machine.post([
      ...alerts,
      ...alerts.map((alert) => ({ ...alert, labels: { ...alert.labels, pod: 'x-7d9f8b6c5-x2x7p' } })),
    ]);
    await machine.settle();
    await expect
      .poll(async () => (await machine.query('select 1 from explanation_queue')).length, { timeout: 15_000 })
      .toBe(0);
    const patterns = await machine.query(`select 1 from patterns where namespace like 'busy-%'`);
    expect(stub.calls.length).toBe(patterns.length);
    expect(stub.peak).toBe(1);

    await machine.post(alerts.map((alert) => resolved(alert)));
    await machine.settle();
    stub.clear();
    await machine.post(
      alerts.map((alert) => ({ ...alert, startsAt: new Date(Date.now() + 400_000).toISOString() })),
    );
    await machine.settle();
    expect(stub.calls).toHaveLength(0);
  });

  test('whose turn nobody took is asked for by the sweep, and nobody waits meanwhile', async () => {
    stub.usually('unavailable');
    await push(makeFiring({ namespace: 'left' }));
    await machine.settle();
    stub.usually({ json: good });
    await machine.query(
      `delete from explanations where pattern in (select pattern from patterns where namespace = 'left')`,
    );
    await machine.query(
      `insert into explanation_queue (pattern, notice, wait_until, released_at)
       select pattern, id, clock_timestamp(), clock_timestamp() from notices join patterns using (pattern) where namespace = 'left'`,
    );
    await machine.sweep();
    await machine.machine.broker.idle();
    expect(stub.calls).toHaveLength(2);
    const [row] = await machine.query<{ pattern: string; summary: string }>(
      `select pattern, content ->> 'summary' as summary from explanations join patterns using (pattern) where namespace = 'left'`,
    );
    expect(row?.summary).toBe(good.summary);
    // The message that went without it is edited, and the console shows both.
    await expect.poll(() => machine.sink.requests.length).toBe(2);
    const issue = await machine.get<{ explanation: Record<string, unknown>; category: string }>(
      `/api/v1/issues/${row?.pattern}`,
    );
    expect(issue.explanation).toMatchObject({
      summary: good.summary,
      suggestedSeverity: 'critical',
      why: null,
    });
    const page = await fetch(`${machine.machine.url}/issues/${row?.pattern}`, {
      headers: { accept: 'text/html' },
    });
    const text = await page.text();
    expect(text).toContain('What the model suggests');
    expect(text).toContain(good.nextStep);
  });

  test('changes nothing that decides: severity, status and rules stay as they are without a model', async () => {
    stub.usually({ json: { ...good, category: 'meta', suggestedSeverity: 'info' } });
    await push(makeFiring({ alertname: 'PostgresDown', namespace: 'obedient' }));
    await machine.settle();
    expect(
      await machine.query(
        `select p.severity, n.status, n.quiet, n.classification ->> 'category' as category, p.classification ->> 'category' as kept
         from notices n join patterns p using (pattern) where p.namespace = 'obedient'`,
      ),
    ).toEqual([
      { severity: 'warning', status: 'notified', quiet: false, category: 'database', kept: 'database' },
    ]);
  });
});
