/** One contract for every channel, against a provider that accepts, refuses, stalls and breaks. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Channel } from '../../../../functions/notify/channels/index.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };
import { channelOf, failureOf, readFixture, sendTo as send } from '../../../support/channels.ts';
import { makeButton } from '../../../support/messages.ts';
import { TOKEN } from '../../../support/provider.ts';
import { startProviderSink, type Sink } from '../../../support/sinks.ts';

interface Case {
  /** The provider; its channel's type is its first word. */
  readonly type: Parameters<typeof startProviderSink>[0];
  /** A 200 that says no. */
  readonly no: object | string;
  /** How a critical arrives. */
  readonly high: number | string;
  readonly secrets: readonly string[];
  /** For providers whose yes says nothing in particular. */
  readonly isVague?: true;
}

const CASES: readonly Case[] = [
  { type: 'gotify', no: { error: 'Bad Request', errorCode: 400 }, high: 8, secrets: ['GOTIFY_TOKEN'] },
  { type: 'ntfy', no: { code: 40301, http: 403 }, high: 5, secrets: ['NTFY_TOKEN', 'NTFY_TOPIC'] },
  {
    type: 'pushover',
    no: { status: 0, errors: ['x'] },
    high: 1,
    secrets: ['PUSHOVER_TOKEN', 'PUSHOVER_USER'],
  },
  { type: 'slack', no: 'internal_error', high: '', secrets: ['SLACK_WEBHOOK_URL'] },
  { type: 'slack-bot', no: { ok: false, error: 'internal_error' }, high: '', secrets: ['SLACK_BOT_TOKEN'] },
  {
    type: 'teams',
    no: 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429',
    high: 'attention',
    secrets: ['TEAMS_WEBHOOK_URL'],
    isVague: true,
  },
  { type: 'discord', no: { message: 'x', code: 50035 }, high: 0xd32f2f, secrets: ['DISCORD_WEBHOOK_URL'] },
  {
    type: 'pagerduty',
    no: { status: 'invalid event' },
    high: 'critical',
    secrets: ['PAGERDUTY_ROUTING_KEY'],
  },
  { type: 'opsgenie', no: { message: 'x' }, high: 'P1', secrets: ['OPSGENIE_API_KEY'] },
  { type: 'jsm', no: { message: 'x' }, high: 'P1', secrets: ['JSM_API_KEY'] },
  { type: 'sms', no: { sid: 'SM1', error_code: 30001 }, high: '', secrets: ['SMS_AUTH_TOKEN', 'SMS_TO'] },
  { type: 'webhook', no: { ok: false, error: 'x' }, high: 'high', secrets: ['WEBHOOK_TOKEN'], isVague: true },
];

describe.each(CASES)('$type', ({ type, no, high, secrets, isVague }) => {
  let sink: Sink;
  let channel: Channel;

  beforeAll(async () => {
    sink = await startProviderSink(type);
    channel = channelOf(sink);
  });
  afterEach(() => sink.clear());
  afterAll(() => sink.close());

  it('delivers what its fixture says', async () => {
    const { providerId } = await send(channel, { button: makeButton() });
    expect(providerId ?? 'none: 0').toMatch(/\d/);
    sink.assertOnly(1);
    const [push] = sink.pushes;
    expect(push?.title).toMatch(/^(🔴 )?HighMemoryUsage [·-] production\/api-server$/);
    expect(push?.priority).toBe(high);
    for (const told of ['Where: namespace production', 'since 02:30 UTC', 'Why: first alert', 'Next: check'])
      expect(push?.text).toContain(told);
    for (const page of [makeButton().pageUrl, 'https://runbooks.example.org/memory'])
      expect(JSON.stringify(push?.raw)).toContain(page);
    expect(push?.raw).toMatchObject(readFixture(type.split('-', 1)[0] ?? '').opened);
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

  it.skipIf(isVague)('takes a 200 with an unknown body for a failure', async () => {
    for (const body of ['', 'okay', '<html>Please sign in</html>', '[]', 'null', '{}', '{"id":null}']) {
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
    const gone = await startProviderSink(type);
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
      expect(shown).not.toContain(TOKEN);
    }
  });
});
