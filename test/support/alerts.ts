/** Builders of alerts and arrivals for tests; every field can be overridden. */
import { normalizeAlert } from '../../shared/alert.ts';
import type { Alert } from '../../shared/alert.ts';
import { toPattern } from '../../shared/pattern.ts';
import type { Arrival } from '../../functions/receive/episodes.ts';

/** A minute of the night that tests speak of, as a date: `at(5)` is five minutes past 22:00 UTC. */
export function at(minutes: number): Date {
  return new Date(Date.UTC(2026, 0, 14, 22, 0) + minutes * 60_000);
}

/** One entry of `alerts[]` as Alertmanager posts it. */
export function makeAlertEntry(
  overrides: {
    status?: 'firing' | 'resolved';
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    startsAt?: Date;
    endsAt?: Date;
  } = {},
): Record<string, unknown> {
  return {
    status: overrides.status ?? 'firing',
    labels: {
      alertname: 'PodNotReady',
      severity: 'warning',
      namespace: 'production',
      deployment: 'api',
      ...overrides.labels,
    },
    annotations: { summary: 'Pod has been in a non-ready state', ...overrides.annotations },
    startsAt: (overrides.startsAt ?? at(0)).toISOString(),
    endsAt: overrides.endsAt?.toISOString() ?? '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus:9090/graph?g0.expr=up',
  };
}

/** A whole webhook body around some entries. */
export function makeWebhook(alerts: ReadonlyArray<Record<string, unknown>>): Record<string, unknown> {
  return {
    version: '4',
    groupKey: '{}:{}',
    status: 'firing',
    receiver: 'alertgest',
    truncatedAlerts: 0,
    alerts,
  };
}

/** A usable alert. */
export function makeAlert(
  overrides: Parameters<typeof makeAlertEntry>[0] = {},
  receivedAt: Date = at(1_000),
): Alert {
  const alert = normalizeAlert(makeAlertEntry(overrides), 'firing', { receivedAt, cluster: 'test' });
  if (typeof alert === 'string') throw new Error(alert);
  return alert;
}

/** An alert with its pattern, received at a time. */
export function makeArrival(
  overrides: Parameters<typeof makeAlertEntry>[0] & { receivedAt?: Date } = {},
): Arrival {
  const receivedAt = overrides.receivedAt ?? overrides.endsAt ?? overrides.startsAt ?? at(0);
  const alert = makeAlert(overrides, receivedAt);
  return { alert, pattern: toPattern(alert, { cluster: 'test' }), receivedAt, traceparent: '', own: false };
}
