import { describe, expect, it } from 'vitest';
import { toTemplates } from '../../../shared/log-templates.ts';

describe('toTemplates', () => {
  it('counts lines that differ in what varies as one', () => {
    const lines = [
      ...Array.from(
        { length: 40 },
        (_, at) => `2026-01-14T22:00:${10 + at}Z ERROR connect 10.0.0.${at}:5432 refused after ${at}ms`,
      ),
      ...Array.from({ length: 7 }, (_, at) => `worker ${at} took job ${at * 31}`),
      'panic: out of memory',
    ];
    expect(toTemplates(lines, 10)).toEqual([
      { template: '<*> ERROR connect <*> refused after <*>', count: 40, example: lines[0] },
      { template: 'worker <*> took job <*>', count: 7, example: lines[40] },
      { template: 'panic: out of memory', count: 1, example: 'panic: out of memory' },
    ]);
  });

  it('learns what varies from the lines themselves', () => {
    expect(toTemplates(['user bob logged in twice', 'user eve logged in twice'], 5)).toEqual([
      { template: 'user <*> logged in twice', count: 2, example: 'user bob logged in twice' },
    ]);
  });

  it('keeps lines of another shape apart', () => {
    expect(toTemplates(['disk full', 'disk is full', 'network down'], 5)).toHaveLength(3);
  });

  it('counts every line once, and stays bounded', () => {
    const lines = Array.from(
      { length: 5_000 },
      (_, at) => `word${'abcdefghij'[at % 10]} ${'x'.repeat(at % 50)} ${at}`,
    );
    const startedAt = performance.now();
    const templates = toTemplates(lines, 10_000);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(templates.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
    expect(templates.length).toBeLessThan(1_500);
  });

  it('gives the most frequent ones within the limit', () => {
    expect(toTemplates(['a b', 'a b', 'c d e'], 1)).toEqual([{ template: 'a b', count: 2, example: 'a b' }]);
  });
});
