import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeAlert, parseTime, parseWebhook } from '../../../shared/alert.ts';
import { InvalidInputError } from '../../../shared/errors.ts';
import { at, makeAlert, makeAlertEntry, makeWebhook } from '../../support/alerts.ts';

const options = { receivedAt: at(0), cluster: 'test' };

describe('the key of an episode', () => {
  it('does not depend on replica labels, annotations or label order', () => {
    const { key } = makeAlert({ labels: { pod: 'a' } });
    expect(
      makeAlert({
        labels: { pod: 'a', prometheus_replica: 'prometheus-1' },
        annotations: { summary: 'other' },
      }).key,
    ).toBe(key);
  });

  it('depends on every other label and on the cluster', () => {
    const keys = [makeAlert({ labels: { pod: 'a' } }), makeAlert({ labels: { pod: 'b' } })].map(
      (alert) => alert.key,
    );
    const elsewhere = normalizeAlert(makeAlertEntry({ labels: { pod: 'a' } }), 'firing', {
      ...options,
      cluster: 'other',
    });
    expect(new Set([...keys, typeof elsewhere === 'string' ? elsewhere : elsewhere.key]).size).toBe(3);
  });

  it('tells long values apart beyond what is stored', () => {
    const long = (end: string): string => makeAlert({ labels: { pod: 'x'.repeat(10_000) + end } }).key;
    expect(long('a')).not.toBe(long('b'));
  });
});

describe('times', () => {
  it.each([
    ['2026-01-14T22:00:00Z', '2026-01-14T22:00:00.000Z'],
    ['2026-01-14T22:00:00.123456789Z', '2026-01-14T22:00:00.123Z'],
    ['2026-01-14T22:00:00.1+02:00', '2026-01-14T20:00:00.100Z'],
  ])('reads %s', (text, iso) => {
    expect(parseTime(text)?.toISOString()).toBe(iso);
  });

  it.each([
    'yesterday',
    '2026-02-30T00:00:00Z',
    '2026-01-14T22:00:00',
    '2026-01-14T25:00:00Z',
    '10000-01-01T00:00:00Z',
    '',
    1_705_284_600,
    null,
  ])('refuses %j', (value) => {
    expect(parseTime(value)).toBeNull();
  });

  it('puts the receive time in the place of a start that cannot be true, and says so', () => {
    for (const startsAt of ['0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z', 'yesterday', 42]) {
      const alert = normalizeAlert({ ...makeAlertEntry(), startsAt }, 'firing', options);
      expect(alert).toMatchObject({ startsAt: at(0) });
    }
  });

  it('never lets an alert end before it starts', () => {
    const alert = normalizeAlert(
      makeAlertEntry({ status: 'resolved', startsAt: at(-5), endsAt: at(-60) }),
      'firing',
      options,
    );
    expect(alert).toMatchObject({ startsAt: at(-5), endsAt: at(-5) });
  });

  it('ends a resolved alert without an end when it was received', () => {
    expect(
      normalizeAlert(makeAlertEntry({ status: 'resolved', startsAt: at(-5) }), 'firing', options),
    ).toMatchObject({ endsAt: at(0) });
  });
});

describe('a webhook', () => {
  it('names what cannot be used and keeps the rest', () => {
    const webhook = parseWebhook(
      makeWebhook([makeAlertEntry(), null as never, { labels: 'x' }, { status: 'firing' }]),
      options,
    );
    expect(webhook.alerts).toHaveLength(1);
    expect(webhook.rejected.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  it('is refused in words when it is none', () => {
    expect(() => parseWebhook({ text: 'hello' }, options)).toThrow(InvalidInputError);
    expect(() => parseWebhook([makeAlertEntry()], options)).toThrow(/list/);
  });

  it('takes an unknown status as firing and says so', () => {
    const alert = normalizeAlert({ ...makeAlertEntry(), status: 'sideways' }, undefined, options);
    expect(alert).toMatchObject({
      status: 'firing',
      flags: ['status was missing or unknown, taken as firing'],
    });
  });

  it('turns labels that are no texts into texts without polluting prototypes', () => {
    const labels = JSON.parse(
      '{"alertname": 7, "on": true, "nested": {"a": 1}, "__proto__": "x", "empty": null}',
    ) as Record<string, unknown>;
    const alert = normalizeAlert({ ...makeAlertEntry(), labels }, 'firing', options);
    expect(alert).toMatchObject({ labels: { alertname: '7', on: 'true', nested: '{"a":1}' } });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('never throws and never stores text that Postgres refuses', () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true }),
        fc.string({ unit: 'binary' }),
        (anything, text) => {
          const alert = normalizeAlert(
            { labels: { alertname: text, x: anything }, annotations: { [text]: text }, startsAt: anything },
            anything,
            options,
          );
          if (typeof alert === 'string') return;
          const stored = JSON.stringify([alert.labels, alert.annotations]);
          expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/i);
        },
      ),
    );
  });
});
