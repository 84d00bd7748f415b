/**
 * Redis: a copy of decisions that may vanish at any time. Every entry carries the pattern's generation; one of another
 * generation is ignored, so a stale copy never wins over Postgres. Any failure of Redis means "read Postgres".
 */
import type { Redis } from 'ioredis';
import * as z from 'zod';
import type { Logger } from './log.ts';
import { describeError } from './log.ts';
import { DECISION_KINDS } from './postgres/decisions.ts';
import type { Decision } from './postgres/decisions.ts';

/** All keys of this project; the pattern's hash follows. */
const KEY_PREFIX = 'ag:decision:';
/** Copies are dropped after a day; they are refilled from Postgres on the next read. */
const TTL_S = 86_400;

const copySchema = z.object({
  generation: z.number(),
  decision: z
    .object({
      kind: z.enum(DECISION_KINDS),
      until: z.coerce.date().nullable(),
      note: z.string().nullable(),
      actor: z.string(),
      generation: z.number(),
    })
    .nullable(),
});

export interface DecisionCache {
  /** The decision in force at `at`, from the copy when its generation fits, else from `load`. Without decisions no store is asked. */
  read(
    pattern: string,
    generation: number,
    at: Date,
    load: () => Promise<Decision | null>,
  ): Promise<Decision | null>;
  /** One word for /ready: ok, not configured, or unreachable. */
  state(): string;
  close(): void;
}

/** Creates the cache; without a URL it always reads Postgres. */
export async function createDecisionCache(url: string | undefined, log: Logger): Promise<DecisionCache> {
  if (url === undefined) {
    log.info('no REDIS_URL: decisions are read from Postgres');
    return {
      read: (_pattern, generation, _at, load) => (generation === 0 ? Promise.resolve(null) : load()),
      state: () => 'not configured',
      close: () => undefined,
    };
  }
  // Loaded only where there is a Redis.
  const { Redis: Client } = await import('ioredis');
  const redis = new Client(url, {
    connectTimeout: 500,
    commandTimeout: 200,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 200, 5_000),
  });
  let isDown = false;
  redis.on('error', (error: unknown) => {
    if (!isDown) log.warn(describeError(error), 'Redis is unreachable: decisions are read from Postgres');
    isDown = true;
  });
  redis.on('ready', () => {
    isDown = false;
  });
  return {
    async read(pattern, generation, at, load) {
      if (generation === 0) return null;
      const copy = await readCopy(redis, pattern);
      if (copy?.generation === generation) return inForce(copy.decision, at);
      const decision = await load();
      await writeCopy(redis, pattern, { generation, decision });
      return decision;
    },
    state: () => (redis.status === 'ready' ? 'ok' : 'unreachable, decisions are read from Postgres'),
    close: () => redis.disconnect(),
  };
}

/** The generations of some copies, by pattern; null when Redis cannot be asked. For a look at them, not for decisions. */
export async function readGenerations(
  url: string,
  limit: number,
): Promise<ReadonlyMap<string, number> | null> {
  const { Redis: Client } = await import('ioredis');
  const redis = new Client(url, {
    lazyConnect: true,
    connectTimeout: 500,
    commandTimeout: 2_000,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const keys: string[] = [];
    for await (const found of redis.scanStream({ match: `${KEY_PREFIX}*`, count: 500 })) {
      keys.push(...(found as string[]));
      if (keys.length >= limit) break;
    }
    const texts = keys.length === 0 ? [] : await redis.mget(keys);
    return new Map(
      texts.flatMap((text, index) => {
        const copy = text === null ? null : copySchema.safeParse(JSON.parse(text));
        const pattern = keys[index]?.slice(KEY_PREFIX.length) ?? '';
        return copy?.success === true ? [[pattern, copy.data.generation] as const] : [];
      }),
    );
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}

function inForce(decision: Decision | null, at: Date): Decision | null {
  return decision !== null && (decision.until === null || decision.until > at) ? decision : null;
}

async function readCopy(redis: Redis, pattern: string): Promise<z.infer<typeof copySchema> | null> {
  try {
    const text = await redis.get(KEY_PREFIX + pattern);
    return text === null ? null : copySchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function writeCopy(redis: Redis, pattern: string, copy: z.infer<typeof copySchema>): Promise<void> {
  try {
    await redis.set(KEY_PREFIX + pattern, JSON.stringify(copy), 'EX', TTL_S);
  } catch {
    // The next read tries again.
  }
}
