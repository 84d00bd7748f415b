/** Writes a notice's deliveries once, in the transaction that locks it: hours that change meanwhile add nothing. */
import { batchSubjects } from '../../shared/postgres/batches.ts';
import { planDeliveries, toldChannels } from '../../shared/postgres/deliveries.ts';
import { sampleEpisodes } from '../../shared/postgres/episodes.ts';
import { planEscalations, readEscalation } from '../../shared/postgres/escalations.ts';
import { waitForExplanation } from '../../shared/postgres/explanation-waits.ts';
import { lockNotice, markPlanned, readNotice } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool, PoolClient } from '../../shared/postgres/pool.ts';
import { route } from './routing.ts';
import type { Destination, Labels, News, Router } from './routing.ts';

/** Alerts of an incident whose labels are compared; those they share are routed by. */
const SAMPLES = 10;
/** Incidents of a summary whose labels are routed by. */
const SUBJECTS = 500;

export interface PlanDeps {
  readonly pool: Pool;
  readonly channels: readonly Destination[];
  readonly router: Router;
}

/** Plans a notice; answers why nobody is told, or null. */
export async function plan({ pool, channels, router }: PlanDeps, id: string): Promise<string | null> {
  return transaction(pool, async (client) => {
    await lockNotice(client, id);
    const row = await readNotice(client, id);
    if (row === undefined || row.planned_at !== null) return null;
    const routed = route(await readNews(client, row, router), channels, router);
    if (routed.deliveries.length === 0) return routed.why;
    await planDeliveries(client, { notice: id }, routed.deliveries);
    if (mayWait(row)) await waitForExplanation(client, id, row.pattern);
    await planEscalations(client, row.incident, routed.escalations);
    await markPlanned(client, id, routed.notes ?? []);
    return null;
  });
}

/** A critical waits for nothing; ends, decisions and summaries have nothing to wait for. */
function mayWait(row: NoticeRow): boolean {
  return (
    row.severity !== 'critical' && row.kind !== 'resolved' && row.decision === null && row.batch === null
  );
}

async function readNews(client: PoolClient, row: NoticeRow, { byLabels }: Router): Promise<News> {
  const isEnd = row.kind === 'resolved';
  const isDecision = row.decision !== null;
  const told = isEnd || isDecision ? await toldChannels(client, row.incident) : [];
  return {
    kind: row.kind,
    severity: row.severity,
    isDecision,
    isOver: row.closed_at !== null,
    labels: byLabels && !isEnd ? await readLabels(client, row) : [],
    at: byLabels ? await readAlertClock(client) : row.received_at,
    told: new Set(told.map(({ channel }) => channel)),
    toldInSummary: new Set(told.filter(({ inSummary }) => inSummary).map(({ channel }) => channel)),
    escalation: row.kind === 'due' && row.batch === null ? await readEscalation(client, row.id) : null,
  };
}

/** The labels of the incident, or of each one that its summary is about. */
async function readLabels(client: PoolClient, row: NoticeRow): Promise<readonly Labels[]> {
  if (row.kind === 'due' && row.batch !== null) {
    const subjects = await batchSubjects(client, row.batch, SUBJECTS);
    if (subjects.length > 0) return subjects.map((subject) => toLabels(subject, row.kind, [subject.labels]));
  }
  const samples = await sampleEpisodes(client, row.incident, SAMPLES);
  const category = row.classification?.['category'];
  return [
    toLabels(
      { ...row, category: typeof category === 'string' ? category : null },
      row.kind,
      samples.map(({ labels }) => labels),
    ),
  ];
}

/** What we know of an alert ourselves; it takes the place of a label of that name. */
interface OwnFacts {
  readonly alertname: string;
  readonly severity: string;
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly category: string | null;
}

/** The labels that all samples share, and our own facts. Pure. */
export function toLabels(
  { alertname, severity, namespace, cluster, category }: OwnFacts,
  kind: string,
  samples: readonly Labels[],
): Labels {
  const [first = {}, ...others] = samples;
  const shared = Object.entries(first).filter(([name, value]) =>
    others.every((labels) => labels[name] === value),
  );
  const own = Object.entries({ alertname, severity, namespace, cluster, category, kind }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  return Object.fromEntries([...shared, ...own]);
}
