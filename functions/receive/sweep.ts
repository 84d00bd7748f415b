/**
 * The sweep: once a minute it carries on whatever stopped. It may skip a step (and says so on the notice) but never the
 * pipeline; only notify pushes. Everything it does can be done twice.
 */
import type { CloudEvent } from 'cloudevents';
import { createNoticeEvent, toNoticeData } from '../../shared/notice-event.ts';
import type { EventSource, EventType } from '../../shared/events.ts';
import type { Logger } from '../../shared/log.ts';
import { describeError } from '../../shared/log.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import { dueDeliveries } from '../../shared/postgres/deliveries.ts';
import { storeEnvelopes, wakeOutside } from '../../shared/postgres/envelopes.ts';
import { nextWanted } from '../../shared/postgres/explanation-queue.ts';
import { rollUpHistory } from '../../shared/postgres/history.ts';
import { markClassified, markDecided, readNotice, takeStuck } from '../../shared/postgres/notices.ts';
import { audit } from '../../shared/postgres/audit.ts';
import type { StuckNotice } from '../../shared/postgres/notices.ts';
import type { Audit } from '../../shared/postgres/audit.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { sumMetrics } from '../../shared/postgres/metrics.ts';
import { deleteExpired } from '../../shared/postgres/retention.ts';
import type { CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import type { DigestSchedule } from '../../shared/digest-schedule.ts';
import type { Publisher } from '../../shared/publish.ts';
import { digestEvents } from './digest-watch.ts';
import { closeStaleEpisodes, makeTimeNews } from './time-news.ts';

/** Most rows of one kind that one sweep carries on; the rest waits a minute. */
const LIMIT = 500;
/** After this many sweeps that changed nothing on one notice, its next function is called without the broker. */
const DIRECT_AFTER = 2;
/** Publishing budget of one sweep, in milliseconds. */
const PUBLISH_MS = 10_000;
/** Time one sweep spends on calling functions without the broker, in milliseconds; the rest waits for the next. */
const DIRECT_MS = 10_000;

export interface SweepDeps {
  readonly pool: Pool;
  readonly publisher: Publisher;
  /** Posts an event straight to its consumer and follows its replies; null when no FUNCTION_URL is set. */
  readonly direct: ((event: CloudEvent<unknown>) => Promise<void>) | null;
  readonly source: EventSource;
  readonly waits: { receivedMs: number; classifiedMs: number; admittedMs: number };
  readonly repeatIntervalMs: number;
  readonly retentionDays: number;
  /** What a night is and when its digest is due; without it nobody looks after digests. */
  readonly digests?: CaptureWindowConfig & DigestSchedule & { readonly DIGEST_RETENTION_DAYS: number };
  /** Tells the outside that all is well; null when no HEARTBEAT_URL is set. */
  readonly heartbeat: (() => Promise<void>) | null;
  readonly log: Logger;
}

/** What one sweep did. */
export interface Swept {
  readonly stale: number;
  readonly due: number;
  readonly carriedOn: number;
  readonly deliveriesDue: number;
  readonly deleted: number;
  readonly audit: Audit;
}

/** Runs one sweep. */
export async function sweep(deps: SweepDeps, traceparent: string): Promise<Swept> {
  const moment = { now: await readAlertClock(deps.pool), traceparent, limit: LIMIT };
  const stale = await closeStaleEpisodes(deps.pool, moment, deps.repeatIntervalMs);
  await watchDecisions(deps);
  const due = await makeTimeNews(deps.pool, moment);
  const stuck = await takeStuck(deps.pool, deps.waits, LIMIT);
  const carriedOn = await Promise.all(stuck.map((notice) => carryOn(deps, notice)));
  const { notices, digests } = await dueDeliveries(deps.pool, LIMIT);
  const deliveries = await Promise.all(
    notices.map((id) => noticeEvent(deps, 'dev.alertgest.delivery.due', id)),
  );
  const unmoved = carriedOn.filter((_event, index) => (stuck[index]?.attempts ?? 0) > DIRECT_AFTER);
  const news = await receivedEvents(deps, [...stale, ...due]);
  const nights = await digestEvents(deps, moment.now, digests);
  const events = [...news, ...carriedOn, ...deliveries, ...nights].filter((event) => event !== undefined);
  const unheard = await deps.publisher.publish(events, PUBLISH_MS);
  // The broker refused it, or took it and forgot: the function is called without the broker, too.
  const direct = [...unheard, ...unmoved].filter((event) => event !== undefined);
  await callDirectly(deps, [...new Set(direct)]);
  await ringForExplanation(deps);
  const deleted = await deleteExpired(deps.pool, deps.retentionDays);
  await keepMetrics(deps);
  const state = await audit(deps.pool);
  await beat(deps, state);
  return {
    stale: stale.length,
    due: due.length,
    carriedOn: stuck.length,
    deliveriesDue: notices.length,
    deleted,
    audit: state,
  };
}

/** Counts what happened, keeps what was normal for each decision, and wakes what left it. A failure waits a minute. */
async function watchDecisions({ pool, retentionDays, log }: SweepDeps): Promise<void> {
  try {
    await rollUpHistory(pool, retentionDays);
    await storeEnvelopes(pool, retentionDays);
    await wakeOutside(pool);
  } catch (error) {
    log.error(describeError(error), 'history was not counted; the next sweep tries again');
  }
}

/** Sums up what was counted, and says that the sweep ran. */
async function keepMetrics({ pool, log }: SweepDeps): Promise<void> {
  try {
    await sumMetrics(pool);
  } catch (error) {
    log.error(describeError(error), 'metrics were not summed up; the next sweep tries again');
  }
}

/** A pattern whose turn at the model nobody took; classify takes it and what waits behind it. */
async function ringForExplanation(deps: SweepDeps): Promise<void> {
  const wanted = await nextWanted(deps.pool);
  const event = wanted && (await noticeEvent(deps, 'dev.alertgest.explanation.due', wanted.notice));
  if (event !== undefined) await deps.publisher.publish([event]);
}

async function receivedEvents(deps: SweepDeps, ids: readonly string[]): Promise<Array<CloudEvent<unknown>>> {
  const events = await Promise.all(ids.map((id) => noticeEvent(deps, 'dev.alertgest.notice.received', id)));
  return events.filter((event) => event !== undefined);
}

/** The next step of a notice that did not move: what is missing is marked on it, and it goes on. */
async function carryOn(deps: SweepDeps, notice: StuckNotice): Promise<CloudEvent<unknown> | undefined> {
  deps.log.warn(
    { notice: notice.id, status: notice.status, attempts: notice.attempts },
    'carrying on a notice without progress',
  );
  const type = await skipStep(deps, notice);
  return noticeEvent(deps, type, notice.id);
}

async function skipStep(
  deps: SweepDeps,
  notice: StuckNotice,
): Promise<Extract<EventType, `dev.alertgest.notice.${string}`>> {
  switch (notice.status) {
    case 'received':
      await markClassified(deps.pool, notice.id, null, ['not classified']);
      return 'dev.alertgest.notice.classified';
    case 'classified':
      // An end has waited for its beginning: it is rung for once more before anybody is told unchecked.
      if (notice.kind === 'resolved' && notice.attempts === 1) return 'dev.alertgest.notice.classified';
      if (notice.heartbeat) {
        const why = 'a heartbeat is watched, not told';
        await markDecided(deps.pool, notice.id, {
          status: 'suppressed',
          reason: 'heartbeat',
          why,
          batch: null,
          quiet: false,
          missing: [],
        });
        return 'dev.alertgest.notice.suppressed';
      }
      await markDecided(deps.pool, notice.id, {
        status: 'admitted',
        reason: null,
        why: 'the decision could not be checked in time',
        batch: null,
        quiet: false,
        missing: ['decision not checked'],
      });
      return 'dev.alertgest.notice.admitted';
    default:
      return 'dev.alertgest.notice.admitted';
  }
}

async function noticeEvent(
  deps: SweepDeps,
  type: Extract<
    EventType,
    `dev.alertgest.notice.${string}` | 'dev.alertgest.delivery.due' | 'dev.alertgest.explanation.due'
  >,
  id: string,
): Promise<CloudEvent<unknown> | undefined> {
  const row = await readNotice(deps.pool, id);
  return row && createNoticeEvent(type, deps.source, toNoticeData(row), row.traceparent);
}

async function callDirectly(deps: SweepDeps, events: ReadonlyArray<CloudEvent<unknown>>): Promise<void> {
  if (deps.direct === null) return;
  const deadline = performance.now() + DIRECT_MS;
  for (const event of events) {
    if (performance.now() > deadline) return;
    try {
      await deps.direct(event);
    } catch (error) {
      deps.log.error(
        { type: event.type, subject: event.subject, ...describeError(error) },
        'a function did not answer a direct call',
      );
    }
  }
}

/** The heartbeat beats only when every audit number is zero. */
async function beat(deps: SweepDeps, state: Audit): Promise<void> {
  const problems = Object.entries(state).filter(([, count]) => count > 0);
  if (problems.length > 0)
    return deps.log.error({ ...state }, 'audit found problems; the heartbeat is withheld');
  try {
    await deps.heartbeat?.();
  } catch (error) {
    deps.log.warn(describeError(error), 'the heartbeat was not taken');
  }
}
