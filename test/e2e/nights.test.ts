import { afterEach, describe, expect, test } from 'vitest';

import { whyNoCorpora } from '../support/corpora.ts';
import { startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';
import {
  expectedPushes,
  groupByPattern,
  groupsOf,
  readNightFiles,
  replayNight,
  sweepUntilDone,
} from '../support/night.ts';
import type { Night, Truth } from '../support/night.ts';
import { readNight } from '../support/oracle.ts';
import type { OracleIncident } from '../support/oracle.ts';

/** Counts by severity or type, as /api/v1/stats answers them. */
type Counts = Readonly<Record<string, { episodes: number; firing: number; resolved: number }>>;
interface Stats {
  readonly episodes: number;
  readonly firing: number;
  readonly resolved: number;
  readonly patterns: number;
  readonly bySeverity: Counts;
  readonly byType: Counts;
  readonly byTypeAndSeverity: ReadonlyArray<{ type: string; severity: string; episodes: number }>;
}

const skipped = whyNoCorpora('nights');
/** Pushes over the patterns that are at least warnings. */
const MOST_PUSHES = 1.2;

describe.skipIf(skipped !== null)('nights', () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('a quiet night', { timeout: 120_000 }, async () => {
    machine = await start();
    await expectNight(readNightFiles('quiet'), { sweeps: true });
    expect(machine.crashes).toEqual([]);
  });

  test('a busy night, and again as if every webhook was sent twice', { timeout: 400_000 }, async () => {
    machine = await start();
    const night = readNightFiles('busy');
    await expectNight(night, { sweeps: true });
    // The goal of issues that return all night: hardly more pushes than there are patterns worth one.
    const worthOne = [...groupsOf(night)].filter((group) => /\/(critical|warning)\//.test(group));
    expect(machine.sink.pushes.length).toBeLessThanOrEqual(MOST_PUSHES * worthOne.length);
    const before = await everyNumber(night.truth);
    await replayNight(machine, night.lines, { sweeps: false, say: sayFor('again') });
    expect(await everyNumber(night.truth)).toEqual(before);
    expect(machine.crashes).toEqual([]);
  });

  test('a storm', { timeout: 900_000 }, async () => {
    machine = await start();
    await expectNight(readNightFiles('storm'), { sweeps: false });
    expect(machine.crashes).toEqual([]);
  });

  function start(): Promise<TestMachine> {
    return startTestMachine({ env: { APP_LOG_LEVEL: 'warn' } });
  }

  async function expectNight(night: Night, options: { sweeps: boolean }): Promise<void> {
    const say = sayFor(String(night.truth.episodes));
    const ticks = await replayNight(machine, night.lines, { ...options, say });
    ticks.push(...(await sweepUntilDone(machine)));
    sayMemory(say);
    expect(readNight(night.lines, night.groupOf).episodes).toBe(night.truth.episodes);
    expectCounts(await stats(night.truth), night);
    await expectGroups(night);
    await expectFinal();
    await expectPushes(night, ticks);
    expect(machine.machine.broker.stats.violations).toEqual([]);
  }

  async function expectGroups(night: Night): Promise<void> {
    const groups = await groupByPattern(machine, night);
    expect(new Set(groups.values())).toEqual(groupsOf(night));
    const { total } = await machine.get<{ total: number }>('/api/v1/issues');
    // The heartbeat is a pattern, and no issue.
    const heartbeats = [...groups.values()].filter((group) => group.startsWith('Watchdog')).length;
    expect(total).toBe(groups.size - heartbeats);
  }

  /** Every notice has an end, or waits in a batch that is still open. */
  async function expectFinal(): Promise<void> {
    const moving = await machine.query(
      `select n.id, n.status from notices n left join batches b on b.id = n.batch
       where n.status not in ('suppressed', 'notified', 'digested')
         and not (n.status = 'held' and b.closed_at is null)`,
    );
    expect(moving).toEqual([]);
    expect(await machine.get('/api/v1/audit')).toMatchObject({ clean: true });
  }

  async function expectPushes(night: Night, ticks: readonly number[]): Promise<void> {
    const { pushes, idOf } = await expectedPushes(machine, night, ticks);
    const sent = await machine.query<{
      provider_id: string;
      incident: string;
      kind: string;
      why: string;
      batch_kind: string | null;
      batch_key: string | null;
      held: number;
    }>(
      `select d.provider_id, n.incident, n.kind, n.why, b.kind as batch_kind, b.key as batch_key,
         (select count(*)::int from notices h where h.batch = n.batch and h.kind = 'opened') as held
       from deliveries d join notices n on n.id = d.notice left join batches b on b.id = n.batch
       where d.status = 'sent' and n.status = 'notified'`,
    );
    // The phone has each message once, under its incident's key.
    expect(machine.sink.pushes).toHaveLength(sent.length);
    const keys = new Map(machine.sink.pushes.map((push, index) => [`sink${index + 1}`, push.key]));
    for (const { provider_id, incident } of sent) expect(keys.get(provider_id)).toBe(incident);

    const idsOf = (incidents: readonly OracleIncident[]): string[] =>
      incidents.map((incident) => idOf.get(incident) ?? '').toSorted();
    const openedIds = sent.filter(({ kind }) => kind === 'opened').map(({ incident }) => incident);
    expect(openedIds.toSorted()).toEqual(idsOf(pushes.opened));
    const due = sent.filter(({ kind }) => kind === 'due');
    expect(sent).toHaveLength(openedIds.length + due.length);
    expect(
      due
        .filter(({ batch_kind }) => batch_kind === null)
        .map(({ incident }) => incident)
        .toSorted(),
    ).toEqual(idsOf(pushes.reminders));
    const groups = await groupByPattern(machine, night);
    const told = (kind: string): string[] =>
      due
        .filter(({ batch_kind }) => batch_kind === kind)
        .map(({ batch_key, held }) => `${groups.get(batch_key ?? '') ?? batch_key ?? ''}: ${held}`)
        .toSorted();
    expect(told('storm')).toEqual(pushes.storms.map(({ key, held }) => `${key}: ${held}`).toSorted());
    expect(told('flap')).toEqual(pushes.flaps.map(({ key, held }) => `${key}: ${held}`).toSorted());
  }

  function stats({ window_start, window_end }: Truth): Promise<Stats> {
    return machine.get<Stats>(`/api/v1/stats?from=${window_start}&to=${window_end}`);
  }

  /** Whatever a second copy of the same webhooks must not change. */
  async function everyNumber(truth: Truth): Promise<unknown> {
    const [rows] = await machine.query(
      `select (select count(*)::int from episodes) as episodes, (select count(*)::int from incidents) as incidents,
         (select count(*)::int from incidents where closed_at is null) as open,
         (select sum(episodes)::int from incidents) as joined, (select count(*)::int from notices) as notices,
         (select count(*)::int from deliveries) as deliveries`,
    );
    return { ...rows, stats: await stats(truth), pushes: machine.sink.pushes.length };
  }

  function sayMemory(say: (line: string) => void): void {
    const names = ['receive', 'classify', 'suppress-check', 'notify'];
    const memory = names.map(
      (name) => `${name} ${((machine.functions.rss(name) ?? 0) / 2 ** 20).toFixed(0)}`,
    );
    say(`resident memory in MB: ${memory.join(', ')}; ${machine.sink.pushes.length} pushes`);
  }
});

function expectCounts(stats: Stats, night: Night): void {
  const { truth } = night;
  expect(stats).toMatchObject({
    episodes: truth.episodes,
    firing: truth.firing_at_end,
    resolved: truth.resolved,
    patterns: groupsOf(night).size,
  });
  const countsOf = (counts: Counts, field: 'episodes' | 'firing'): Record<string, number> =>
    Object.fromEntries(
      Object.entries(counts)
        .map(([name, count]) => [name, count[field]] as const)
        .filter(([, count]) => count > 0),
    );
  expect(countsOf(stats.bySeverity, 'episodes')).toEqual(truth.by_severity);
  expect(countsOf(stats.bySeverity, 'firing')).toEqual(truth.firing_by_severity);
  expect(countsOf(stats.byType, 'episodes')).toEqual(truth.by_type);
  const byBoth = Map.groupBy(stats.byTypeAndSeverity, ({ type }) => type);
  expect(
    Object.fromEntries(
      [...byBoth].map(([type, rows]) => [
        type,
        Object.fromEntries(rows.map(({ severity, episodes }) => [severity, episodes])),
      ]),
    ),
  ).toEqual(truth.by_type_and_severity);
}

function sayFor(name: string): (line: string) => void {
  return (line) => void process.stderr.write(`${name}: ${line}\n`);
}
