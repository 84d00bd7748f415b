/** Time is news: alerts that nobody sees any more, incidents whose hour has come, batches that are full. */
import { closeDueBatches } from '../../shared/postgres/batches.ts';
import { closeStale, stalePatterns } from '../../shared/postgres/episodes.ts';
import { finishEscalation, takeDueEscalations } from '../../shared/postgres/escalations.ts';
import { countDue, removeEpisodes, takeDue } from '../../shared/postgres/incidents.ts';
import type { DueIncident, DueWhy } from '../../shared/postgres/incidents.ts';
import { insertNotices } from '../../shared/postgres/notices.ts';
import type { NoticeInsert } from '../../shared/postgres/notices.ts';
import { lockKnownPatterns } from '../../shared/postgres/patterns.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool, PoolClient } from '../../shared/postgres/pool.ts';

/** An own issue (AlertgestRejected) is over when it was not seen for this long. */
const OWN_STALE_MS = 60 * 60_000;

/** When one sweep looks, and how many rows of one kind it takes. */
export interface Moment {
  /** The time by which rules about alerts are judged. */
  readonly now: Date;
  readonly traceparent: string;
  readonly limit: number;
}

/** Closes alerts unseen for twice the repeat interval: they are not "still firing", nobody knows. Answers new notices. */
export async function closeStaleEpisodes(
  pool: Pool,
  { now, traceparent, limit }: Moment,
  repeatIntervalMs: number,
): Promise<string[]> {
  const before = {
    alerts: new Date(now.getTime() - 2 * repeatIntervalMs),
    own: new Date(now.getTime() - OWN_STALE_MS),
  };
  const ids: string[] = [];
  for (const pattern of await stalePatterns(pool, before, limit)) {
    const inserted = await transaction(pool, async (client) => {
      await lockKnownPatterns(client, [pattern]);
      const notices: NoticeInsert[] = [];
      for (const [incident, closed] of await closeStale(client, pattern, before, now)) {
        if (await removeEpisodes(client, incident, closed, now))
          notices.push(endNotice(incident, pattern, now, traceparent));
      }
      await insertNotices(client, notices);
      return notices;
    });
    ids.push(...inserted.map((notice) => notice.id));
  }
  return ids;
}

function endNotice(incident: string, pattern: string, now: Date, traceparent: string): NoticeInsert {
  return {
    id: `${incident}.resolved`,
    incident,
    pattern,
    kind: 'resolved',
    why: null,
    batch: null,
    open_episodes: 0,
    traceparent,
    received_at: now,
  };
}

/** Turns due incidents and due batches into `due` notices; answers their ids. */
export async function makeTimeNews(pool: Pool, moment: Moment): Promise<string[]> {
  return transaction(pool, async (client) => {
    const notices = [...(await incidentNews(client, moment)), ...(await batchNews(client, moment))];
    await insertNotices(client, notices);
    return [...notices, ...(await escalationNews(client, moment))].map((notice) => notice.id);
  });
}

async function incidentNews(client: PoolClient, moment: Moment): Promise<NoticeInsert[]> {
  const due = await takeDue(client, moment.limit);
  return due
    .filter((incident) => incident.closed_at === null)
    .map((incident) => dueNotice(incident, incident.due_why, null, moment));
}

async function batchNews(client: PoolClient, moment: Moment): Promise<NoticeInsert[]> {
  const notices: NoticeInsert[] = [];
  for (const batch of await closeDueBatches(client, moment.limit)) {
    const incident = await countDue(client, batch.incident);
    if (incident !== undefined) notices.push(dueNotice(incident, null, batch.id, moment));
  }
  return notices;
}

/** Nobody acknowledged: who was to be told then is told by a notice of its own. */
async function escalationNews(client: PoolClient, moment: Moment): Promise<NoticeInsert[]> {
  const notices: NoticeInsert[] = [];
  for (const escalation of await takeDueEscalations(client, moment.limit)) {
    const incident = escalation.outcome === 'told' ? await countDue(client, escalation.incident) : undefined;
    const why = `not acknowledged for ${toWords(escalation.after_ms)}` as const;
    const notice = incident === undefined ? null : dueNotice(incident, why, null, moment);
    if (notice !== null) {
      await insertNotices(client, [notice]);
      notices.push(notice);
    }
    await finishEscalation(client, escalation, notice?.id ?? null);
  }
  return notices;
}

/** "15 minutes", "2 hours", "90 seconds": the largest unit that fits without a rest. */
function toWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const [unit, amount] =
    seconds % 3_600 === 0
      ? ['hour', seconds / 3_600]
      : seconds % 60 === 0
        ? ['minute', seconds / 60]
        : ['second', seconds];
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

function dueNotice(
  incident: DueIncident,
  why: DueWhy | null,
  batch: string | null,
  { now, traceparent }: Moment,
): NoticeInsert {
  return {
    id: `${incident.id}.due-${incident.dues}`,
    incident: incident.id,
    pattern: incident.pattern,
    kind: 'due',
    why,
    batch,
    open_episodes: incident.open_episodes,
    traceparent,
    received_at: now,
  };
}
