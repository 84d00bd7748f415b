/** Whether the functions get the variables they read, and share the database's connections out among themselves. */
import type * as z from 'zod';

import { configSchema as buildDigest } from '../../../functions/build-digest/config.ts';
import { configSchema as classify } from '../../../functions/classify/config.ts';
import { configSchema as consoleConfig } from '../../../functions/console/config.ts';
import { CHANNEL_TYPES } from '../../../functions/notify/channels/index.ts';
import { configSchema as notify } from '../../../functions/notify/config.ts';
import { formatProblems, readRoutes } from '../../../functions/notify/routes-file.ts';
import { configSchema as receive } from '../../../functions/receive/config.ts';
import { configSchema as suppressCheck } from '../../../functions/suppress-check/config.ts';
import { parseConfig } from '../../../shared/env.ts';
import { FUNCTION_NAMES } from '../../../eventing/local/functions.ts';
import type { Resource } from './render.ts';
import { readConfigMap, readWorkloads } from './workloads.ts';
import type { Workload } from './workloads.ts';

const SCHEMAS: Readonly<Record<string, z.ZodObject>> = {
  receive,
  classify,
  'suppress-check': suppressCheck,
  notify,
  'build-digest': buildDigest,
  console: consoleConfig,
};
const CHANNEL_VARIABLES = new Set(CHANNEL_TYPES.flatMap(({ variables }) => variables));
/** Settings that no function reads: they go into the PingSource. */
const SCHEDULE = ['DIGEST_CRON', 'DIGEST_TIMEZONE'] as const;
/** What the image itself reads (build/main.ts). */
const OF_THE_IMAGE = ['FUNCTION_TARGET'];
/** A value for each Secret's key that passes the functions' checks of it. */
const SAMPLE = {
  DATABASE_URL: 'postgresql://alertgest:x@postgres:5432/alertgest',
  REDIS_URL: 'redis://redis:6379',
};
const SAMPLE_SECRET = 'k'.repeat(48);
/** Migration, backup and a person with psql. */
const CONNECTIONS_KEPT_FREE = 8;
/** What docs/install-company.md asks of a database that is not ours. */
const COMPANY_MAX_CONNECTIONS = 200;

/** Every variable given to a function is one it reads, and what it is given is enough for it to start. */
export function checkVariables(resources: readonly Resource[]): string[] {
  const settings = readConfigMap(resources, 'settings');
  const known = new Set([
    ...Object.values(SCHEMAS).flatMap((schema) => Object.keys(schema.shape)),
    ...CHANNEL_VARIABLES,
    ...SCHEDULE,
  ]);
  const functions = readWorkloads(resources).filter(({ isFunction }) => isFunction);
  return [
    ...FUNCTION_NAMES.filter((name) => functions.every((workload) => workload.name !== name)).map(
      (name) => `there is no Service ${name}`,
    ),
    ...Object.keys(settings)
      .filter((name) => !known.has(name))
      .map((name) => `settings: no function reads ${name}`),
    ...functions.flatMap((workload) => checkOwnVariables(workload, settings)),
  ];
}

function checkOwnVariables(
  { where, name, pod }: Workload,
  settings: Readonly<Record<string, string>>,
): string[] {
  const schema = SCHEMAS[name];
  if (schema === undefined) return [`${where}: is no function of ours`];
  const env = pod.containers[0]?.env ?? [];
  const found: string[] = [];
  const own: Record<string, string> = {};
  for (const variable of env) {
    const base = variable.name.replace(/_FILE$/, '');
    if (!(base in schema.shape) && !(variable.name in schema.shape) && !OF_THE_IMAGE.includes(base))
      found.push(`${where}: does not read ${variable.name}`);
    // A variable that is the path itself, such as a mounted file's, keeps its name.
    const isSecretFile = variable.name !== base && base in schema.shape;
    own[isSecretFile ? base : variable.name] =
      isSecretFile || variable.valueFrom !== undefined ? sampleOf(base) : (variable.value ?? '');
  }
  if (own['FUNCTION_TARGET'] !== name) found.push(`${where}: FUNCTION_TARGET is not its own name`);
  const takesSettings = (pod.containers[0]?.envFrom ?? []).some(
    ({ configMapRef }) => configMapRef !== undefined,
  );
  try {
    parseConfig(schema, { ...(takesSettings ? settings : {}), ...own });
  } catch (error) {
    found.push(`${where}: would not start: ${error instanceof Error ? error.message : String(error)}`);
  }
  return found;
}

function sampleOf(name: string): string {
  return name in SAMPLE ? SAMPLE[name as keyof typeof SAMPLE] : SAMPLE_SECRET;
}

/** All functions at their largest, twice because a rollout runs two revisions, fit into the database. */
export function checkConnections(resources: readonly Resource[]): string[] {
  const needed = 2 * sumConnections(resources) + CONNECTIONS_KEPT_FREE;
  const limit = maxConnections(resources);
  return needed <= limit ? [] : [`functions may need ${needed} connections, PostgreSQL allows ${limit}`];
}

/** What all functions at their largest may hold. */
export function sumConnections(resources: readonly Resource[]): number {
  return readWorkloads(resources)
    .filter(({ isFunction }) => isFunction)
    .reduce((total, workload) => total + scaleOf(workload, 'max') * poolOf(workload), 0);
}

/** Receive is always there; nothing scales without end. */
export function checkScale(resources: readonly Resource[]): string[] {
  return readWorkloads(resources)
    .filter(({ isFunction }) => isFunction)
    .flatMap((workload) => {
      const [min, max] = [scaleOf(workload, 'min'), scaleOf(workload, 'max')];
      const found: string[] = [];
      if (!(max >= 1)) found.push(`${workload.where}: scales without end`);
      if (min > max) found.push(`${workload.where}: its smallest scale is larger than its largest`);
      if (workload.name === 'receive' && min < 1)
        found.push(
          `${workload.where}: may be scaled to zero, and alerts that begin and end meanwhile are lost`,
        );
      return found;
    });
}

/** Where notify reads routes from a file, the file is there and says something that can be read. */
export function checkRoutes(resources: readonly Resource[]): string[] {
  const notify = readWorkloads(resources).find(({ isFunction, name }) => isFunction && name === 'notify');
  const file = notify?.pod.containers[0]?.env.find(({ name }) => name === 'ROUTES_FILE')?.value;
  if (notify === undefined || file === undefined) return [];
  const mount = notify.pod.containers[0]?.volumeMounts.find(({ mountPath }) =>
    file.startsWith(`${mountPath}/`),
  );
  const volume = notify.pod.volumes.find(({ name }) => name === mount?.name);
  const text = readConfigMap(resources, 'routes')[file.slice((mount?.mountPath ?? '').length + 1)];
  if (volume?.configMap === undefined || text === undefined) return [`routes: nothing is mounted at ${file}`];
  const read = readRoutes(text, new Set(CHANNEL_TYPES.map(({ type }) => type)));
  return 'file' in read ? [] : formatProblems(read, 'routes').split('\n');
}

/** The PingSource of the digest ticks when settings say so. */
export function checkDigestSchedule(resources: readonly Resource[]): string[] {
  const settings = readConfigMap(resources, 'settings');
  const source = resources.find(({ kind, metadata }) => kind === 'PingSource' && metadata.name === 'digest');
  if (source === undefined) return ['there is no PingSource digest'];
  const spec = source['spec'] as { schedule?: string; timezone?: string };
  return [
    ...(spec.schedule === settings['DIGEST_CRON']
      ? []
      : [`PingSource digest: ${spec.schedule} is not DIGEST_CRON`]),
    ...(spec.timezone === settings['DIGEST_TIMEZONE']
      ? []
      : [`PingSource digest: ${spec.timezone} is not DIGEST_TIMEZONE`]),
  ];
}

function scaleOf({ annotations }: Workload, which: 'min' | 'max'): number {
  return Number(annotations[`autoscaling.knative.dev/${which}-scale`] ?? (which === 'min' ? 0 : Number.NaN));
}

function poolOf({ pod }: Workload): number {
  const given = pod.containers[0]?.env.find(({ name }) => name === 'DATABASE_POOL_SIZE')?.value;
  return Number(given ?? receive.shape.DATABASE_POOL_SIZE.parse(undefined));
}

function maxConnections(resources: readonly Resource[]): number {
  const postgres = readWorkloads(resources).find(({ name }) => name === 'postgres');
  if (postgres === undefined) return COMPANY_MAX_CONNECTIONS;
  const given = postgres.pod.containers[0]?.args.find((arg) => arg.startsWith('max_connections='));
  return Number(given?.split('=')[1] ?? 100);
}
