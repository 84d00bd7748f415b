/** One message that says it is a test, through a channel as any other would go. */
import type { CloudEvent } from 'cloudevents';
import { DeliveryError } from '../../shared/errors.ts';
import { EVERY_CHANNEL, storeTest, takeTests } from '../../shared/postgres/channel-tests.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context } from '../../shared/serve.ts';
import type { Channel } from './channel.ts';
import { toMessage } from './message.ts';
import type { Message, NoticeKind } from './message.ts';
import { plain } from './text.ts';

const TIMEOUT_MS = 10_000;
const ID_CHARS = 200;

/** What a provider made of a test. */
export interface TestOutcome {
  readonly taken: boolean;
  /** The provider's answer in words; for a refusal with what to do about it. */
  readonly answer: string;
}

/** Sends it. What the message opens at a pager is closed again at once. */
export async function testChannel(channel: Channel, now: Date): Promise<TestOutcome> {
  const sending = () => ({ signal: AbortSignal.timeout(TIMEOUT_MS), previousId: null });
  try {
    const { providerId, note } = await channel.send(toTest('opened', now), sending());
    if (channel.closes) await channel.send(toTest('resolved', now), sending());
    const parts = [
      providerId === null ? 'taken, it gives no number' : `taken, as ${plain(providerId, ID_CHARS)}`,
      channel.closes ? 'and closed again' : null,
      note ?? null,
    ];
    return { taken: true, answer: parts.filter((part) => part !== null).join('; ') };
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return { taken: false, answer: `not taken: ${error.message}\n→ ${adviceOn(error, channel)}` };
  }
}

/** The step of `test.due`: sends whatever tests were asked for and stores the answers. */
export async function runTests(
  { pool, channels }: { readonly pool: Pool; readonly channels: readonly Channel[] },
  { log }: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  for (const { channel: name, asked_by: by } of await takeTests(pool)) {
    const chosen = channels.filter((channel) => name === EVERY_CHANNEL || channel.name === name);
    if (chosen.length === 0 && name !== EVERY_CHANNEL)
      await storeTest(pool, {
        channel: name,
        by,
        taken: false,
        answer: 'notify has no channel of this name',
      });
    await Promise.all(
      chosen.map(async (channel) => {
        const outcome = await testChannel(channel, new Date());
        await storeTest(pool, { channel: channel.name, by, ...outcome });
        log.info({ channel: channel.name, taken: outcome.taken }, 'channel tested');
      }),
    );
  }
  return [];
}

/** Each test is an incident of its own, so that no provider takes it for a repeat of the last one. */
function toTest(kind: NoticeKind, now: Date): Message {
  const key = `ag-test-${now.getTime()}`;
  return toMessage({
    kind,
    why: 'somebody asked for a test of this channel',
    alertname: 'Test of alertgest',
    severity: 'warning',
    namespace: null,
    cluster: '',
    identity: 'nothing is wrong',
    category: null,
    nextStep: 'nothing; this channel works',
    runbookUrl: null,
    summary: 'This is a test. No alert fired.',
    description: '',
    startedAt: now,
    endedAt: kind === 'resolved' ? now : null,
    now,
    openEpisodes: kind === 'resolved' ? 0 : 1,
    episodes: 1,
    samples: [],
    incidentKey: key,
    noticeKey: `${key}-${kind}`,
    missing: [],
    possiblyRepeated: false,
    quiet: false,
    batch: null,
    decided: null,
    button: null,
    link: null,
  });
}

function adviceOn(error: DeliveryError, { type }: Channel): string {
  if (error.outcomeUnknown) return 'it may have arrived all the same: look there before you try again';
  if (!error.retryable)
    return `trying again will not help: check the ${type.toUpperCase()}_… variables, see docs/channels.md#${type}`;
  const wait = error.retryAfterMs === undefined ? '' : ` in ${Math.ceil(error.retryAfterMs / 1000)} s`;
  return `try again${wait}; notify would by itself. "doctor" tells whether the server can be reached`;
}
