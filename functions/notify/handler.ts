/** Tells people: plans the deliveries of an admitted notice once, works them, and makes the notice final. */
import type { CloudEvent } from 'cloudevents';
import { AppError } from '../../shared/errors.ts';
import type { EventSource } from '../../shared/events.ts';
import { createEvent } from '../../shared/events.ts';
import { createNoticeEvent, toNoticeData } from '../../shared/notice-event.ts';
import { positionOf, readEventNotice } from '../../shared/notice-step.ts';
import { planDeliveries } from '../../shared/postgres/deliveries.ts';
import type { DeliverySummary } from '../../shared/postgres/deliveries.ts';
import {
  finishBatch,
  lockNotice,
  markFinal,
  markPlanned,
  readNotice,
  waitingResolve,
} from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context, EventHandler } from '../../shared/serve.ts';
import type { Severity } from '../../shared/severity.ts';
import type { Channel } from './channel.ts';
import type { Deliverer } from './delivery.ts';
import { previewMessages } from './preview.ts';
import { route } from './routing.ts';
import { readMessage } from './story.ts';
import type { StoryOptions } from './story.ts';

export interface HandlerDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly channels: readonly Channel[];
  readonly deliverer: Deliverer;
  readonly minSeverity: Severity;
  readonly story: StoryOptions;
}

type Final = 'notified' | 'dead' | 'suppressed';

/** Creates the handler of `notice.admitted` and `delivery.due`: admitted → notified, dead or suppressed(no-route). */
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
    const row = await readEventNotice(deps.pool, event, [
      'dev.alertgest.notice.admitted',
      'dev.alertgest.delivery.due',
    ]);
    if (row.status === 'held') throw new AppError('behind', 'the notice is held for a summary');
    if (positionOf(row, 'admitted') !== 'ready') return finalEvents(deps, row);
    const nobody = await plan(deps, row.id);
    if (nobody !== null) return finish(deps, row, 'suppressed', 'no-route', nobody, context);
    const summary = await deps.deliverer.deliver(
      row.id,
      (channel, possiblyRepeated) =>
        readMessage(deps.pool, { id: row.id, channel, possiblyRepeated }, deps.story),
      context.signal,
    );
    // What is left waits for its time; the sweep rings again.
    if (summary.open > 0) return [];
    const final: Final = summary.sent > 0 ? 'notified' : 'dead';
    return finish(deps, row, final, final === 'dead' ? 'undeliverable' : null, deathReason(summary), context);
  };
}

/** Writes the deliveries in the transaction that locks the notice; answers why nobody is told, or null. */
async function plan(deps: HandlerDeps, id: string): Promise<string | null> {
  return transaction(deps.pool, async (client) => {
    await lockNotice(client, id);
    const row = await readNotice(client, id);
    if (row === undefined || row.planned_at !== null) return null;
    const { channels, why } = route(row, deps.channels, deps.minSeverity);
    if (channels.length === 0) return why;
    await planDeliveries(client, id, channels);
    await markPlanned(client, id);
    return null;
  });
}

async function finish(
  deps: HandlerDeps,
  row: NoticeRow,
  status: Final,
  reason: string | null,
  why: string | null,
  { log }: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  await transaction(deps.pool, async (client) => {
    await markFinal(client, row.id, status, reason, why);
    // Its message was that of a batch: what the batch held is final with it.
    if (row.kind === 'due' && row.batch !== null)
      await finishBatch(client, row.batch, status === 'notified' ? 'digested' : status, reason, why);
  });
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

function deathReason({ sent, lastError }: DeliverySummary): string | null {
  return sent > 0 ? null : (lastError ?? 'no delivery succeeded');
}
