/** The routes that docs/examples/routes ships: who hears of what, and when. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createInstances } from '../../../../functions/notify/channel-instances.ts';
import { CHANNEL_TYPES } from '../../../../functions/notify/channels/index.ts';
import { readRoutes } from '../../../../functions/notify/routes-file.ts';
import type { ReadRoutes } from '../../../../functions/notify/routes-file.ts';
import { answerFor, isQuietTime } from '../../../../functions/notify/routes.ts';

const folder = new URL('../../../../docs/examples/routes/', import.meta.url);
const types = new Set(CHANNEL_TYPES.map(({ type }) => type));

function read(name: string): ReadRoutes {
  const result = readRoutes(readFileSync(new URL(name, folder), 'utf8'), types);
  if (!('file' in result)) throw new Error(JSON.stringify(result));
  return result;
}

/** A Wednesday in winter; London is on UTC. */
const WORKDAY = '2026-01-14T12:00:00Z';

type Row = readonly [
  labels: Record<string, string>,
  at: string,
  channels: readonly string[],
  later?: readonly string[],
];

const EXPECTED: Readonly<Record<string, readonly Row[]>> = {
  'company.yaml': [
    [
      { severity: 'critical', category: 'application', alertname: 'PaymentFailureRate' },
      WORKDAY,
      ['pager', 'critical-alerts', 'oncall-mail', 'ops-mail'],
      ['second-pager'],
    ],
    [
      { severity: 'critical', category: 'database' },
      WORKDAY,
      ['pager', 'critical-alerts', 'oncall-mail', 'database-alerts', 'database-mail'],
      ['second-pager'],
    ],
    [{ severity: 'warning', category: 'database' }, WORKDAY, ['database-alerts', 'database-mail']],
    [{ severity: 'warning', category: 'queue' }, WORKDAY, ['database-alerts', 'database-mail']],
    [{ severity: 'warning', category: 'business' }, WORKDAY, ['product-metrics', 'business-mail']],
    [{ severity: 'warning', category: 'node' }, WORKDAY, ['infrastructure', 'ops-mail']],
    [{ severity: 'warning', category: 'application' }, WORKDAY, ['alerts', 'ops-mail']],
    [{ severity: 'unknown' }, WORKDAY, ['alerts', 'ops-mail']],
    [{ severity: 'info' }, WORKDAY, ['ops-mail']],
  ],
  'homelab.yaml': [
    [{ alertname: 'NASPoolDegraded', severity: 'critical' }, '2026-01-14T03:00:00Z', ['storage-oncall']],
    [{ severity: 'critical' }, WORKDAY, ['opsgenie-primary']],
    [{ severity: 'warning' }, '2026-01-14T17:00:00Z', ['sms']],
    [{ severity: 'warning' }, '2026-01-17T12:00:00Z', ['sms']],
    // 09:30 in London, before and after the clocks go forward on 29 March 2026.
    [{ severity: 'warning' }, '2026-03-27T09:30:00Z', ['opsgenie-primary']],
    [{ severity: 'warning' }, '2026-03-30T08:30:00Z', ['opsgenie-primary']],
    [{ severity: 'warning' }, '2026-03-27T08:30:00Z', ['sms']],
    [{ severity: 'info' }, WORKDAY, []],
  ],
  'severities.yaml': [
    [{ severity: 'critical' }, WORKDAY, ['pagerduty', 'slack', 'mail']],
    [{ severity: 'warning' }, WORKDAY, ['slack', 'mail']],
    [{ severity: 'info' }, WORKDAY, ['mail']],
    [{ severity: 'none' }, WORKDAY, ['mail']],
  ],
};

it('every example is here', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(EXPECTED).sort());
});

describe.each(Object.entries(EXPECTED))('%s', (name, rows) => {
  const { file } = read(name);
  const names = file.channels.map((channel) => channel.name);

  it.each(rows.map(([labels, at, channels, later = []]) => ({ labels, at, channels, later })))(
    '$labels at $at tells $channels',
    ({ labels, at, channels, later }) => {
      const answer = answerFor(file, names, labels, new Date(at));
      expect([...answer.channels.keys()]).toEqual(channels);
      expect(answer.escalations.flatMap((each) => each.channels)).toEqual(later);
      expect(answer.escalations.every(({ afterMs }) => afterMs === 15 * 60_000)).toBe(true);
    },
  );

  it('makes its channels of variables', () => {
    const env = {
      SENDGRID_API_KEY: 'secret',
      ...Object.fromEntries(
        ['CRITICAL_ALERTS', 'ALERTS', 'DATABASE_ALERTS', 'PRODUCT_METRICS', 'INFRASTRUCTURE'].map((room) => [
          `SLACK_${room}_URL`,
          `https://hooks.slack.com/services/T0/B0/${room}`,
        ]),
      ),
      PAGERDUTY_ONCALL_KEY: 'a'.repeat(32),
      PAGERDUTY_SECOND_KEY: 'b'.repeat(32),
      OPSGENIE_PRIMARY_KEY: 'primary-key',
      OPSGENIE_STORAGE_KEY: 'storage-key',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'token',
      PAGERDUTY_ROUTING_KEY: 'c'.repeat(32),
      SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/all',
      EMAIL_HOST: 'smtp.example.com',
      EMAIL_FROM: 'alerts@example.com',
      EMAIL_TO: 'ops@example.com',
    };
    // Types that the example says nothing about are not configured.
    const own = new Set(
      file.channels.flatMap(({ type, settings }) => (settings === undefined ? [type] : [])),
    );
    const variables = Object.fromEntries(
      Object.entries(env).filter(([key]) =>
        CHANNEL_TYPES.every(({ type, variables: all }) => own.has(type) || !all.includes(key)),
      ),
    );
    const { channels, problems } = createInstances(read(name), CHANNEL_TYPES, {
      env: variables,
      readFile: () => null,
    });
    expect(problems).toEqual([]);
    expect(channels.map((channel) => channel.name)).toEqual(names);
  });

  it('says which variables it needs, with lines, when they are missing', () => {
    const { problems } = createInstances(read(name), CHANNEL_TYPES, { env: {}, readFile: () => null });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every(({ line, text }) => line > 1 && /variable/.test(text))).toBe(true);
  });
});

it('chat makes no sound at night below critical', () => {
  const { file } = read('severities.yaml');
  const night = new Date('2026-07-14T21:30:00Z');
  expect(isQuietTime(file, 'slack', 'warning', night)).toBe(true);
  expect(isQuietTime(file, 'slack', 'critical', night)).toBe(false);
  expect(isQuietTime(file, 'slack', 'warning', new Date('2026-07-14T20:30:00Z'))).toBe(false);
  expect(isQuietTime(file, 'mail', 'info', night)).toBe(false);
});
