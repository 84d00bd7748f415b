/** receive's events: the sweep's tick, and the broker's dead letters. Alerts come in by webhook.ts. */
import type { CloudEvent } from 'cloudevents';
import { InvalidInputError } from '../../shared/errors.ts';
import type { DeadLetter } from '../../shared/postgres/records.ts';
import type { EventHandler } from '../../shared/serve.ts';
import type { Swept } from './sweep.ts';

export interface HandlerDeps {
  readonly sweep: (traceparent: string) => Promise<Swept>;
  readonly recordDeadLetter: (letter: DeadLetter) => Promise<void>;
}

/** The handler of PingSource ticks marked `sweep`. */
export function createTickHandler({ sweep }: HandlerDeps): EventHandler {
  return async (event, { log, traceparent, dryRun }) => {
    if (event.type !== 'dev.knative.sources.ping')
      throw new InvalidInputError(`receive takes ticks here, not ${event.type.slice(0, 80)}`);
    if (dryRun) return [];
    const { audit, ...swept } = await sweep(traceparent);
    log.info({ ...swept, ...audit }, 'swept');
    return [];
  };
}

/** The handler of events that the broker gave up on: it records them, the sweep carries their rows on. */
export function createDeadLetterHandler({ recordDeadLetter }: HandlerDeps): EventHandler {
  return async (event, { log, dryRun }) => {
    if (dryRun) return [];
    const letter = toDeadLetter(event);
    log.error(
      { type: letter.type, subject: letter.subject, code: letter.code, destination: letter.destination },
      'dead letter',
    );
    await recordDeadLetter(letter);
    return [];
  };
}

function toDeadLetter(event: CloudEvent<unknown>): DeadLetter {
  const extension = (name: string): string | null => {
    const value = event[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 1_024) : null;
  };
  const data = extension('knativeerrordata');
  return {
    eventId: event.id.slice(0, 256),
    type: event.type.slice(0, 256),
    subject: event.subject?.slice(0, 256) ?? null,
    destination: extension('knativeerrordest'),
    code: extension('knativeerrorcode'),
    detail:
      data === null ? null : Buffer.from(data, 'base64').toString('utf8').toWellFormed().replaceAll('\0', ''),
  };
}
