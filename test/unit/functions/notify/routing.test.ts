import { describe, expect, it } from 'vitest';
import { createPlainRouter, route } from '../../../../functions/notify/routing.ts';
import type { News } from '../../../../functions/notify/routing.ts';
import type { Severity } from '../../../../shared/severity.ts';

const phone = { name: 'ntfy', sendResolved: false, closes: false };
const chat = { name: 'slack', sendResolved: true, closes: false };
const pager = { name: 'pagerduty', sendResolved: false, closes: true };
const all = [phone, chat, pager];

function makeNews(overrides: Partial<News> = {}): News {
  return {
    kind: 'opened',
    severity: 'warning',
    isDecision: false,
    isOver: false,
    labels: [],
    at: new Date('2026-03-29T01:30:00Z'),
    told: new Set(),
    toldInSummary: new Set(),
    escalation: null,
    ...overrides,
  };
}

function tell(news: News, channels = all, minSeverity: Severity = 'warning') {
  const { deliveries, why } = route(news, channels, createPlainRouter(channels, minSeverity));
  return { channels: deliveries.map(({ channel }) => channel), why };
}

describe('without a routes file', () => {
  it('every channel hears of what is loud enough', () => {
    expect(tell(makeNews())).toEqual({ channels: ['ntfy', 'slack', 'pagerduty'], why: null });
  });

  it('what is not says why', () => {
    expect(tell(makeNews({ severity: 'info' }))).toEqual({
      channels: [],
      why: 'info is below NOTIFY_MIN_SEVERITY (warning)',
    });
    expect(tell(makeNews({ severity: 'critical' }), [])).toEqual({
      channels: [],
      why: 'no channel is configured',
    });
  });

  it('an unknown severity is never held back', () => {
    expect(tell(makeNews({ severity: 'unknown' }), [phone], 'critical').channels).toEqual(['ntfy']);
  });
});

describe('the end', () => {
  const end = makeNews({ kind: 'resolved', severity: 'info' });

  it('goes to those that were told and want to hear it, or have something to close', () => {
    expect(tell({ ...end, told: new Set(['ntfy', 'slack', 'pagerduty']) }).channels).toEqual([
      'slack',
      'pagerduty',
    ]);
    expect(tell({ ...end, told: new Set(['pagerduty']) }).channels).toEqual(['pagerduty']);
  });

  it('of what was only told in a summary goes where it has something to close', () => {
    const names = new Set(['slack', 'pagerduty']);
    expect(tell({ ...end, told: names, toldInSummary: names }).channels).toEqual(['pagerduty']);
  });

  it('goes to nobody else', () => {
    expect(tell(end).why).toContain('it is over');
    expect(tell({ ...end, told: new Set(['ntfy']) }).channels).toEqual([]);
  });
});

it('a decision opens nothing at a pager, and answers what it opened', () => {
  expect(tell(makeNews({ kind: 'due', isDecision: true })).channels).toEqual(['ntfy', 'slack']);
  const toldPager = new Set(['pagerduty']);
  expect(tell(makeNews({ kind: 'due', isDecision: true, told: toldPager })).channels).toEqual([
    'ntfy',
    'slack',
    'pagerduty',
  ]);
  expect(tell(makeNews({ kind: 'due', isDecision: true }), [pager]).why).toBe(
    'its channels only take incidents that are open',
  );
});

it('what is news after its end opens nothing at a pager', () => {
  expect(tell(makeNews({ kind: 'due', isOver: true, told: new Set(['pagerduty']) })).channels).toEqual([
    'ntfy',
    'slack',
  ]);
  expect(tell(makeNews({ kind: 'grew', isOver: true })).channels).toEqual(['ntfy', 'slack']);
  // Its beginning does: the end that waits for it closes it.
  expect(tell(makeNews({ isOver: true })).channels).toEqual(['ntfy', 'slack', 'pagerduty']);
});

it('an escalation goes to its own channels, and when they are gone to those that are routed to now', () => {
  const news = makeNews({ kind: 'due', severity: 'info' });
  expect(tell({ ...news, escalation: ['pagerduty', 'gone'] }).channels).toEqual(['pagerduty']);
  expect(tell({ ...news, escalation: ['gone'] }).channels).toEqual([]);
  const critical = { ...news, severity: 'critical', escalation: ['gone'] } as const;
  expect(tell(critical).channels).toEqual(['ntfy', 'slack', 'pagerduty']);
  expect(route(critical, all, createPlainRouter(all, 'warning')).notes).toEqual([
    "the escalation's channels are no longer configured: gone",
  ]);
});
