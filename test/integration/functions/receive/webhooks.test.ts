import { readFileSync, readdirSync } from 'node:fs';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { corporaPath, readCorpusLines, whyNoCorpora } from '../../../support/corpora.ts';
import { startReceiver } from '../../../support/receiver.ts';
import type { Receiver } from '../../../support/receiver.ts';
import { entryCount, usableAlerts } from '../../../support/webhook-facts.ts';

const TOKENS = ['the-old-token-of-tests', 'the-new-token-of-tests'] as const;
const PASSWORD = 'alertmanager:a-long-password';
const SEED_BODY = {
  version: '4',
  status: 'firing',
  alerts: [
    {
      status: 'firing',
      labels: {
        alertname: 'HighMemoryUsage',
        severity: 'warning',
        namespace: 'production',
        pod: 'api-server-xyz',
      },
      annotations: { summary: 'Memory usage above 90%' },
      startsAt: '2024-01-15T02:30:00Z',
      endsAt: '0001-01-01T00:00:00Z',
    },
  ],
};

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver({ RECEIVE_TOKEN: TOKENS.join(','), RECEIVE_BASIC_AUTH: PASSWORD });
});
afterAll(() => receiver.stop());
beforeEach(() => receiver.clear());

describe('who may post', () => {
  test.each([
    ['no credential', null],
    ['a wrong token', 'Bearer not-the-token-of-tests'],
    ['an empty token', 'Bearer '],
    ['a token as basic auth', `Basic ${TOKENS[0]}`],
    ['a wrong password', `Basic ${toBase64('alertmanager:wrong-password')}`],
  ])('%s is answered 401 with a reason and nothing is stored', async (_name, authorization) => {
    const { status, body } = await receiver.post(SEED_BODY, { authorization });
    expect(status).toBe(401);
    expect(body).toMatchObject({ reason: 'unauthorized', error: expect.stringContaining('bearer token') });
    expect(await countRows()).toMatchObject({ episodes: 0 });
  });

  test.each([
    ['the old token', `Bearer ${TOKENS[0]}`],
    ['the new token', `Bearer ${TOKENS[1]}`],
    ['a lower-case scheme', `bearer ${TOKENS[1]}`],
    ['basic auth', `Basic ${toBase64(PASSWORD)}`],
  ])('%s is enough', async (_name, authorization) => {
    const { status } = await receiver.post(SEED_BODY, { authorization });
    expect(status).toBe(200);
    expect(await countRows()).toMatchObject({ episodes: 1 });
  });
});

test('the webhook of the first README is stored', async () => {
  const { status, body } = await receiver.post(SEED_BODY, bearer());
  expect(status).toBe(200);
  expect(body).toMatchObject({ stored: 1, newEpisodes: 1, rejected: [] });
});

test('a webhook wrapped in a structured CloudEvent is the same webhook', async () => {
  await receiver.post(SEED_BODY, bearer());
  const before = await countRows();
  const event = { specversion: '1.0', type: 'any', source: '/am', id: '1', data: SEED_BODY };
  const { status, body } = await receiver.post(event, {
    ...bearer(),
    headers: { 'content-type': 'application/cloudevents+json' },
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ stored: 1, newEpisodes: 0 });
  expect(await countRows()).toEqual(before);
});

test('a dry run answers what would be stored and stores nothing', async () => {
  const { status, body } = await receiver.post(SEED_BODY, { ...bearer(), query: '?dry_run' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    dryRun: true,
    alerts: [{ status: 'firing', alertname: 'HighMemoryUsage', pattern: expect.stringMatching(/^v1:/) }],
  });
  const bad = await receiver.post({ nothing: true }, { ...bearer(), query: '?dry_run=true' });
  expect(bad.status).toBe(400);
  expect(await countRows()).toEqual({ episodes: 0, patterns: 0, incidents: 0, notices: 0 });
});

test('a replay stamp is not heard unless replays are allowed', async () => {
  const headers = { 'x-alertgest-received-at': '2024-01-15T02:30:30Z' };
  await receiver.post(SEED_BODY, { ...bearer(), headers });
  const [episode] = await receiver.query<{ received_at: Date }>('select received_at from episodes');
  expect(episode?.received_at.getTime()).toBeGreaterThan(Date.now() - 60_000);
});

interface Sample {
  readonly file: string;
  readonly expect: string;
}

const skipped = whyNoCorpora('webhook samples');
const samples = skipped === null ? readCorpusLines<Sample>('webhooks', 'MANIFEST.jsonl') : [];
const recorded = skipped === null ? readdirSync(corporaPath('alertmanager-0.25')) : [];

describe.skipIf(skipped !== null)('webhooks seen in the wild', () => {
  test('the corpus is whole', () => expect(samples).toHaveLength(86));

  test.each(samples)('$file', async ({ file, expect: expected }) => {
    const text = readFileSync(corporaPath('webhooks', file), 'utf8');
    const body: unknown = JSON.parse(text);
    const answer = await receiver.post(text, bearer());
    expect(statusesFor(expected)).toContain(answer.status);
    if (answer.status !== 200) return expectRefused(answer.body);
    const usable = usableAlerts(body);
    expect(answer.body).toMatchObject({ stored: usable.length });
    expect(answer.body['rejected']).toHaveLength(entryCount(body) - usable.length);
    await expectTwiceIsOnce(text, new Set(usable.map((alert) => alert.identity)).size);
  });

  test.each(recorded.filter((name) => !name.endsWith('.headers.json')))(
    'Alertmanager 0.25: %s',
    async (file) => {
      const text = readFileSync(corporaPath('alertmanager-0.25', file), 'utf8');
      const usable = usableAlerts(JSON.parse(text));
      const answer = await receiver.post(text, bearer());
      expect(answer).toMatchObject({ status: 200, body: { stored: usable.length, rejected: [] } });
      await expectTwiceIsOnce(text, usable.length);
    },
  );

  test('a group that fires, changes and resolves leaves no open episode', async () => {
    for (const name of ['grouped-firing', 'grouped-mixed', 'grouped-resolved']) {
      const { status } = await receiver.post(
        readFileSync(corporaPath('alertmanager-0.25', `${name}.json`)),
        bearer(),
      );
      expect(status).toBe(200);
    }
    const firing = usableAlerts(
      JSON.parse(readFileSync(corporaPath('alertmanager-0.25', 'grouped-firing.json'), 'utf8')),
    );
    const keys = await receiver.query<{ lives: number }>(
      'select count(*)::int as lives from episodes group by key',
    );
    expect(keys.length).toBeGreaterThanOrEqual(firing.length);
    expect(keys.every(({ lives }) => lives === 1)).toBe(true);
  });
});

/** The statuses that a row of the manifest allows. */
function statusesFor(expected: string): readonly number[] {
  if (expected === 'accept') return [200];
  return expected.includes('accept') ? [200, 400] : [400];
}

async function expectRefused(body: object): Promise<void> {
  expect(body).toMatchObject({ reason: 'invalid-input', error: expect.stringMatching(/\w+ \w+/) });
  expect(await countRows()).toMatchObject({ episodes: 0 });
}

async function expectTwiceIsOnce(text: string, episodes: number): Promise<void> {
  const once = await countRows();
  expect(once.episodes).toBe(episodes);
  const again = await receiver.post(text, bearer());
  expect(again.status).toBe(200);
  expect(await countRows()).toEqual(once);
}

async function countRows(): Promise<Record<'episodes' | 'patterns' | 'incidents' | 'notices', number>> {
  const [row] = await receiver.query<Record<'episodes' | 'patterns' | 'incidents' | 'notices', number>>(
    `select (select count(*)::int from episodes where not own) as episodes,
       (select count(*)::int from patterns where not own) as patterns,
       (select count(*)::int from incidents join patterns using (pattern) where not own) as incidents,
       (select count(*)::int from notices join patterns using (pattern) where not own) as notices`,
  );
  if (row === undefined) throw new Error('no counts');
  return row;
}

function bearer(): { authorization: string } {
  return { authorization: `Bearer ${TOKENS[0]}` };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
