/**
 * Alertmanager-shaped load: groups that fire, grow, are repeated and resolve, each flush with the whole group, sent by two
 * Alertmanagers that do not know each other and try again until they are answered 2xx.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Alerts of a group at first, and when it has grown. */
const SIZES = [7, 10] as const;
/** Seconds after its first flush at which a group grows, is repeated and resolves. */
const GROWS_S = 6;
const REPEATS_S = 15;
const RESOLVES_S = 60;
/** One group in this many is repeated. */
const REPEATED_ONE_IN = 3;
const SEVERITIES = ['critical', 'warning', 'warning', 'warning'] as const;
const RETRY_MS = 1_000;
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Entries of alerts[] that one group comes to, both twins together. */
const ENTRIES_PER_GROUP = 2 * (SIZES[0] + SIZES[1] * (2 + 1 / REPEATED_ONE_IN));

export interface LoadOptions {
  /** Entries of alerts[] in all webhooks. */
  readonly alerts: number;
  readonly durationMs: number;
  readonly url: string;
  readonly token: string;
  /** Aborted when no more is to be sent. */
  readonly signal: AbortSignal;
  readonly onProgress: (accepted: number) => void;
}

/** What was sent and taken. */
export interface LoadResult {
  /** Entries in webhooks that were answered 200. */
  readonly accepted: number;
  readonly webhooks: number;
  readonly retries: number;
  readonly groups: number;
  /** Names of the pods whose alert was in a webhook that was answered 200. */
  readonly pods: ReadonlySet<string>;
  /** The longest that a webhook waited for its answer, and the value that 99 of 100 stay below, in milliseconds. */
  readonly slowestMs: number;
  readonly p99Ms: number;
}

/** Sends it all; resolves when the last webhook was taken. */
export async function sendLoad(options: LoadOptions): Promise<LoadResult> {
  const groups = Math.ceil(options.alerts / ENTRIES_PER_GROUP);
  const state = {
    groups: 0,
    accepted: 0,
    webhooks: 0,
    retries: 0,
    pods: new Set<string>(),
    times: [] as number[],
  };
  // The last group needs its whole life within the time.
  const spreadMs = Math.max(options.durationMs - RESOLVES_S * 1_000, groups);
  await Promise.all(
    Array.from({ length: groups }, async (_, group) => {
      await sleep((group / groups) * spreadMs);
      if (options.signal.aborted) return;
      state.groups++;
      const startsAt = new Date(Date.now() - 30_000);
      await Promise.all(['a', 'b'].map((twin) => liveOnce(options, state, group, twin, startsAt)));
      options.onProgress(state.accepted);
    }),
  );
  const times = state.times.toSorted((a, b) => a - b);
  return {
    accepted: state.accepted,
    webhooks: state.webhooks,
    retries: state.retries,
    groups: state.groups,
    pods: state.pods,
    slowestMs: times.at(-1) ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}

interface State {
  /** Groups that began. */
  groups: number;
  accepted: number;
  webhooks: number;
  retries: number;
  readonly pods: Set<string>;
  readonly times: number[];
}

/** A group's life as one Alertmanager sees it: in order, the next flush only when the one before was taken. */
async function liveOnce(
  options: LoadOptions,
  state: State,
  group: number,
  twin: string,
  startsAt: Date,
): Promise<void> {
  const bornAt = performance.now();
  const until = (seconds: number): Promise<void> =>
    sleep(Math.max(0, bornAt + seconds * 1_000 - performance.now()));
  const flush = (size: number, endsAt: Date | null): Promise<void> =>
    post(options, state, makeAlerts(group, size, twin, startsAt, endsAt));
  await flush(SIZES[0], null);
  await until(GROWS_S);
  await flush(SIZES[1], null);
  if (group % REPEATED_ONE_IN === 0) {
    await until(REPEATS_S);
    await flush(SIZES[1], null);
  }
  await until(RESOLVES_S);
  await flush(SIZES[1], new Date());
}

async function post(options: LoadOptions, state: State, alerts: readonly SoakAlert[]): Promise<void> {
  const body = JSON.stringify({
    version: '4',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    status: alerts[0]?.status,
    receiver: 'alertgest',
    externalURL: 'http://alertmanager:9093',
    alerts,
  });
  for (;;) {
    if (options.signal.aborted) return;
    const startedAt = performance.now();
    const status = await send(options, body);
    state.times.push(performance.now() - startedAt);
    if (status === 200) break;
    if (status >= 400 && status < 500) throw new Error(`receive refused a good webhook with ${status}`);
    state.retries++;
    await sleep(RETRY_MS);
  }
  state.webhooks++;
  state.accepted += alerts.length;
  for (const { labels } of alerts) state.pods.add(labels['pod'] ?? '');
}

async function send({ url, token }: LoadOptions, body: string): Promise<number> {
  try {
    const response = await fetch(`${url}/api/v1/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

interface SoakAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

function makeAlerts(
  group: number,
  size: number,
  twin: string,
  startsAt: Date,
  endsAt: Date | null,
): SoakAlert[] {
  const app = `service-${group}`;
  return Array.from({ length: size }, (_, index) => ({
    status: endsAt === null ? 'firing' : 'resolved',
    labels: {
      alertname: `Soak${group}`,
      severity: SEVERITIES[group % SEVERITIES.length] ?? 'warning',
      namespace: `team-${group % 40}`,
      deployment: app,
      pod: `${app}-7d9f8b6c5-${suffix(index)}`,
      prometheus_replica: twin,
    },
    annotations: { summary: 'made by the soak' },
    startsAt: startsAt.toISOString(),
    endsAt: endsAt?.toISOString() ?? ZERO_TIME,
  }));
}

/** Five letters as Kubernetes gives them to pods. */
function suffix(index: number): string {
  const letters = 'bcdfghjklm';
  return `${letters[index % 10] ?? 'b'}2x7${letters[Math.floor(index / 10) % 10] ?? 'b'}`;
}
