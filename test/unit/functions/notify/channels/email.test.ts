import { describe, expect, it } from 'vitest';

import { toEmail } from '../../../../../functions/notify/channels/email.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

describe('toEmail', () => {
  it('says the same as text and as HTML, with its links in both', () => {
    const mail = toEmail(makeMessage({ title: 't', body: 'a\nb', button: makeButton() }));
    expect(mail.text).toBe(
      [
        'a\nb',
        `Not concerning…\n${makeButton().pageUrl}`,
        'Open the issue\nhttps://alertgest.example.org/issues/1',
        'Runbook\nhttps://runbooks.example.org/memory',
      ].join('\n\n'),
    );
    expect(mail.html).toContain('<p>a<br>\nb</p>');
    expect(mail.html.match(/href="[^"]+"/g)).toEqual([
      `href="${makeButton().pageUrl}"`,
      'href="https://alertgest.example.org/issues/1"',
      'href="https://runbooks.example.org/memory"',
    ]);
  });

  it.each([
    [199, 199],
    [200, 200],
    [201, 200],
  ])('keeps a subject of %i characters within 200', (length, expected) => {
    expect(Array.from(toEmail(makeMessage({ title: '🔥'.repeat(length) })).subject)).toHaveLength(expected);
  });

  it('keeps the text within its bytes', () => {
    const { text } = toEmail(makeMessage({ body: 'x'.repeat(40_000), link: null, runbookUrl: null }));
    expect(Buffer.byteLength(text)).toBe(32_768);
  });

  it('escapes everything that HTML could read', () => {
    const { html } = toEmail(makeMessage({}, { summary: `<img src=x onerror="x('y')">&amp;` }));
    expect(html).toContain('&lt;img src=x onerror=&quot;x(&#39;y&#39;)&quot;&gt;&amp;amp;');
  });
});
