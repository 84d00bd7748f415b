/** Reads a function's configuration from the environment: once, at start, with every problem told at once. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ConfigError } from './errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Resolves `<NAME>_FILE` variables: a secret mounted as a file counts as the variable itself, without its line end.
 * Empty values count as not set, because Kubernetes and compose files cannot say "unset". A file that cannot be read
 * leaves its `_FILE` variable behind: other programs have such variables too, so only a variable of ours that was to
 * come from it is an error ({@link readVariable}).
 */
export function resolveEnvironment(raw: Environment): Environment {
  const resolved: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value === undefined || value === '') continue;
    const content = name.endsWith('_FILE') ? readSecret(value) : null;
    if (content === null) resolved[name] = value;
    else resolved[name.slice(0, -'_FILE'.length)] ??= content;
  }
  return resolved;
}

/** One variable of a resolved environment; a {@link ConfigError} when its file could not be read. */
export function readVariable(env: Environment, name: string): string | undefined {
  if (env[name] === undefined && env[`${name}_FILE`] !== undefined) {
    throw new ConfigError(
      `${name}_FILE: the file it names cannot be read; check the mount and its permissions`,
    );
  }
  return env[name];
}

function readSecret(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    return null;
  }
}

/** Parses the environment with a function's schema; a {@link ConfigError} names every bad variable, never a value. */
export function parseConfig<T extends z.ZodObject>(schema: T, env: Environment): z.infer<T> {
  const given = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, readVariable(env, name)]));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`the configuration is not usable:\n  ${problems.join('\n  ')}`);
}

/** A boolean variable: `true` or `false`. */
export function flag(byDefault: boolean): z.ZodType<boolean, string | undefined> {
  return z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .optional()
    .transform((value) => (value === undefined ? byDefault : value === 'true'));
}

/** A whole number within bounds. */
export function integer(byDefault: number, min: number, max: number): z.ZodType<number, string | undefined> {
  const message = `must be a whole number from ${min} to ${max}, e.g. ${byDefault}`;
  return z
    .string()
    .optional()
    .transform((value) => (value === undefined ? byDefault : Number(value)))
    .pipe(z.int(message).min(min, message).max(max, message));
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration as Prometheus writes it (`30s`, `5m`, `4h`, `1h30m`), in milliseconds. */
export function durationMs(byDefault: string): z.ZodType<number, string | undefined> {
  return z
    .string()
    .regex(/^(\d+(ms|[smhd]))+$/, `must be a duration, e.g. ${byDefault}`)
    .optional()
    .transform((value) => parseDurationMs(value ?? byDefault));
}

/** Adds up the parts of a Prometheus duration, in milliseconds. */
export function parseDurationMs(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) {
    total += Number(amount) * (DURATION_UNITS[unit ?? ''] ?? 0);
  }
  return total;
}

/** Variables that every function reads. */
export const baseConfig = z.object({
  APP_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'must be one of debug, info, warn, error' })
    .default('info'),
  CLUSTER_NAME: z.string().max(64, 'must be at most 64 characters, e.g. home').default('default'),
  K_SINK: z
    .url({ protocol: /^https?$/, error: 'must be the URL of the broker; SinkBinding sets it' })
    .optional(),
  K_CE_OVERRIDES: z.string().optional(),
  /** Where spans go; shared/start.ts reads both before anything else. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({
      protocol: /^https?$/,
      error: 'must be the URL of an OTLP/HTTP collector, e.g. http://alloy.monitoring.svc:4318',
    })
    .optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^\s*[\w-]+\s*=[^,]*(,\s*[\w-]+\s*=[^,]*)*$/, 'must be name=value pairs with commas between')
    .optional(),
});

/** Variables of every function that uses Postgres. */
export const databaseConfig = z.object({
  DATABASE_URL: z.string({ error: 'must be set, e.g. postgresql://alertgest@postgres:5432/alertgest' }),
  DATABASE_POOL_SIZE: integer(4, 1, 50),
  ALLOW_REPLAY: flag(false),
});
