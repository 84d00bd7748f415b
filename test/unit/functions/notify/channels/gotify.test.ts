import { describe, expect, it } from 'vitest';

import { toGotify } from '../../../../../functions/notify/channels/gotify.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

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

  it('opens the page to decide where there is one', () => {
    const button = makeButton();
    expect(toGotify(makeMessage({ button })).extras['client::notification']).toEqual({
      click: { url: button.pageUrl },
    });
  });
});
