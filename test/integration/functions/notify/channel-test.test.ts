import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runTests } from '../../../../functions/notify/channel-test.ts';
import { channelsFromEnv } from '../../../../functions/notify/channels/index.ts';
import { EVERY_CHANNEL, askForTest, listChannelTests } from '../../../../shared/postgres/channel-tests.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { startGotifySink, startNtfySink } from '../../../support/sinks.ts';
import type { Sink } from '../../../support/sinks.ts';

const context = {
  log: pino({ level: 'silent' }),
  signal: AbortSignal.timeout(60_000),
  traceparent: '',
  dryRun: false,
};
let pool: Pool;
let ntfy: Sink;
let gotify: Sink;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 2 });
  [ntfy, gotify] = await Promise.all([startNtfySink(), startGotifySink()]);
});
afterAll(() => Promise.all([pool.end(), ntfy.close(), gotify.close()]));

const run = () => runTests({ pool, channels: channelsFromEnv({ ...ntfy.env, ...gotify.env }) }, context);

it('sends a test to every channel, once however often it is rung for, and stores each answer', async () => {
  await askForTest(pool, EVERY_CHANNEL, 'ann');
  gotify.script({ status: 401, body: { error: 'Unauthorized' } });
  await Promise.all([run(), run(), run()]);
  ntfy.assertOnly(1);
  expect(ntfy.pushes[0]?.text).toContain('This is a test. No alert fired.');
  const answers = new Map((await listChannelTests(pool)).map((test) => [test.channel, test]));
  expect(answers.get('ntfy')).toMatchObject({ taken: true, asked_at: null });
  expect(answers.get('gotify')).toMatchObject({ taken: false });
  expect(answers.get('gotify')?.answer).toMatch(
    /answered 401\n→ trying again will not help: check the GOTIFY_/,
  );
});

it('says so when notify has no channel of the name', async () => {
  await askForTest(pool, 'carrier-pigeon', 'ann');
  await run();
  expect(await listChannelTests(pool)).toContainEqual(
    expect.objectContaining({ channel: 'carrier-pigeon', answer: 'notify has no channel of this name' }),
  );
});
