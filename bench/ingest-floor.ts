/** The floor of the ingest bench: the same episode rows by bare multi-row inserts, from a process of its own. */
import { Client } from 'pg';
import { normalizeAlert } from '../shared/alert.ts';
import { toPattern } from '../shared/pattern.ts';
import { makeAlert } from './alerts.ts';

export interface FloorJob {
  readonly databaseUrl: string;
  readonly run: string;
  readonly alerts: number;
  readonly perStatement: number;
  readonly connections: number;
}

/** Column → type of its list, as the table's rows are handed over. */
const COLUMNS = {
  key: 'text[]',
  pattern: 'text[]',
  incident: 'text[]',
  alertname: 'text[]',
  severity: 'text[]',
  namespace: 'text[]',
  own: 'boolean[]',
  labels: 'jsonb[]',
  annotations: 'jsonb[]',
  generator_url: 'text[]',
  starts_at: 'timestamptz[]',
  received_at: 'timestamptz[]',
  last_seen: 'timestamptz[]',
} as const;

const NAMES = Object.keys(COLUMNS).join(', ');
const LISTS = Object.values(COLUMNS)
  .map((type, index) => `$${index + 1}::${type}`)
  .join(', ');
const INSERT = `insert into floor_episodes (${NAMES}, flags) select ${NAMES}, '{}'::text[] from unnest(${LISTS}) as r(${NAMES})`;

process.on('message', (job: FloorJob) => {
  insert(job).then(
    (elapsedMs) => process.send?.({ elapsedMs }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

/** Inserts all rows; answers the time in milliseconds. */
async function insert(job: FloorJob): Promise<number> {
  const statements = makeStatements(job);
  const clients = Array.from(
    { length: job.connections },
    () => new Client({ connectionString: job.databaseUrl, options: '-c search_path=alertgest,public' }),
  );
  await Promise.all(clients.map((client) => client.connect()));
  const queue = statements.values();
  const startedAt = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (const values of queue) await client.query({ name: 'floor', text: INSERT, values });
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  await Promise.all(clients.map((client) => client.end()));
  return elapsedMs;
}

/** The values of every statement, ready to send: one list per column. */
function makeStatements(job: FloorJob): unknown[][] {
  const receivedAt = new Date();
  const startsAt = new Date(receivedAt.getTime() - 60_000).toISOString();
  return Array.from({ length: Math.ceil(job.alerts / job.perStatement) }, (_, statement) => {
    const rows = Array.from({ length: job.perStatement }, (_, index) => {
      const raw = makeAlert(job.run, statement * job.perStatement + index, startsAt);
      const alert = normalizeAlert(raw, 'firing', { receivedAt, cluster: 'bench' });
      if (typeof alert === 'string') throw new Error(alert);
      const pattern = toPattern(alert, { cluster: 'bench' });
      return {
        key: alert.key,
        pattern: pattern.pattern,
        incident: `ag-${alert.key.slice(0, 16)}`,
        alertname: pattern.alertname,
        severity: pattern.severity,
        namespace: pattern.namespace,
        own: false,
        labels: JSON.stringify(alert.labels),
        annotations: JSON.stringify(alert.annotations),
        generator_url: alert.generatorUrl,
        starts_at: alert.startsAt.toISOString(),
        received_at: receivedAt.toISOString(),
        last_seen: receivedAt.toISOString(),
      };
    });
    return (Object.keys(COLUMNS) as Array<keyof typeof COLUMNS>).map((column) =>
      rows.map((row) => row[column]),
    );
  });
}
