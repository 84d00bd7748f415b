/** A whole busy night through classify: as many questions as new patterns, and none the night after. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arrival } from '../../../../functions/receive/episodes.ts';
import { normalizeAlert } from '../../../../shared/alert.ts';
import { toPattern } from '../../../../shared/pattern.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { readCorpusLines, whyNoCorpora } from '../../../support/corpora.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { createExplaining, explainedData } from '../../../support/explaining.ts';
import { startModelStub } from '../../../support/model-stub.ts';
import type { ModelStub } from '../../../support/model-stub.ts';

const CLUSTER = 'test';
const DAY_MS = 86_400_000;
const reason = whyNoCorpora('the busy night through classify');

interface Line {
  readonly at: string;
  readonly body: { readonly alerts: ReadonlyArray<Record<string, unknown>> };
}

let pool: Pool;
let stub: ModelStub;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
  stub = await startModelStub();
  stub.usually({
    json: {
      category: 'workload',
      suggestedSeverity: 'warning',
      summary: 'Something is wrong.',
      explanation: 'The facts say no more.',
      nextStep: 'Check the log.',
      confidence: 0.3,
    },
  });
});
afterAll(async () => {
  await stub.close();
  await pool.end();
});

/** The night's webhooks, some days later. */
function readNight(daysLater: number): Arrival[][] {
  const later = (time: unknown): string =>
    new Date(Date.parse(String(time)) + daysLater * DAY_MS).toISOString();
  return readCorpusLines<Line>('nights', 'busy.jsonl').map(({ at, body }) => {
    const receivedAt = new Date(later(at));
    return body.alerts.flatMap((entry) => {
      const isOpen = String(entry['endsAt']).startsWith('0001');
      const moved = {
        ...entry,
        startsAt: later(entry['startsAt']),
        endsAt: isOpen ? entry['endsAt'] : later(entry['endsAt']),
      };
      const alert = normalizeAlert(moved, 'firing', { receivedAt, cluster: CLUSTER });
      if (typeof alert === 'string') return [];
      return [
        { alert, pattern: toPattern(alert, { cluster: CLUSTER }), receivedAt, traceparent: '', own: false },
      ];
    });
  });
}

describe.skipIf(reason !== null)('a busy night', { timeout: 120_000 }, () => {
  it('asks once for each new pattern, and the next night not at all', async () => {
    const night = createExplaining(pool, stub.url);
    const play = async (daysLater: number): Promise<number> => {
      let explained = 0;
      for (const arrivals of readNight(daysLater)) {
        for (const notice of await night.receive(...arrivals)) {
          await night.ring(night.classify, notice);
          const [event] = await night.ring(night.explain, notice);
          if (explainedData(event)?.summary) explained += 1;
        }
      }
      return explained;
    };
    expect(await play(0)).toBeGreaterThan(0);
    const { rows } = await pool.query<{ n: number }>(
      `select count(distinct pattern)::int as n from notices where kind <> 'resolved'`,
    );
    const calls = stub.calls.length;
    process.stderr.write(`busy night: ${calls} questions for ${rows[0]?.n} new patterns\n`);
    expect(calls).toBe(rows[0]?.n);

    stub.clear();
    expect(await play(1)).toBeGreaterThan(0);
    expect(stub.calls).toHaveLength(0);
  });
});
