/**
 * The clock: every PingSource sends its event when its schedule says so. Missed ticks are not caught up; a tick that
 * cannot be sent in six tries within about two seconds is lost, as with Knative's adapter.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { ConfigError } from '../../shared/errors.ts';
import type { Activity } from './activity.ts';
import { nextTick, parseCron } from '../../shared/cron.ts';
import { backoffMs, isRetried, type Policy } from './delivery.ts';
import { resolveDestination, type AddressBook } from './destinations.ts';
import type { Log } from './ledger.ts';
import type { PingSource } from './manifest-schemas.ts';
import type { Message, Sender } from './sender.ts';

export interface PingSources {
  tick(name: string): Promise<number | undefined>;
  start(): void;
  stop(): void;
}

export interface PingSourceTools {
  readonly book: AddressBook;
  readonly sender: Sender;
  readonly activity: Activity;
  readonly log: Log;
  readonly random: () => number;
  /** PingSource name → another schedule than the manifest's. */
  readonly schedules: Readonly<Record<string, { schedule?: string; timezone?: string }>>;
}

interface Clock {
  readonly source: PingSource;
  readonly sink: URL;
}

const POLICY: Policy = { retry: 5, backoffPolicy: 'exponential', backoffDelayMs: 50, timeoutMs: 60_000 };
const JITTER_MS = 500;
/** Node's timers overflow past 2^31 ms; a far tick is looked for again once a day. */
const LONGEST_TIMER_MS = 24 * 3_600_000;

/** Creates the clocks of all PingSources, standing still. */
export function createPingSources(sources: readonly PingSource[], tools: PingSourceTools): PingSources {
  const { activity, schedules, book } = tools;
  const unknown = Object.keys(schedules).find(
    (name) => !sources.some(({ metadata }) => metadata.name === name),
  );
  if (unknown !== undefined) throw new ConfigError(`schedules names ${unknown}, which is no PingSource`);
  const clocks = new Map<string, Clock>();
  for (const source of sources) {
    const { name, namespace } = source.metadata;
    const sink = resolveDestination(source.spec.sink, namespace, book, `PingSource ${name}`);
    clocks.set(name, { source, sink });
  }
  const timers = new Map<string, NodeJS.Timeout>();

  return {
    tick(name) {
      const clock = clocks.get(name);
      if (!clock) throw new ConfigError(`there is no PingSource ${name}`);
      return activity.track(send(clock, tools));
    },
    start() {
      for (const [name, clock] of clocks) {
        const { schedule = clock.source.spec.schedule, timezone = clock.source.spec.timezone } =
          schedules[name] ?? {};
        const cron = parseCron(schedule);
        arm(name, clock, (after) => nextTick(cron, after, timezone), new Date());
      }
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };

  function arm(name: string, clock: Clock, next: (after: Date) => Date | undefined, after: Date): void {
    const due = next(after);
    if (!due) return;
    clearTimeout(timers.get(name));
    const waitMs = due.getTime() - Date.now();
    const timer = setTimeout(
      () => {
        if (waitMs > LONGEST_TIMER_MS) {
          arm(name, clock, next, after);
          return;
        }
        arm(name, clock, next, due);
        void activity.track(sendLater(clock));
      },
      Math.min(Math.max(waitMs, 0), LONGEST_TIMER_MS),
    );
    timers.set(name, timer);
  }

  async function sendLater(clock: Clock): Promise<void> {
    await sleep(tools.random() * JITTER_MS);
    await send(clock, tools);
  }
}

async function send({ source, sink }: Clock, { sender, log }: PingSourceTools): Promise<number | undefined> {
  const message = createTick(source);
  for (let retry = 0; ; retry += 1) {
    const { status } = await sender.send(sink, message, POLICY.timeoutMs);
    if (status !== undefined && status < 300) return status;
    if (retry >= POLICY.retry || (status !== undefined && !isRetried(status))) {
      log.error({ pingSource: source.metadata.name, status }, 'tick lost');
      return status;
    }
    await sleep(backoffMs(POLICY, retry));
  }
}

function createTick({ metadata, spec }: PingSource): Message {
  const extensions = Object.entries(spec.ceOverrides?.extensions ?? {});
  return {
    headers: {
      'ce-specversion': '1.0',
      'ce-type': 'dev.knative.sources.ping',
      'ce-source': `/apis/v1/namespaces/${metadata.namespace}/pingsources/${metadata.name}`,
      'ce-id': randomUUID(),
      'ce-time': new Date().toISOString(),
      ...Object.fromEntries(extensions.map(([name, value]) => [`ce-${name}`, value])),
      ...(spec.contentType !== undefined && { 'content-type': spec.contentType }),
    },
    body: Buffer.from(spec.data ?? ''),
  };
}
