/**
 * A night written by SQL, with the same inserts and updates that its alerts would have caused one by one, so that tables
 * and indexes hold the same dead rows: what is fired is resolved later, and every notice passes its states.
 */
import { Client } from 'pg';

const PATTERNS = 900;
const BURST = 20;

interface Night {
  readonly day: number;
  /** The end of the simulated day; its night began 14 hours before. */
  readonly midnight: Date;
  readonly episodes: number;
}

/** Writes one night. Two episodes make an incident; one incident in four is told, with a link. */
export async function writeNight(url: string, { day, midnight, episodes }: Night): Promise<void> {
  const client = new Client({ connectionString: url, options: '-c search_path=alertgest,public' });
  await client.connect();
  try {
    if (day === 1) await client.query(MAKE_PATTERNS, [PATTERNS]);
    const values = [day, midnight, episodes, PATTERNS];
    for (const statement of [MAKE_INCIDENTS, FIRE]) await client.query(statement, values);
    await client.query(RESOLVE, [day]);
    await client.query(CLOSE, [day]);
    await client.query(NOTIFY, [day]);
    for (const step of STEPS) await client.query(step, [day]);
    await client.query('update patterns set last_seen = $1', [midnight]);
  } finally {
    await client.end();
  }
}

/** Entries of a webhook that Alertmanager sends again and again: half of them fire, half are over. */
export function makeBurst(now: Date): Array<Record<string, unknown>> {
  return Array.from({ length: BURST }, (_, index) => ({
    status: index % 2 === 0 ? 'firing' : 'resolved',
    labels: {
      alertname: `Burst${index % 5}`,
      severity: 'warning',
      namespace: `ns${index}`,
      deployment: `api-${index}`,
      pod: `api-${index}-7d9f8b6c5-x2x${index}p`,
    },
    annotations: { summary: 'Pod has been in a non-ready state for longer than 15 minutes' },
    startsAt: new Date(now.getTime() - 60_000).toISOString(),
    endsAt: index % 2 === 0 ? '0001-01-01T00:00:00Z' : now.toISOString(),
  }));
}

const MAKE_PATTERNS = `insert into patterns (pattern, alertname, severity, namespace, cluster, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
  select 'v1:' || n, 'Alert' || n % 60, case when n % 10 = 9 then 'critical' when n % 3 = 0 then 'warning' else 'info' end,
    'ns' || n % 11, 'bench', 'thing ' || n, jsonb_build_object('alertname', 'Alert' || n % 60, 'severity', n % 10, 'workload', n),
    jsonb_build_object('deployment', 'thing-' || n), jsonb_build_object('pod', 'random', 'instance', 'address'), false, false, now() - interval '40 days', now()
  from generate_series(0, $1::int - 1) as n`;

/** When and for which pattern each episode of a night comes; two of an incident follow each other. */
const MADE = `select n, 'ag-' || $1::int || '-' || n / 2 as incident, 'v1:' || (n / 2 * 7919) % $4::int as pattern,
    $2::timestamptz - interval '14 hours' * (1 - n::float8 / $3::int) as at
  from generate_series(0, $3::int - 1) as n`;

const MAKE_INCIDENTS = `insert into incidents (id, pattern, opened_at, closed_at, open_episodes, episodes, grown_to)
  select incident, min(pattern), min(at), min(at), 0, count(*), 2 from (${MADE}) as made group by incident`;

const FIRE = `insert into episodes (key, pattern, incident, alertname, severity, namespace, own, labels, annotations, generator_url, flags, starts_at, received_at, last_seen)
  select 'd' || $1::int || 'k' || n, m.pattern, m.incident, p.alertname, p.severity, p.namespace, false,
    jsonb_build_object('alertname', p.alertname, 'severity', p.severity, 'namespace', p.namespace, 'pod', 'thing-7d9f8b6c5-x' || n, 'deployment', 'thing-' || n % 900,
      'container', 'app', 'instance', '10.42.' || n % 250 || '.17:8080', 'job', 'kube-state-metrics', 'prometheus', 'monitoring/kube-prometheus-stack-prometheus'),
    jsonb_build_object('summary', 'Pod has been in a non-ready state for longer than 15 minutes', 'description', repeat('Deployment thing has not matched the expected number of replicas. ', 3),
      'runbook_url', 'https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodnotready'),
    'http://prometheus:9090/graph?g0.expr=' || repeat('kube_pod_status_phase', 3), '{}', m.at, m.at, m.at
  from (${MADE}) as m join patterns p using (pattern)`;

const RESOLVE = `update episodes set ended_at = starts_at + interval '7 minutes', end_reason = 'resolved',
    last_seen = starts_at + interval '7 minutes', end_received_at = starts_at + interval '7 minutes'
  where ended_at is null and key like 'd' || $1::int || 'k%'`;

const CLOSE = `update incidents set closed_at = opened_at + interval '10 minutes' where id like 'ag-' || $1::int || '-%'`;

const NOTIFY = `insert into notices (id, incident, pattern, kind, status, why, open_episodes, traceparent, received_at)
  select id || '.' || kind, id, pattern, kind, 'received', null, 1, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', opened_at
  from incidents cross join unnest(array['opened', 'grew', 'resolved']) as kind where id like 'ag-' || $1::int || '-%'`;

const IS_TOLD = `split_part(n.incident, '-', 3)::int % 4 = 0 and n.kind = 'opened'`;
const IS_OURS = `n.incident like 'ag-' || $1::int || '-%'`;

/** One update per state, as classify, suppress-check and notify make them. */
const STEPS = [
  `update notices n set status = 'classified', classification = jsonb_build_object('category', 'workload', 'severity', 'warning', 'noise', 0.2,
     'nextStep', 'Look at the events and the logs of the pod.', 'source', 'rules'), status_at = clock_timestamp() where ${IS_OURS}`,
  `update notices n set status = case when ${IS_TOLD} then 'admitted' else 'suppressed' end,
     reason = case when ${IS_TOLD} then null else 'told' end,
     why = case when ${IS_TOLD} then 'it is new' else 'it was told when it began, and nothing changed since' end, status_at = clock_timestamp() where ${IS_OURS}`,
  `insert into deliveries (notice, channel) select n.id, 'ntfy' from notices n where ${IS_OURS} and n.status = 'admitted'`,
  `insert into decision_links (pattern, notice, channel, purpose, expires_at) select n.pattern, n.id, 'ntfy', 'decide', now() + interval '7 days'
   from notices n where ${IS_OURS} and n.status = 'admitted'`,
  `update deliveries d set status = 'sending', attempts = 1, fence = 1, lease_until = clock_timestamp() from notices n where d.notice = n.id and ${IS_OURS}`,
  `update deliveries d set status = 'sent', sent_at = clock_timestamp(), provider_id = 'AbCdEf123456', lease_until = null from notices n where d.notice = n.id and ${IS_OURS}`,
  `update notices n set status = 'notified', status_at = clock_timestamp() where ${IS_OURS} and n.status = 'admitted'`,
];
