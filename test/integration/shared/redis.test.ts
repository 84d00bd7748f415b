import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Decision } from '../../../shared/postgres/decisions.ts';
import { createDecisionCache } from '../../../shared/redis.ts';
import type { DecisionCache } from '../../../shared/redis.ts';
import { at } from '../../support/alerts.ts';

const log = pino({ level: 'silent' });
const url = inject('redisUrl');
const ignore: Decision = { kind: 'ignore', until: at(60), note: null, actor: 'ann', generation: 2 };

describe.skipIf(url === null)('the copy of decisions (skipped where no Redis is installed)', () => {
  let cache: DecisionCache;
  const pattern = `v1:test-${Date.now()}`;

  beforeAll(async () => {
    cache = await createDecisionCache(url ?? undefined, log);
    await vi.waitUntil(() => cache.state() === 'ok');
  });
  afterAll(() => cache.close());

  it('is filled by the first read and used by the next', async () => {
    const loads: number[] = [];
    const read = (generation: number): Promise<Decision | null> =>
      cache.read(pattern, generation, at(0), () => {
        loads.push(generation);
        return Promise.resolve(ignore);
      });
    expect(await read(2)).toEqual(ignore);
    expect(await read(2)).toEqual(ignore);
    expect(loads).toEqual([2]);
  });

  it('never wins over Postgres when its generation is another', async () => {
    expect(await cache.read(pattern, 3, at(0), () => Promise.resolve(null))).toBeNull();
    expect(await cache.read(pattern, 3, at(0), () => Promise.reject(new Error('not asked')))).toBeNull();
  });

  it('does not outlive the decision it copies', async () => {
    expect(await cache.read(`${pattern}-b`, 2, at(0), () => Promise.resolve(ignore))).toEqual(ignore);
    expect(
      await cache.read(`${pattern}-b`, 2, at(61), () => Promise.reject(new Error('not asked'))),
    ).toBeNull();
  });
});

describe('without Redis', () => {
  it('reads Postgres when no address is configured, and no store at all without decisions', async () => {
    const cache = await createDecisionCache(undefined, log);
    expect(await cache.read('p', 0, at(0), () => Promise.reject(new Error('not asked')))).toBeNull();
    expect(await cache.read('p', 1, at(0), () => Promise.resolve(ignore))).toEqual(ignore);
    expect(cache.state()).toBe('not configured');
  });

  it('reads Postgres at once when the server is unreachable', async () => {
    const cache = await createDecisionCache('redis://127.0.0.1:1', log);
    const startedAt = performance.now();
    expect(await cache.read('p', 1, at(0), () => Promise.resolve(ignore))).toEqual(ignore);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(cache.state()).toContain('unreachable');
    cache.close();
  });
});
