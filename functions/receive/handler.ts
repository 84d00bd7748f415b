/** receive's events: the sweep's tick, and the broker's dead letters. Alerts come in by webhook.ts. */
import type { CloudEvent } from 'cloudevents';
import { InvalidInputError } from '../../shared/errors.ts';
import type { DeadLetter } from '../../shared/postgres/records.ts';
import type { EventHandler } from '../../shared/serve.ts';
import type { OwnIssue, ReportOwnIssue } from './own-issue.ts';
import type { Swept } from './sweep.ts';

export interface HandlerDeps {
  readonly sweep: (traceparent: string) => Promise<Swept>;
  readonly recordDeadLetter: (letter: DeadLetter) => Promise<void>;
  readonly reportOwnIssue: ReportOwnIssue;
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

/**
 * The handler of events that the broker gave up on: it records them and makes an issue of it, which is pushed like any
 * other; the sweep carries their rows on.
 */
export function createDeadLetterHandler({ recordDeadLetter, reportOwnIssue }: HandlerDeps): EventHandler {
  return async (event, { log, dryRun }) => {
    if (dryRun) return [];
    const letter = toDeadLetter(event);
    log.error(
      { type: letter.type, subject: letter.subject, code: letter.code, destination: letter.destination },
      'dead letter',
    );
    await recordDeadLetter(letter);
    await reportOwnIssue(toOwnIssue(letter));
    return [];
  };
}

/** One issue per place that does not take its events. */
function toOwnIssue({ type, destination, code, detail }: DeadLetter): OwnIssue {
  const place = placeOf(destination) ?? type.slice(0, 100);
  return {
    alertname: 'AlertgestDeadLetter',
    reason: place,
    summary: `the broker gave up on an event for ${place}`,
    description: `${type} was answered ${code ?? 'nothing'}${detail === null ? '' : `: ${detail.slice(0, 300)}`}. Nothing is lost, the sweep carries it on, but what answers there needs a look.`,
  };
}

/** The Trigger in a broker filter's URL (/triggers/<namespace>/<name>/<uid>), or the host's first name; null for an address. */
function placeOf(destination: string | null): string | null {
  if (destination === null || !URL.canParse(destination)) return null;
  const { pathname, hostname } = new URL(destination);
  const trigger = /^\/triggers\/[^/]+\/([^/]+)/.exec(pathname)?.[1];
  return trigger ?? /^[a-z][a-z0-9-]*/.exec(hostname)?.[0] ?? null;
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
