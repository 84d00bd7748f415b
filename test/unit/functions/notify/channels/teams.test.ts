import { describe, expect, it } from 'vitest';

import { toTeams } from '../../../../../functions/notify/channels/teams.ts';
import type { Message } from '../../../../../functions/notify/message.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

function cardOf(message: Message) {
  const [attachment] = toTeams(message).attachments;
  if (attachment === undefined) throw new Error('there is no card');
  return attachment.content;
}

function textsOf(message: Message): readonly string[] {
  return cardOf(message).body.map((block) => block.inlines[0]?.text ?? '');
}

function bytesOf(message: Message): number {
  return Buffer.byteLength(JSON.stringify(toTeams(message)));
}

describe('toTeams', () => {
  it('writes one run of text per line and opens pages only by actions', () => {
    const message = makeMessage({ title: 't', body: 'a\nb', button: makeButton() });
    expect(textsOf(message)).toEqual(['t', 'a', 'b']);
    expect(cardOf(message)).toMatchObject({
      version: '1.4',
      body: [{ type: 'RichTextBlock' }, { type: 'RichTextBlock' }, { type: 'RichTextBlock' }],
      actions: [
        { type: 'Action.OpenUrl', title: 'Not concerning…', url: makeButton().pageUrl },
        { type: 'Action.OpenUrl', title: 'Open the issue' },
        { type: 'Action.OpenUrl', title: 'Runbook' },
      ],
    });
  });

  it('keeps the whole document within 20,000 bytes, at the limit exactly', () => {
    const used = bytesOf(makeMessage({ body: 'x' })) - 1;
    const bodyOf = (bytes: number): Message => makeMessage({ body: 'x'.repeat(bytes - used) });
    expect(bytesOf(bodyOf(19_999))).toBe(19_999);
    expect(bytesOf(bodyOf(20_000))).toBe(20_000);
    expect(textsOf(bodyOf(20_000)).at(-1)).not.toContain('…');
    expect(bytesOf(bodyOf(20_001))).toBe(20_000);
    expect(textsOf(bodyOf(20_001)).at(-1)?.endsWith('…')).toBe(true);
  });

  it.each([
    ['quotes and backslashes', '"\\'.repeat(20_000)],
    ['many lines', 'x\n'.repeat(20_000)],
    ['emoji', '🔥'.repeat(20_000)],
  ])('counts what %s take in the document', (_what, body) => {
    expect(bytesOf(makeMessage({ body }))).toBeLessThanOrEqual(20_000);
    expect(bytesOf(makeMessage({ body }))).toBeGreaterThan(19_800);
  });

  it('takes template expressions apart', () => {
    const [, text] = textsOf(makeMessage({ body: '${json(x)} {{DATE(1)}} {{{{x}} $${y}' }));
    expect(text).toBe('$ {json(x)} { {DATE(1)}} { { { {x}} $$ {y}');
  });

  it('turns green at the end', () => {
    expect(cardOf(makeMessage({}, { kind: 'resolved' })).body[0]).toMatchObject({
      inlines: [{ color: 'good' }],
    });
  });
});
