/** Counts a capture window: facts by SQL, no model. A tick or a request names no window and means the last closed one. */
import * as z from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventSource } from '../../shared/events.ts';
import type { CaptureWindow, CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import { countEpisodes } from '../../shared/postgres/episodes.ts';
import type { EpisodeCounts } from '../../shared/postgres/episodes.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { storeDigest } from '../../shared/postgres/records.ts';
import type { EventHandler } from '../../shared/serve.ts';
import { toText } from './text.ts';

export interface HandlerDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly window: CaptureWindowConfig;
}

const ACCEPTED: ReadonlySet<string> = new Set(['dev.knative.sources.ping', 'dev.alertgest.digest.due']);
const dueSchema = z.object({ from: z.coerce.date().optional(), to: z.coerce.date().optional() });

/** Creates the handler of ticks and `digest.due`; answers `digest.built` with the counts and their text. */
export function createHandler({ pool, source, window }: HandlerDeps): EventHandler {
  return async (event, { dryRun, log }) => {
    if (!ACCEPTED.has(event.type))
      throw new InvalidInputError(
        `build-digest takes ticks and dev.alertgest.digest.due, not ${event.type.slice(0, 80)}`,
      );
    const span = await chooseWindow(pool, window, event.data);
    const counts = await countEpisodes(pool, span.start, span.end);
    if (!dryRun) await storeDigest(pool, span, counts);
    log.info(
      { window_start: span.start, window_end: span.end, alert_count: counts.episodes },
      'digest built',
    );
    return [builtEvent(source, span, counts)];
  };
}

async function chooseWindow(pool: Pool, config: CaptureWindowConfig, data: unknown): Promise<CaptureWindow> {
  const asked = dueSchema.safeParse(data ?? {});
  if (!asked.success) throw new InvalidInputError('"from" and "to" must be times, e.g. 2026-03-01T18:00:00Z');
  const { from, to } = asked.data;
  if (from === undefined && to === undefined) {
    const { lastClosedWindow } = await import('../../shared/capture-window.ts');
    return lastClosedWindow(config, await readAlertClock(pool));
  }
  if (from === undefined || to === undefined || from >= to)
    throw new InvalidInputError('give both "from" and "to", the first before the second');
  return { start: from, end: to, zone: config.CAPTURE_WINDOW_TIMEZONE };
}

function builtEvent(source: EventSource, { start, end, zone }: CaptureWindow, counts: EpisodeCounts) {
  const data = {
    from: start.toISOString(),
    to: end.toISOString(),
    zone,
    counts,
    text: toText({ start, end, zone }, counts),
  };
  return createEvent('dev.alertgest.digest.built', source, `window.${data.from}.${data.to}`, 'built', data);
}
