import { describe, expect, it } from 'vitest';
import { percent, toText } from '../../../../functions/build-digest/text.ts';

const window = {
  start: new Date('2026-01-14T18:00:00Z'),
  end: new Date('2026-01-15T08:00:00Z'),
  zone: 'Europe/London',
};

describe('a share', () => {
  it('never rounds up to all or down to none', () => {
    expect(percent(19_995, 20_000)).toBe('> 99.9 %');
    expect(percent(1, 20_000)).toBe('< 0.1 %');
    expect(percent(20_000, 20_000)).toBe('100 %');
    expect(percent(0, 5)).toBe('0 %');
    expect(percent(827, 847)).toBe('97.6 %');
  });
});

describe('the text', () => {
  it('says so when nothing happened', () => {
    expect(
      toText(window, {
        episodes: 0,
        firing: 0,
        resolved: 0,
        patterns: 0,
        issues: 0,
        bySeverity: {},
        byType: {},
        byTypeAndSeverity: [],
      }),
    ).toContain('No alerts.');
  });

  it('names totals, severities from loud to quiet and the most frequent types', () => {
    const text = toText(window, {
      episodes: 3,
      firing: 1,
      resolved: 2,
      patterns: 2,
      issues: 2,
      bySeverity: {
        warning: { episodes: 2, firing: 0, resolved: 2 },
        critical: { episodes: 1, firing: 1, resolved: 0 },
      },
      byType: {
        DiskFull: { episodes: 1, firing: 1, resolved: 0 },
        PodNotReady: { episodes: 2, firing: 0, resolved: 2 },
      },
      byTypeAndSeverity: [],
    });
    expect(text).toContain('3 alerts of 2 types, 2 issues: 1 still firing, 2 over (66.7 %).');
    expect(text).toContain('critical 1 · warning 2');
    expect(text.indexOf('PodNotReady')).toBeLessThan(text.indexOf('DiskFull'));
  });
});
