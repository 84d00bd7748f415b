import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  countRunes,
  inert,
  plain,
  safeLink,
  truncateBytes,
  truncateRunes,
} from '../../../../functions/notify/text.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };

const FORBIDDEN = /(?!\u{FE0F})[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const anyText = fc.string({ unit: 'binary', maxLength: 300 });

describe('plain', () => {
  it.each(hostileTexts)('leaves nothing hidden in: $title', ({ text }) => {
    const shown = plain(text, 500);
    expect(shown).not.toMatch(FORBIDDEN);
    expect(shown).not.toMatch(/\p{M}{4}/u);
    expect(shown).toBe(shown.trim());
  });

  it('keeps ordinary text as it is', () => {
    const text = 'Größe über 90% – пример 例え ☠️ 🔥 (pod api-1) <b> & "x"';
    expect(plain(text, 500)).toBe(text);
  });

  it('removes terminal sequences whole', () => {
    expect(plain('\u001b[2J\u001b[31mPWNED\u001b[0m', 50)).toBe('PWNED');
    expect(plain('\u001b]8;;https://evil.example\u0007here\u001b]8;;\u0007', 50)).toBe('here');
  });

  it('keeps a bracket after a line break', () => {
    expect(plain('first\n[INFO] second', 50)).toBe('first [INFO] second');
  });

  it('folds line breaks into spaces so that no line can be forged', () => {
    expect(plain('x\r\nX-Priority: 5\u2028\u2029\t y', 50)).toBe('x X-Priority: 5 y');
  });

  it('cuts a pile of combining marks to three', () => {
    expect(plain(`x${'\u0301'.repeat(2_000)}y`, 50)).toBe('x\u0301\u0301\u0301y');
  });

  it('replaces lone surrogates', () => {
    expect(plain('node-\ud800', 50)).toBe('node-\ufffd');
  });

  it('is idempotent and bounded for any text', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 80 }), (text, max) => {
        const once = plain(text, max);
        expect(countRunes(once)).toBeLessThanOrEqual(max);
        expect(once).not.toMatch(FORBIDDEN);
        expect(once.isWellFormed()).toBe(true);
      }),
    );
  });

  it('handles megabytes quickly', () => {
    const started = performance.now();
    plain('a\u0301\u202e'.repeat(1_000_000), 200);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('inert', () => {
  it('turns addresses into text', () => {
    expect(inert('see https://evil.example/x', 100)).toBe('see https[:]//evil.example/x');
  });

  it.each(hostileTexts)('leaves no address in: $title', ({ text }) => {
    expect(inert(text, 500)).not.toContain('://');
  });
});

describe('safeLink', () => {
  it.each([['https://runbooks.example.org/a?b=c#d'], ['http://10.0.0.1:8080/x']])('accepts %s', (link) => {
    expect(safeLink(link)).toBe(link);
  });

  it.each([
    ['javascript:alert(1)'],
    ['data:text/html,x'],
    ['file:///etc/passwd'],
    ['https://user:pass@example.org/'],
    ['//example.org/x'],
    ['not an address'],
    [`https://example.org/${'x'.repeat(500)}`],
  ])('refuses %s', (link) => {
    expect(safeLink(link)).toBeNull();
  });

  it('encodes line breaks and hidden characters away', () => {
    expect(safeLink('https://example.org/a\r\nb\u202ec')).toBe('https://example.org/ab%E2%80%AEc');
  });
});

describe('truncation', () => {
  it.each([
    ['one below the limit', 9, 'x'.repeat(9)],
    ['at the limit', 10, 'x'.repeat(10)],
    ['one above the limit', 11, `${'x'.repeat(9)}…`],
  ])('cuts characters %s', (_name, length, expected) => {
    expect(truncateRunes('x'.repeat(length), 10)).toBe(expected);
  });

  it.each([
    ['one below the limit', 9, 'x'.repeat(9)],
    ['at the limit', 10, 'x'.repeat(10)],
    ['one above the limit', 11, `${'x'.repeat(7)}…`],
  ])('cuts bytes %s', (_name, length, expected) => {
    expect(truncateBytes('x'.repeat(length), 10)).toBe(expected);
  });

  it('never cuts a grapheme', () => {
    expect(truncateRunes('ab👩🏽‍🚒cd', 4)).toBe('ab…');
    expect(truncateBytes('ae\u0301'.repeat(5), 10)).toBe('ae\u0301a…');
  });

  it('drops an address that does not fit', () => {
    expect(truncateRunes('Runbook: https://example.org/a/long/path and more', 30)).toBe('Runbook:…');
    expect(truncateRunes('See https://example.org/ and more', 25)).toBe('See https://example.org/…');
  });

  it('stays within bytes and well formed for any text', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 64 }), (text, max) => {
        const wellFormed = text.toWellFormed();
        const cut = truncateBytes(wellFormed, max);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});
