/**
 * What a night has to come to, computed from its file alone and without any code under test: episodes and incidents by
 * DESIGN §4, and from them every push by the limits' defaults. Written straight, one alert after the other.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** What was calm for this long and comes back is news; before, it is the same story. */
const CALM = 4 * HOUR;
/** Three openings within this are flapping. */
const FLAP_WINDOW = 30 * MINUTE;
/** An open life whose alert begins this much later is another life: the resolve was lost. */
const NEW_LIFE_AFTER = 2 * MINUTE;
/** A firing copy that comes this soon after the resolve was merely late. */
const LATE_COPY_WITHIN = 5 * MINUTE;
/** An alert unseen for twice the repeat interval is stale. */
const STALE_AFTER = 8 * HOUR;
/** Severities that are pushed at all. */
const LOUD = ['critical', 'warning', 'unknown'];
const HEARTBEATS = ['Watchdog'];

export interface NightLine {
  readonly at: string;
  readonly body: { readonly alerts: readonly NightAlert[] };
}

interface NightAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly fingerprint: string;
}

export interface OracleIncident {
  readonly group: string;
  readonly alertname: string;
  readonly severity: string;
  readonly openedAt: number;
  closedAt: number | null;
  /** Its alert began anew without an end: nobody knows whether it was ever over. */
  readonly afterLost: boolean;
}

/** Everything that is pushed. */
export interface OraclePushes {
  readonly opened: readonly OracleIncident[];
  /** Criticals still open four hours later. */
  readonly reminders: readonly OracleIncident[];
  /** Summaries of a storm by alertname and severity, and what each held. */
  readonly storms: ReadonlyArray<{ readonly key: string; readonly held: number }>;
  /** Messages that a flapping pattern is calm or still firing, and what each held. */
  readonly flaps: ReadonlyArray<{ readonly key: string; readonly held: number }>;
}

interface Life {
  readonly group: string;
  start: number;
  end: number | null;
  endKnownAt: number;
  lastSeen: number;
  /** The end of the life before. */
  readonly previousEnd: number;
}

/** The incidents of a night in the order in which they opened, and how many episodes it had. */
export function readNight(
  lines: readonly NightLine[],
  groupOf: (alert: NightAlert) => string,
): { incidents: OracleIncident[]; episodes: number } {
  const lives = new Map<string, Life>();
  const open = new Map<string, { incident: OracleIncident; count: number }>();
  const incidents: OracleIncident[] = [];
  let episodes = 0;

  const begin = (alert: NightAlert, at: number, afterLost = false): void => {
    const group = groupOf(alert);
    const running = open.get(group);
    if (running !== undefined) {
      running.count++;
      return;
    }
    const { alertname = '', severity = 'unknown' } = alert.labels;
    const incident: OracleIncident = { group, alertname, severity, openedAt: at, closedAt: null, afterLost };
    incidents.push(incident);
    open.set(group, { incident, count: 1 });
  };
  const finish = (life: Life, end: number, at: number): void => {
    life.end = end;
    life.endKnownAt = at;
    const running = open.get(life.group);
    if (running === undefined || --running.count > 0) return;
    running.incident.closedAt = at;
    open.delete(life.group);
  };
  const store = (alert: NightAlert, at: number, end: number | null, afterLost = false): void => {
    episodes++;
    lives.set(alert.fingerprint, {
      group: groupOf(alert),
      start: Date.parse(alert.startsAt),
      end,
      endKnownAt: at,
      lastSeen: at,
      previousEnd: lives.get(alert.fingerprint)?.end ?? -Infinity,
    });
    if (end === null) begin(alert, at, afterLost);
  };

  const fire = (alert: NightAlert, at: number): void => {
    const life = lives.get(alert.fingerprint);
    const start = Date.parse(alert.startsAt);
    if (life === undefined) return store(alert, at, null);
    if (life.end === null) {
      if (start <= life.previousEnd) return;
      if (start > life.start + NEW_LIFE_AFTER) {
        finish(life, start, at);
        return store(alert, at, null, true);
      }
      life.start = Math.min(life.start, start);
      life.lastSeen = Math.max(life.lastSeen, at);
      return;
    }
    if (start > life.end) return store(alert, at, null);
    if (at - life.endKnownAt <= LATE_COPY_WITHIN) return;
    life.end = null;
    life.lastSeen = at;
    begin(alert, at);
  };
  const resolve = (alert: NightAlert, at: number): void => {
    const life = lives.get(alert.fingerprint);
    const start = Date.parse(alert.startsAt);
    const end = Date.parse(alert.endsAt);
    if (life === undefined) return store(alert, at, end);
    if (life.end !== null) {
      if (start > life.end) store(alert, at, end);
      return;
    }
    if (start > life.start + NEW_LIFE_AFTER) {
      finish(life, start, at);
      store(alert, at, end);
    } else if (end >= life.start) finish(life, end, at);
  };

  for (const { at, body } of lines) {
    const time = Date.parse(at);
    for (const life of lives.values()) {
      if (life.end === null && life.lastSeen < time - STALE_AFTER)
        throw new Error(
          `the night has a stale alert in ${life.group}; the oracle does not model the sweep's moment`,
        );
    }
    for (const alert of body.alerts) {
      if (alert.status === 'firing') fire(alert, time);
      else resolve(alert, time);
    }
  }
  return { incidents, episodes };
}

/** The pushes of a night. `ids` breaks ties of incidents that opened in the same webhook; `ticks` are the sweeps. */
export function toPushes(
  incidents: readonly OracleIncident[],
  ids: ReadonlyMap<OracleIncident, string>,
  ticks: readonly number[],
): OraclePushes {
  const order = incidents
    .filter((incident) => !HEARTBEATS.includes(incident.alertname))
    .toSorted((a, b) => a.openedAt - b.openedAt || ((ids.get(a) ?? '') < (ids.get(b) ?? '') ? -1 : 1));
  const opened: OracleIncident[] = [];
  const waiting = { storm: new Map<string, Batch>(), flap: new Map<string, Batch>() };
  const told = { storm: [] as Batch[], flap: [] as Batch[] };
  const stories = new Map<string, Group>();
  const reminders: OracleIncident[] = [];
  const remindAt = new Map<OracleIncident, number>();

  const sweep = (now: number): void => {
    for (const kind of ['storm', 'flap'] as const) {
      for (const [key, batch] of waiting[kind]) {
        if (batch.dueAt > now) continue;
        waiting[kind].delete(key);
        if (LOUD.includes(batch.severity)) told[kind].push(batch);
      }
    }
    for (const [incident, at] of remindAt) {
      if (at > now) continue;
      remindAt.delete(incident);
      if (incident.closedAt === null || incident.closedAt > now) reminders.push(incident);
    }
  };

  let nextTick = 0;
  for (const [index, incident] of order.entries()) {
    const { openedAt, severity, group } = incident;
    for (; (ticks[nextTick] ?? Infinity) < openedAt; nextTick++) sweep(ticks[nextTick] ?? 0);
    const before = order.slice(0, index + 1);
    const rank = stormRank(before, incident);
    const { goesOn, flapping } = follow(incident, stories);
    if (flapping === 'goes on') {
      const batch = join(waiting.flap, group, incident, FLAP_WINDOW);
      // Calm for the window, but what never calms down is told all the same: a critical after the window.
      const last = batch.firstAt + (severity === 'critical' ? FLAP_WINDOW : CALM);
      batch.dueAt = Math.max(batch.dueAt, Math.min(openedAt + FLAP_WINDOW, last));
    } else if (flapping === null && goesOn && severity !== 'critical' && severity !== 'unknown') {
      continue;
    } else if (flapping === null && rank > (severity === 'critical' ? 10 : 30)) {
      join(waiting.storm, `${severity} ${incident.alertname}`, incident, 5 * MINUTE);
    } else {
      if (LOUD.includes(severity)) opened.push(incident);
      if (severity === 'critical') remindAt.set(incident, openedAt + 4 * HOUR);
    }
  }
  for (; nextTick < ticks.length; nextTick++) sweep(ticks[nextTick] ?? 0);
  return { opened, reminders, storms: told.storm, flaps: told.flap };
}

/** What was told of a group: when its story was, when that it flaps, and its openings and end so far. */
interface Group {
  toldAt: number;
  flapToldAt: number;
  readonly openings: number[];
  previous: OracleIncident | null;
}

/** Notes an opening in its group's story; answers whether it was told already, and whether it flaps. */
function follow(
  incident: OracleIncident,
  groups: Map<string, Group>,
): { goesOn: boolean; flapping: 'begins' | 'goes on' | null } {
  const { group, openedAt, severity } = incident;
  const known = groups.get(group) ?? {
    toldAt: -Infinity,
    flapToldAt: -Infinity,
    openings: [],
    previous: null,
  };
  groups.set(group, known);
  const rested = openedAt - (known.previous?.closedAt ?? openedAt);
  const goesOn = !incident.afterLost && rested < CALM && openedAt - known.toldAt < DAY;
  known.previous = incident;
  known.openings.push(openedAt);
  const third = known.openings.at(-3);
  const isFlapping = third !== undefined && openedAt - third < FLAP_WINDOW;
  const flapping = !isFlapping ? null : openedAt - known.flapToldAt < CALM ? 'goes on' : 'begins';
  if (flapping === 'begins') known.flapToldAt = openedAt;
  // What is not loud enough to be told never begins a story.
  if (LOUD.includes(severity) && (!goesOn || flapping === 'begins')) known.toldAt = openedAt;
  return { goesOn, flapping };
}

interface Batch {
  readonly key: string;
  readonly severity: string;
  readonly firstAt: number;
  dueAt: number;
  held: number;
}

function join(
  batches: Map<string, Batch>,
  key: string,
  { severity, openedAt }: OracleIncident,
  waitMs: number,
): Batch {
  const batch = batches.get(key) ?? { key, severity, firstAt: openedAt, dueAt: openedAt + waitMs, held: 0 };
  batch.held++;
  batches.set(key, batch);
  return batch;
}

/** The most that opened within a minute: of the last minute for a critical, of any in the last five for the others. */
function stormRank(before: readonly OracleIncident[], incident: OracleIncident): number {
  const isAsLoud = (other: OracleIncident): boolean => loudness(other) >= loudness(incident);
  const ofMinute = (upTo: number): number =>
    countSince(before, (before[upTo]?.openedAt ?? 0) - MINUTE, isAsLoud, upTo);
  const last = before.length - 1;
  let rank = ofMinute(last);
  if (incident.severity === 'critical') return rank;
  for (let i = last - 1; i >= 0 && (before[i]?.openedAt ?? 0) >= incident.openedAt - 5 * MINUTE; i--) {
    const other = before[i];
    if (other !== undefined && isAsLoud(other)) rank = Math.max(rank, ofMinute(i));
  }
  return rank;
}

/** Counts, back from `last`, those that opened after `since`. */
function countSince(
  incidents: readonly OracleIncident[],
  since: number,
  matches: (incident: OracleIncident) => boolean,
  last = incidents.length - 1,
): number {
  let count = 0;
  for (let i = last; i >= 0; i--) {
    const incident = incidents[i];
    if (incident === undefined || incident.openedAt <= since) break;
    if (matches(incident)) count++;
  }
  return count;
}

function loudness({ severity }: OracleIncident): number {
  return severity === 'critical' ? 2 : LOUD.includes(severity) ? 1 : 0;
}
