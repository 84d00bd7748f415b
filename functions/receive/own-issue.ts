/**
 * What alertgest has to say about itself goes the way of every alert: stored, decided on and told like any other issue.
 * So the ways out of the pipeline, a refused webhook and an event the broker gave up on, end in a push and not in a log.
 */
import { normalizeAlert } from '../../shared/alert.ts';
import type { EventSource, NoticeData } from '../../shared/events.ts';
import { createNoticeEvent } from '../../shared/notice-event.ts';
import type { Clock } from '../../shared/postgres/clock.ts';
import { toPattern } from '../../shared/pattern.ts';
import type { Publisher } from '../../shared/publish.ts';
import type { Ingest } from './ingest.ts';

/** The same issue is stored at most this often by one process, in milliseconds. */
const REPORT_INTERVAL_MS = 60_000;

/** Reasons that one process makes issues of; what comes beyond them shares one, for a stranger may choose the words. */
const REASON_LIMIT = 50;
const OTHER_REASON = 'other';

/** An issue of alertgest itself; `alertname` and `reason` make it one. */
export interface OwnIssue {
  readonly alertname: 'AlertgestRejected' | 'AlertgestDeadLetter' | 'AlertgestChannelDead';
  readonly reason: string;
  readonly summary: string;
  readonly description: string;
}

export interface OwnIssueDeps {
  readonly ingest: Ingest;
  readonly publisher: Publisher;
  readonly source: EventSource;
  readonly clock: Clock;
}

/** Reports an issue; answers false when it was reported within the last minute and is left at that. */
export type ReportOwnIssue = (issue: OwnIssue) => Promise<boolean>;

/** Creates what reports issues of alertgest itself. */
export function createOwnIssues(deps: OwnIssueDeps): ReportOwnIssue {
  const lastReported = new Map<string, number>();
  return async (given) => {
    const isKnown = lastReported.has(toKey(given)) || lastReported.size < REASON_LIMIT;
    const issue = isKnown ? given : { ...given, reason: OTHER_REASON };
    const key = toKey(issue);
    if (performance.now() - (lastReported.get(key) ?? -Infinity) < REPORT_INTERVAL_MS) return false;
    const receivedAt = await deps.clock.now();
    const { cluster } = deps.source;
    const alert = normalizeAlert(
      {
        status: 'firing',
        labels: { alertname: issue.alertname, severity: 'warning', reason: issue.reason },
        annotations: { summary: issue.summary, description: issue.description },
      },
      'firing',
      { receivedAt, cluster },
    );
    if (typeof alert === 'string') throw new Error(`own alert is not usable: ${alert}`);
    const stored = await deps.ingest.store([
      { alert, pattern: toPattern(alert, { cluster }), receivedAt, traceparent: '', own: true },
    ]);
    lastReported.set(key, performance.now());
    await publishNotices(deps, stored.notices, '');
    return true;
  };
}

function toKey({ alertname, reason }: OwnIssue): string {
  return `${alertname} ${reason}`;
}

/** Rings for notices that were stored. */
export async function publishNotices(
  { publisher, source }: Pick<OwnIssueDeps, 'publisher' | 'source'>,
  notices: readonly NoticeData[],
  traceparent: string,
): Promise<void> {
  await publisher.publish(
    notices.map((notice) => createNoticeEvent('dev.alertgest.notice.received', source, notice, traceparent)),
  );
}
