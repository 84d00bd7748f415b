import { describe, expect, it } from 'vitest';

import { toMessage } from '../../../../functions/notify/message.ts';
import { SEVERITIES } from '../../../../shared/severity.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };
import { makeMessageInput } from '../../../support/messages.ts';

describe('toMessage', () => {
  it('writes an opened incident', () => {
    const message = toMessage(makeMessageInput());
    expect(message.title).toBe('🔴 HighMemoryUsage · production/api-server');
    expect(message.body).toBe(
      [
        'Critical · 3 alerts · since 02:30 UTC (4 min)',
        'Where: namespace production · cluster home · workload',
        'Memory usage above 90%',
        'Why: first alert of this incident',
        'Next: check for a leak since the last rollout',
        'Affected: api-server-7d9f8c6b5-abcde, api-server-7d9f8c6b5-fghij',
        'Runbook: https://runbooks.example.org/memory',
        'Pod production/api-server-7d9f8c6b5-abcde is at 94% for 5 minutes.',
      ].join('\n'),
    );
    expect(message).toMatchObject({
      priority: 'high',
      resolved: false,
      key: 'ag-0123456789abcdef',
      noticeKey: 'notice-1',
      link: 'https://alertgest.example.org/issues/1',
      tags: ['severity=critical', 'kind=opened', 'category=workload', 'namespace=production', 'cluster=home'],
    });
  });

  it('writes a resolved incident short and silent', () => {
    const message = toMessage(
      makeMessageInput({
        kind: 'resolved',
        why: 'no alert of it fires any more',
        endedAt: new Date('2024-01-15T02:33:00Z'),
      }),
    );
    expect(message.title).toBe('✅ HighMemoryUsage · production/api-server');
    expect(message.body.split('\n')[0]).toBe('Resolved after 3 min · 3 alerts · began 02:30 UTC');
    expect(message.body).not.toContain('Next:');
    expect(message).toMatchObject({ priority: 'silent', resolved: true });
  });

  it('counts what a grown incident has open', () => {
    const message = toMessage(makeMessageInput({ kind: 'grew', openEpisodes: 4, episodes: 6 }));
    expect(message.title).toBe('🔴 HighMemoryUsage ×4 · production/api-server');
    expect(message.body).toContain('4 alerts open, 6 in all');
  });

  it('says so when the firing is over before it is sent', () => {
    const endedAt = new Date('2024-01-15T02:30:40Z');
    const message = toMessage(makeMessageInput({ endedAt, openEpisodes: 0, episodes: 1 }));
    expect(message.body.split('\n')[0]).toBe(
      'Critical · already over: lasted 40 s · 1 alert · began 02:30 UTC',
    );
  });

  it('says what was missing and what may be repeated', () => {
    const missing = ['not classified', 'decision not checked'];
    const { body } = toMessage(makeMessageInput({ missing, possiblyRepeated: true }));
    expect(body).toContain('Note: not classified, decision not checked');
    expect(body).toContain('Possibly repeated: an earlier attempt was not confirmed');
  });

  it('writes the summary of a batch', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `Alert${index} in production`);
    const message = toMessage(
      makeMessageInput({
        batch: { title: 'Storm: 45 new incidents', count: 45, lines },
        why: 'more than 30 a minute',
      }),
    );
    expect(message.title).toBe('🔴 Storm: 45 new incidents');
    expect(message.body).toContain('45 in all · since 02:30 UTC (4 min)');
    expect(message.body).toContain('• Alert14 in production\nand 30 more');
    expect(message.body).not.toContain('Alert15');
  });

  it.each([
    ['critical', '🔴', 'high'],
    ['warning', '🟠', 'normal'],
    ['info', '🔵', 'low'],
    ['none', '⚪', 'low'],
    ['unknown', '🟠', 'normal'],
  ] as const)('shows %s as %s with %s priority', (severity, emoji, priority) => {
    const message = toMessage(makeMessageInput({ severity }));
    expect(message.title.startsWith(`${emoji} `)).toBe(true);
    expect(message.priority).toBe(priority);
  });

  it('makes no sound when quiet, whatever the severity', () => {
    for (const severity of SEVERITIES) {
      expect(toMessage(makeMessageInput({ severity, quiet: true })).priority).toBe('silent');
    }
  });

  it('shows times in the given zone, with the date when it is another day', () => {
    const startedAt = new Date('2024-07-14T21:30:00Z');
    const now = new Date('2024-07-15T06:00:00Z');
    const bodyIn = (timeZone: string): string =>
      toMessage(makeMessageInput({ startedAt, now, timeZone })).body;
    expect(bodyIn('Europe/London')).toContain('since 14 Jul 22:30 BST (8 h 30 min)');
    expect(bodyIn('Europe/Nowhere')).toContain('since 14 Jul 21:30 UTC (8 h 30 min)');
  });

  it('survives broken and impossible times', () => {
    const broken = new Date(Number.NaN);
    expect(toMessage(makeMessageInput({ startedAt: broken })).body).toContain('since an unknown time (0 s)');
    const future = new Date('2031-01-01T00:00:00Z');
    expect(toMessage(makeMessageInput({ startedAt: future })).body).toContain('(0 s)');
    expect(toMessage(makeMessageInput({ startedAt: broken })).facts.startedAt).toBeNull();
  });

  it('falls back to a next step when nobody named one', () => {
    const input = { nextStep: null, runbookUrl: null };
    expect(toMessage(makeMessageInput({ nextStep: null })).body).toContain('Next: follow the runbook');
    expect(toMessage(makeMessageInput(input)).body).toContain('Next: open the issue for its history');
    expect(toMessage(makeMessageInput({ ...input, link: null })).body).not.toContain('Next:');
  });

  it('computes the same notice key on every attempt and another one for other news', () => {
    const keyOf = (overrides: object): string =>
      toMessage(makeMessageInput({ noticeKey: undefined, ...overrides })).noticeKey;
    expect(keyOf({ now: new Date(), possiblyRepeated: true })).toBe(keyOf({}));
    expect(keyOf({ kind: 'resolved' })).not.toBe(keyOf({}));
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'https://u:p@example.org/'])(
    'offers no link to %s',
    (link) => {
      const message = toMessage(makeMessageInput({ runbookUrl: link, link }));
      expect(message).toMatchObject({ runbookUrl: null, link: null });
      expect(message.body).not.toContain('Runbook:');
    },
  );

  it.each(hostileTexts)('keeps its lines and links in spite of: $title', ({ text }) => {
    const input = makeMessageInput();
    const hostile = toMessage({
      ...input,
      alertname: text,
      identity: text,
      namespace: text,
      cluster: text,
      category: text,
      summary: text,
      description: `other ${text}`,
      nextStep: text,
      why: text,
      samples: [text],
      missing: [text],
    });
    expect(hostile.title).not.toMatch(/\n|:\/\//);
    const lines = hostile.body.split('\n');
    expect(lines.length).toBeLessThanOrEqual(9);
    expect(lines.filter((line) => line.includes('://'))).toEqual([
      'Runbook: https://runbooks.example.org/memory',
    ]);
    expect(`${hostile.title}${hostile.body.replaceAll('\n', '')}${hostile.tags.join('')}`).not.toMatch(
      /(?!\u{FE0F})[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/u,
    );
    expect(hostile).toMatchObject({ severity: 'critical', priority: 'high', key: input.incidentKey });
  });

  it('bounds every text, however long the input', () => {
    const long = 'x'.repeat(100_000);
    const message = toMessage(
      makeMessageInput({
        alertname: long,
        identity: long,
        summary: long,
        description: long,
        why: long,
        samples: Array(9_999).fill(long) as string[],
      }),
    );
    expect(message.title.length).toBeLessThanOrEqual(250);
    expect(message.body.length).toBeLessThanOrEqual(2_500);
    expect(JSON.stringify(message.facts).length).toBeLessThanOrEqual(32_000);
  });
});
