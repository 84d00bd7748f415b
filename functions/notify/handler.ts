/** Tells people: plans the deliveries of an admitted notice once, works them, and makes the notice final. */
import type { CloudEvent } from 'cloudevents';
import { AppError } from '../../shared/errors.ts';
import type { EventSource } from '../../shared/events.ts';
import { createEvent } from '../../shared/events.ts';
import { createNoticeEvent, toNoticeData } from '../../shared/notice-event.ts';
import { positionOf, readEventNotice } from '../../shared/notice-step.ts';
import { planDeliveries, summarizeDeliveries } from '../../shared/postgres/deliveries.ts';
import type { DeliverySummary } from '../../shared/postgres/deliveries.ts';
import { finishBatch, markFinal, readNotice, waitingResolve } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context, EventHandler } from '../../shared/serve.ts';
import { runTests } from './channel-test.ts';
import type { Channel } from './channel.ts';
import type { Delivered, Deliverer, Work } from './delivery.ts';
import { tellDigest } from './digest.ts';
import type { DigestChannels } from './digest.ts';
import { onExplained } from './explained.ts';
import { previewMessages } from './preview.ts';
import { plan } from './plan.ts';
import type { Router } from './routing.ts';
import { readMessage } from './story.ts';
import type { StoryOptions } from './story.ts';

export interface HandlerDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly channels: readonly Channel[];
  readonly deliverer: Deliverer;
  readonly router: Router;
  readonly story: StoryOptions;
  /** The channels that digests of a name go to; all that fit unless told. */
  readonly digestChannels?: (name: string) => DigestChannels;
}

/** Notices made final with another's message in one run; the sweep takes the rest. */
const CARRIED_AT_ONCE = 1_000;

type Final = 'notified' | 'dead' | 'suppressed';

/** Creates the handler of `notice.admitted` and `delivery.due`: admitted → notified, dead or suppressed(no-route); and of digests. */
export function createHandler(deps: HandlerDeps): EventHandler {
  return async (event, context) => {
    if (context.dryRun)
      return [
        createEvent(
          'dev.alertgest.notice.notified',
          deps.source,
          'dry-run',
          'notified',
          previewMessages(event.data, deps.story),
        ),
      ];
    if (event.type === 'dev.alertgest.test.due') return runTests(deps, context);
    if (event.type === 'dev.alertgest.digest.built') return tellDigest(deps, event, context);
    if (event.type === 'dev.alertgest.pattern.explained')
      return onExplained({ ...deps, tell: (row, context) => tell(deps, row, context) }, event, context);
    const row = await readEventNotice(deps.pool, event, [
      'dev.alertgest.notice.admitted',
      'dev.alertgest.delivery.due',
    ]);
    return tell(deps, row, context);
  };
}

/** Plans once, works what is due, and makes the notice final when nothing is left. */
async function tell(
  deps: HandlerDeps,
  row: NoticeRow,
  context: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  if (row.status === 'held') throw new AppError('behind', 'the notice is held for a summary');
  if (positionOf(row, 'admitted') !== 'ready') return finalEvents(deps, row);
  const nobody = await plan(deps, row.id);
  if (nobody !== null) return finish(deps, row, 'suppressed', 'no-route', nobody, context);
  const delivered = await deliver(deps, row, context.signal);
  const others = await finishCarried(deps, delivered.carried, context);
  // What is left waits for its time; the sweep rings again.
  if (delivered.open > 0) return others;
  return [...(await finishDelivered(deps, row, delivered, context)), ...others];
}

/** Works the deliveries; a critical that none of its channels took is tried once on every other one. */
async function deliver(deps: HandlerDeps, row: NoticeRow, signal: AbortSignal): Promise<Delivered> {
  const work: Work = {
    owner: { notice: row.id },
    isUrgent: row.severity === 'critical',
    toMessage: (telling) => readMessage(deps.pool, { ...telling, id: row.id }, deps.story),
    signal,
  };
  const delivered = await deps.deliverer.deliver(work);
  const { open, sent, channels } = delivered;
  const isNews = row.kind !== 'resolved' && row.decision === null;
  if (open > 0 || sent > 0 || row.severity !== 'critical' || !isNews) return delivered;
  const others = deps.channels.filter(({ name }) => !channels.includes(name));
  const insteadOf = channels[0];
  if (others.length === 0 || insteadOf === undefined) return delivered;
  await planDeliveries(
    deps.pool,
    work.owner,
    others.map(({ name }) => ({ channel: name, insteadOf })),
  );
  const again = await deps.deliverer.deliver(work);
  return { ...again, carried: [...delivered.carried, ...again.carried] };
}

/** Notices whose last delivery travelled with this one's are final with it; one that reached nobody may have others to try. */
async function finishCarried(
  deps: HandlerDeps,
  carried: readonly string[],
  context: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  const events: Array<CloudEvent<unknown>> = [];
  for (const id of carried.slice(0, CARRIED_AT_ONCE)) {
    const row = await readNotice(deps.pool, id);
    const summary = await summarizeDeliveries(deps.pool, { notice: id });
    if (row?.status !== 'admitted' || summary.open > 0) continue;
    events.push(
      ...(summary.sent > 0
        ? await finishDelivered(deps, row, summary, context)
        : await tell(deps, row, context)),
    );
  }
  return events;
}

async function finishDelivered(
  deps: HandlerDeps,
  row: NoticeRow,
  { sent, lastError }: DeliverySummary,
  context: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  return sent > 0
    ? finish(deps, row, 'notified', null, null, context)
    : finish(deps, row, 'dead', 'undeliverable', lastError ?? 'no delivery succeeded', context);
}

async function finish(
  deps: HandlerDeps,
  row: NoticeRow,
  status: Final,
  reason: string | null,
  why: string | null,
  { log }: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  const isFirst = await transaction(deps.pool, async (client) => {
    const isMarked = await markFinal(client, row.id, status, reason, why);
    // Its message was that of a batch: what the batch held is final with it.
    if (isMarked && row.kind === 'due' && row.batch !== null)
      await finishBatch(client, row.batch, status === 'notified' ? 'digested' : status, reason, why);
    return isMarked;
  });
  if (!isFirst) return finalEvents(deps, (await readNotice(deps.pool, row.id)) ?? row);
  if (status === 'dead') log.error({ notice: row.id, severity: row.severity, why }, 'nobody could be told');
  else log.debug({ notice: row.id, status, reason }, 'notice is final');
  return finalEvents(deps, { ...row, status, reason });
}

async function finalEvents(deps: HandlerDeps, row: NoticeRow): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  const events: Array<CloudEvent<unknown>> = [];
  if (row.status === 'notified' || row.status === 'dead' || row.status === 'suppressed') {
    events.push(
      createNoticeEvent(
        `dev.alertgest.notice.${row.status}`,
        deps.source,
        toNoticeData(row),
        row.traceparent,
      ),
    );
  }
  // The incident's end may have waited for this; nobody else would ring for it.
  const waiting = row.kind === 'opened' ? await waitingResolve(deps.pool, row.incident) : undefined;
  const end = waiting === undefined ? undefined : await readNotice(deps.pool, waiting);
  if (end !== undefined)
    events.push(
      createNoticeEvent('dev.alertgest.notice.classified', deps.source, toNoticeData(end), end.traceparent),
    );
  return events;
}
