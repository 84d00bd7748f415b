import { describe, expect, it } from 'vitest';
import { toTable } from '../../../cli/check.ts';
import { toFigures } from '../../../cli/figures.ts';
import type { Figures } from '../../../cli/figures.ts';
import { toShort } from '../../../cli/function-logs.ts';
import { toBar } from '../../../cli/progress.ts';
import { toPlace } from '../../../cli/reach.ts';
import { toText } from '../../../cli/replay.ts';

const figures: Figures = {
  posts: 615,
  alerts: 2_331,
  counts: { episodes: 777, firing: 15, resolved: 762, issues: 21, byType: { A: {}, B: {} } },
  issues: 20,
  incidents: 338,
  pushes: 21,
  notified: 21,
  summedUp: 3,
  waiting: 2,
  heldBack: [{ count: 311, reason: 'told', why: 'the incident was already told' }],
  audit: { clean: true, unfinished: 0 },
};

describe('toFigures', () => {
  it('says what was received, told and held back', () => {
    const text = toFigures(figures);
    for (const part of [
      '615 webhooks',
      '2,331 alerts',
      '777 episodes of 2 types',
      '20 issues',
      '338 incidents',
    ])
      expect(text).toContain(part);
    expect(text).toContain('311  told');
    expect(text).toContain('Audit clean');
  });

  it('hides neither a difference nor a problem', () => {
    const text = toFigures({ ...figures, pushes: 20, audit: { clean: false, unfinished: 4, dead: 0 } });
    expect(text).toContain('THESE DIFFER');
    expect(text).toContain('AUDIT NOT CLEAN: unfinished 4.');
  });
});

describe('toShort', () => {
  it('shows warnings and errors in a few words and keeps the rest in the file', () => {
    const line = (level: string): string =>
      JSON.stringify({ level, message: 'nobody could be told', why: 'no answer', notice: 'n' });
    expect(toShort('notify', line('error'))).toBe('notify: nobody could be told (no answer)');
    expect(toShort('notify', line('info'))).toBeNull();
  });

  it('shows what is no JSON without what could steer the terminal', () => {
    expect(toShort('notify', 'boom\x1b[2J\x07!')).toBe('notify: boom !');
    expect(toShort('notify', ' ')).toBeNull();
  });
});

it('draws a bar that fits', () => {
  expect(toBar('night', 1, 2, '02:14', 80)).toBe(`night ${'█'.repeat(14)}${'░'.repeat(14)}  50 %  02:14`);
  expect(toBar('night', 1, 2, 'x'.repeat(200), 80)).toHaveLength(79);
  expect(toBar('night', 0, 0, '', 80)).toContain('100 %');
});

it('names a place without its secrets', () => {
  expect(toPlace('postgresql://user:secret@db.example.org/alerts?password=x')).toBe('db.example.org:5432');
  expect(toPlace('https://example.org/hook/secret')).toBe('example.org:443');
  expect(toPlace('nonsense')).toBeNull();
});

it('shows each check on a line and what to do on another', () => {
  const paint = (_colour: unknown, text: string): string => text;
  const table = toTable(
    [
      { name: 'Node', verdict: 'ok', detail: '24' },
      { name: 'Broker', verdict: 'fail', detail: 'gone', fix: 'start it' },
    ],
    paint,
  );
  expect(table).toBe('ok    Node    24\nFAIL  Broker  gone\n              → start it');
});

it('sums a replay up', () => {
  const summary = { posts: 10, alerts: 20, refused: new Map([[400, 2]]), retries: 1, durationMs: 2_000 };
  expect(toText(summary)).toBe(
    'posts     10 (1 sent again after a failure)\nalerts    20 stored, re-sent groups included\nnon-2xx   2 × 400\nduration  2.0 s (10 alerts/s)',
  );
});
