/** One decision per notice: classified → admitted, held or suppressed, with the incident locked. */
import type { CloudEvent } from 'cloudevents';
import * as z from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventSource } from '../../shared/events.ts';
import { createNoticeEvent, toNoticeData } from '../../shared/notice-event.ts';
import { positionOf, readEventNotice } from '../../shared/notice-step.ts';
import { joinBatch, readBatch } from '../../shared/postgres/batches.ts';
import type { Decision } from '../../shared/postgres/decisions.ts';
import { captureWindowConfig } from '../../shared/capture-window-config.ts';
import type { CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import { windowAtOrAfter } from '../../shared/postgres/windows.ts';
import { breakDecision } from '../../shared/postgres/envelopes.ts';
import { clearDue, lockIncidentOf, rankIncident, setDue } from '../../shared/postgres/incidents.ts';
import {
  finishBatch,
  markDecided,
  readNotice,
  readTold,
  waitingResolve,
} from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import { readDecidedAt, readPast } from '../../shared/postgres/past.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool, PoolClient, Queryable } from '../../shared/postgres/pool.ts';
import type { EventHandler } from '../../shared/serve.ts';
import { SEVERITIES } from '../../shared/severity.ts';
import { FIRST, followReturns } from './returns.ts';
import type { Return } from './returns.ts';
import { UNGUARDED, isCanary, readStanding } from './standing.ts';
import type { Standing } from './standing.ts';
import { decide } from './suppression.ts';
import type { Facts, Limits } from './suppression.ts';
import type { Verdict } from './verdict.ts';

/** A window's digest is due on the next working day; after this long nobody will send it. */
const UNDIGESTED_MS = 4 * 86_400_000;

export interface HandlerDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly limits: Limits;
  /** What a night is; the defaults unless told. */
  readonly calendar?: CaptureWindowConfig;
  /** One in so many notices of ignored issues is told; 0 or nothing: none. */
  readonly canaryOneIn?: number;
  /** The decision in force: Redis' copy of the same generation, else read on `db`; under the lock no second connection is taken. */
  readonly readDecision: (row: NoticeRow, db: Queryable) => Promise<Decision | null>;
}

/** Creates the handler. */
export function createHandler(deps: HandlerDeps): EventHandler {
  return async (event, { dryRun, log }) => {
    if (dryRun) return [dryRunEvent(deps, event.data)];
    const row = await readEventNotice(deps.pool, event, ['dev.alertgest.notice.classified']);
    if (positionOf(row, 'classified') !== 'ready') return repeat(deps.source, row);
    const decision = await deps.readDecision(row, deps.pool);
    const decided = await transaction(deps.pool, (client) => decideLocked(deps, client, row, decision));
    for (const {
      row: { id, incident },
      verdict,
    } of decided) {
      log.debug({ notice: id, incident, outcome: verdict.outcome, reason: verdict.reason }, 'decided');
    }
    return decided
      .filter(({ verdict }) => verdict.outcome !== 'wait')
      .map(({ row: before, verdict }) => outcomeEvent(deps.source, before, verdict));
  };
}

interface Decided {
  readonly row: NoticeRow;
  readonly verdict: Verdict;
}

async function decideLocked(
  deps: HandlerDeps,
  client: PoolClient,
  before: NoticeRow,
  known: Decision | null,
): Promise<Decided[]> {
  await lockIncidentOf(client, before.id);
  // Read again under the lock: another run may have decided meanwhile, or a person.
  const row = await readNotice(client, before.id);
  if (row?.status !== 'classified') return [];
  const decision = row.generation === before.generation ? known : await deps.readDecision(row, client);
  const standing = await readStanding(client, row, decision);
  const facts = await readFacts(deps, client, row, standing);
  const verdict = await settle(client, row, standing, facts, deps.limits);
  if (verdict.outcome === 'wait') return [{ row, verdict }];
  await apply(deps, client, row, verdict);
  if (row.kind !== 'opened' || verdict.outcome === 'admitted') return [{ row, verdict }];
  // Its end may have waited for this answer; nobody else would ring for it.
  const waiting = await waitingResolve(client, row.incident);
  return [
    { row, verdict },
    ...(waiting === undefined ? [] : await decideLocked(deps, client, { ...row, id: waiting }, decision)),
  ];
}

/** Decides; a notice that would set the decision aside after another did so is decided as if there were none. */
async function settle(
  client: PoolClient,
  row: NoticeRow,
  { decision, evidence }: Standing,
  facts: Facts,
  limits: Limits,
): Promise<Verdict> {
  const verdict = decide(facts, limits);
  if (!verdict.breaks || decision === null) return verdict;
  const isFirst = await breakDecision(
    client,
    { pattern: row.pattern, generation: decision.generation },
    { notice: row.id, brokenAt: row.received_at, sentence: verdict.why, evidence },
  );
  return isFirst ? verdict : decide({ ...facts, decision: null, ...UNGUARDED }, limits);
}

async function readFacts(
  deps: HandlerDeps,
  client: PoolClient,
  row: NoticeRow,
  { decision, outside, longerAt }: Standing,
): Promise<Facts> {
  const { limits } = deps;
  const told = await readTold(client, row.incident, row.id);
  const isOpening = row.kind === 'opened';
  return {
    kind: row.kind,
    severity: row.severity,
    heartbeat: row.heartbeat,
    dueWhy: row.kind === 'due' ? row.why : null,
    messageOf:
      row.kind === 'due' && row.batch !== null ? ((await readBatch(client, row.batch))?.kind ?? null) : null,
    receivedAt: row.received_at,
    openEpisodes: row.open_now,
    dues: row.dues,
    decision,
    outside,
    longerAt,
    canaryOneIn: isCanary(row.id, deps.canaryOneIn ?? 0) ? (deps.canaryOneIn ?? 0) : null,
    ...told,
    // What alertgest has to say of itself does not wait for something that may not work.
    atNight:
      (limits.nightPushSeverity ?? null) !== null &&
      !row.own &&
      (await windowAtOrAfter(client, deps.calendar ?? captureWindowConfig.parse({}), row.received_at))
        .start <= row.received_at,
    returned: isOpening ? await readReturn(client, row, limits) : FIRST,
    stormRank: isOpening
      ? await rankIncident(client, row.incident, {
          louder: asLoudAs(row.severity),
          // Criticals stay single pushes as far as a minute allows; for the rest a storm lasts until a whole window is calm.
          stormWindowMs: row.severity === 'critical' ? 0 : limits.stormSummaryMs,
        })
      : 0,
  };
}

async function readReturn(client: PoolClient, row: NoticeRow, limits: Limits): Promise<Return> {
  const past = await readPast(client, row.incident, limits.tellAgainMs);
  if (past.length === 0) return FIRST;
  const decidedAt = await readDecidedAt(client, row.incident);
  return followReturns(row.received_at, past, decidedAt, { ...limits, calmMs: limits.remindAfterMs });
}

/** Severities that count against the same storm limit; an unknown one counts as a warning. */
function asLoudAs(severity: NoticeRow['severity']): string[] {
  if (severity === 'critical') return ['critical'];
  return severity === 'warning' || severity === 'unknown'
    ? ['critical', 'warning', 'unknown']
    : [...SEVERITIES];
}

async function apply(deps: HandlerDeps, client: PoolClient, row: NoticeRow, verdict: Verdict): Promise<void> {
  const batch = await joinBatchOf(deps, client, row, verdict);
  const status = verdict.outcome === 'wait' ? 'suppressed' : verdict.outcome;
  await markDecided(client, row.id, {
    status,
    reason: verdict.reason,
    why: verdict.why,
    batch,
    quiet: verdict.quiet,
    missing: [],
  });
  // A batch whose message nobody is to hear ends with it.
  if (row.kind === 'due' && row.batch !== null && status === 'suppressed')
    await finishBatch(client, row.batch, status, verdict.reason, verdict.why);
  if (verdict.due !== null) await setDue(client, row.incident, verdict.due);
  // Nothing of a decision that was set aside becomes news later.
  else if (verdict.breaks) await clearDue(client, row.incident);
}

async function joinBatchOf(
  deps: HandlerDeps,
  client: PoolClient,
  row: NoticeRow,
  { reason, batchDueAt }: Verdict,
): Promise<string | null> {
  const { limits } = deps;
  if (batchDueAt !== null && (reason === 'window' || reason === 'digest-only'))
    return joinWindow(client, row, deps.calendar ?? captureWindowConfig.parse({}));
  if (batchDueAt === null || (reason !== 'storm' && reason !== 'flap')) return null;
  const isFlap = reason === 'flap';
  return joinBatch(client, {
    kind: reason,
    key: isFlap ? row.pattern : `${row.severity} ${row.alertname}`,
    title: isFlap ? `${row.alertname} · ${row.title}` : `${row.alertname} (${row.severity})`,
    incident: row.incident,
    dueAt: batchDueAt,
    // What never calms down is told all the same: a critical by the first time it would be calm, others by a reminder's.
    lastAt: new Date(
      row.received_at.getTime() + (row.severity === 'critical' ? limits.flapWindowMs : limits.remindAfterMs),
    ),
    putsOff: isFlap,
  });
}

/** Its digest closes the batch and tells of it; without any digest it is told by itself all the same, days later. */
async function joinWindow(
  client: PoolClient,
  row: NoticeRow,
  calendar: CaptureWindowConfig,
): Promise<string> {
  const { start, end } = await windowAtOrAfter(client, calendar, row.received_at);
  const lastAt = new Date(end.getTime() + UNDIGESTED_MS);
  return joinBatch(client, {
    kind: 'window',
    key: start.toISOString(),
    title: 'alerts held for a digest that nobody was sent',
    incident: row.incident,
    dueAt: lastAt,
    lastAt,
    putsOff: false,
  });
}

function outcomeEvent(
  source: EventSource,
  row: NoticeRow,
  { outcome, reason }: Verdict,
): CloudEvent<unknown> {
  const status = outcome === 'wait' ? 'suppressed' : outcome;
  return createNoticeEvent(
    `dev.alertgest.notice.${status}`,
    source,
    toNoticeData(row, { status, reason }),
    row.traceparent,
  );
}

/** The event of a decision already made; nothing once notify has finished. */
function repeat(source: EventSource, row: NoticeRow): ReadonlyArray<CloudEvent<unknown>> {
  if (row.status !== 'admitted' && row.status !== 'held' && row.status !== 'suppressed') return [];
  return [
    createNoticeEvent(`dev.alertgest.notice.${row.status}`, source, toNoticeData(row), row.traceparent),
  ];
}

const dryRunSchema = z.object({
  kind: z.enum(['opened', 'grew', 'resolved', 'due']).default('opened'),
  severity: z.enum(SEVERITIES).default('warning'),
  heartbeat: z.boolean().default(false),
  dueWhy: z.string().nullable().default(null),
  openEpisodes: z.int().min(0).default(1),
  told: z.boolean().default(false),
  storm: z.int().min(0).default(1),
  flapping: z.enum(['begins', 'goes on']).nullable().default(null),
  decision: z.enum(['ignore', 'quiet', 'digest', 'snooze', 'important']).nullable().default(null),
});

function dryRunEvent({ source, limits }: HandlerDeps, data: unknown): CloudEvent<unknown> {
  const parsed = dryRunSchema.safeParse(data ?? {});
  if (!parsed.success)
    throw new InvalidInputError(
      `for a dry run, data must be facts such as {"kind":"opened","severity":"warning","flapping":"begins"}: ${parsed.error.issues[0]?.message ?? ''}`,
    );
  const { storm, flapping, decision, ...facts } = parsed.data;
  const verdict = decide(
    {
      ...facts,
      messageOf: null,
      receivedAt: new Date(),
      dues: 1,
      ...UNGUARDED,
      canaryOneIn: null,
      decision: decision && { kind: decision, until: null, note: 'dry run', actor: 'you', generation: 1 },
      openedStatus: facts.told ? 'notified' : null,
      openedBatch: null,
      returned: { story: null, flapping },
      stormRank: storm,
    },
    limits,
  );
  const outcome = verdict.outcome === 'wait' ? 'suppressed' : verdict.outcome;
  return createEvent(`dev.alertgest.notice.${outcome}`, source, 'dry-run', outcome, verdict);
}
