/** Hand-made data for every type of the catalogue, such as `?dry_run` takes it. Pure. */
import type { CloudEvent } from 'cloudevents';
import { createEvent, EVENTS } from '../shared/events.ts';
import type { EventSource, EventType, FunctionName, NoticeData } from '../shared/events.ts';

const LABELS = {
  alertname: 'KubePodCrashLooping',
  severity: 'warning',
  namespace: 'shop',
  pod: 'api-7d9f8b6c5-x2x7p',
} as const;
const NIGHT_MS = 14 * 3_600_000;

/** What travels when a function tells the outside what became of a notice. */
function noticeData(status: string, reason: string | null, now: Date): NoticeData {
  return {
    notice: 'ag-sample.opened',
    kind: 'opened',
    status,
    reason,
    incident: 'ag-sample',
    pattern: 'v1:00000000000000000000000000000000',
    alertname: LABELS.alertname,
    severity: LABELS.severity,
    namespace: LABELS.namespace,
    category: 'workload',
    summary: 'api restarts again and again',
    receivedAt: now.toISOString(),
    openEpisodes: 1,
    alerts: [LABELS],
  };
}

/** What notify previews. */
const MESSAGE = {
  kind: 'opened',
  alertname: LABELS.alertname,
  severity: LABELS.severity,
  namespace: LABELS.namespace,
  identity: 'shop/api',
  summary: 'api restarts again and again',
  why: 'first alert of a new incident',
  nextStep: 'kubectl -n shop logs api-7d9f8b6c5-x2x7p --previous',
} as const;

const SAMPLES: Readonly<Record<EventType, (now: Date) => object>> = {
  'dev.alertgest.notice.received': () => ({
    labels: LABELS,
    annotations: { summary: 'api restarts again and again' },
    generatorURL: 'http://prometheus:9090/graph?g0.expr=kube_pod_container_status_waiting_reason',
  }),
  'dev.alertgest.notice.classified': () => ({ kind: 'opened', severity: 'warning', storm: 1 }),
  'dev.alertgest.explanation.due': () => ({
    labels: LABELS,
    annotations: { summary: 'api restarts again and again' },
  }),
  'dev.alertgest.pattern.explained': () => MESSAGE,
  'dev.alertgest.notice.admitted': () => MESSAGE,
  'dev.alertgest.delivery.due': () => MESSAGE,
  'dev.alertgest.notice.suppressed': (now) => noticeData('suppressed', 'told', now),
  'dev.alertgest.notice.held': (now) => noticeData('held', 'storm', now),
  'dev.alertgest.notice.notified': (now) => noticeData('notified', null, now),
  'dev.alertgest.notice.dead': (now) => noticeData('dead', 'undeliverable', now),
  'dev.alertgest.digest.due': (now) => toWindow(now),
  'dev.alertgest.digest.built': (now) => ({
    digest: null,
    name: 'all',
    level: 'silent',
    verdict: 'A quiet night: no alerts',
    ...toWindow(now),
    zone: 'UTC',
    counts: { episodes: 0, firing: 0, resolved: 0, patterns: 0, issues: 0, bySeverity: {}, byType: {} },
    text: 'No alerts.',
  }),
  'dev.alertgest.digest.delivered': (now) => ({
    digest: '1',
    ...toWindow(now),
    status: 'sent',
    reason: null,
  }),
  'dev.alertgest.test.due': () => ({ channel: '*' }),
  'dev.knative.sources.ping': () => ({}),
};

/** The event, and the function to try it on; null when no function takes it. */
export function sampleEvent(
  type: EventType,
  now: Date,
): { readonly event: CloudEvent<object>; readonly consumer: FunctionName | null } {
  const {
    emittedBy,
    consumedBy,
  }: { emittedBy: readonly FunctionName[]; consumedBy: readonly FunctionName[] } = EVENTS[type];
  const source: EventSource = { cluster: 'sample', name: emittedBy[0] ?? 'console' };
  const event = createEvent(type, source, 'ag-sample.opened', 'sample', SAMPLES[type](now));
  return {
    event: type === 'dev.knative.sources.ping' ? event.cloneWith({ tick: 'sweep' }) : event,
    consumer: consumedBy[0] ?? null,
  };
}

function toWindow(now: Date): { from: string; to: string } {
  return { from: new Date(now.getTime() - NIGHT_MS).toISOString(), to: now.toISOString() };
}
