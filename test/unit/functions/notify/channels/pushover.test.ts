import { describe, expect, it } from 'vitest';

import { toPushover } from '../../../../../functions/notify/channels/pushover.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

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

  it('offers the page to decide before any other', () => {
    const { pageUrl } = makeButton();
    expect(toPushover(makeMessage({ button: makeButton() }))).toMatchObject({
      url: pageUrl,
      url_title: 'Not concerning…',
    });
    expect(toPushover(makeMessage({ button: makeButton({ act: null }) }))).toMatchObject({
      url: pageUrl,
      url_title: 'Details',
    });
  });
});
