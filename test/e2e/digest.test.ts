/** The whole machine through a night: alerts, the tick, the digest on the phone; and what the night held back. */
import { afterEach, describe, expect, it } from 'vitest';
import { makeFiring, resolved, startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';

const EVENING = new Date('2026-02-02T22:00:00Z');
const MORNING = new Date('2026-02-03T08:06:00Z');

let machine: TestMachine;
afterEach(() => machine.stop());

/** Moves the clock of the rules by an alert that comes at that time and is over at once. */
async function moveClock(to: Date): Promise<void> {
  const past = makeFiring({ severity: 'info' }, { startsAt: new Date(to.getTime() - 1_000).toISOString() });
  await machine.post([resolved(past, to)], { at: to });
}

/** What became of the beginnings; what alertgest says of itself aside. */
async function openings(): Promise<string[]> {
  const notices = await machine.notices();
  return notices
    .filter(({ kind, alertname }) => kind === 'opened' && alertname.startsWith('Test'))
    .map(({ status }) => status)
    .toSorted();
}

async function digests(): Promise<unknown> {
  return machine.query('select status, kind from digests order by id');
}

describe('a night on the whole machine', () => {
  it('is told in the morning by the tick, once, beside the pushes of the night', async () => {
    machine = await startTestMachine();
    await machine.post([makeFiring({ severity: 'critical' }, { startsAt: EVENING.toISOString() })], {
      at: EVENING,
    });
    await machine.settle();
    machine.sink.assertOnly(1);
    await moveClock(MORNING);
    await machine.machine.broker.tick('digest');
    await machine.machine.broker.tick('digest');
    await machine.sweep();
    await machine.machine.broker.idle();
    machine.sink.assertOnly(2);
    expect(machine.sink.pushes[1]).toMatchObject({
      title: expect.stringMatching(/^🔴 1 critical alert still firing: /),
      text: expect.stringContaining('Mon 2 Feb 18:00 → Tue 3 Feb 08:00 (Europe/London)'),
    });
    expect(await digests()).toEqual([{ status: 'sent', kind: 'windows' }]);
    expect(await machine.get('/api/v1/audit')).toMatchObject({ clean: true });
    expect(machine.machine.broker.stats.violations).toEqual([]);
    expect(machine.crashes).toEqual([]);
  });

  it('that lost its tick is told by the sweep', async () => {
    machine = await startTestMachine();
    await machine.post([makeFiring({}, { startsAt: EVENING.toISOString() })], { at: EVENING });
    await machine.settle();
    await moveClock(MORNING);
    await machine.sweep();
    await machine.machine.broker.idle();
    expect(await digests()).toEqual([{ status: 'sent', kind: 'windows' }]);
    machine.sink.assertOnly(2);
  });

  it('that pushes only what is critical holds the rest for the digest', async () => {
    machine = await startTestMachine({ env: { NIGHT_PUSH_SEVERITY: 'critical' } });
    const quiet = makeFiring({}, { startsAt: EVENING.toISOString() });
    await machine.post([quiet, makeFiring({ severity: 'critical' }, { startsAt: EVENING.toISOString() })], {
      at: EVENING,
    });
    await machine.settle();
    machine.sink.assertOnly(1);
    expect((await machine.notices()).map(({ status }) => status).toSorted()).toEqual(['held', 'notified']);
    await moveClock(MORNING);
    await machine.sweep();
    await machine.machine.broker.idle();
    machine.sink.assertOnly(2);
    expect(machine.sink.pushes[1]?.text).toContain(`🟠 ${quiet.labels['alertname'] ?? ''}`);
    expect(await openings()).toEqual(['digested', 'notified']);
    expect(await machine.get('/api/v1/audit')).toMatchObject({ clean: true });
  });

  it('whose digest no channel takes is told by itself', async () => {
    machine = await startTestMachine({ env: { NIGHT_PUSH_SEVERITY: 'critical' } });
    await machine.post([makeFiring({}, { startsAt: EVENING.toISOString() })], { at: EVENING });
    await machine.settle();
    machine.sink.assertOnly(0);
    machine.sink.script({ status: 400, body: { code: 40_000, http: 400 } });
    await moveClock(MORNING);
    await machine.sweep();
    await machine.machine.broker.idle();
    expect(await digests()).toEqual([{ status: 'dead', kind: 'windows' }]);
    machine.sink.assertOnly(0);
    await machine.sweep();
    await machine.settle();
    const titles = machine.sink.pushes.map(({ title }) => title);
    expect(titles.filter((title) => title.includes('held for a digest that nobody was sent'))).toHaveLength(
      1,
    );
    expect(await openings()).toEqual(['digested']);
  });
});
