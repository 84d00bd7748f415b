import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRoutes } from '../../../../functions/notify/routes-file.ts';
import type { ReadRoutes } from '../../../../functions/notify/routes-file.ts';
import { answerFor, createRouter, isQuietTime } from '../../../../functions/notify/routes.ts';
import { route } from '../../../../functions/notify/routing.ts';
import type { News } from '../../../../functions/notify/routing.ts';

const TYPES = new Set(['ntfy', 'slack', 'pagerduty', 'email']);
const NOON = new Date('2026-01-14T12:00:00Z');

function read(yaml: string): ReadRoutes['file'] {
  const result = readRoutes(yaml, TYPES);
  if (!('file' in result)) throw new Error(JSON.stringify(result));
  return result.file;
}

function problems(yaml: string): string[] {
  const result = readRoutes(yaml, TYPES);
  return 'file' in result ? [] : result.map(({ line, text }) => `${line}: ${text}`);
}

const file = read(`
channels:
  - { name: ops, type: slack, settings: { webhook_url: "env:OPS" }, quiet: { intervals: [night], below: critical } }
time_intervals:
  - name: night
    time_intervals:
      - times: [{ start_time: "00:00", end_time: "06:00" }]
  - name: work
    time_intervals:
      - times: [{ start_time: "09:00", end_time: "17:00" }]
routes:
  - name: watchdogs
    matchers: [team="noise"]
    channels: []
  - name: database
    matchers: [namespace=~"db|mysql"]
    channels: [ops]
    fallback: [email]
    escalate: { after: 15m, channels: [pagerduty] }
    continue: true
    routes:
      - name: database-critical
        matchers: [severity="critical"]
        channels: [ops, pagerduty]
  - name: work
    matchers: [severity="warning"]
    channels: [slack]
    active_time_intervals: [work]
  - name: info
    matchers: [severity="info"]
    channels: [email]
    mute_time_intervals: [night]
`);

function answer(labels: Record<string, string>, at = NOON) {
  const { channels, why, escalations, matches } = answerFor(file, ['ops', 'ntfy'], labels, at);
  return {
    channels: [...channels.keys()],
    fallback: [...channels.values()].flat(),
    why,
    escalations: escalations.map(({ step }) => step),
    matches: matches.map(({ name }) => name),
  };
}

describe('routes', () => {
  it('take the deepest route that matches, and go on where it says continue', () => {
    expect(answer({ namespace: 'db', severity: 'warning' })).toEqual({
      channels: ['ops', 'slack'],
      fallback: ['email'],
      why: null,
      escalations: ['database'],
      matches: ['database', 'work'],
    });
    expect(answer({ namespace: 'db', severity: 'critical' })).toMatchObject({
      channels: ['ops', 'pagerduty'],
      fallback: ['email', 'email'],
      escalations: ['database-critical'],
    });
  });

  it('say why nobody hears of it', () => {
    expect(answer({ severity: 'none', alertname: 'X' })).toMatchObject({
      channels: [],
      why: 'no route matches alertname=X, severity=none',
    });
    expect(answer({ severity: 'warning' }, new Date('2026-01-14T20:00:00Z'))).toMatchObject({
      channels: [],
      why: 'work is only active in work',
    });
    expect(answer({ severity: 'info' }, new Date('2026-01-14T03:00:00Z'))).toMatchObject({
      channels: [],
      why: 'info is muted by night',
    });
    expect(answer({ team: 'noise', severity: 'critical' })).toMatchObject({
      channels: [],
      why: 'watchdogs tells nobody',
    });
  });

  it('never lose a critical or an unknown severity by a gap', () => {
    expect(answer({ severity: 'critical' })).toMatchObject({
      channels: ['ops', 'ntfy'],
      why: 'no route matches severity=critical',
    });
    expect(answer({}).channels).toEqual(['ops', 'ntfy']);
  });

  it('are quiet for a channel in its hours, below its severity', () => {
    const night = new Date('2026-01-14T03:00:00Z');
    expect(isQuietTime(file, 'ops', 'warning', night)).toBe(true);
    expect(isQuietTime(file, 'ops', 'unknown', night)).toBe(true);
    expect(isQuietTime(file, 'ops', 'critical', night)).toBe(false);
    expect(isQuietTime(file, 'ops', 'warning', NOON)).toBe(false);
    expect(isQuietTime(file, 'email', 'info', night)).toBe(false);
  });
});

describe('the router of a file', () => {
  const destinations = ['ops', 'slack', 'pagerduty', 'email'].map((name) => ({
    name,
    sendResolved: false,
    closes: name === 'pagerduty',
  }));
  const news = (overrides: Partial<News>): News => ({
    kind: 'opened',
    severity: 'warning',
    isDecision: false,
    isOver: false,
    labels: [],
    at: NOON,
    told: new Set(),
    toldInSummary: new Set(),
    escalation: null,
    ...overrides,
  });
  const tell = (overrides: Partial<News>) =>
    route(news(overrides), destinations, createRouter(file, destinations));

  it('tells of a summary everybody who would be told of one of its parts', () => {
    const { deliveries, escalations } = tell({
      labels: [
        { namespace: 'db', severity: 'critical' },
        { namespace: 'web', severity: 'info' },
        { namespace: 'web', severity: 'none' },
      ],
    });
    expect(deliveries).toEqual([
      { channel: 'ops', fallback: ['email'], quiet: false },
      { channel: 'pagerduty', fallback: ['email'], quiet: false },
      { channel: 'email', fallback: [], quiet: false },
    ]);
    expect(escalations).toEqual([{ step: 'database-critical', afterMs: 900_000, channels: ['pagerduty'] }]);
  });

  it('says in the message why everybody was told', () => {
    const { deliveries, notes } = tell({ severity: 'critical', labels: [{ severity: 'critical' }] });
    expect(deliveries).toHaveLength(4);
    expect(notes).toEqual(['sent to every channel: no route matches severity=critical']);
    expect(tell({ labels: [{ severity: 'info' }] }).notes).toEqual([]);
  });

  it('tells of a decision where it opens nothing, and escalates none', () => {
    const { deliveries, escalations } = tell({
      kind: 'due',
      isDecision: true,
      labels: [{ namespace: 'db', severity: 'critical' }],
    });
    expect(deliveries.map(({ channel }) => channel)).toEqual(['ops']);
    expect(escalations).toEqual([]);
  });
});

describe('a routes file with mistakes', () => {
  it('tells all of them at once, each with its line', () => {
    expect(
      problems(`channels:
  - name: ops
    type: slak
  - name: ops
    type: slack
    quiet: { intervals: [never], below: loud }
time_intervals:
  - name: work
    time_intervals:
      - times: [{ start_time: "17:00", end_time: "09:00" }]
        weekdays: [funday]
routes:
  - matchers: ['severity=~"("', 'a="b']
    chanels: [ops]
  - escalate: { after: soon, channels: [] }
`),
    ).toEqual([
      '6: channels[1].quiet.below must be one of critical, warning, info, none',
      '10: time_intervals[0].time_intervals[0].times[0] start_time must be before end_time; for a night write two ranges, up to "24:00" and from "00:00" on',
      '11: time_intervals[0].time_intervals[0].weekdays[0] must be a weekday or a range such as monday:friday',
      '13: routes[0].matchers[0] severity=~"(" has a pattern that RE2 does not take (it knows no look-around and no back-references)',
      '13: routes[0].matchers[1] "a=\\"b" is no matcher; write name="value" with =, !=, =~ or !~',
      '14: routes[0].chanels is no key that is known here; remove it',
      '15: routes[1].escalate.after must be a duration, e.g. 15m',
      '15: routes[1].escalate.channels names no channel',
    ]);
  });

  it('tells of names that are missing, double or unknown', () => {
    expect(
      problems(`channels:
  - { name: ops, type: slak }
  - { name: ops, type: slack, quiet: { intervals: [never], below: info } }
routes:
  - channels: [opps]
    fallback: [email, phone]
    mute_time_intervals: [night]
    escalate: { after: 5m, channels: [boss] }
  - name: two
    matchers: [a="b"]
    routes:
      - { name: two, channels: [ops] }
`),
    ).toEqual([
      '2: channels[0].type is no type of channel; there are ntfy, slack, pagerduty, email',
      '3: channels[1].name "ops" is there twice; give each a name of its own',
      '3: channels[1].quiet.intervals[0] names the interval "never", which is not in this file; there are none',
      '5: routes[0].channels[0] names the channel "opps", which is not in this file; there are ops, ntfy, slack, pagerduty, email',
      '6: routes[0].fallback[1] names the channel "phone", which is not in this file; there are ops, ntfy, slack, pagerduty, email',
      '7: routes[0].mute_time_intervals[0] names the interval "night", which is not in this file; there are none',
      '8: routes[0].escalate.channels[0] names the channel "boss", which is not in this file; there are ops, ntfy, slack, pagerduty, email',
      '9: routes[1] names no channels; add channels: [name], or channels: [] to tell nobody',
      '12: routes[1].routes[0].name "two" is there twice; give each a name of its own',
    ]);
  });

  it.each([
    ['', 'must have the keys'],
    ['routes: []', 'at least one route'],
    ['routes: [a: b: c]', 'not YAML'],
    ['routes:\n\t- x', 'not YAML'],
    ['a: &a [*a]\nroutes: *a', 'is no key'],
    ['[1]', 'must have the keys'],
  ])('%j is refused in words', (yaml, words) => {
    expect(problems(yaml).join('\n')).toContain(words);
  });

  it('of whatever text is answered, never thrown', () => {
    const words = [
      'routes:',
      '  - ',
      'channels: ',
      '[',
      ']',
      '{',
      '}',
      'name: ',
      '"',
      ': ',
      '\n',
      'a',
      '&a ',
      '*a',
      '- ',
      '!!x ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words)), (parts) => {
        const result = readRoutes(parts.join(''), TYPES);
        expect('file' in result || result.length > 0).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

it('any alert has an answer: channels or a reason, and a critical without words of silence always channels', () => {
  const value = fc.constantFrom('', 'db', 'noise', 'critical', 'warning', 'info', 'none', 'page');
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('severity', 'namespace', 'team', 'x'), value),
      fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
      (labels, at) => {
        const { channels, why } = answer(labels, at);
        expect(channels.length > 0 || why !== null).toBe(true);
        const isSilent = labels['severity'] !== 'critical' || labels['team'] === 'noise';
        expect(isSilent || channels.length > 0).toBe(true);
      },
    ),
  );
});
