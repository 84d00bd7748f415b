/** A month of history for tests of the console: issues of every kind, told and untold incidents, decisions, nights, failures. */
import { createIngest } from '../../functions/receive/ingest.ts';
import { appendDecision } from '../../shared/postgres/decisions.ts';
import { buildDigest } from './digests.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { insertDeadLetter } from '../../shared/postgres/records.ts';
import { normalizeAlert } from '../../shared/alert.ts';
import { toPattern } from '../../shared/pattern.ts';
import type { Arrival } from '../../functions/receive/episodes.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface SeededIssue {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Days ago on which it fired for half an hour. */
  readonly daysAgo: readonly number[];
  /** Hours for which it has been firing now; null when it does not. */
  readonly firingHours: number | null;
  readonly category?: string;
}

const days = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);

/** What stands in the list of a home lab and a small company. */
export const SAMPLE_ISSUES: readonly SeededIssue[] = [
  {
    labels: { alertname: 'PostgresDown', severity: 'critical', namespace: 'shop', statefulset: 'postgres' },
    annotations: {
      summary: 'Postgres of the shop does not answer',
      runbook_url: 'https://runbooks.example/postgres',
    },
    daysAgo: [12],
    firingHours: 0.4,
    category: 'database',
  },
  {
    labels: {
      alertname: 'KubePodCrashLooping',
      severity: 'warning',
      namespace: 'media',
      deployment: 'transcoder',
    },
    annotations: { summary: 'Pod restarts again and again' },
    daysAgo: days(0.2, 9, 0.4),
    firingHours: 3,
    category: 'workload',
  },
  {
    labels: { alertname: 'NodeMemoryPressure', severity: 'warning', node: 'worker-2' },
    annotations: { summary: 'Memory above 90 %' },
    daysAgo: days(1, 28, 3),
    firingHours: 9,
    category: 'node',
  },
  {
    labels: {
      alertname: 'CertificateExpiresSoon',
      severity: 'critical',
      namespace: 'ingress',
      name: 'shop-tls',
    },
    annotations: { summary: 'The certificate of shop.example ends in 3 days' },
    daysAgo: [2, 3, 4],
    firingHours: null,
    category: 'security',
  },
  {
    labels: { alertname: 'CPUThrottlingHigh', severity: 'info', namespace: 'media', deployment: 'jellyfin' },
    annotations: { summary: '30 % of the time is throttled' },
    daysAgo: days(0.1, 30, 0.3),
    firingHours: null,
    category: 'media',
  },
  {
    labels: { alertname: 'BackupLate', severity: 'warning', namespace: 'backup', job_name: 'borg-nas' },
    annotations: { summary: 'No backup for 26 hours' },
    daysAgo: [1, 8, 15, 22, 29],
    firingHours: null,
    category: 'backup',
  },
  {
    labels: { alertname: 'WireguardPeerSilent', severity: 'warning', namespace: 'vpn', peer: 'phone-anna' },
    annotations: { summary: 'No handshake for 10 minutes' },
    daysAgo: days(0.3, 26, 1.1),
    firingHours: null,
    category: 'vpn',
  },
  {
    labels: { alertname: 'QueueBacklog', severity: 'unknown-level', namespace: 'shop', queue: 'orders' },
    annotations: { summary: '4,812 messages wait' },
    daysAgo: [0.6, 5],
    firingHours: 1.2,
    category: 'queue',
  },
];

/** Stores the issues with their history up to now. Channels, notices and decisions are set as the functions leave them. */
export async function seedConsole(
  pool: Pool,
  issues: readonly SeededIssue[] = SAMPLE_ISSUES,
  now = new Date(),
): Promise<void> {
  const ingest = createIngest(pool, { isHeartbeat: (name) => name === 'Watchdog', allowReplay: true });
  const ago = (ms: number): Date => new Date(now.getTime() - ms);
  const stories = issues.flatMap((issue) => [
    ...issue.daysAgo.map((day) => ({ issue, from: day * DAY_MS, firing: false })),
    ...(issue.firingHours === null ? [] : [{ issue, from: issue.firingHours * HOUR_MS, firing: true }]),
  ]);
  for (const { issue, from, firing } of stories.toSorted((a, b) => b.from - a.from)) {
    const { labels, annotations } = issue;
    const instance = { ...labels, instance: `10.0.0.${Math.round(from / HOUR_MS) % 200}:9100` };
    const startsAt = ago(from);
    await ingest.store(
      [toArrival({ labels: instance, annotations, startsAt, receivedAt: startsAt })],
      startsAt,
    );
    if (firing) continue;
    const endsAt = ago(Math.max(0, from - HOUR_MS / 2));
    await ingest.store(
      [
        toArrival({
          labels: instance,
          annotations,
          status: 'resolved',
          startsAt,
          endsAt,
          receivedAt: endsAt,
        }),
      ],
      endsAt,
    );
  }
  await ingest.store(
    [
      toArrival({
        labels: { alertname: 'Watchdog', severity: 'none' },
        startsAt: ago(DAY_MS),
        receivedAt: ago(60_000),
      }),
    ],
    ago(60_000),
  );
  for (const { labels, category } of issues) {
    await pool.query(`update patterns set classification = $2::jsonb where alertname = $1`, [
      labels['alertname'],
      JSON.stringify({
        category: category ?? null,
        severityFloor: null,
        likelyNoise: labels['severity'] === 'info',
        nextStep: 'Look at the newest log lines, and at what changed just before.',
        runbookUrl: 'https://runbooks.example/first-steps',
        rule: 'seeded',
      }),
    ]);
  }
  await settle(pool);
  await decide(pool, issues);
  await fail(pool);
  for (let night = 1; night <= 14; night++) {
    const end = new Date(ago((night - 1) * DAY_MS).setUTCHours(8, 0, 0, 0));
    const start = new Date(end.getTime() - 14 * HOUR_MS);
    if (end > now) continue;
    await buildDigest(pool, { start, end });
  }
}

/** Every notice final, as after a calm run: openings told, unless a reminder says otherwise. */
async function settle(pool: Pool): Promise<void> {
  await pool.query(
    `update notices n set status = case when p.severity = 'info' then 'suppressed' when p.heartbeat then 'suppressed' else 'notified' end,
       reason = case when p.heartbeat then 'heartbeat' when p.severity = 'info' then 'digest-only' end,
       why = case when p.severity = 'info' then 'kept for the digest by anna until it is taken back'
         when n.kind = 'opened' then 'first alert of a new incident' when n.kind = 'resolved' then 'the incident that was told is over' else why end,
       classification = p.classification, planned_at = n.received_at, status_at = n.received_at
     from patterns p where p.pattern = n.pattern`,
  );
  await pool.query(
    `insert into deliveries (notice, channel, status, attempts, provider_id, created_at, sent_at)
     select n.id, c.channel, 'sent', 1, 'msg-' || left(md5(n.id), 8), n.received_at, n.received_at + interval '2 seconds'
     from notices n cross join (values ('phone'), ('team-chat')) as c(channel) where n.status = 'notified' order by n.received_at`,
  );
}

async function decide(pool: Pool, issues: readonly SeededIssue[]): Promise<void> {
  const say = async (
    alertname: string,
    kind: 'ignore' | 'digest' | 'quiet' | 'important',
    note: string | null,
    until: Date | null,
  ): Promise<void> => {
    if (!issues.some(({ labels }) => labels['alertname'] === alertname)) return;
    const { rows } = await pool.query<{ pattern: string }>(
      'select pattern from patterns where alertname = $1',
      [alertname],
    );
    for (const { pattern } of rows)
      await transaction(pool, (client) =>
        appendDecision(client, pattern, { kind, until, note, actor: 'anna' }),
      );
  };
  await say('WireguardPeerSilent', 'ignore', 'The phone sleeps at night', new Date(Date.now() + 6 * DAY_MS));
  await say('CPUThrottlingHigh', 'digest', null, null);
  await say('PostgresDown', 'important', 'Always wake me', null);
}

async function fail(pool: Pool): Promise<void> {
  await pool.query(
    `update deliveries set status = 'dead', attempts = 7, sent_at = null, provider_id = null, last_error = 'ntfy answered 507: {"error":"quota reached"}'
     where id in (select id from deliveries where channel = 'team-chat' order by id desc limit 2)`,
  );
  await pool.query(
    `update deliveries set status = 'planned', attempts = 3, sent_at = null, provider_id = null, last_error = 'connection reset',
       next_attempt_at = clock_timestamp() + interval '3 minutes' where id = (select id from deliveries where channel = 'phone' order by id desc limit 1)`,
  );
  await pool.query(
    `update notices set status = 'admitted' where id in (select notice from deliveries where status = 'planned')`,
  );
  await pool.query(
    `insert into counters (name, value) values ('receive.alerts', 18442), ('receive.rejected', 3)`,
  );
  await insertDeadLetter(pool, {
    eventId: 'n1.received',
    type: 'dev.alertgest.notice.received',
    subject: 'n1',
    destination: 'http://classify.alertgest.svc.cluster.local',
    code: '500',
    detail: '{"error":"internal error; see the log","reason":"bug"}',
  });
}

function toArrival(entry: {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly status?: 'resolved';
  readonly startsAt: Date;
  readonly endsAt?: Date;
  readonly receivedAt: Date;
}): Arrival {
  const { receivedAt, status = 'firing' } = entry;
  const alert = normalizeAlert(
    {
      ...entry,
      status,
      startsAt: entry.startsAt.toISOString(),
      endsAt: entry.endsAt?.toISOString() ?? '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example/graph?g0.expr=up',
    },
    status,
    { receivedAt, cluster: 'home' },
  );
  if (typeof alert === 'string') throw new Error(alert);
  return { alert, pattern: toPattern(alert, { cluster: 'home' }), receivedAt, traceparent: '', own: false };
}
