/**
 * POST /api/v1/alerts: the one door for alerts. What is answered 2xx is stored; what cannot be used is named in the
 * answer and becomes an AlertgestRejected issue, because Alertmanager gives up on every 4xx.
 */
import * as z from 'zod';
import { parseTime, parseWebhook } from '../../shared/alert.ts';
import type { Alert, Webhook } from '../../shared/alert.ts';
import { AppError, InvalidInputError } from '../../shared/errors.ts';
import type { Reason } from '../../shared/errors.ts';
import type { EventSource } from '../../shared/events.ts';
import { parseJson } from '../../shared/json.ts';
import type { Logger } from '../../shared/log.ts';
import { describeError } from '../../shared/log.ts';
import type { Clock } from '../../shared/postgres/clock.ts';
import type { MetricChange } from '../../shared/postgres/metrics.ts';
import { toPattern } from '../../shared/pattern.ts';
import type { Publisher } from '../../shared/publish.ts';
import { json } from '../../shared/serve.ts';
import type { Context, HttpReply, HttpRequest } from '../../shared/serve.ts';
import { annotate } from '../../shared/trace.ts';
import { isAuthorized } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import type { Arrival } from './episodes.ts';
import type { Ingest } from './ingest.ts';
import { publishNotices } from './own-issue.ts';
import type { ReportOwnIssue } from './own-issue.ts';

/** A stamp from a replay; only heard when ALLOW_REPLAY is on. */
const REPLAY_HEADER = 'x-alertgest-received-at';
/** Most problems named in one answer. */
const PROBLEM_LIMIT = 20;
/** The media types that cannot be a webhook; anything else is tried as JSON, also what curl calls a form. */
const FOREIGN_TYPES = /^(multipart\/|application\/xml|text\/xml)/i;

/** Reasons of refusals by what they are counted as; every other one is `invalid`. */
const DISCARDED: Readonly<Record<string, string>> = {
  unauthorized: 'unauthorized',
  'too-large': 'too-large',
  'unusable-alert': 'unusable',
};

/** What a webhook is answered with 200. */
export const webhookAnswerSchema = z.object({
  stored: z.number().describe('alerts of the body that are stored, repeats included'),
  newEpisodes: z.number().describe('lives of alerts that began with this body'),
  notices: z.array(z.string()).describe('ids of the news it made, at most 20'),
  truncatedAlerts: z.number().describe('alerts that Alertmanager itself cut off (max_alerts)'),
  rejected: z
    .array(z.object({ index: z.number(), problem: z.string() }))
    .describe('entries of alerts[] that cannot be used, at most 20'),
});

export interface WebhookDeps {
  readonly ingest: Ingest;
  readonly publisher: Publisher;
  readonly source: EventSource;
  readonly credentials: Credentials;
  readonly allowReplay: boolean;
  readonly clock: Clock;
  readonly count: (name: string, amount: number) => Promise<void>;
  readonly addMetrics: (changes: readonly MetricChange[]) => Promise<void>;
  /** Makes an issue of what was refused. */
  readonly reportOwnIssue: ReportOwnIssue;
  readonly log: Logger;
}

export interface WebhookRoute {
  handle(request: HttpRequest, context: Context): Promise<HttpReply>;
  /** Records a body that was refused before it was parsed. */
  refused(error: AppError): Promise<void>;
  /** Writes down the refusals that are counted and not written yet. */
  close(): Promise<void>;
}

/** Creates the webhook's route. */
export function createWebhook(deps: WebhookDeps): WebhookRoute {
  // Written with the record, so that a flood of refused requests does not become one of statements.
  let uncounted = 0;
  const refusals = new Map<string, number>();
  const writeRefusals = async (): Promise<void> => {
    const changes = [...refusals].flatMap(([reason, value]) => toRefusalMetrics(reason, value));
    refusals.clear();
    await deps.addMetrics(changes);
  };

  const recordRejection = async (
    reason: Reason | 'unusable-alert',
    detail: string,
    groupKey: string,
    refused = 1,
  ): Promise<void> => {
    deps.log.warn({ reason, detail, groupKey }, 'alerts rejected');
    uncounted += refused;
    const counted = DISCARDED[reason] ?? 'invalid';
    refusals.set(counted, (refusals.get(counted) ?? 0) + refused);
    const isNews = await deps.reportOwnIssue({
      alertname: 'AlertgestRejected',
      reason,
      summary: `alertgest refused alerts: ${reason}`,
      description: `${detail}. Alertmanager does not send refused alerts again; look at receive's log.`,
    });
    if (!isNews) return;
    await deps.count('alerts_rejected_total', uncounted);
    uncounted = 0;
    await writeRefusals();
  };

  return {
    async handle(request, context) {
      if (request.method !== 'POST' && request.method !== 'PUT') {
        throw new InvalidInputError('POST the webhook here', 'method-not-allowed');
      }
      try {
        if (!isAuthorized(request.headers.authorization, deps.credentials)) {
          throw new InvalidInputError(
            'a bearer token or basic auth is needed; set http_config.authorization in Alertmanager',
            'unauthorized',
          );
        }
        const replayedAt = deps.allowReplay ? parseTime(request.headers[REPLAY_HEADER]) : null;
        const receivedAt = replayedAt ?? (await deps.clock.now());
        const webhook = parseWebhook(readBody(request), { receivedAt, cluster: deps.source.cluster });
        if (webhook.rejected.length > 0 && webhook.alerts.length === 0) {
          throw new InvalidInputError(
            `none of the ${webhook.rejected.length} alerts can be used; the first: ${webhook.rejected[0]?.problem ?? ''}`,
          );
        }
        const arrivals = webhook.alerts.map((alert) =>
          toArrival(alert, receivedAt, context.traceparent, deps.source.cluster),
        );
        if (context.dryRun) return { status: 200, ...json(dryRunAnswer(arrivals, webhook)) };
        return await accept(deps, arrivals, replayedAt, webhook, context, recordRejection);
      } catch (error) {
        if (error instanceof AppError && error.status < 500 && !context.dryRun) await recordQuietly(error);
        throw error;
      }
    },
    refused: (error) => recordRejection(error.reason, error.message, ''),
    close: writeRefusals,
  };

  async function recordQuietly(error: AppError): Promise<void> {
    try {
      await recordRejection(error.reason, error.message, '');
    } catch (cause) {
      deps.log.error(describeError(cause), 'rejection not recorded');
    }
  }
}

async function accept(
  deps: WebhookDeps,
  arrivals: readonly Arrival[],
  replayedAt: Date | null,
  webhook: Webhook,
  context: Context,
  recordRejection: (
    reason: 'unusable-alert',
    detail: string,
    groupKey: string,
    refused: number,
  ) => Promise<void>,
): Promise<HttpReply> {
  const stored = await deps.ingest.store(arrivals, replayedAt);
  annotate({
    'alertgest.alerts': arrivals.length,
    'alertgest.notices': stored.notices.map(({ notice }) => notice).slice(0, PROBLEM_LIMIT),
  });
  await publishNotices(deps, stored.notices, context.traceparent);
  if (webhook.truncatedAlerts > 0) {
    context.log.warn(
      { truncated: webhook.truncatedAlerts, groupKey: webhook.groupKey },
      'Alertmanager cut alerts off; remove max_alerts',
    );
    await deps.count('alerts_truncated_total', webhook.truncatedAlerts);
  }
  if (webhook.rejected.length > 0) {
    const detail = `${webhook.rejected.length} of ${webhook.rejected.length + arrivals.length} alerts: ${webhook.rejected[0]?.problem ?? ''}`;
    await recordRejection('unusable-alert', detail, webhook.groupKey, webhook.rejected.length);
  }
  context.log.info(
    { alert_count: arrivals.length, episodes: stored.newEpisodes, notices: stored.notices.length },
    'alerts stored',
  );
  return {
    status: 200,
    ...json({
      stored: arrivals.length,
      newEpisodes: stored.newEpisodes,
      notices: stored.notices.map((notice) => notice.notice).slice(0, PROBLEM_LIMIT),
      truncatedAlerts: webhook.truncatedAlerts,
      rejected: webhook.rejected.slice(0, PROBLEM_LIMIT),
    }),
  };
}

/** An unusable alert came and is not stored; of a refused webhook nobody knows what was in it. */
function toRefusalMetrics(reason: string, value: number): MetricChange[] {
  const discarded: MetricChange = { name: 'alertgest_alerts_discarded_total', labels: { reason }, value };
  const unread = { severity: 'unknown', status: 'unknown' };
  return reason === 'unusable'
    ? [discarded, { name: 'alertgest_alerts_received_total', labels: unread, value }]
    : [discarded];
}

function toArrival(alert: Alert, receivedAt: Date, traceparent: string, cluster: string): Arrival {
  return { alert, pattern: toPattern(alert, { cluster }), receivedAt, traceparent, own: false };
}

function readBody(request: HttpRequest): unknown {
  const contentType = request.headers['content-type'] ?? '';
  if (FOREIGN_TYPES.test(contentType))
    throw new InvalidInputError('the webhook must be JSON', 'unsupported-media-type');
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) {
    throw new InvalidInputError('the webhook must be JSON in UTF-8', 'unsupported-media-type');
  }
  const body = parseJson(request.body);
  // The same body may come wrapped in a structured CloudEvent.
  const wrapped = typeof body === 'object' && body !== null && 'specversion' in body && 'data' in body;
  return wrapped ? body.data : body;
}

function dryRunAnswer(arrivals: readonly Arrival[], webhook: Webhook): object {
  return {
    dryRun: true,
    alerts: arrivals.map(({ alert, pattern }) => ({
      status: alert.status,
      startsAt: alert.startsAt,
      key: alert.key,
      flags: alert.flags,
      ...pattern,
    })),
    rejected: webhook.rejected,
  };
}
