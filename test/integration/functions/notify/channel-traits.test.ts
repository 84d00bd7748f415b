/** What is each provider's own: how it asks to wait, what it closes, what it can edit. */
import { describe, expect, it } from 'vitest';

import { channelsFromEnv } from '../../../../functions/notify/channels/index.ts';
import { DeliveryError } from '../../../../shared/errors.ts';
import { channelOf, failureOf, sendTo as send } from '../../../support/channels.ts';
import { makeMessage } from '../../../support/messages.ts';
import { startProviderSink } from '../../../support/sinks.ts';

const signal = AbortSignal.timeout(60_000);
const ended = { kind: 'resolved', openEpisodes: 0, endedAt: new Date('2024-01-15T02:50:00Z') } as const;
const decided = {
  kind: 'due',
  decided: { kind: 'ignore', until: null, actor: 'link:ntfy', note: null, superseded: false },
} as const;

describe('pushover', () => {
  it('waits for the reset of its quota, an hour at most', async () => {
    const sink = await startProviderSink('pushover');
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
    const sink = await startProviderSink('gotify');
    const [channel] = channelsFromEnv({ ...sink.env, GOTIFY_URL: `${sink.url}/push/` });
    if (channel === undefined) throw new Error('the variables make no channel');
    expect((await failureOf(send(channel))).message).toBe('gotify answered 404');
    await sink.close();
  });
});

describe('webhook', () => {
  it('repeats the key of the news in header and document', async () => {
    const sink = await startProviderSink('webhook');
    await send(channelOf(sink));
    expect(sink.pushes[0]).toMatchObject({ key: 'notice-1', raw: { version: '1', noticeKey: 'notice-1' } });
    await sink.close();
  });

  it.each([[''], ['ok'], ['{}'], ['{"error":null}'], ['[]']])(
    'takes a 2xx with %j for a yes',
    async (body) => {
      const sink = await startProviderSink('webhook');
      sink.script({ status: 204 }, { status: 202, body });
      expect(await send(channelOf(sink))).toEqual({ providerId: null });
      expect(await send(channelOf(sink))).toEqual({ providerId: null });
      await sink.close();
    },
  );
});

describe('ntfy', () => {
  it('changes what it sent under the same sequence id, without a sound', async () => {
    const sink = await startProviderSink('ntfy');
    const channel = channelOf(sink);
    const { providerId } = await send(channel);
    await channel.update?.(providerId ?? '', makeMessage({ body: 'explained' }), signal);
    expect(sink.pushes.map(({ priority }) => priority)).toEqual([5, 1]);
    expect(new Set(sink.pushes.map(({ key }) => key)).size).toBe(1);
    expect(sink.pushes[1]?.text).toBe('explained');
    await sink.close();
  });
});

describe('slack', () => {
  it('edits the message of a bot at the end and for an explanation', async () => {
    const sink = await startProviderSink('slack-bot');
    const channel = channelOf(sink);
    const { providerId } = await send(channel);
    expect(providerId).toBe('C024BE91L:1700000000.000001');
    await channel.update?.(providerId ?? '', makeMessage({ body: 'explained' }), signal);
    expect(await send(channel, ended, signal, providerId)).toEqual({ providerId });
    expect(sink.pushes.map(({ call }) => call)).toEqual([
      'POST /api/chat.postMessage',
      'POST /api/chat.update',
      'POST /api/chat.update',
    ]);
    expect(sink.pushes[2]).toMatchObject({ raw: { ts: '1700000000.000001' } });
    expect(sink.pushes[2]?.title).toMatch(/^✅/);
    await sink.close();
  });

  it('posts the end when the message of the bot is gone', async () => {
    const sink = await startProviderSink('slack-bot');
    await send(channelOf(sink), ended, signal, 'C024BE91L:1700000000.000404');
    expect(sink.pushes.map(({ call }) => call)).toEqual(['POST /api/chat.postMessage']);
    await sink.close();
  });

  it('does not post the end twice when nobody knows whether the edit arrived', async () => {
    const sink = await startProviderSink('slack-bot');
    sink.script('reset');
    const error = await failureOf(send(channelOf(sink), ended, signal, 'C024BE91L:1700000000.000001'));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: true });
    expect(sink.requests).toHaveLength(1);
    await sink.close();
  });

  it.each([
    ['invalid_auth', 'delivery-permanent'],
    ['channel_not_found', 'delivery-permanent'],
    ['ratelimited', 'delivery-retryable'],
    ['service_unavailable', 'delivery-retryable'],
  ])('takes a 200 with %s for %s and repeats the word', async (code, reason) => {
    const sink = await startProviderSink('slack-bot');
    sink.script({ status: 200, headers: { 'retry-after': '7' }, body: { ok: false, error: code } });
    const error = await failureOf(send(channelOf(sink)));
    expect(error).toMatchObject({ reason, retryAfterMs: 7_000 });
    expect(error.message).toContain(`(${code})`);
    await sink.close();
  });

  it('repeats no sentence, address or token that an answer holds', async () => {
    const sink = await startProviderSink('slack');
    for (const body of ['No such hook: sink-token', 'XXXXXXXXXXXXXXXXXXXXXXXX', 'https://x.example/a', '']) {
      sink.script({ status: 404, body });
      expect((await failureOf(send(channelOf(sink)))).message).toBe('slack answered 404');
    }
    await sink.close();
  });

  it('repeats why a webhook was refused', async () => {
    const sink = await startProviderSink('slack');
    sink.script({ status: 404, body: 'no_service' });
    expect((await failureOf(send(channelOf(sink)))).message).toBe('slack answered 404 (no_service)');
    await sink.close();
  });
});

describe('discord', () => {
  it('edits its message at the end and for an explanation, and keeps a thread', async () => {
    const sink = await startProviderSink('discord');
    const url = `${sink.env['DISCORD_WEBHOOK_URL']}?thread_id=7`;
    const [channel] = channelsFromEnv({ DISCORD_WEBHOOK_URL: url });
    if (channel === undefined) throw new Error('the variables make no channel');
    const { providerId } = await send(channel);
    await channel.update?.(providerId ?? '', makeMessage({ body: 'explained' }), signal);
    await send(channel, ended, signal, providerId);
    expect(sink.pushes.map(({ call }) => call.replace(/webhooks\/\d+\/[\w-]+/, 'webhooks/…'))).toEqual([
      'POST /api/webhooks/…?thread_id=7&wait=true&with_components=true',
      `PATCH /api/webhooks/…/messages/${providerId}?thread_id=7&with_components=true`,
      `PATCH /api/webhooks/…/messages/${providerId}?thread_id=7&with_components=true`,
    ]);
    await sink.close();
  });

  it('posts the end when its message is gone', async () => {
    const sink = await startProviderSink('discord');
    await send(channelOf(sink), ended, signal, '404');
    expect(sink.pushes.map(({ call }) => call.split(' ', 1)[0])).toEqual(['POST']);
    await sink.close();
  });

  it('waits as long as the body of a 429 says', async () => {
    const sink = await startProviderSink('discord');
    sink.script({ status: 429, body: { message: 'x', retry_after: 1.337, global: false } });
    expect(await failureOf(send(channelOf(sink)))).toMatchObject({ retryAfterMs: 1_337 });
    await sink.close();
  });
});

describe('teams', () => {
  it.each([[''], ['1'], ['{"status":"accepted"}']])('takes a 2xx with %j for a yes', async (body) => {
    const sink = await startProviderSink('teams');
    sink.script({ status: 202, body });
    expect(await send(channelOf(sink))).toEqual({ providerId: null });
    await sink.close();
  });
});

describe('pagerduty', () => {
  it('opens, acknowledges by a decision and resolves under one key', async () => {
    const sink = await startProviderSink('pagerduty');
    const channel = channelOf(sink);
    await send(channel);
    await send(channel, { kind: 'grew' });
    await send(channel, decided);
    await send(channel, ended);
    expect(sink.pushes.map(({ raw }) => raw['event_action'])).toEqual([
      'trigger',
      'trigger',
      'acknowledge',
      'resolve',
    ]);
    expect(new Set(sink.pushes.map(({ key }) => key))).toEqual(new Set(['ag-0123456789abcdef']));
    expect(channel.closes).toBe(true);
    await sink.close();
  });

  it('waits minutes after a 429 that names no time', async () => {
    const sink = await startProviderSink('pagerduty');
    sink.script({ status: 429 });
    expect(await failureOf(send(channelOf(sink)))).toMatchObject({ retryAfterMs: 180_000 });
    await sink.close();
  });
});

describe.each(['opsgenie', 'jsm'] as const)('%s', (type) => {
  it('opens, acknowledges by a decision and closes under one alias', async () => {
    const sink = await startProviderSink(type);
    const channel = channelOf(sink);
    await send(channel);
    await send(channel, decided);
    await send(channel, ended);
    const base = type === 'jsm' ? '/jsm/ops/integration/v2/alerts' : '/v2/alerts';
    expect(sink.pushes.map(({ call }) => call)).toEqual([
      `POST ${base}`,
      `POST ${base}/ag-0123456789abcdef/acknowledge?identifierType=alias`,
      `POST ${base}/ag-0123456789abcdef/close?identifierType=alias`,
    ]);
    expect(channel.closes).toBe(true);
    await sink.close();
  });
});

describe('sms', () => {
  it('gives up on what Twilio will always refuse, and repeats its number', async () => {
    const sink = await startProviderSink('sms');
    sink.script({ status: 400, body: { code: 21610, message: 'Attempt to send to unsubscribed recipient' } });
    const error = await failureOf(send(channelOf(sink)));
    expect(error).toBeInstanceOf(DeliveryError);
    expect(error).toMatchObject({ reason: 'delivery-permanent', message: 'sms answered 400 (21610)' });
    await sink.close();
  });

  it('is worthless after a quarter of an hour', async () => {
    const sink = await startProviderSink('sms');
    await send(channelOf(sink));
    expect(sink.pushes[0]?.raw).toMatchObject({ ValidityPeriod: '900', From: '+15005550006' });
    await sink.close();
  });
});
