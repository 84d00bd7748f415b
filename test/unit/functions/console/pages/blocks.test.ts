import { describe, expect, it } from 'vitest';
import { html } from 'hono/html';
import { sparkline, stackedBars } from '../../../../../functions/console/pages/chart.ts';
import {
  badge,
  isZone,
  page,
  securityHeaders,
  table,
  when,
} from '../../../../../functions/console/pages/layout.ts';
import { findProblem, untilOf } from '../../../../../functions/console/pages/posts.ts';
import { count, toKindWords, toSpan, toVerdict } from '../../../../../functions/console/pages/sentences.ts';
import { STYLE_SHEET } from '../../../../../functions/console/pages/style-sheet.ts';
import { clip, safeLink, withQuery } from '../../../../../functions/console/pages/view.ts';

const MINUTE_MS = 60_000;

describe('the frame', () => {
  it('escapes what it is given and stays small', async () => {
    const text = String(
      await page({
        title: '<b>',
        nonce: 'n',
        user: '"<i>',
        zone: 'UTC',
        keep: [['q', '"><script>']],
        content: html`<p>${'<script>'}</p>`,
      }),
    );
    expect(text).not.toMatch(/<b>|<i>|<script>/);
    expect(text).toContain('&quot;&gt;&lt;script&gt;');
    expect(Buffer.byteLength(STYLE_SHEET)).toBeLessThan(12_000);
  });

  it('allows its own style sheet and nothing else', () => {
    const { 'content-security-policy': policy = '', 'referrer-policy': referrer } = securityHeaders('abc');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("style-src 'nonce-abc'");
    expect(policy).not.toMatch(/script-src|unsafe/);
    expect(referrer).toBe('no-referrer');
    expect(securityHeaders('abc', 'same-origin')['referrer-policy']).toBe('same-origin');
  });
});

describe('when', () => {
  it('names the zone, across a clock change too', async () => {
    const year = new Date().getUTCFullYear();
    const winter = String(await when(new Date(Date.UTC(year, 0, 15, 12)), 'Europe/London'));
    const summer = String(await when(new Date(Date.UTC(year, 6, 15, 12)), 'Europe/London'));
    expect(winter).toMatch(/12:00 <span class="zone">GMT</);
    expect(summer).toMatch(/13:00 <span class="zone">(?:BST|GMT\+1)</);
    expect(winter).toContain(`datetime="${year}-01-15T12:00:00.000Z"`);
  });

  it('says the year of what is long ago', async () => {
    expect(String(await when('2001-02-03T04:05:06Z', 'UTC'))).toContain('2001, 04:05');
  });

  it('knows zones from other words', () => {
    expect(['UTC', 'Asia/Kolkata', 'europe/berlin'].map(isZone)).toEqual([true, true, true]);
    expect(['', 'Mars/Olympus', 'x'.repeat(100), '<b>'].map(isZone)).toEqual([false, false, false, false]);
  });
});

describe('blocks', () => {
  it('say a severity in words, and colour only those that are known', async () => {
    expect(String(await badge('critical'))).toBe('<span class="badge critical">critical</span>');
    expect(String(await badge('"><script>'))).toBe(
      '<span class="badge none">&quot;&gt;&lt;script&gt;</span>',
    );
  });

  it('leave nothing in an empty cell, so that a card can leave it out', async () => {
    expect(String(await table('x', [{ label: 'A', isHead: true }, { label: 'B' }], [['1', '']]))).toMatch(
      /data-label=""[^>]*>1<\/td><td[^>]*data-label="B"[^>]*><\/td>/,
    );
  });

  it('link to http and https only', async () => {
    expect(String(await safeLink('https://runbooks.example/a?b=1&c'))).toContain(
      'href="https://runbooks.example/a?b=1&amp;c"',
    );
    for (const url of [
      'javascript:alert(1)',
      'data:text/html,x',
      'JAVASCRIPT:x',
      '//evil.example',
      'runbook',
      '',
    ])
      expect(String(await safeLink(url)), url).not.toContain('<a');
  });

  it('cut long text without half a character', () => {
    expect(clip('short', 10)).toBe('short');
    expect(clip('😀😀😀', 4)).toBe('😀…');
    expect(withQuery('/issues', { q: 'a b', page: undefined, open: '' })).toBe('/issues?q=a+b');
  });
});

describe('plots', () => {
  it('draw a bar for each day that has hits, at least visible', async () => {
    const text = String(await sparkline([0, 1, 1_000], '1001 hits'));
    expect(text).toContain('aria-label="1001 hits"');
    expect(text.match(/M[\d.]+ 27v-/g)).toHaveLength(2);
    expect(text).toContain('v-1.5h');
    expect(text).not.toContain('style=');
  });

  it('draw nothing wrong of nothing', async () => {
    expect(String(await sparkline([], 'none'))).not.toMatch(/NaN|undefined|Infinity/);
    expect(String(await stackedBars([], ['critical'], 'none', { width: 300, height: 200 }))).not.toMatch(
      /NaN|undefined|Infinity/,
    );
  });

  it('stack layers up to their sum, with whole numbers at the side', async () => {
    const text = String(
      await stackedBars(
        [{ label: '<1 Nov>', values: { critical: 1, warning: 2 } }],
        ['critical', 'warning'],
        'Alerts',
        { width: 300, height: 200 },
      ),
    );
    expect(text).toContain('&lt;1 Nov&gt;');
    expect(text.match(/class="bar (?:critical|warning)"/g)).toHaveLength(2);
    const side = [...text.matchAll(/text-anchor="end"\s*>\s*(\d+)/g)].map(([, tick]) => tick);
    expect(side).toEqual(['0', '1', '2', '3']);
  });
});

describe('sentences', () => {
  it.each([
    [
      { status: 'notified', reason: null, why: 'first alert of a new incident', quiet: false },
      'Told: first alert of a new incident',
    ],
    [{ status: 'notified', reason: null, why: 'x', quiet: true }, 'Told without sound: x'],
    [{ status: 'suppressed', reason: 'no-route', why: null, quiet: false }, 'Not told: no channel wants it'],
    [{ status: 'suppressed', reason: 'something-new', why: null, quiet: false }, 'Not told: something-new'],
    [
      { status: 'held', reason: 'storm', why: null, quiet: false },
      'Waits for a summary: too many new incidents at once; one message sums them up',
    ],
    [
      { status: 'dead', reason: 'undeliverable', why: 'ntfy answered 507', quiet: false },
      'Nobody could be told: ntfy answered 507',
    ],
    [{ status: 'received', reason: null, why: null, quiet: false }, 'Not decided yet'],
  ] as const)('of %j: %s', (notice, sentence) => {
    expect(toVerdict(notice)).toBe(sentence);
  });

  it('count and measure', () => {
    expect(toKindWords({ kind: 'grew', open_episodes: 4 })).toBe('It grew to 4 alerts');
    expect([5_000, 90_000, 119 * MINUTE_MS, 180 * MINUTE_MS, 72 * 60 * MINUTE_MS].map(toSpan)).toEqual([
      '5 s',
      '2 min',
      '119 min',
      '3 h',
      '3 days',
    ]);
    expect([0, 1, 1_234].map((number) => count(number, 'alert'))).toEqual([
      '0 alerts',
      '1 alert',
      '1,234 alerts',
    ]);
  });
});

describe('the decision form', () => {
  const input = { act: 'decide', kind: 'ignore', for: '7d', note: '' } as const;

  it('wants a note for silencing a critical, a time for a snooze, and words for a note', () => {
    expect(findProblem({ severity: 'critical' }, input)).toMatch(/note/);
    expect(findProblem({ severity: 'critical' }, { ...input, note: 'being replaced' })).toBeNull();
    expect(findProblem({ severity: 'critical' }, { ...input, kind: 'quiet' })).toBeNull();
    expect(findProblem({ severity: 'warning' }, input)).toBeNull();
    expect(findProblem({ severity: 'info' }, { ...input, kind: 'snooze', for: 'until-it-changes' })).toMatch(
      /time/,
    );
    expect(findProblem({ severity: 'info' }, { ...input, kind: 'note' })).toMatch(/empty/);
  });

  it('gives an end to what has one', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    expect(untilOf(input, now)).toEqual(new Date('2026-01-08T00:00:00Z'));
    expect(untilOf({ ...input, for: 'until-it-changes' }, now)).toBeNull();
    expect(untilOf({ ...input, kind: 'revoke' }, now)).toBeNull();
  });
});
