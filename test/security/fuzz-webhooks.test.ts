/** Webhooks of strangers: real ones with mutations, and anything else, as far as Postgres. */
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIngest } from '../../functions/receive/ingest.ts';
import { parseWebhook } from '../../shared/alert.ts';
import type { Webhook } from '../../shared/alert.ts';
import { parseJson } from '../../shared/json.ts';
import { toPattern } from '../../shared/pattern.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { at, makeAlertEntry, makeWebhook } from '../support/alerts.ts';
import { corporaPath, readCorpusJson, whyNoCorpora } from '../support/corpora.ts';
import { createTestDatabase } from '../support/database.ts';
import {
  hostileJson,
  hostileName,
  hostileText,
  mutate,
  mutations,
  patience,
  runs,
  unlessRefused,
} from '../support/fuzz.ts';

const skipped = whyNoCorpora('fuzzing of real webhooks');
const ownWebhook: unknown = makeWebhook([makeAlertEntry(), makeAlertEntry({ status: 'resolved' })]);
const webhooks =
  skipped === null
    ? [
        ownWebhook,
        ...readdirSync(corporaPath('webhooks'))
          .filter((file) => file.endsWith('.json'))
          .map((file) => readCorpusJson<unknown>('webhooks', file)),
      ]
    : [ownWebhook];

const mutated = fc
  .tuple(fc.constantFrom(...webhooks), mutations)
  .map(([webhook, changes]) => mutate(webhook, changes));

/** What receive makes of a body, or null for one that it refuses in words. */
function read(body: Buffer): Webhook | null {
  return unlessRefused(() => parseWebhook(parseJson(body), { receivedAt: at(0), cluster: 'test' }));
}

/** Everything that is wrong with alerts that are said to be usable. */
function findFaults(webhook: Webhook | null): string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || faults.push(what));
  for (const alert of webhook?.alerts ?? []) {
    for (const text of [...Object.entries(alert.labels), ...Object.entries(alert.annotations)].flat()) {
      must(typeof text === 'string' && text.isWellFormed() && !text.includes('\0'), 'text');
      must(text.length <= 16_384, 'length');
    }
    must(!Number.isNaN(alert.startsAt.getTime()), 'startsAt');
    must(alert.endsAt === null || alert.endsAt >= alert.startsAt, 'endsAt');
    must(/^[0-9a-f]{32}$/.test(alert.key), 'key');
    must(/^v1:[0-9a-f]{32}$/.test(toPattern(alert, { cluster: 'test' }).pattern), 'pattern');
  }
  must(Object.keys(Object.prototype).length === 0, 'pollution');
  return faults;
}

describe('fuzzed webhooks', () => {
  it('with mutations are stored or refused in words, and each alert is told of', patience, () => {
    fc.assert(
      fc.property(mutated, (body) => {
        const webhook = read(Buffer.from(JSON.stringify(body)));
        expect(findFaults(webhook)).toEqual([]);
        const { alerts } = webhook === null ? { alerts: [] } : (body as { alerts: unknown[] });
        expect([...(webhook?.alerts ?? []), ...(webhook?.rejected ?? [])]).toHaveLength(alerts.length);
      }),
      runs(400),
    );
  });

  it('of any JSON or bytes are refused in words or usable', patience, () => {
    const bodies = fc.oneof(
      hostileJson.map((value) => Buffer.from(JSON.stringify({ alerts: [value] }) ?? '')),
      hostileJson.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      hostileText.map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(findFaults(read(body))).toEqual([]);
      }),
      runs(600),
    );
  });
});

describe('Postgres', () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = createPool({ url: await createTestDatabase(), name: 'fuzz', size: 2 });
  });
  afterAll(() => pool.end());

  it('takes every alert that receive finds usable', patience, async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: false });
    const entry = fc
      .tuple(
        fc.dictionary(hostileName, hostileText, { maxKeys: 6 }),
        fc.dictionary(hostileName, hostileText, { maxKeys: 3 }),
        hostileText,
      )
      .map(([labels, annotations, generatorURL]) => ({
        labels: { alertname: 'Fuzz', ...labels },
        annotations,
        generatorURL,
      }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 10, maxLength: 40 }),
        mutated,
        async (entries, alsoThis) => {
          const bodies: unknown[] = [{ status: 'firing', alerts: entries }, alsoThis];
          const alerts = bodies.flatMap((body) => read(Buffer.from(JSON.stringify(body)))?.alerts ?? []);
          await ingest.store(
            alerts.map((alert) => ({
              alert,
              pattern: toPattern(alert, { cluster: 'test' }),
              receivedAt: at(0),
              traceparent: '',
              own: false,
            })),
          );
        },
      ),
      runs(60),
    );
    const { rows } = await pool.query<{ count: string }>('select count(*) from episodes');
    expect(Number(rows[0]?.count)).toBeGreaterThan(100);
  });
});
