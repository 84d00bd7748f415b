/**
 * Alerts that fired in Prometheus and never arrived: too short for Alertmanager's group_wait, or sent while nobody could
 * take them. Prometheus' own series `ALERTS` is the other witness; where it is not configured nothing is claimed.
 */
import * as z from 'zod';
import type { Lost, Span } from '../../shared/digest/facts.ts';
import { someOf, toName } from '../../shared/digest/words.ts';
import { AppError } from '../../shared/errors.ts';
import { HttpFailure, request } from '../../shared/http.ts';

/** Coarsest step that sees a firing of half a minute in most cases; Prometheus answers at most 11,000 points a series. */
const LEAST_STEP_S = 15;
const MOST_POINTS = 4_000;
const TIMEOUT_MS = 20_000;
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const SHOWN = 10;
/** What Prometheus adds to the alert's own labels. */
const ADDED: ReadonlySet<string> = new Set(['__name__', 'alertstate']);

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

type Labels = Readonly<Record<string, string>>;
type Answer = Pick<Lost, 'missed' | 'missedWhy'>;

/** Compares what Prometheus saw firing in the windows with what is stored; says so when it cannot. */
export async function readMissed(
  url: string,
  windows: readonly Span[],
  readStored: (from: Date, to: Date, alertnames: readonly string[]) => Promise<readonly Labels[]>,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const missed = new Map<string, Labels>();
    for (const { start, end } of windows) {
      const fired = await queryAlerts(url, start, end, signal);
      const names = [...new Set(fired.map((labels) => labels['alertname'] ?? ''))];
      const stored = Map.groupBy(await readStored(start, end, names), (labels) => labels['alertname'] ?? '');
      for (const labels of fired)
        if (!(stored.get(labels['alertname'] ?? '') ?? []).some((other) => holds(other, labels)))
          missed.set(JSON.stringify(labels), labels);
    }
    return {
      missed: { total: missed.size, shown: [...missed.values()].slice(0, SHOWN).map(toTitle) },
      missedWhy: null,
    };
  } catch (error) {
    const why =
      error instanceof HttpFailure || error instanceof AppError
        ? error.message
        : 'its answer could not be read';
    return { missed: null, missedWhy: toName(why) };
  }
}

async function queryAlerts(url: string, start: Date, end: Date, signal: AbortSignal): Promise<Labels[]> {
  const step = Math.max(LEAST_STEP_S, Math.ceil((end.getTime() - start.getTime()) / 1_000 / MOST_POINTS));
  const query = new URLSearchParams({
    query: `max_over_time(ALERTS{alertstate="firing"}[${step}s])`,
    start: start.toISOString(),
    end: end.toISOString(),
    step: `${step}s`,
  });
  const { status, body } = await request({
    method: 'GET',
    url: `${url}/api/v1/query_range?${query.toString()}`,
    timeoutMs: TIMEOUT_MS,
    maxBodyBytes: MAX_BODY_BYTES,
    signal,
  });
  if (status !== 200) throw new AppError('dependency-down', `Prometheus answered ${status}`);
  const { data } = answerSchema.parse(JSON.parse(body));
  return data.result.map(({ metric }) =>
    Object.fromEntries(Object.entries(metric).filter(([name]) => !ADDED.has(name))),
  );
}

/** Whether stored labels are those of the series: senders add labels (cluster, replica), they take none away. */
function holds(stored: Labels, series: Labels): boolean {
  return Object.entries(series).every(([name, value]) => stored[name] === value);
}

function toTitle({ alertname = '', ...labels }: Labels): string {
  const values = Object.entries(labels).filter(([name]) => name !== 'severity');
  return toName(
    `${alertname} (${someOf(
      values.map(([, value]) => value),
      3,
    )})`,
  );
}
