import { describe, expect, it } from 'vitest';

import { toSlack } from '../../../../../functions/notify/channels/slack.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

function blockOf(document: ReturnType<typeof toSlack>, type: string): unknown {
  return document.blocks.find((block) => block.type === type);
}

describe('toSlack', () => {
  it('offers decision, issue and runbook as buttons and leaves the runbook out of the text', () => {
    const document = toSlack(makeMessage({ button: makeButton() }));
    expect(blockOf(document, 'actions')).toMatchObject({
      elements: [
        { text: { text: 'Not concerning…' }, url: makeButton().pageUrl },
        { text: { text: 'Open the issue' }, url: 'https://alertgest.example.org/issues/1' },
        { text: { text: 'Runbook' }, url: 'https://runbooks.example.org/memory' },
      ],
    });
    expect(JSON.stringify(blockOf(document, 'section'))).not.toContain('runbooks.example.org');
  });

  it.each([
    [149, 'x'.repeat(149)],
    [150, 'x'.repeat(150)],
    [151, `${'x'.repeat(149)}…`],
  ])('keeps a title of %i characters within 150', (length, text) => {
    expect(blockOf(toSlack(makeMessage({ title: 'x'.repeat(length) })), 'header')).toMatchObject({
      text: { type: 'plain_text', text, emoji: false },
    });
  });

  it.each([
    [2_999, 2_999],
    [3_000, 3_000],
    [3_001, 3_000],
  ])('keeps a text of %i characters within 3,000', (length, expected) => {
    const section = blockOf(toSlack(makeMessage({ body: 'x'.repeat(length) })), 'section') as {
      text: { text: string };
    };
    expect(section.text.text).toHaveLength(expected);
    expect(section.text.text.endsWith('…')).toBe(length > 3_000);
  });

  it('counts what an escaped character takes and never cuts one in half', () => {
    const section = blockOf(toSlack(makeMessage({ body: '&'.repeat(3_000) })), 'section') as {
      text: { text: string };
    };
    expect(section.text.text).toBe(`${'&amp;'.repeat(599)}…`);
  });

  it('has neither an empty section nor an empty row of buttons, which Slack refuses', () => {
    const document = toSlack(makeMessage({ body: '', link: null, runbookUrl: null }));
    expect(document.blocks.map(({ type }) => type)).toEqual(['header']);
  });
});
