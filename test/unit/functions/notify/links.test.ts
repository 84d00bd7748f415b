import { describe, expect, it } from 'vitest';

import { configSchema } from '../../../../functions/notify/config.ts';
import { toAllowedHosts, toLinks, toProse } from '../../../../functions/notify/links.ts';
import { safeLink } from '../../../../functions/notify/text.ts';
import { makeButton, makeMessage } from '../../../support/messages.ts';

describe('toLinks', () => {
  it('offers to decide first, then the issue, then the runbook', () => {
    expect(toLinks(makeMessage({ button: makeButton() })).map(({ label }) => label)).toEqual([
      'Not concerning…',
      'Open the issue',
      'Runbook',
    ]);
  });

  it('offers no page twice and nothing that is not there', () => {
    const link = 'https://alertgest.example.org/issues/1';
    const button = makeButton({ act: null, pageUrl: link });
    expect(toLinks(makeMessage({ button, link, runbookUrl: null }))).toEqual([
      { label: 'Details', url: link },
    ]);
    expect(toLinks(makeMessage({ link: null, runbookUrl: null }))).toEqual([]);
  });
});

describe('toProse', () => {
  it('leaves out the line of the runbook and no other', () => {
    const body = 'a\nRunbook: https://runbooks.example.org/memory\nRunbook: elsewhere';
    expect(toProse(makeMessage({ body }))).toBe('a\nRunbook: elsewhere');
    expect(toProse(makeMessage({ body, runbookUrl: null }))).toBe(body);
  });
});

describe('links of alerts', () => {
  const url = 'https://runbooks.example.org/memory';

  it('may lead anywhere unless hosts are listed', () => {
    expect(toAllowedHosts([], 'https://console.example.org')).toEqual([]);
    expect(safeLink(url, [])).toBe(url);
  });

  it('may always lead to the console', () => {
    expect(toAllowedHosts(['a.example.org'], 'https://console.example.org:8443/x')).toEqual([
      'a.example.org',
      'console.example.org',
    ]);
    expect(toAllowedHosts(['a.example.org'], null)).toEqual(['a.example.org']);
  });

  it.each([
    ['runbooks.example.org', true],
    ['*.example.org', true],
    ['example.org', false],
    ['*.runbooks.example.org', false],
    ['books.example.org', false],
  ])('with %s allowed: %s', (allowed, isOffered) => {
    expect(safeLink(url, [allowed])).toBe(isOffered ? url : null);
  });

  it('are not fooled by a user, a suffix or letters of another script', () => {
    for (const link of [
      'https://runbooks.example.org@evil.example/',
      'https://runbooks.example.org.evil.example/',
      'https://evilexample.org/',
      'https://runbooks.exаmple.org/',
    ])
      expect(safeLink(link, ['runbooks.example.org', '*.example.org']), link).toBeNull();
  });

  it('are left out of messages and facts where they lead elsewhere', () => {
    const message = makeMessage({}, { allowedHosts: ['wiki.example.org'] });
    expect(message.runbookUrl).toBeNull();
    expect(message.facts.runbookUrl).toBeNull();
    expect(message.body).not.toContain('runbooks.example.org');
    expect(message.link).not.toBeNull();
  });

  it('have their hosts read from a list, which is checked', () => {
    const read = (text: string) =>
      configSchema.shape.LINK_ALLOWED_HOSTS.safeParse(text === '' ? undefined : text);
    expect(read('').data).toEqual([]);
    expect(read(' Runbooks.example.org, *.wiki.example.org,').data).toEqual([
      'runbooks.example.org',
      '*.wiki.example.org',
    ]);
    expect(read('https://runbooks.example.org').success).toBe(false);
  });
});
