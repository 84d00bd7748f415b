import { describe, expect, it } from 'vitest';

import { countSeptets, toSms } from '../../../../../functions/notify/channels/sms.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

const bare = { link: null, runbookUrl: null } as const;

describe('toSms', () => {
  it('is plain letters with the page to decide on the last line', () => {
    const lines = toSms(makeMessage({ button: makeButton() })).split('\n');
    expect(lines[0]).toBe('HighMemoryUsage - production/api-server');
    expect(lines[1]).toBe('Critical - 3 alerts - since 02:30 UTC (4 min)');
    expect(lines.at(-1)).toBe(makeButton().pageUrl);
  });

  it.each([
    [458, 458, false],
    [459, 459, false],
    [460, 459, true],
  ])('keeps %i letters within three segments', (length, expected, isCut) => {
    const text = toSms(makeMessage({ ...bare, title: 't', body: 'x'.repeat(length - 2) }));
    expect(countSeptets(text)).toBe(expected);
    expect(text.endsWith('...')).toBe(isCut);
  });

  it('counts brackets twice, as the alphabet does', () => {
    const text = toSms(makeMessage({ ...bare, title: 't', body: '{'.repeat(400) }));
    expect(countSeptets(text)).toBeLessThanOrEqual(459);
    expect(countSeptets(text)).toBeGreaterThan(455);
  });

  it('keeps the page whole, however long the text is', () => {
    const text = toSms(makeMessage({ body: 'word '.repeat(400), button: makeButton() }));
    expect(countSeptets(text)).toBeLessThanOrEqual(459);
    expect(text.endsWith(`...\n${makeButton().pageUrl}`)).toBe(true);
  });

  it('drops a page that would leave no room for the text', () => {
    const text = toSms(makeMessage({ link: `https://example.org/${'x'.repeat(400)}` }));
    expect(text).not.toContain('xxxx');
  });

  it('spells what the alphabet lacks, and halves nothing with a back quote', () => {
    expect(toSms(makeMessage({ ...bare, title: '🔴 café ×3 `x` – “y”', body: '日本語' }))).toBe(
      'cafe x3 \'x\' - "y"',
    );
  });
});
