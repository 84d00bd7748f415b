import { describe, expect, it } from 'vitest';

import { toDiscord } from '../../../../../functions/notify/channels/discord.ts';
import type { Message } from '../../../../../functions/notify/message.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

function embedOf(message: Message) {
  const [embed] = toDiscord(message).embeds;
  if (embed === undefined) throw new Error('there is no embed');
  return embed;
}

describe('toDiscord', () => {
  it('mentions nobody and opens the page to decide', () => {
    const document = toDiscord(makeMessage({ button: makeButton() }));
    expect(document).toMatchObject({
      allowed_mentions: { parse: [] },
      embeds: [{ url: makeButton().pageUrl, color: 0xd32f2f }],
      components: [
        {
          type: 1,
          components: [
            { type: 2, style: 5, label: 'Not concerning…', url: makeButton().pageUrl },
            { style: 5, label: 'Open the issue' },
            { style: 5, label: 'Runbook' },
          ],
        },
      ],
    });
  });

  it.each([
    ['title', 'title', 256],
    ['description', 'body', 4_096],
  ] as const)('keeps the %s within its limit', (field, from, limit) => {
    for (const length of [limit - 1, limit, limit + 1]) {
      const text = embedOf(makeMessage({ [from]: 'x'.repeat(length) }))[field];
      expect(text).toBe(length > limit ? `${'x'.repeat(limit - 1)}…` : 'x'.repeat(length));
    }
    const escaped = embedOf(makeMessage({ [from]: '*'.repeat(limit) }))[field];
    expect(escaped).toBe(`${'\\*'.repeat(limit / 2 - 1)}…`);
  });

  it('notifies nobody of a quiet message', () => {
    expect(toDiscord(makeMessage({}, { quiet: true }))).toMatchObject({ flags: 4_096 });
    expect(toDiscord(makeMessage())).not.toHaveProperty('flags');
  });

  it('leaves out a link that is longer than a button takes', () => {
    const document = toDiscord(
      makeMessage({ link: `https://example.org/${'x'.repeat(493)}`, runbookUrl: null }),
    );
    expect(document.components).toEqual([]);
    expect(document.embeds[0]).not.toHaveProperty('url');
  });
});
