/** Reads what the time machine plays back, and offers it: dry runs of decisions, and suggestions of what to ignore. */
import type { Env, Hono } from 'hono';
import * as z from 'zod';
import { HISTORY_DAYS } from '../../shared/envelope.ts';
import { captureWindowConfig } from '../../shared/capture-window-config.ts';
import { resolveEnvironment, parseConfig } from '../../shared/env.ts';
import type { Environment } from '../../shared/env.ts';
import { AppError, InvalidInputError } from '../../shared/errors.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import { DECISION_KINDS } from '../../shared/postgres/decisions.ts';
import {
  countInSpans,
  isFollowed,
  readFollowed,
  readHours,
  rollUpPattern,
} from '../../shared/postgres/history.ts';
import { listIssues } from '../../shared/postgres/patterns.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { listNoise } from '../../shared/postgres/suggestions.ts';
import type { Noise } from '../../shared/postgres/suggestions.ts';
import { partHours, playBack } from './backtest.ts';
import type { Backtest, Span } from './backtest.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Suggestions shown; each is played back. */
const SUGGESTIONS = 20;
/** Kinds that hide or soften something; the others would have hidden nothing. */
const HIDING: ReadonlySet<string> = new Set(['ignore', 'quiet', 'digest', 'snooze']);

const dryRunBody = z.looseObject({ kind: z.enum(DECISION_KINDS).default('ignore') });
export const suggestionsQuery = z.object({
  /** Fewer episodes in 30 days are no pattern of noise. */
  episodes: z.coerce.number().int().min(2).default(10),
  /** Noise is over within this time. */
  seconds: z.coerce.number().min(1).default(900),
});

export interface NightClock {
  readonly start: string;
  readonly end: string;
  readonly zone: string;
  /** The nights that touch a span. */
  windows(span: Span): Span[];
}

export interface Suggestion extends Noise {
  readonly backtest: Backtest;
}

/** Adds `POST …/decisions?dry_run=true` and `GET /api/v1/suggestions`; call it before the route that records decisions. */
export function addTimeMachine<E extends Env>(
  api: Hono<E>,
  { pool, environment = {} }: { readonly pool: Pool; readonly environment?: Environment },
): void {
  let night: Promise<NightClock> | undefined;
  const readNight = (): Promise<NightClock> => (night ??= readNightClock(environment));

  api.post('/api/v1/issues/:pattern/decisions', async (c, next) => {
    const dryRun = c.req.query('dry_run');
    if (dryRun === undefined || dryRun === 'false') return next();
    const { kind } = read(dryRunBody, await c.req.json().catch(() => ({})));
    const pattern = c.req.param('pattern');
    const [issue] = await listIssues(pool, { pattern, limit: 1, offset: 0 });
    if (issue === undefined) throw new AppError('not-found', 'no issue has this pattern; see /api/v1/issues');
    const backtest = await testBack(pool, pattern, await readNight());
    return c.json({ pattern, kind, recorded: false, hides: HIDING.has(kind), backtest });
  });

  api.get('/api/v1/suggestions', async (c) => {
    const { episodes, seconds } = read(suggestionsQuery, c.req.query());
    return c.json({ suggestions: await suggest(pool, await readNight(), { episodes, seconds }) });
  });
}

/** Plays a hiding decision on a pattern back over the last 30 days. */
export async function testBack(pool: Pool, pattern: string, night: NightClock): Promise<Backtest> {
  // Hours that changed since the last sweep are counted first. Retention has its own sweep; 30 days are always whole.
  await rollUpPattern(pool, pattern, HISTORY_DAYS);
  const to = await readAlertClock(pool);
  const hour = Math.floor(to.getTime() / HOUR_MS) * HOUR_MS;
  const from = new Date(hour - HISTORY_DAYS * DAY_MS);
  const windows = night.windows({ from, to });
  const [hours, followed] = await Promise.all([
    readHours(pool, pattern, from, to),
    readFollowed(pool, pattern, from, to),
  ]);
  const inPartHours = await countInSpans(pool, pattern, partHours(hours, windows));
  const { start, end, zone } = night;
  return playBack({ from, to, hours, followed, night: { start, end, zone, windows, inPartHours } });
}

/** What a decision of some kind would have done, as the pages say it. Made once: the nights are read on first use. */
export function createBackTest(
  pool: Pool,
  environment: Environment,
): (pattern: string, decision: { readonly kind: string }) => Promise<readonly string[]> {
  let night: Promise<NightClock> | undefined;
  return async (pattern, { kind }) => {
    if (!HIDING.has(kind)) return ['It would have hidden nothing.'];
    return (await testBack(pool, pattern, await (night ??= readNightClock(environment)))).sentences;
  };
}

/** The suggestions as the page shows them: few episodes or long ones are no noise. */
export function createSuggestions(pool: Pool, environment: Environment): () => Promise<Suggestion[]> {
  let night: Promise<NightClock> | undefined;
  return async () => suggest(pool, await (night ??= readNightClock(environment)), suggestionsQuery.parse({}));
}

/** Patterns that are consistently noise, with what ignoring them would have done. */
export async function suggest(
  pool: Pool,
  night: NightClock,
  noise: { readonly episodes: number; readonly seconds: number },
): Promise<Suggestion[]> {
  const suggestions: Suggestion[] = [];
  const to = await readAlertClock(pool);
  const from = new Date(to.getTime() - HISTORY_DAYS * DAY_MS);
  for (const found of await listNoise(pool, { ...noise, days: HISTORY_DAYS, limit: SUGGESTIONS })) {
    // Most that fail, fail here; only the others are played back.
    if (await isFollowed(pool, found.pattern, from, to)) continue;
    const backtest = await testBack(pool, found.pattern, night);
    if (backtest.beforeCritical.criticals === 0 && backtest.notHealed === 0)
      suggestions.push({ ...found, backtest });
  }
  return suggestions;
}

/** The capture window as the nights of the time machine. Loaded on first use: the time zone library is slow to start. */
export async function readNightClock(environment: Environment): Promise<NightClock> {
  const { lastClosedWindow } = await import('../../shared/capture-window.ts');
  const config = parseConfig(captureWindowConfig, resolveEnvironment(environment));
  return {
    start: config.CAPTURE_WINDOW_START,
    end: config.CAPTURE_WINDOW_END,
    zone: config.CAPTURE_WINDOW_TIMEZONE,
    windows({ from, to }) {
      const windows: Span[] = [];
      let at = new Date(to.getTime() + 2 * DAY_MS);
      for (;;) {
        const night = lastClosedWindow(config, at);
        if (night.end <= from) return windows.toReversed();
        if (night.start < to) windows.push({ from: night.start, to: night.end });
        at = night.start;
      }
    },
  };
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`,
  );
  throw new InvalidInputError(problems.join('; '));
}
