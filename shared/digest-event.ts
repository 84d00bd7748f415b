/** The event of a built digest, as build-digest answers it and the sweep repeats it. */
import type { CloudEvent } from 'cloudevents';
import * as z from 'zod';
import { documentSchema } from './digest/document.ts';
import { toPlainText } from './digest/markdown.ts';
import { InvalidInputError } from './errors.ts';
import { createEvent, digestBuiltSchema, episodeCountsSchema } from './events.ts';
import type { EventSource } from './events.ts';
import type { DigestRow } from './postgres/digests.ts';

type BuiltData = z.infer<typeof digestBuiltSchema>;

const SUBJECT = /^digest-(\d{1,18})$/;
/** The event is a doorbell; who wants all of the text reads the row. */
const TEXT_CHARS = 30_000;
/** Names in the counts; the row has all of them. */
const MOST_NAMES = 200;

/** The event that a stored digest is built. */
export function toBuiltEvent(source: EventSource, row: DigestRow): CloudEvent<BuiltData> {
  const document = documentSchema.safeParse(row.document);
  const counts = episodeCountsSchema.safeParse(row.facts);
  return createEvent('dev.alertgest.digest.built', source, `digest-${row.id}`, 'built', {
    digest: row.id,
    name: row.name,
    level: document.success ? document.data.level : 'look',
    verdict: document.success ? document.data.verdict : '',
    from: row.window_start.toISOString(),
    to: row.window_end.toISOString(),
    zone: row.zone,
    counts: counts.success ? toShort(counts.data) : EMPTY,
    text: (document.success ? toPlainText(document.data) : (row.formatted_output ?? '')).slice(0, TEXT_CHARS),
  });
}

/** The digest that an event is about; only its id is taken from the event. */
export function readDigestId(event: CloudEvent<unknown>): string {
  const id = SUBJECT.exec(event.subject ?? '')?.[1];
  if (id === undefined)
    throw new InvalidInputError('the subject names no digest, e.g. digest-12', 'unknown-id');
  return id;
}

const EMPTY: BuiltData['counts'] = {
  episodes: 0,
  firing: 0,
  resolved: 0,
  patterns: 0,
  issues: 0,
  bySeverity: {},
  byType: {},
  byTypeAndSeverity: [],
};

/** Only as many names as an event may carry. */
function toShort(counts: BuiltData['counts']): BuiltData['counts'] {
  const types = Object.entries(counts.byType).toSorted(([, a], [, b]) => b.episodes - a.episodes);
  return {
    ...counts,
    byType: Object.fromEntries(types.slice(0, MOST_NAMES)),
    byTypeAndSeverity: counts.byTypeAndSeverity.slice(0, MOST_NAMES),
  };
}
