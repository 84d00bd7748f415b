/** Makes the events about notices, the same way in every function: facts people and filters want to see, never the truth. */
import type { CloudEvent } from 'cloudevents';
import { createEvent } from './events.ts';
import type { EventSource, EventType, NoticeData } from './events.ts';
import type { NoticeRow } from './postgres/notices.ts';

/** Most alerts shown in one event. */
const SAMPLE_LIMIT = 20;
/** Most bytes of sample alerts in one event; keeps the whole under the 64 KiB that every broker must carry. */
const SAMPLE_BYTES = 32 * 1024;
/** Longest summary in an event, in characters. */
const SUMMARY_LIMIT = 500;

type NoticeEventType = Extract<
  EventType,
  `dev.alertgest.notice.${string}` | 'dev.alertgest.delivery.due' | 'dev.alertgest.explanation.due'
>;

/** The event of a step of a notice; the same step of the same notice always has the same id. */
export function createNoticeEvent(
  type: NoticeEventType,
  source: EventSource,
  data: NoticeData,
  traceparent: string,
): CloudEvent<unknown> {
  const bounded: NoticeData = {
    ...data,
    summary: data.summary.slice(0, SUMMARY_LIMIT),
    alerts: boundSamples(data.alerts),
  };
  const step = type === 'dev.alertgest.explanation.due' ? 'explain' : type.slice(type.lastIndexOf('.') + 1);
  return createEvent(type, source, data.notice, step, bounded, {
    severity: data.severity,
    pattern: data.pattern,
    partitionkey: data.pattern,
    traceparent,
  });
}

/** The facts of a stored notice. `changes` are those that the step just made. */
export function toNoticeData(row: NoticeRow, changes: Partial<NoticeData> = {}): NoticeData {
  return {
    notice: row.id,
    kind: row.kind,
    status: row.status,
    reason: row.reason,
    incident: row.incident,
    pattern: row.pattern,
    alertname: row.alertname,
    severity: row.severity,
    namespace: row.namespace,
    category: typeof row.classification?.['category'] === 'string' ? row.classification['category'] : null,
    summary: row.title,
    receivedAt: row.received_at.toISOString(),
    openEpisodes: row.open_now,
    alerts: [],
    ...changes,
  };
}

function boundSamples(alerts: NoticeData['alerts']): NoticeData['alerts'] {
  let bytes = 0;
  return alerts
    .slice(0, SAMPLE_LIMIT)
    .filter((labels) => (bytes += Buffer.byteLength(JSON.stringify(labels))) <= SAMPLE_BYTES);
}
