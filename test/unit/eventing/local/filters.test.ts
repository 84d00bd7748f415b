import { describe, expect, it } from 'vitest';

import { createFilter } from '../../../../eventing/local/filters.ts';
import type { FilterEntry } from '../../../../eventing/local/manifest-schemas.ts';

const event = {
  type: 'dev.alertgest.notice.received',
  source: '/alertgest/home/receive',
  severity: 'critical',
};

function passes(...filters: FilterEntry[]): boolean {
  return createFilter({ filters })(event);
}

describe('filter.attributes', () => {
  it.each([
    [{}, true],
    [{ type: event.type }, true],
    [{ type: event.type, severity: 'critical' }, true],
    [{ type: event.type, severity: 'warning' }, false],
    [{ type: 'dev.alertgest' }, false],
    [{ severity: '' }, true],
    [{ missing: '' }, false],
    [{ missing: 'x' }, false],
  ])('%j passes the event: %s', (attributes: Record<string, string>, expected) => {
    expect(createFilter({ filter: { attributes } })(event)).toBe(expected);
  });

  it('lets everything pass when there is no filter', () => {
    expect(createFilter({})(event)).toBe(true);
  });
});

describe('filters', () => {
  it.each([
    [{ exact: { severity: 'critical' } }, true],
    [{ exact: { severity: 'Critical' } }, false],
    [{ exact: { severity: 'critical', missing: 'x' } }, false],
    [{ prefix: { type: 'dev.alertgest.' } }, true],
    [{ prefix: { missing: 'x' } }, false],
    [{ suffix: { source: '/receive' } }, true],
    [{ suffix: { source: '/notify' } }, false],
    [{ not: { exact: { severity: 'warning' } } }, true],
    [{ not: { exact: { missing: 'x' } } }, true],
    [{ any: [{ exact: { severity: 'warning' } }, { prefix: { type: 'dev.' } }] }, true],
    [{ all: [{ exact: { severity: 'warning' } }, { prefix: { type: 'dev.' } }] }, false],
    [{ all: [{ not: { any: [{ exact: { severity: 'info' } }] } }] }, true],
  ])('%j passes the event: %s', (entry: FilterEntry, expected) => {
    expect(passes(entry)).toBe(expected);
  });

  it('must all pass', () => {
    expect(passes({ prefix: { type: 'dev.' } }, { exact: { severity: 'critical' } })).toBe(true);
    expect(passes({ prefix: { type: 'dev.' } }, { exact: { severity: 'info' } })).toBe(false);
  });

  it('override filter.attributes', () => {
    const filter = { attributes: { type: 'another' } };

    expect(createFilter({ filter, filters: [{ prefix: { type: 'dev.' } }] })(event)).toBe(true);
    expect(createFilter({ filter, filters: [] })(event)).toBe(false);
  });
});
