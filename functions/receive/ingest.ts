/**
 * The queue in front of Postgres. Webhooks that come while a transaction is under way share the next one, so a storm
 * costs few commits; each is answered only when it is stored. Transactions under way at once never touch the same
 * pattern: they would only wait for each other's row locks.
 */
import { AppError, DependencyError } from '../../shared/errors.ts';
import type { NoticeData } from '../../shared/events.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Arrival, NewNotice } from './episodes.ts';
import { storeArrivals } from './store.ts';
import type { StoreOptions } from './store.ts';

/** Transactions at once; each holds a connection of the pool. */
const PARALLEL = 2;
/** Most arrivals in one transaction. */
const BATCH_LIMIT = 1_000;
/** Most arrivals waiting; beyond it the answer is 503 and Alertmanager sends again. */
const QUEUE_LIMIT = 50_000;

/** What a webhook's arrivals became. */
export interface Stored {
  readonly newEpisodes: number;
  readonly notices: readonly NoticeData[];
}

interface Job {
  /** The patterns of its arrivals. */
  readonly patterns: ReadonlySet<string>;
  readonly arrivals: readonly Arrival[];
  /** Stamp of a replay, or null for a live webhook. */
  readonly replayedAt: Date | null;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

export interface Ingest {
  /** Stores arrivals; resolves when they are committed. */
  store(arrivals: readonly Arrival[], replayedAt?: Date | null): Promise<Stored>;
}

/** Creates the queue in front of Postgres. */
export function createIngest(pool: Pool, options: StoreOptions): Ingest {
  let queue: Job[] = [];
  const busy = new Set<string>();
  let waiting = 0;
  let running = 0;

  const runBatch = async (jobs: readonly Job[]): Promise<void> => {
    try {
      const stored = await storeJobs(pool, jobs, options);
      for (const [index, job] of jobs.entries())
        job.resolve(stored[index] ?? { newEpisodes: 0, notices: [] });
    } catch (error) {
      // One webhook that Postgres cannot take must not fail its neighbours.
      if (jobs.length > 1 && !(error instanceof AppError)) {
        for (const job of jobs) await runBatch([job]);
      } else {
        for (const job of jobs) job.reject(error);
        if (error instanceof DependencyError) refuseWaiting(error);
      }
    }
  };

  // A Postgres that is silent costs each transaction its whole time-out; whoever waits behind would wait for several.
  const refuseWaiting = (error: DependencyError): void => {
    const refused = queue;
    queue = [];
    waiting -= countArrivals(refused);
    for (const job of refused) job.reject(error);
  };

  const work = async (jobs: readonly Job[]): Promise<void> => {
    const patterns = jobs.flatMap((job) => [...job.patterns]);
    for (const pattern of patterns) busy.add(pattern);
    running++;
    await runBatch(jobs);
    running--;
    waiting -= countArrivals(jobs);
    for (const pattern of patterns) busy.delete(pattern);
    dispatch();
  };

  const dispatch = (): void => {
    if (running >= PARALLEL || queue.length === 0) return;
    const { batch, rest } = takeBatch(queue, busy);
    if (batch.length === 0) return;
    queue = rest;
    void work(batch);
    dispatch();
  };

  return {
    store(arrivals, replayedAt = null) {
      if (waiting > 0 && waiting + arrivals.length > QUEUE_LIMIT) {
        return Promise.reject(
          new AppError('overloaded', 'too many alerts are waiting to be stored; send again'),
        );
      }
      waiting += arrivals.length;
      return new Promise((resolve, reject) => {
        const patterns = new Set(arrivals.map(({ pattern }) => pattern.pattern));
        queue.push({ patterns, arrivals, replayedAt, resolve, reject });
        dispatch();
      });
    },
  };
}

/** The jobs that can be stored now, oldest first; a job never overtakes another of one of its patterns. */
function takeBatch(queue: readonly Job[], busy: ReadonlySet<string>): { batch: Job[]; rest: Job[] } {
  const batch: Job[] = [];
  const rest: Job[] = [];
  const blocked = new Set(busy);
  let size = 0;
  for (const job of queue) {
    const isFull = batch.length > 0 && size + job.arrivals.length > BATCH_LIMIT;
    if (isFull || job.patterns.values().some((pattern) => blocked.has(pattern))) {
      for (const pattern of job.patterns) blocked.add(pattern);
      rest.push(job);
    } else {
      size += job.arrivals.length;
      batch.push(job);
    }
  }
  return { batch, rest };
}

function countArrivals(jobs: readonly Job[]): number {
  return jobs.reduce((sum, job) => sum + job.arrivals.length, 0);
}

async function storeJobs(pool: Pool, jobs: readonly Job[], options: StoreOptions): Promise<Stored[]> {
  const arrivals = jobs.flatMap((job) => job.arrivals);
  if (arrivals.length === 0) return jobs.map(() => ({ newEpisodes: 0, notices: [] }));
  const plan = await storeArrivals(pool, arrivals, jobs.at(-1)?.replayedAt ?? null, options);
  const noticesOf = Map.groupBy(plan.notices, (notice) => notice.arrival);
  const episodesOf = Map.groupBy(plan.newEpisodes, (episode) => episode.arrival);
  return jobs.map((job) => ({
    newEpisodes: job.arrivals.reduce((sum, arrival) => sum + (episodesOf.get(arrival)?.length ?? 0), 0),
    notices: job.arrivals.flatMap((arrival) => noticesOf.get(arrival) ?? []).map((notice) => toData(notice)),
  }));
}

function toData({ id, kind, incident, pattern: told, arrival, openEpisodes }: NewNotice): NoticeData {
  const { pattern, alert } = arrival;
  return {
    notice: id,
    kind,
    status: 'received',
    incident,
    pattern: told,
    alertname: pattern.alertname,
    severity: pattern.severity,
    namespace: pattern.namespace,
    summary: alert.annotations['summary'] ?? pattern.title,
    receivedAt: arrival.receivedAt.toISOString(),
    openEpisodes,
    alerts: [alert.labels],
  };
}
