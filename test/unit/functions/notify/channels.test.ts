import { describe, expect, it } from 'vitest';

import { toGotify } from '../../../../functions/notify/channels/gotify.ts';
import { channelsFromEnv } from '../../../../functions/notify/channels/index.ts';
import { toNtfy } from '../../../../functions/notify/channels/ntfy.ts';
import { toPushover } from '../../../../functions/notify/channels/pushover.ts';
import { toWebhook } from '../../../../functions/notify/channels/webhook.ts';
import { toMessage, type Message, type MessageInput } from '../../../../functions/notify/message.ts';
import { ConfigError } from '../../../../shared/errors.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };
import { makeMessageInput } from '../../../support/messages.ts';

const LONG_ENV = {
  GOTIFY_URL: 'https://gotify.example.org/push/',
  GOTIFY_TOKEN: 'g',
  NTFY_TOPIC: 'alerts',
  PUSHOVER_TOKEN: 'p',
  PUSHOVER_USER: 'u',
  WEBHOOK_URL: 'https://hooks.example.org/in/?a=b',
};

function makeMessage(overrides: Partial<Message> = {}, input: Partial<MessageInput> = {}): Message {
  return { ...toMessage(makeMessageInput(input)), ...overrides };
}

describe('toGotify', () => {
  it('writes plain text with a tap target', () => {
    expect(toGotify(makeMessage({ title: 't', body: 'b' }))).toEqual({
      title: 't',
      message: 'b',
      priority: 8,
      extras: {
        'client::display': { contentType: 'text/plain' },
        'client::notification': { click: { url: 'https://alertgest.example.org/issues/1' } },
      },
    });
  });

  it('leaves the tap target out without a page', () => {
    expect(toGotify(makeMessage({ link: null })).extras).toEqual({
      'client::display': { contentType: 'text/plain' },
    });
  });

  it.each([
    ['critical', 8],
    ['warning', 5],
    ['info', 2],
    ['none', 2],
    ['unknown', 5],
  ] as const)('maps %s to %i', (severity, priority) => {
    expect(toGotify(makeMessage({}, { severity })).priority).toBe(priority);
    expect(toGotify(makeMessage({}, { severity, quiet: true })).priority).toBe(1);
  });
});

describe('toNtfy', () => {
  it('writes the document', () => {
    expect(toNtfy(makeMessage({ title: 't', body: 'b' }), 'alerts')).toEqual({
      topic: 'alerts',
      sequence_id: 'ag-0123456789abcdef',
      title: 't',
      message: 'b',
      priority: 5,
      tags: ['severity=critical', 'kind=opened', 'category=workload', 'namespace=production', 'cluster=home'],
      click: 'https://alertgest.example.org/issues/1',
      actions: [{ action: 'view', label: 'Runbook', url: 'https://runbooks.example.org/memory' }],
    });
  });

  it.each([
    ['critical', 5],
    ['warning', 3],
    ['info', 2],
    ['none', 2],
    ['unknown', 3],
  ] as const)('maps %s to %i', (severity, priority) => {
    expect(toNtfy(makeMessage({}, { severity }), 't').priority).toBe(priority);
    expect(toNtfy(makeMessage({}, { severity, quiet: true }), 't').priority).toBe(1);
  });

  it.each([
    ['one below', 4_095, 4_095],
    ['at', 4_096, 4_096],
    ['one above', 4_097, 4_096],
  ])('keeps a body %s the limit within 4,096 bytes', (_name, length, expected) => {
    const { message } = toNtfy(makeMessage({ body: 'x'.repeat(length) }), 't');
    expect(Buffer.byteLength(message)).toBe(expected);
    expect(message.endsWith('…')).toBe(length > 4_096);
  });

  it('counts bytes, not characters', () => {
    const { message } = toNtfy(makeMessage({ body: '🔥'.repeat(1_025) }), 't');
    expect(message).toBe(`${'🔥'.repeat(1_023)}…`);
  });

  it('keeps the escaped document within what the server reads', () => {
    const document = toNtfy(makeMessage({ body: '"\\'.repeat(2_048), title: '"'.repeat(900) }), 't');
    expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThanOrEqual(8_000);
    expect(document.message.length).toBeGreaterThan(2_000);
  });

  it('keeps the sequence id to what a server takes', () => {
    expect(toNtfy(makeMessage({ key: `ag/é ${'x'.repeat(90)}` }), 't').sequence_id).toMatch(/^[-\w]{64}$/);
  });
});

describe('toPushover', () => {
  it('writes the form without asking for HTML', () => {
    expect(toPushover(makeMessage({ title: 't', body: 'b' }))).toEqual({
      title: 't',
      message: 'b',
      priority: '1',
      url: 'https://alertgest.example.org/issues/1',
      url_title: 'Open the issue',
    });
  });

  it.each([
    ['critical', '1'],
    ['warning', '0'],
    ['info', '-1'],
    ['none', '-1'],
    ['unknown', '0'],
  ] as const)('maps %s to %s', (severity, priority) => {
    expect(toPushover(makeMessage({}, { severity }))['priority']).toBe(priority);
    expect(toPushover(makeMessage({}, { severity, quiet: true }))['priority']).toBe('-1');
  });

  it.each([
    ['message', 'body', 1_024],
    ['title', 'title', 250],
  ] as const)('keeps the %s within its limit in characters', (field, from, limit) => {
    for (const [length, expected] of [
      [limit - 1, '🔥'.repeat(limit - 1)],
      [limit, '🔥'.repeat(limit)],
      [limit + 1, `${'🔥'.repeat(limit - 1)}…`],
    ] as const) {
      expect(toPushover(makeMessage({ [from]: '🔥'.repeat(length) }))[field]).toBe(expected);
    }
  });

  it.each([
    [511, true],
    [512, true],
    [513, false],
  ])('offers a link of %i characters: %s', (length, offered) => {
    const link = `https://example.org/${'x'.repeat(length - 20)}`;
    expect(toPushover(makeMessage({ link }))['url']).toBe(offered ? link : undefined);
  });

  it('offers the runbook when there is no page, and never an empty message', () => {
    const form = toPushover(makeMessage({ link: null, body: '' }));
    expect(form).toMatchObject({
      url_title: 'Runbook',
      url: 'https://runbooks.example.org/memory',
      message: '(no details)',
    });
  });

  it('keeps why and what next when a full message is cut', () => {
    const long = 'word '.repeat(200);
    const text = toPushover(
      makeMessage(
        {},
        {
          summary: long,
          description: long,
          nextStep: long,
          samples: [long, long],
          missing: ['not classified'],
        },
      ),
    )['message'];
    expect(text).toContain('Why: first alert');
    expect(text).toContain('Next: word');
    expect(text).toContain('Note: not classified');
  });
});

describe('toWebhook', () => {
  it('writes version 1 of the document', () => {
    const message = makeMessage({ title: 't', body: 'b' });
    expect(Object.keys(toWebhook(message))).toEqual([
      'version',
      'noticeKey',
      'incidentKey',
      'kind',
      'severity',
      'priority',
      'resolved',
      'title',
      'body',
      'link',
      'runbookUrl',
      'decision',
      'tags',
      'facts',
    ]);
    expect(toWebhook(message)).toMatchObject({ version: '1', noticeKey: 'notice-1', facts: { episodes: 3 } });
  });
});

describe('a message that carries the way to decide', () => {
  const pageUrl = `https://alertgest.example.org/d/v1.${'i'.repeat(22)}.${'m'.repeat(22)}`;
  const act = { url: 'https://alertgest.example.org/d', token: `v1.${'i'.repeat(22)}.${'m'.repeat(22)}` };
  const message = makeMessage({}, { button: { label: 'Not concerning', pageUrl, act } });
  const details = makeMessage({}, { button: { label: 'Not concerning', pageUrl, act: null } });

  it('is tapped in Gotify and Pushover', () => {
    expect(toGotify(message).extras['client::notification']).toEqual({ click: { url: pageUrl } });
    expect(toPushover(message)).toMatchObject({ url: pageUrl, url_title: 'Not concerning…' });
    expect(toPushover(details)).toMatchObject({ url: pageUrl, url_title: 'Details' });
  });

  it('has a button in ntfy whose token is in a header, never in its address', () => {
    const document = toNtfy(message, 't');
    expect(document).toMatchObject({ click: pageUrl });
    expect(document.actions).toEqual([
      {
        action: 'http',
        label: 'Not concerning',
        url: act.url,
        method: 'POST',
        headers: { 'X-Alertgest-Decision': act.token },
        clear: true,
      },
      { action: 'view', label: 'Details', url: pageUrl },
      { action: 'view', label: 'Runbook', url: 'https://runbooks.example.org/memory' },
    ]);
    expect(toNtfy(details, 't').actions).toEqual([
      { action: 'view', label: 'Details', url: pageUrl },
      { action: 'view', label: 'Runbook', url: 'https://runbooks.example.org/memory' },
    ]);
  });

  it('is in the document of the webhook', () => {
    expect(toWebhook(message).decision).toEqual({ label: 'Not concerning', pageUrl, act });
    expect(toWebhook(makeMessage()).decision).toBeNull();
  });

  it('stays within the limits, whatever the text is', () => {
    const long = makeMessage(
      { body: '"\\'.repeat(4_000), title: '🔥'.repeat(900) },
      { button: message.button, runbookUrl: `https://r.example.org/${'x'.repeat(480)}` },
    );
    const document = toNtfy(long, 't');
    expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThanOrEqual(8_000);
    expect(document.actions).toHaveLength(3);
    expect(toPushover(long)['url']).toBe(pageUrl);
  });
});

describe.each(hostileTexts)('against: $title', ({ text }) => {
  const message = makeMessage(
    {},
    { alertname: text, summary: text, description: `d ${text}`, namespace: text },
  );

  it('keeps every channel in plain text with only our own links', () => {
    const gotify = toGotify(message);
    expect(gotify.extras['client::display']).toEqual({ contentType: 'text/plain' });
    expect(toNtfy(message, 't')).not.toHaveProperty('markdown');
    expect(toNtfy(message, 't').topic).toBe('t');
    expect(toPushover(message)).not.toHaveProperty('html');
    for (const shown of [
      gotify.message,
      toNtfy(message, 't').message,
      toPushover(message)['message'] ?? '',
    ]) {
      expect(shown.match(/\S+:\/\/\S+/g)).toEqual(['https://runbooks.example.org/memory']);
    }
  });

  it('survives encoding', () => {
    const form = new URLSearchParams(toPushover(message)).toString();
    expect(new URLSearchParams(form).getAll('priority')).toEqual(['1']);
    expect(JSON.parse(JSON.stringify(toNtfy(message, 't')))).toMatchObject({ topic: 't', priority: 5 });
  });
});

describe('channelsFromEnv', () => {
  it('makes every channel whose variables are set', () => {
    const channels = channelsFromEnv(LONG_ENV);
    expect(channels.map(({ name, keyed, sendResolved }) => [name, keyed, sendResolved])).toEqual([
      ['gotify', false, false],
      ['ntfy', true, false],
      ['pushover', false, false],
      ['webhook', true, false],
    ]);
  });

  it('makes none when nothing is set, and takes empty as unset', () => {
    expect(channelsFromEnv({})).toEqual([]);
    expect(channelsFromEnv({ GOTIFY_URL: '', GOTIFY_TOKEN: ' ', NTFY_SEND_RESOLVED: 'true' })).toEqual([]);
  });

  it('sends resolved messages only where asked to', () => {
    const [gotify] = channelsFromEnv({ ...LONG_ENV, GOTIFY_SEND_RESOLVED: 'true' });
    expect(gotify?.sendResolved).toBe(true);
  });

  it('names all problems of all half-set channels at once, and no value', () => {
    const env = {
      GOTIFY_URL: 'ftp://secret-value',
      NTFY_URL: 'https://ntfy.sh/secret-value',
      NTFY_TOPIC: 'secret value',
      NTFY_USER: 'secret-value',
      NTFY_TOKEN: 'secret-value',
      PUSHOVER_TOKEN: 'secret\nvalue',
      WEBHOOK_TOKEN: 'secret-value',
      WEBHOOK_SEND_RESOLVED: 'secret-value',
    };
    const error = errorOf(() => channelsFromEnv(env));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message.split('\n')).toEqual([
      'GOTIFY_URL is not an http or https address without user and password, for example GOTIFY_URL=https://gotify.example.org',
      'GOTIFY_TOKEN is missing, for example GOTIFY_TOKEN=the-token-of-an-application',
      'NTFY_URL is the server alone, the topic goes to NTFY_TOPIC, for example NTFY_URL=https://ntfy.sh',
      'NTFY_TOPIC is not 1 to 64 letters, digits, - or _, for example NTFY_TOPIC=alerts-7f3a9c',
      'NTFY_USER and NTFY_PASSWORD belong together, for example NTFY_USER=alertgest NTFY_PASSWORD=…',
      'NTFY_TOKEN and NTFY_USER exclude each other, for example only NTFY_TOKEN=tk_…',
      'PUSHOVER_TOKEN has white space or characters outside ASCII, for example PUSHOVER_TOKEN=the-api-token-of-an-application',
      'PUSHOVER_USER is missing, for example PUSHOVER_USER=the-user-or-group-key',
      'WEBHOOK_URL is missing, for example WEBHOOK_URL=https://hooks.example.org/alertgest',
      'WEBHOOK_SEND_RESOLVED is neither true nor false, for example WEBHOOK_SEND_RESOLVED=true',
    ]);
    expect(error.message).not.toMatch(/secret/);
  });
});

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
