/** Gathers what a message says from the rows behind its notice. */
import { batchLines, readNotice } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { readBatch } from '../../shared/postgres/batches.ts';
import { sampleEpisodes } from '../../shared/postgres/episodes.ts';
import type { EpisodeSample } from '../../shared/postgres/episodes.ts';
import { run } from '../../shared/postgres/pool.ts';
import type { Queryable } from '../../shared/postgres/pool.ts';
import { toMessage } from './message.ts';
import type { Message, MessageInput } from './message.ts';

/** Alerts looked at for one message. */
const SAMPLES = 10;
/** Titles listed in the summary of a batch. */
const BATCH_LINES = 20;
/** Labels that name an affected resource, the most telling first. */
const RESOURCE_LABELS = [
  'pod',
  'persistentvolumeclaim',
  'node',
  'instance',
  'job_name',
  'container',
  'name',
] as const;

export interface StoryOptions {
  readonly cluster: string;
  /** The console as a phone reaches it, without a slash at the end; null when not configured. */
  readonly consoleUrl: string | null;
  readonly timeZone: string;
}

/** Reads a notice's rows and writes its message. */
export async function readMessage(
  db: Queryable,
  id: string,
  possiblyRepeated: boolean,
  options: StoryOptions,
): Promise<Message> {
  const row = await readNotice(db, id);
  if (row === undefined) throw new Error('the notice vanished');
  const samples = await run(sampleEpisodes(db, row.incident, SAMPLES));
  const batch = row.kind === 'due' && row.batch !== null ? await readSummary(db, row.batch) : null;
  return toMessage(toInput(row, samples, batch, possiblyRepeated, options));
}

async function readSummary(db: Queryable, id: string): Promise<MessageInput['batch']> {
  const [batch, { count, lines }] = await Promise.all([readBatch(db, id), batchLines(db, id, BATCH_LINES)]);
  const title = batch?.title ?? 'alerts';
  return batch?.kind === 'flap'
    ? { title: `${title} came back ${count} more times`, count, lines }
    : { title: `${count} × ${title}`, count, lines };
}

/** Puts a message's input together from rows. Pure. */
export function toInput(
  row: NoticeRow,
  samples: readonly EpisodeSample[],
  batch: MessageInput['batch'],
  possiblyRepeated: boolean,
  options: StoryOptions,
): MessageInput {
  const first = samples[0];
  const fact = (name: string): string | null => {
    const value = row.classification?.[name];
    return typeof value === 'string' ? value : null;
  };
  const starts = samples.map((sample) => sample.starts_at.getTime());
  return {
    kind: row.kind,
    why: row.why ?? '',
    alertname: row.alertname,
    severity: row.severity,
    namespace: row.namespace,
    cluster: row.cluster ?? options.cluster,
    identity: row.title,
    category: fact('category'),
    nextStep: fact('nextStep'),
    runbookUrl: fact('runbookUrl'),
    summary: first?.annotations['summary'] ?? first?.annotations['message'] ?? '',
    description: first?.annotations['description'] ?? '',
    startedAt: starts.length === 0 ? row.opened_at : new Date(Math.min(...starts)),
    endedAt: row.closed_at,
    now: new Date(),
    openEpisodes: row.open_now,
    episodes: row.episodes,
    samples: [
      ...new Set(samples.map((sample) => affectedResource(sample.labels)).filter((name) => name !== null)),
    ],
    incidentKey: row.incident,
    noticeKey: row.id,
    missing: row.missing,
    possiblyRepeated,
    quiet: row.quiet,
    batch,
    link: options.consoleUrl === null ? null : `${options.consoleUrl}/api/v1/issues/${row.pattern}`,
    timeZone: options.timeZone,
  };
}

function affectedResource(labels: Readonly<Record<string, string>>): string | null {
  const label = RESOURCE_LABELS.find((name) => labels[name] !== undefined);
  return label === undefined ? null : (labels[label] ?? null);
}
