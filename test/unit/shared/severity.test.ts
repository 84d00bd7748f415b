import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compareSeverity, normalizeSeverity, SEVERITIES } from '../../../shared/severity.ts';

describe('normalizeSeverity', () => {
  it.each([
    [
      'critical',
      ['critical', 'CRITICAL', ' Critical ', 'crit', 'page', 'P1', 'p0', 'sev1', 'SEV-1', 'Sev 1'],
    ],
    ['critical', ['high', 'error', 'major', 'fatal', 'emergency', 'disaster', 'Priority_1']],
    ['warning', ['warning', 'Warning', 'warn', 'minor', 'medium', 'P2', 'P3', 'sev3', 'average']],
    ['info', ['info', 'Information', 'informational', 'notice', 'low', 'P4', 'sev5']],
    ['none', ['none', 'None', 'debug']],
    ['unknown', ['', ' ', '-', 'very bad', '7', 'critical!', 'p11', 'warning, critical']],
  ] as const)('reads as %s: %j', (severity, spellings) => {
    expect(spellings.map(normalizeSeverity)).toEqual(spellings.map(() => severity));
  });

  it('reads a missing severity as unknown', () => {
    expect(normalizeSeverity(undefined)).toBe('unknown');
  });

  it('does not take a look-alike for critical', () => {
    expect(normalizeSeverity('critic\u0430l')).toBe('unknown');
    expect(normalizeSeverity('critical\u200b')).toBe('unknown');
    expect(normalizeSeverity('ｃｒｉｔｉｃａｌ')).toBe('unknown');
  });

  it('is not fooled by names every object has', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(normalizeSeverity(name)).toBe('unknown');
    }
  });

  it('always answers one of the five, and keeps those as they are', () => {
    fc.assert(fc.property(fc.string(), (value) => SEVERITIES.includes(normalizeSeverity(value))));
    for (const severity of SEVERITIES) expect(normalizeSeverity(severity)).toBe(severity);
    expect(normalizeSeverity('critical'.repeat(1_000_000))).toBe('unknown');
  });
});

describe('compareSeverity', () => {
  it('orders loudest first', () => {
    expect(['none', 'info', 'warning', 'critical'].map(normalizeSeverity).sort(compareSeverity)).toEqual([
      'critical',
      'warning',
      'info',
      'none',
    ]);
  });

  it('ranks unknown with warning', () => {
    expect(compareSeverity('unknown', 'warning')).toBe(0);
    expect(compareSeverity('critical', 'unknown')).toBeLessThan(0);
    expect(compareSeverity('info', 'unknown')).toBeGreaterThan(0);
  });
});
