/** The routes of the Setup page: reading it, and asking for a test of a channel. */
import type { Context, Hono } from 'hono';
import { diagnose } from '../../../shared/diagnosis.ts';
import { createEvent } from '../../../shared/events.ts';
import { audit } from '../../../shared/postgres/audit.ts';
import { EVERY_CHANNEL, askForTest, listChannelTests } from '../../../shared/postgres/channel-tests.ts';
import { listDeadLetters, listHeartbeats, readStoreFacts } from '../../../shared/postgres/overview.ts';
import { readCounters } from '../../../shared/postgres/records.ts';
import type { ConsoleEnv } from '../sign-in.ts';
import type { PagesDeps } from './index.ts';
import type { Reader } from './reader.ts';
import { toSetupPage } from './setup.ts';

const DEAD_LETTERS_SHOWN = 20;
const NAME_CHARS = 200;

/** Adds the routes. */
export function registerSetup(app: Hono<ConsoleEnv>, deps: PagesDeps, reader: Reader): void {
  const { pool, publisher, source, log } = deps;

  app.get('/setup', (c) => showSetup(c, null));

  app.post('/setup/test', async (c) => {
    const fields = await reader.readForm(c);
    if (fields === null) return showSetup(c, 'The form was too old. Press again.', 403);
    const channel =
      typeof fields['channel'] === 'string' ? fields['channel'].slice(0, NAME_CHARS) : EVERY_CHANNEL;
    const by = c.var.user.name;
    await askForTest(pool, channel, by);
    log.info({ channel, by }, 'a test of a channel was asked for');
    // A person may ask again: another press is another event.
    const event = createEvent('dev.alertgest.test.due', source, 'channel-test', crypto.randomUUID(), {
      channel,
    });
    const failed = await publisher.publish([event]);
    return showSetup(
      c,
      failed.length === 0
        ? 'The test is on its way; reload to see the answer.'
        : 'The broker did not answer, so no test was sent. Press again when it does.',
    );
  });

  async function showSetup(
    c: Context<ConsoleEnv>,
    said: string | null,
    status: 200 | 403 = 200,
  ): Promise<Response> {
    const [store, state, counters, deadLetters, heartbeats, tests, findings] = await Promise.all([
      readStoreFacts(pool),
      audit(pool),
      readCounters(pool),
      listDeadLetters(pool, DEAD_LETTERS_SHOWN),
      listHeartbeats(pool),
      listChannelTests(pool),
      diagnose(pool),
    ]);
    const view = reader.toView(c);
    const { variables } = deps;
    const data = { store, audit: state, counters, deadLetters, heartbeats, tests, findings, variables, said };
    return reader.show(c, view, toSetupPage(view, data), status);
  }
}
