/**
 * The sweep's part in digests: nights are written down as they pass, and a digest that should exist and does not, or that
 * was built and not told, is rung for. Lost ticks of the schedule cost minutes, never a night.
 */
import type { CloudEvent } from 'cloudevents';
import type { CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import { toBuiltEvent } from '../../shared/digest-event.ts';
import { isDigestDue } from '../../shared/digest-schedule.ts';
import type { DigestSchedule } from '../../shared/digest-schedule.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventSource } from '../../shared/events.ts';
import type { Logger } from '../../shared/log.ts';
import { describeError } from '../../shared/log.ts';
import {
  deleteOldDigests,
  hasAbandoned,
  readDigestById,
  untoldDigests,
} from '../../shared/postgres/digests.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { keepWindows, owedWindows } from '../../shared/postgres/windows.ts';

/** A built digest whose event may still be on its way is left alone for this long, in milliseconds. */
const UNTOLD_MS = 60_000;

export interface DigestWatchDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly digests?: CaptureWindowConfig & DigestSchedule & { readonly DIGEST_RETENTION_DAYS: number };
  /** How long what a model was told is kept. */
  readonly retentionDays: number;
  readonly log: Logger;
}

/** Events for whatever of digests is due: to build, or (by id) to tell. A failure waits a minute. */
export async function digestEvents(
  { pool, source, digests: config, retentionDays, log }: DigestWatchDeps,
  now: Date,
  dueDeliveries: readonly string[],
): Promise<Array<CloudEvent<unknown>>> {
  if (config === undefined) return [];
  try {
    await keepWindows(pool, config);
    await deleteOldDigests(pool, { days: config.DIGEST_RETENTION_DAYS, promptDays: retentionDays });
    const events: Array<CloudEvent<unknown>> = [];
    if ((await isOwed(pool, config, now)) || (await hasAbandoned(pool)))
      events.push(createEvent('dev.alertgest.digest.due', source, `digests.${minuteOf(now)}`, 'due', {}));
    const untold = await untoldDigests(pool, UNTOLD_MS);
    const waiting = await Promise.all(
      dueDeliveries
        .filter((id) => !untold.some((row) => row.id === id))
        .map((id) => readDigestById(pool, id)),
    );
    for (const row of [...untold, ...waiting])
      if (row?.status === 'built') events.push(toBuiltEvent(source, row));
    return events;
  } catch (error) {
    log.error(describeError(error), 'digests were not looked after; the next sweep tries again');
    return [];
  }
}

async function isOwed(pool: Pool, config: CaptureWindowConfig & DigestSchedule, now: Date): Promise<boolean> {
  // The oldest is the first to be due; with it the digest covers all.
  const [oldest] = await owedWindows(pool, 'all', config.DIGEST_GRACE);
  return oldest !== undefined && isDigestDue(config, oldest.end, now);
}

/** So that each minute's event is another one. */
function minuteOf(now: Date): string {
  return now.toISOString().slice(0, 16);
}
