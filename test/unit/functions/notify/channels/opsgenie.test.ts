import { describe, expect, it } from 'vitest';

import { toAlerts } from '../../../../../functions/notify/channels/opsgenie.ts';
import { makeMessage } from '../../../../support/messages.ts';

describe('toAlerts', () => {
  it.each([
    ['critical', 'P1'],
    ['warning', 'P3'],
    ['info', 'P5'],
    ['none', 'P5'],
    ['unknown', 'P3'],
  ] as const)('maps %s to %s, and quiet to P5', (severity, priority) => {
    expect(toAlerts(makeMessage({}, { severity })).body).toMatchObject({ priority });
    expect(toAlerts(makeMessage({}, { severity, quiet: true })).body).toMatchObject({ priority: 'P5' });
  });

  it.each([
    ['message', 'title', 130],
    ['description', 'body', 15_000],
  ] as const)('keeps the %s within its limit in characters', (field, from, limit) => {
    for (const length of [limit - 1, limit, limit + 1]) {
      const body = toAlerts(makeMessage({ [from]: '🔥'.repeat(length) })).body as Record<string, string>;
      expect(body[field]).toBe(length > limit ? `${'🔥'.repeat(limit - 1)}…` : '🔥'.repeat(length));
    }
  });

  it('keeps twenty tags of fifty characters', () => {
    const tags = Array.from({ length: 25 }, (_, index) => `${index}=${'x'.repeat(60)}`);
    const body = toAlerts(makeMessage({ tags })).body as { tags: string[] };
    expect(body.tags).toHaveLength(20);
    expect(Math.max(...body.tags.map((tag) => tag.length))).toBe(50);
  });

  it('closes and acknowledges by the alias', () => {
    expect(toAlerts(makeMessage({ key: 'ag/1' }, { kind: 'resolved' })).path).toBe(
      '/ag%2F1/close?identifierType=alias',
    );
    expect(toAlerts(makeMessage({ isDecision: true })).path).toMatch(
      /^\/ag-\w+\/acknowledge\?identifierType=alias$/,
    );
  });

  it('has no angle brackets for a page to read as HTML', () => {
    const { body } = toAlerts(makeMessage({}, { summary: '<img src=x>', alertname: '<b>x</b>' }));
    expect(JSON.stringify(body)).not.toMatch(/[<>]/);
    expect(JSON.stringify(body)).toContain('‹img src=x›');
  });
});
