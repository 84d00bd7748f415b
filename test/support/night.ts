/** Replays a night through the whole machine, in order, and gathers what came of it. */
import { readCorpusJson, readCorpusLines } from './corpora.ts';
import type { TestMachine } from './machine.ts';
import { readNight, toPushes } from './oracle.ts';
import type { NightLine, OracleIncident, OraclePushes } from './oracle.ts';

/** How much replayed time lies between two sweeps. */
const SWEEP_EVERY_MS = 5 * 60_000;
/** Sweeps after the night until nothing is left to do. */
const LAST_SWEEPS = 10;

/**
 * Where the truth files group by something that DESIGN §3 tells apart: both uplinks of one switch are one pattern there,
 * and an interface is a resource here. The label named tells them apart.
 */
const FINER_HERE: Readonly<Record<string, string>> = { 'SNMPInterfaceDown/critical/tor-rack-b': 'ifName' };

export interface Truth {
  readonly window_start: string;
  readonly window_end: string;
  readonly episodes: number;
  readonly resolved: number;
  readonly firing_at_end: number;
  readonly patterns: number;
  readonly by_severity: Readonly<Record<string, number>>;
  readonly by_type: Readonly<Record<string, number>>;
  readonly by_type_and_severity: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly firing_by_severity: Readonly<Record<string, number>>;
}

export interface Night {
  readonly lines: readonly NightLine[];
  readonly truth: Truth;
  readonly groupOf: (alert: NightLine['body']['alerts'][number]) => string;
}

/** A night of the corpora with its truth. */
export function readNightFiles(name: 'quiet' | 'busy' | 'storm'): Night {
  const patternOf = readCorpusJson<Record<string, string>>('nights', `${name}.pattern_of.json`);
  return {
    lines: readCorpusLines<NightLine>('nights', name === 'storm' ? 'storm.jsonl.gz' : `${name}.jsonl`),
    truth: readCorpusJson<Truth>('nights', `${name}.truth.json`),
    groupOf: ({ fingerprint, labels }) => {
      const group = patternOf[fingerprint] ?? '';
      const finer = FINER_HERE[group];
      return finer === undefined ? group : `${group}/${labels[finer] ?? ''}`;
    },
  };
}

/** How many groups the truth's patterns are, counted as DESIGN §3 does. */
export function groupsOf({ lines, groupOf }: Night): Set<string> {
  return new Set(lines.flatMap(({ body }) => body.alerts.map(groupOf)));
}

/** Posts a night; answers the moments of its sweeps on the clock of the rules. */
export async function replayNight(
  machine: TestMachine,
  lines: readonly NightLine[],
  options: { sweeps: boolean; say: (line: string) => void },
): Promise<number[]> {
  const ticks: number[] = [];
  const startedAt = performance.now();
  let sweptAt = Date.parse(lines[0]?.at ?? '');
  for (const [index, { at, body }] of lines.entries()) {
    const status = await machine.postBody(JSON.stringify(body), at);
    if (status !== 200) throw new Error(`webhook ${index} was answered ${status}`);
    if (options.sweeps && Date.parse(at) - sweptAt >= SWEEP_EVERY_MS) {
      await machine.machine.broker.idle();
      ticks.push(await sweepNow(machine));
      sweptAt = Date.parse(at);
    }
    if ((index + 1) % 100 === 0)
      options.say(`${index + 1} of ${lines.length} webhooks, ${secondsSince(startedAt)} s`);
  }
  await machine.settle(400_000);
  options.say(`all is decided and told, ${secondsSince(startedAt)} s`);
  return ticks;
}

/** Sweeps until a sweep brings no news; answers the moments. */
export async function sweepUntilDone(machine: TestMachine): Promise<number[]> {
  const ticks: number[] = [];
  let before = -1;
  for (let i = 0; i < LAST_SWEEPS; i++) {
    const { length } = await machine.notices();
    if (length === before) break;
    before = length;
    ticks.push(await sweepNow(machine));
    await machine.settle(60_000);
  }
  return ticks;
}

async function sweepNow(machine: TestMachine): Promise<number> {
  const [clock] = await machine.query<{ now: Date }>('select alert_now() as now');
  await machine.sweep();
  await machine.machine.broker.idle();
  return clock?.now.getTime() ?? 0;
}

/** Matches the oracle's incidents to those stored, one to one, and answers what has to be pushed. */
export async function expectedPushes(
  machine: TestMachine,
  night: Night,
  ticks: readonly number[],
): Promise<{ incidents: OracleIncident[]; idOf: Map<OracleIncident, string>; pushes: OraclePushes }> {
  const { incidents } = readNight(night.lines, night.groupOf);
  const groups = await groupByPattern(machine, night);
  const rows = await machine.query<{ id: string; pattern: string; opened_at: Date; closed_at: Date | null }>(
    'select id, pattern, opened_at, closed_at from incidents',
  );
  const stored = new Map(
    rows.map((row) => [
      `${groups.get(row.pattern) ?? '?'} ${row.opened_at.getTime()} ${row.closed_at?.getTime() ?? 'open'}`,
      row.id,
    ]),
  );
  const idOf = new Map<OracleIncident, string>();
  for (const incident of incidents) {
    const id = stored.get(`${incident.group} ${incident.openedAt} ${incident.closedAt ?? 'open'}`);
    if (id === undefined) throw new Error(`the night's incident is not stored: ${JSON.stringify(incident)}`);
    idOf.set(incident, id);
  }
  if (rows.length !== incidents.length || new Set(idOf.values()).size !== rows.length)
    throw new Error(`${rows.length} incidents are stored, the night has ${incidents.length}`);
  return { incidents, idOf, pushes: toPushes(incidents, idOf, ticks) };
}

/** Pattern → the truth's group; throws unless they correspond one to one. */
export async function groupByPattern(machine: TestMachine, night: Night): Promise<Map<string, string>> {
  const groupOfLabels = new Map(
    night.lines.flatMap(({ body }) =>
      body.alerts.map((alert) => [sorted(alert.labels), night.groupOf(alert)] as const),
    ),
  );
  const rows = await machine.query<{ pattern: string; labels: Record<string, string> }>(
    'select distinct pattern, labels from episodes where not own',
  );
  const groups = new Map<string, string>();
  for (const { pattern, labels } of rows) {
    const group = groupOfLabels.get(sorted(labels)) ?? '?';
    const known = groups.get(pattern);
    if (known !== undefined && known !== group) throw new Error(`one pattern for ${known} and ${group}`);
    groups.set(pattern, group);
  }
  if (new Set(groups.values()).size !== groups.size) throw new Error('two patterns for one group');
  return groups;
}

function sorted(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(1);
}
