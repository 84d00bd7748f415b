/**
 * Builds digests: of every closed window that has none, of a span somebody asked for, and of those whose builder is gone.
 * Claim, build, store: a claim is one short transaction, building holds none, and storing needs the claim to hold still.
 */
import * as z from 'zod';
import type { CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import { toBuiltEvent } from '../../shared/digest-event.ts';
import { InvalidInputError } from '../../shared/errors.ts';
import type { EventSource } from '../../shared/events.ts';
import { describeError } from '../../shared/log.ts';
import type { Logger } from '../../shared/log.ts';
import { readAlertClock } from '../../shared/postgres/clock.ts';
import {
  claimAsked,
  claimOwed,
  giveBack,
  storeBuilt,
  takeOver,
} from '../../shared/postgres/digest-claims.ts';
import { readDigestById, untoldDigests } from '../../shared/postgres/digests.ts';
import type { DigestClaim } from '../../shared/postgres/digest-claims.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { windowsBetween } from '../../shared/postgres/windows.ts';
import type { WindowSpan } from '../../shared/postgres/windows.ts';
import type { EventHandler } from '../../shared/serve.ts';
import type { Wanted } from '../../shared/digest/collect.ts';
import type { Builder } from './builder.ts';

/** A digest of the routes file: its name, and which alerts it is about. */
export interface DigestDefinition {
  readonly name: string;
  /** Null for everything. */
  readonly matches: Wanted['matches'];
}

export interface HandlerDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly calendar: CaptureWindowConfig;
  readonly graceMs: number;
  /** "all" first, then those of the teams. */
  readonly digests: readonly DigestDefinition[];
  readonly build: Builder;
}

const ACCEPTED: ReadonlySet<string> = new Set(['dev.knative.sources.ping', 'dev.alertgest.digest.due']);
/** Postgres knows no time before 4713 BC, and we none before the epoch. */
const time = z.coerce.date().min(new Date(0)).optional();
const dueSchema = z.object({
  from: time,
  to: time,
  tell: z.boolean().default(false),
});
const DAY_MS = 86_400_000;
/** A span that was built this recently need not be rung for again, in milliseconds. */
const JUST_BUILT_MS = 5_000;

/** Creates the handler of ticks and `digest.due`; answers `digest.built` for each digest that is ready. */
export function createHandler(deps: HandlerDeps): EventHandler {
  return async (event, { dryRun, log, signal }) => {
    if (!ACCEPTED.has(event.type))
      throw new InvalidInputError(
        `build-digest takes ticks and dev.alertgest.digest.due, not ${event.type.slice(0, 80)}`,
      );
    const { span, tell } = readSpan(event.data);
    if (dryRun) return [await preview(deps, span, signal)];
    const claims = span === null ? await claimAll(deps) : await claimSpan(deps, span, tell);
    const built = new Set<string>();
    for (const claim of claims) if (await work(deps, claim, log, signal)) built.add(claim.id);
    const events = [];
    for (const id of built) {
      const row = await readDigestById(deps.pool, id);
      if (row !== undefined) events.push(toBuiltEvent(deps.source, row));
    }
    // Built by a run whose event may be lost; telling twice is told once.
    for (const row of await untoldDigests(deps.pool, JUST_BUILT_MS))
      if (!built.has(row.id)) events.push(toBuiltEvent(deps.source, row));
    return events;
  };
}

async function claimAll({ pool, digests, calendar, graceMs }: HandlerDeps): Promise<DigestClaim[]> {
  const claims = await takeOver(pool);
  for (const { name } of digests) {
    const claim = await claimOwed(pool, { name, calendar, graceMs });
    if (claim !== undefined) claims.push(claim);
  }
  return claims;
}

async function claimSpan(
  { pool, calendar }: HandlerDeps,
  span: WindowSpan,
  tell: boolean,
): Promise<DigestClaim[]> {
  const zone = calendar.CAPTURE_WINDOW_TIMEZONE;
  const claim = await claimAsked(pool, { name: 'all', span, zone, tell });
  return claim === undefined ? [] : [claim];
}

/** Builds and stores one; a failure gives the claim back, so that the next run takes it over at once. */
async function work(
  { pool, build, digests }: HandlerDeps,
  claim: DigestClaim,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const matches = digests.find(({ name }) => name === claim.name)?.matches ?? null;
  try {
    const built = await build({ ...claim, matches }, { log, signal, useModel: true });
    const stored = await storeBuilt(pool, claim, built);
    log.info(
      {
        digest_id: claim.id,
        windows: claim.windows.length,
        alert_count: built.episodes,
        level: built.document.level,
        stored,
      },
      'digest built',
    );
    return stored;
  } catch (error) {
    log.error({ digest_id: claim.id, attempts: claim.attempts, ...describeError(error) }, 'digest not built');
    await giveBack(pool, claim);
    throw error;
  }
}

/** What the digest would say, without a model; nothing is stored. */
async function preview(deps: HandlerDeps, span: WindowSpan | null, signal: AbortSignal) {
  const { pool, calendar, source, build } = deps;
  const windows = span === null ? [await lastClosed(pool, calendar)] : [span];
  const zone = calendar.CAPTURE_WINDOW_TIMEZONE;
  const built = await build(
    { name: 'all', zone, windows, matches: null, attempts: 1 },
    { log: null, signal, useModel: false },
  );
  const event = toBuiltEvent(source, {
    id: '0',
    name: 'all',
    kind: 'asked',
    window_start: windows[0]?.start ?? new Date(0),
    window_end: windows[0]?.end ?? new Date(0),
    zone,
    status: 'kept',
    reason: null,
    facts: JSON.parse(JSON.stringify(built.facts)),
    document: built.document,
    formatted_output: built.text,
    llm_model: null,
    notes_kept: null,
    notes_dropped: null,
    built_at: new Date(),
    planned_at: null,
  });
  return event.cloneWith({ subject: 'dry-run', data: { ...event.data, digest: null } });
}

async function lastClosed(pool: Pool, calendar: CaptureWindowConfig): Promise<WindowSpan> {
  const now = await readAlertClock(pool);
  const windows = await windowsBetween(pool, calendar, new Date(now.getTime() - 3 * DAY_MS), now);
  const closed = windows.filter(({ end }) => end <= now).at(-1);
  if (closed === undefined) throw new Error('no capture window ended in three days');
  return closed;
}

function readSpan(data: unknown): { span: WindowSpan | null; tell: boolean } {
  const asked = dueSchema.safeParse(data ?? {});
  if (!asked.success) throw new InvalidInputError('"from" and "to" must be times, e.g. 2026-03-01T18:00:00Z');
  const { from, to, tell } = asked.data;
  if (from === undefined && to === undefined) return { span: null, tell };
  if (from === undefined || to === undefined || from >= to)
    throw new InvalidInputError('give both "from" and "to", the first before the second');
  return { span: { start: from, end: to }, tell };
}
