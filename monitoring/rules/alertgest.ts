/**
 * Alerts about alertgest itself, among them its service levels: 99.9 % of alerts stored, 99 % of digests delivered, a digest
 * within 120 s of its trigger, an answer of the model within 90 s. They go to the direct receiver, not through alertgest.
 */
import type { AlertRule, RuleGroup } from './rule.ts';

/** The group "alertgest". */
export function alertgest(): RuleGroup {
  return { name: 'alertgest', file: 'alertgest', rules: [...alive(), ...progress(), ...levels()] };
}

function alive(): AlertRule[] {
  return [
    {
      alert: 'Watchdog',
      severity: 'none',
      category: 'meta',
      expr: 'vector(1)',
      summary: 'Alerts arrive',
      description: 'Fires always. alertgest stops its heartbeat when it no longer sees this.',
      remediation: 'Nothing: it is meant to fire.',
      proof: { at: '1m', labels: {}, fires: [['up{job="alertgest"}', '1x5']], quiet: null },
    },
    {
      alert: 'AlertgestDown',
      severity: 'critical',
      category: 'meta',
      expr: 'absent(up{job="alertgest"} == 1)',
      for: '5m',
      summary: 'alertgest does not answer',
      description:
        'The console of alertgest gives no metrics, so Postgres or the console is down, or it is not scraped.',
      remediation: 'Ask `/ready` of the console and of receive; when Postgres is down, repair that first.',
      proof: {
        at: '7m',
        labels: {},
        fires: [['up{job="alertgest",namespace="alertgest"}', '0x20']],
        quiet: [['up{job="alertgest",namespace="alertgest"}', '1x20']],
      },
    },
    {
      alert: 'AlertgestSweepMissing',
      severity: 'critical',
      category: 'meta',
      expr: 'time() - max(alertgest_sweep_last_run_timestamp_seconds) > 300',
      for: '1m',
      summary: 'The sweep of alertgest does not run',
      description:
        'It ran {{ $value | humanizeDuration }} ago and should run every minute: nothing that stopped is carried on.',
      remediation:
        'Does the PingSource "sweep" exist and is receive reachable? Post the tick by hand meanwhile.',
      proof: {
        at: '10m',
        labels: {},
        value: '10m 0s',
        fires: [['alertgest_sweep_last_run_timestamp_seconds', '0x20']],
        quiet: [['alertgest_sweep_last_run_timestamp_seconds', '0+60x20']],
      },
    },
    {
      alert: 'AlertgestWatchdogLost',
      severity: 'critical',
      category: 'meta',
      expr: 'time() - max(alertgest_watchdog_last_seen_timestamp_seconds) > 900',
      for: '1m',
      summary: 'alertgest no longer hears from Alertmanager',
      description: 'The Watchdog was last seen {{ $value | humanizeDuration }} ago.',
      remediation:
        'Look at alertmanager_notifications_failed_total and at the route to receive; is the token right?',
      proof: {
        at: '30m',
        labels: {},
        value: '30m 0s',
        fires: [['alertgest_watchdog_last_seen_timestamp_seconds', '0x40']],
        quiet: [['alertgest_watchdog_last_seen_timestamp_seconds', '0x15 1200x40']],
      },
    },
  ];
}

function progress(): AlertRule[] {
  const audit = (check: string, value: string): [string, string] => [
    `alertgest_audit{check="${check}"}`,
    value,
  ];
  return [
    {
      alert: 'AlertgestNoticesStuck',
      severity: 'critical',
      category: 'meta',
      expr: 'max(alertgest_audit{check="unfinished"}) > 0',
      for: '5m',
      summary: 'alertgest holds news back',
      description:
        '{{ $value | printf "%.0f" }} notices are older than five minutes and neither sent nor decided.',
      remediation: 'See `/api/v1/audit` and which state they are in; restart the function of the next step.',
      proof: {
        at: '7m',
        labels: {},
        value: '2',
        fires: [audit('unfinished', '2x20')],
        quiet: [audit('unfinished', '2x3 0x20')],
      },
    },
    {
      alert: 'AlertgestNoticesDead',
      severity: 'critical',
      category: 'meta',
      expr: 'max(alertgest_audit{check="dead"}) > 0',
      summary: 'alertgest could not tell anybody',
      description: '{{ $value | printf "%.0f" }} notices of the last day reached no channel at all.',
      remediation:
        'Read `/api/v1/notices?state=dead`, tell the people yourself, repair the channel and send again.',
      proof: {
        at: '1m',
        labels: {},
        value: '1',
        fires: [audit('dead', '1x5')],
        quiet: [audit('dead', '0x5')],
      },
    },
    {
      alert: 'AlertgestDeliveriesDead',
      severity: 'warning',
      category: 'meta',
      expr: 'sum by (channel) (increase(alertgest_delivery_total{status="dead"}[15m])) > 0',
      summary: 'Messages to {{ $labels.channel }} fail for good',
      description:
        'alertgest gave up on messages to {{ $labels.channel }} within the last quarter of an hour.',
      remediation:
        'Read `/api/v1/deliveries?status=dead`: a refused credential needs you, an outage needs patience.',
      proof: {
        at: '10m',
        labels: { channel: 'ntfy' },
        fires: [['alertgest_delivery_total{channel="ntfy",status="dead"}', '0 0 1 1 2 2 2 2 2 2 2 2 2 2 2']],
        quiet: [
          ['alertgest_delivery_total{channel="ntfy",status="dead"}', '2x15'],
          ['alertgest_delivery_total{channel="ntfy",status="sent"}', '0+1x15'],
        ],
      },
    },
    {
      alert: 'AlertgestAuditFailed',
      severity: 'critical',
      category: 'meta',
      expr: 'max by (check) (alertgest_audit{check=~"forgotten|miscounted|unproved"}) > 0',
      for: '10m',
      summary: 'The books of alertgest do not balance',
      description: 'The check "{{ $labels.check }}" counts {{ $value | printf "%.0f" }}.',
      remediation:
        'Keep the database as it is and report it with `/api/v1/audit`; your direct route still pages.',
      proof: {
        at: '12m',
        labels: { check: 'miscounted' },
        value: '1',
        fires: [audit('miscounted', '1x20')],
        quiet: [audit('miscounted', '1x8 0x20')],
      },
    },
    {
      alert: 'AlertgestAlertsRefused',
      severity: 'warning',
      category: 'meta',
      expr: 'sum by (reason) (increase(alertgest_alerts_discarded_total{reason!="duplicate"}[15m])) > 0',
      summary: 'alertgest refuses alerts: {{ $labels.reason }}',
      description: 'Alertmanager does not send refused alerts again.',
      remediation:
        'The issue AlertgestRejected names the sender; usual causes are the token and a body that is too large.',
      proof: {
        at: '10m',
        labels: { reason: 'unauthorized' },
        fires: [['alertgest_alerts_discarded_total{reason="unauthorized"}', '0 0 3 3 3 3 3 3 3 3 3 3']],
        quiet: [['alertgest_alerts_discarded_total{reason="duplicate"}', '0+1x15']],
      },
    },
    {
      alert: 'AlertgestDeadLetters',
      severity: 'warning',
      category: 'meta',
      expr: 'sum(increase(alertgest_dead_letters_total[15m])) > 0',
      summary: 'The broker gave events up',
      description: 'Events ended as dead letters. The sweep carries the work on; the cause remains.',
      remediation:
        'See on the page "Set-up" of the console which function refused, and its log at that time.',
      proof: {
        at: '10m',
        labels: {},
        fires: [['alertgest_dead_letters_total', '0 0 1 1 1 1 1 1 1 1 1 1']],
        quiet: [['alertgest_dead_letters_total', '5x15']],
      },
    },
    {
      alert: 'AlertgestDigestMissing',
      severity: 'warning',
      category: 'meta',
      expr: 'max(alertgest_digest_windows_missing) > 0',
      for: '15m',
      summary: 'A digest is missing',
      description: '{{ $value | printf "%.0f" }} capture windows are over and have no delivered digest.',
      remediation:
        'Ask for it (`POST /api/v1/digests`), then read the log of build-digest and the deliveries.',
      proof: {
        at: '17m',
        labels: {},
        value: '1',
        fires: [['alertgest_digest_windows_missing', '1x20']],
        quiet: [['alertgest_digest_windows_missing', '1x10 0x20']],
      },
    },
  ];
}

function levels(): AlertRule[] {
  const slow = (name: string, labels: string, good: number, bad: number, le: string): [string, string][] => [
    [`${name}{${labels}le="${le}"}`, `0+${good}x40`],
    [`${name}{${labels}le="300"}`, `0+${good + bad}x40`],
    [`${name}{${labels}le="+Inf"}`, `0+${good + bad}x40`],
  ];
  return [
    {
      alert: 'AlertgestCaptureRateLow',
      severity: 'critical',
      category: 'meta',
      expr: '100 * (sum(increase(alertgest_alerts_stored_total[1d])) or vector(0)) / sum(increase(alertgest_alerts_received_total[1d])) < 99.9',
      for: '15m',
      summary: 'alertgest does not store every alert',
      description:
        'Only {{ $value | printf "%.2f" }} % of the alerts received within a day were stored; the goal is 99.9 %.',
      remediation: 'See which reason of alertgest_alerts_discarded_total grows.',
      proof: {
        at: '30h',
        step: '1h',
        labels: {},
        value: '99.00',
        fires: [
          ['alertgest_alerts_received_total{severity="warning",status="firing"}', '0+100x40'],
          ['alertgest_alerts_stored_total{severity="warning"}', '0+99x40'],
        ],
        quiet: [
          ['alertgest_alerts_received_total{severity="warning",status="firing"}', '0+10000x40'],
          ['alertgest_alerts_stored_total{severity="warning"}', '0+9995x40'],
        ],
      },
    },
    {
      alert: 'AlertgestDigestDeliveryLow',
      severity: 'warning',
      category: 'meta',
      expr: '100 * (sum(increase(alertgest_digest_delivery_total{status="sent"}[30d])) or vector(0)) / sum(increase(alertgest_digest_delivery_total[30d])) < 99',
      for: '1h',
      summary: 'Digests do not arrive reliably',
      description:
        '{{ $value | printf "%.0f" }} % of the digests of 30 days were delivered; the goal is 99 %.',
      remediation:
        'See which channel fails on the dashboard "alertgest: service levels"; add a fallback channel.',
      proof: {
        at: '720h',
        step: '1d',
        labels: {},
        value: '90',
        fires: [
          ['alertgest_digest_delivery_total{channel="teams",status="sent"}', '0+9x40'],
          ['alertgest_digest_delivery_total{channel="teams",status="dead"}', '0+1x40'],
        ],
        quiet: [
          ['alertgest_digest_delivery_total{channel="teams",status="sent"}', '0+199x40'],
          ['alertgest_digest_delivery_total{channel="teams",status="dead"}', '0+1x40'],
        ],
      },
    },
    {
      alert: 'AlertgestDigestSlow',
      severity: 'warning',
      category: 'meta',
      expr: 'histogram_quantile(0.95, sum by (le) (rate(alertgest_digest_time_to_message_seconds_bucket[7d]))) > 120',
      summary: 'Digests take too long',
      description:
        'From trigger to message a digest takes {{ $value | humanizeDuration }}; the goal is two minutes.',
      remediation:
        'Usually it is the model: choose a smaller one, or LLM_ENABLED=false; the template alone is good enough.',
      proof: {
        at: '192h',
        step: '1d',
        labels: {},
        value: '4m 48s',
        fires: slow('alertgest_digest_time_to_message_seconds_bucket', '', 5, 5, '180'),
        quiet: slow('alertgest_digest_time_to_message_seconds_bucket', '', 97, 3, '120'),
      },
    },
    {
      alert: 'AlertgestModelSlow',
      severity: 'warning',
      category: 'meta',
      expr: 'histogram_quantile(0.95, sum by (model, le) (rate(alertgest_llm_request_duration_seconds_bucket[1h]))) > 90',
      for: '15m',
      summary: 'The model {{ $labels.model }} is slow',
      description:
        'One answer in twenty of {{ $labels.model }} takes longer than {{ $value | humanizeDuration }}; the goal is 90 seconds.',
      remediation:
        'Does Ollama have the CPUs it was promised, is the model still in memory? Else take a smaller model.',
      proof: {
        at: '35m',
        labels: { model: 'llama3.1:8b' },
        value: '2m 30s',
        fires: slow('alertgest_llm_request_duration_seconds_bucket', 'model="llama3.1:8b",', 9, 1, '0.5'),
        quiet: slow('alertgest_llm_request_duration_seconds_bucket', 'model="llama3.1:8b",', 96, 4, '60'),
      },
    },
  ];
}
