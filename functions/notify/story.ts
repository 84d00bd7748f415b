/** Gathers what a message says from the rows behind its notice. */
import { signLink } from '../../shared/decision-link.ts';
import type { KeyRing } from '../../shared/decision-link.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import { ensureLink } from '../../shared/postgres/decision-links.ts';
import { readDecision } from '../../shared/postgres/decisions.ts';
import { readStanding } from '../../shared/postgres/explanations.ts';
import { batchLines, readNotice } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { readBatch } from '../../shared/postgres/batches.ts';
import { readBacklog } from '../../shared/postgres/pace.ts';
import { sampleEpisodes } from '../../shared/postgres/episodes.ts';
import type { EpisodeSample } from '../../shared/postgres/episodes.ts';
import { run } from '../../shared/postgres/pool.ts';
import type { Queryable } from '../../shared/postgres/pool.ts';
import { toExplained } from './explanation-lines.ts';
import { toMessage } from './message.ts';
import type { Decided } from './decided.ts';
import type { Telling } from './delivery.ts';
import type { DecisionButton, Message, MessageInput } from './message.ts';

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
  /** Sign the links of "Not concerning" and "Undo"; null leaves them out. */
  readonly decisionKeys: KeyRing | null;
  readonly timeZone: string;
  /** Hosts that links of alerts may lead to; the console's is always one of them, empty allows all. */
  readonly allowedHosts?: readonly string[];
}

/** One message: of which notice, and what its delivery asks for. */
export interface NoticeTelling extends Telling {
  readonly id: string;
}

/** Reads a notice's rows, gives its message a link of its own, and writes it. */
export async function readMessage(
  db: Queryable,
  telling: NoticeTelling,
  options: StoryOptions,
): Promise<Message> {
  const { channel, possiblyRepeated } = telling;
  const row = await readToldNotice(db, telling);
  if (telling.summaryOf !== null) return readBacklogMessage(db, row, telling, telling.summaryOf, options);
  const samples = await run(sampleEpisodes(db, row.incident, SAMPLES));
  const now = await readAlertClock(db);
  const batch = row.kind === 'due' && row.batch !== null ? await readSummary(db, row.batch) : null;
  const decided = row.decision === null ? null : await readDecided(db, row.pattern, row.decision);
  const button = await createButton(db, row, channel, { isStorm: batch?.isStorm ?? false, decided }, options);
  const isNews = batch === null && decided === null && row.kind !== 'resolved';
  const explained = isNews ? toExplained(await readStanding(db, row.pattern), row.created_at) : null;
  const gathered = { row, samples, batch, decided, button, possiblyRepeated, now };
  return toMessage({ ...toInput(gathered, options), explained });
}

/** The notice, with what its delivery adds to it. */
async function readToldNotice(db: Queryable, { id, quiet, insteadOf }: NoticeTelling): Promise<NoticeRow> {
  const row = await readNotice(db, id);
  if (row === undefined) throw new Error('the notice vanished');
  const notes = insteadOf === null ? [] : [`sent here because ${insteadOf} could not be reached`];
  return { ...row, quiet: row.quiet || quiet, missing: [...row.missing, ...notes] };
}

/** One message for all that waited while the channel was away; it is about many issues, so nothing can be decided from it. */
async function readBacklogMessage(
  db: Queryable,
  row: NoticeRow,
  { channel, possiblyRepeated }: NoticeTelling,
  carrier: string,
  options: StoryOptions,
): Promise<Message> {
  const { count, lines, severity, since, quiet } = await readBacklog(db, carrier, BATCH_LINES);
  const why = 'they waited for this channel, which could not be reached or is limited in pace';
  const input = toInput(
    {
      row: {
        ...row,
        kind: 'due',
        severity,
        quiet,
        why,
        missing: [],
        classification: null,
        closed_at: null,
        opened_at: since,
      },
      samples: [],
      batch: { title: `${count} alerts while ${channel} was unreachable`, count, lines },
      decided: null,
      button: null,
      possiblyRepeated,
      now: await readAlertClock(db),
    },
    options,
  );
  return toMessage({
    ...input,
    incidentKey: `ag-backlog-${carrier}`,
    noticeKey: `ag-backlog-${carrier}-${count}`,
    link: options.consoleUrl,
  });
}

async function readDecided(db: Queryable, pattern: string, generation: string): Promise<Decided | null> {
  return (await readDecision(db, pattern, generation)) ?? null;
}

/** The message's own way to decide: its link is stored just before it is sent, and used again on another attempt. */
async function createButton(
  db: Queryable,
  row: NoticeRow,
  channel: string,
  { isStorm, decided }: { isStorm: boolean; decided: Decided | null },
  { consoleUrl, decisionKeys }: StoryOptions,
): Promise<DecisionButton | null> {
  // The summary of a storm is about many issues; one tap cannot mean all of them.
  if (consoleUrl === null || decisionKeys === null || isStorm) return null;
  const isUndo = row.decision !== null;
  if (isUndo && (decided === null || decided.superseded || decided.kind === 'revoke')) return null;
  // Whoever holds a link is not known, so it may not silence a critical: only the issue's page is offered.
  if (row.severity === 'critical' && !isUndo)
    return { label: 'Not concerning', pageUrl: issueUrl(consoleUrl, row.pattern), act: null };
  const id = await ensureLink(db, {
    pattern: row.pattern,
    notice: row.id,
    channel,
    purpose: isUndo ? 'undo' : 'decide',
    undoGeneration: row.decision === null ? null : Number(row.decision),
  });
  const token = signLink(decisionKeys, id);
  return {
    label: isUndo ? 'Undo' : 'Not concerning',
    pageUrl: `${consoleUrl}/d/${token}`,
    act: { url: `${consoleUrl}/d`, token },
  };
}

function issueUrl(consoleUrl: string, pattern: string): string {
  return `${consoleUrl}/issues/${pattern}`;
}

type Summary = NonNullable<MessageInput['batch']> & { readonly isStorm: boolean };

async function readSummary(db: Queryable, id: string): Promise<Summary> {
  const [batch, { count, lines }] = await Promise.all([readBatch(db, id), batchLines(db, id, BATCH_LINES)]);
  const title = batch?.title ?? 'alerts';
  return batch?.kind === 'flap'
    ? { title: `${title} came back ${count} more times`, count, lines, isStorm: false }
    : { title: `${count} × ${title}`, count, lines, isStorm: true };
}

interface Gathered {
  readonly row: NoticeRow;
  readonly samples: readonly EpisodeSample[];
  readonly batch: MessageInput['batch'];
  readonly decided: Decided | null;
  readonly button: DecisionButton | null;
  readonly possiblyRepeated: boolean;
  /** The time by which alerts are judged. */
  readonly now: Date;
}

/** Puts a message's input together from rows. Pure. */
export function toInput(
  { row, samples, batch, decided, button, possiblyRepeated, now }: Gathered,
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
    now,
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
    decided,
    button,
    link: options.consoleUrl === null ? null : issueUrl(options.consoleUrl, row.pattern),
    timeZone: options.timeZone,
    allowedHosts: options.allowedHosts,
  };
}

function affectedResource(labels: Readonly<Record<string, string>>): string | null {
  const label = RESOURCE_LABELS.find((name) => labels[name] !== undefined);
  return label === undefined ? null : (labels[label] ?? null);
}
