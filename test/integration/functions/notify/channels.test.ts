/** One contract for every channel, against a provider that accepts, refuses, stalls and breaks. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { channelsFromEnv, type Channel } from '../../../../functions/notify/channels/index.ts';
import { toMessage, type MessageInput } from '../../../../functions/notify/message.ts';
import { DeliveryError } from '../../../../shared/errors.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };
import { makeMessageInput } from '../../../support/messages.ts';
import {
  startGotifySink,
  startNtfySink,
  startPushoverSink,
  startWebhookSink,
  type Sink,
} from '../../../support/sinks.ts';

const CASES = [
  {
    type: 'gotify',
    start: startGotifySink,
    no: { error: 'Bad Request', errorCode: 400, errorDescription: 'x' },
    high: 8,
    secrets: ['GOTIFY_TOKEN'],
  },
  {
    type: 'ntfy',
    start: startNtfySink,
    no: { code: 40301, http: 403, error: 'forbidden' },
    high: 5,
    secrets: ['NTFY_TOKEN', 'NTFY_TOPIC'],
  },
  {
    type: 'pushover',
    start: startPushoverSink,
    no: { status: 0, errors: ['x'], request: 'r' },
    high: 1,
    secrets: ['PUSHOVER_TOKEN', 'PUSHOVER_USER'],
  },
  {
    type: 'webhook',
    start: startWebhookSink,
    no: { ok: false, error: 'x' },
    high: 'high',
    secrets: ['WEBHOOK_TOKEN'],
  },
] as const;

describe.each(CASES)('$type', ({ type, start, no, high, secrets }) => {
  let sink: Sink;
  let channel: Channel;

  beforeAll(async () => {
    sink = await start();
    channel = channelOf(sink);
  });
  afterEach(() => sink.clear());
  afterAll(() => sink.close());

  it('delivers and returns the id of the provider', async () => {
    const { providerId } = await send(channel);
    expect(providerId).toMatch(/\d/);
    sink.assertOnly(1);
    expect(sink.pushes[0]).toMatchObject({
      title: '🔴 HighMemoryUsage · production/api-server',
      priority: high,
      link: 'https://alertgest.example.org/issues/1',
    });
    expect(sink.pushes[0]?.text).toContain('Why: first alert of this incident');
  });

  it('uses the key of the incident, or of the news, where the provider takes one', async () => {
    await send(channel);
    await send(channel, { possiblyRepeated: true });
    const [first, second] = sink.pushes;
    expect(first?.key).toBe(second?.key);
    expect(first?.key !== null).toBe(channel.keyed);
  });

  it.each(hostileTexts)('delivers in spite of: $title', async ({ text }) => {
    await send(channel, { alertname: text, summary: text, description: text });
    expect(sink.pushes).toHaveLength(1);
    expect(sink.pushes[0]?.priority).toBe(high);
  });

  it('takes a 200 with an error body for a failure that may be retried', async () => {
    sink.script({ status: 200, body: no });
    const error = await failureOf(send(channel));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: false });
    sink.assertOnly(0);
  });

  it.runIf(type !== 'webhook')('takes a 200 with an unknown body for a failure', async () => {
    for (const body of ['', 'ok', '<html>Please sign in</html>', '[]', 'null', '{}', '{"id":null}']) {
      sink.script({ status: 200, body });
      expect(await failureOf(send(channel))).toMatchObject({ reason: 'delivery-retryable' });
    }
  });

  it('waits as long as a 429 asks for', async () => {
    sink.script({ status: 429, headers: { 'retry-after': '30' } });
    const error = await failureOf(send(channel));
    expect(error).toMatchObject({
      reason: 'delivery-retryable',
      outcomeUnknown: false,
      retryAfterMs: 30_000,
    });
  });

  it.each([500, 502, 503, 507])('retries %i, knowing that nothing was shown', async (status) => {
    sink.script({ status, body: 'x'.repeat(100_000) });
    const error = await failureOf(send(channel));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: false });
  });

  it.each([400, 401, 403, 404, 413])('gives up on %i', async (status) => {
    sink.script({ status, body: no });
    const error = await failureOf(send(channel));
    expect(error).toMatchObject({
      reason: 'delivery-permanent',
      outcomeUnknown: false,
      retryAfterMs: undefined,
    });
  });

  it('gives up on a redirect and does not follow it', async () => {
    sink.script({ status: 307, headers: { location: `${sink.url}/elsewhere` } });
    const error = await failureOf(send(channel));
    expect(error).toMatchObject({ reason: 'delivery-permanent', outcomeUnknown: false });
    expect(sink.requests).toHaveLength(1);
  });

  it.each(['hang', 'drip'] as const)('stops waiting when the provider does: %s', async (answer) => {
    sink.script(answer);
    const started = performance.now();
    const error = await failureOf(send(channel, {}, AbortSignal.timeout(200)));
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: true });
  });

  it('knows that a broken connection may have delivered', async () => {
    sink.script('reset');
    const error = await failureOf(send(channel));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: true });
  });

  it('knows that an unreachable provider has not delivered', async () => {
    const gone = await start();
    const unreachable = channelOf(gone);
    await gone.close();
    const error = await failureOf(send(unreachable));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: false });
  });

  it('keeps address paths and secrets out of every error', async () => {
    sink.script(
      { status: 401 },
      { status: 500 },
      { status: 200, body: no },
      'reset',
      { status: 302 },
      'hang',
    );
    for (let count = 0; count < 6; count += 1) {
      const error = await failureOf(send(channel, {}, AbortSignal.timeout(200)));
      const shown = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
      for (const secret of secrets) expect(shown).not.toContain(sink.env[secret]);
      expect(shown).not.toContain(`${sink.url}/`);
    }
  });
});

describe('pushover', () => {
  it('waits for the reset of its quota, an hour at most', async () => {
    const sink = await startPushoverSink();
    const reset = (seconds: number): string => String(Math.floor(Date.now() / 1000) + seconds);
    sink.script(
      { status: 429, headers: { 'x-limit-app-reset': reset(600) } },
      { status: 429, headers: { 'x-limit-app-reset': reset(86_400) } },
      { status: 500 },
    );
    const waits = [];
    for (let count = 0; count < 3; count += 1)
      waits.push((await failureOf(send(channelOf(sink)))).retryAfterMs ?? 0);
    expect(waits[0]).toBeGreaterThan(590_000);
    expect(waits[0]).toBeLessThanOrEqual(600_000);
    expect(waits.slice(1)).toEqual([3_600_000, 5_000]);
    await sink.close();
  });
});

describe('gotify', () => {
  it('lives below a path when its address has one', async () => {
    const sink = await startGotifySink();
    const [channel] = channelsFromEnv({ ...sink.env, GOTIFY_URL: `${sink.url}/push/` });
    if (channel === undefined) throw new Error('the variables make no channel');
    expect((await failureOf(send(channel))).message).toBe('gotify answered 404');
    await sink.close();
  });
});

describe('webhook', () => {
  it('repeats the key of the news in header and document', async () => {
    const sink = await startWebhookSink();
    await send(channelOf(sink));
    expect(sink.pushes[0]).toMatchObject({ key: 'notice-1', raw: { version: '1', noticeKey: 'notice-1' } });
    await sink.close();
  });

  it.each([[''], ['ok'], ['{}'], ['{"error":null}'], ['[]']])(
    'takes a 2xx with %j for a yes',
    async (body) => {
      const sink = await startWebhookSink();
      sink.script({ status: 204 }, { status: 202, body });
      expect(await send(channelOf(sink))).toEqual({ providerId: null });
      expect(await send(channelOf(sink))).toEqual({ providerId: null });
      await sink.close();
    },
  );
});

function channelOf(sink: Sink): Channel {
  const [channel] = channelsFromEnv(sink.env);
  if (channel === undefined) throw new Error('the variables of the sink make no channel');
  return channel;
}

function send(
  channel: Channel,
  input: Partial<MessageInput> = {},
  signal: AbortSignal = AbortSignal.timeout(10_000),
): ReturnType<Channel['send']> {
  return channel.send(toMessage(makeMessageInput(input)), { signal, previousId: null });
}

async function failureOf(sending: Promise<unknown>): Promise<DeliveryError> {
  const outcome = await sending.then(
    () => 'delivered',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(DeliveryError);
  return outcome as DeliveryError;
}
