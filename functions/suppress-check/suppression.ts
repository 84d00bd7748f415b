/**
 * Who hears of a notice: admitted, held for a summary, or suppressed with a reason a person understands. Pure.
 * Order matters and reads from top to bottom. In doubt it admits: silence is the one unforgivable bug.
 */
import type { BatchKind } from '../../shared/postgres/batches.ts';
import type { NoticeKind, NoticeStatus } from '../../shared/postgres/notices.ts';
import { compareSeverity } from '../../shared/severity.ts';
import type { Severity } from '../../shared/severity.ts';
import type { Decision } from '../../shared/postgres/decisions.ts';
import type { Return, ReturnLimits } from './returns.ts';
import { admit, hold, later, suppress } from './verdict.ts';
import type { Verdict } from './verdict.ts';

export interface Facts {
  readonly kind: NoticeKind;
  readonly severity: Severity;
  readonly heartbeat: boolean;
  /** Why time made it news, for kind `due`. */
  readonly dueWhy: string | null;
  /** The kind of the closed batch whose message this is, for kind `due`. */
  readonly messageOf: BatchKind | null;
  readonly receivedAt: Date;
  /** Open episodes now; 0 when the incident is over. */
  readonly openEpisodes: number;
  /** Times this incident was due before. */
  readonly dues: number;
  /** The decision in force; one that was set aside is none. */
  readonly decision: Decision | null;
  /** Why the pattern is no longer what that decision was about, as a sentence; null while it is. */
  readonly outside: string | null;
  /** When it will have fired for longer than ever before; null when nobody watches for that. */
  readonly longerAt: Date | null;
  /** N when this notice is the one in N that is told although it is ignored, else null. */
  readonly canaryOneIn: number | null;
  readonly openedStatus: NoticeStatus | null;
  readonly openedBatch: string | null;
  readonly told: boolean;
  /** For an opening: what it comes back from. */
  readonly returned: Return;
  /** The most new incidents, at least as loud, that came within a minute. */
  readonly stormRank: number;
  /** Whether it came in a capture window; only looked at where the night holds something back. */
  readonly atNight?: boolean;
}

export interface Limits extends Omit<ReturnLimits, 'calmMs'> {
  readonly stormIncidents: number;
  readonly stormCriticals: number;
  readonly stormSummaryMs: number;
  /** Also how long a pattern has to be calm to be news again. */
  readonly remindAfterMs: number;
  /** In a capture window only this severity and louder ones are pushed; null or nothing: all. */
  readonly nightPushSeverity?: Severity | null;
}

const UNFINISHED: ReadonlySet<NoticeStatus> = new Set(['received', 'classified', 'admitted']);
const TOLD: ReadonlySet<NoticeStatus> = new Set(['notified', 'digested']);
/** Wakes of a decision that defends itself; inside its envelope they are no news. */
const WATCHED: ReadonlySet<string | null> = new Set(['longer than usual', 'unlike usual']);

/** Decides one notice. */
export function decide(facts: Facts, limits: Limits): Verdict {
  if (facts.heartbeat) return suppress('heartbeat', 'a heartbeat is watched, not told');
  // A person decided and the channels are to hear of it, also when that decision hides everything else.
  if (facts.kind === 'due' && facts.dueWhy === 'decided')
    return { ...admit('somebody decided about it'), quiet: true };
  if (facts.kind === 'resolved') return decideResolved(facts);
  if (facts.messageOf === 'storm')
    return {
      ...admit('more alerts at once than one can read: they are summed up'),
      quiet: isHeldAtNight(facts, limits),
    };
  if (facts.messageOf === 'window')
    return admit('the digest that was to tell of them could not be delivered');
  if (facts.outside !== null && isNews(facts)) return decideOutside(facts, facts.outside, limits);
  const learned = decideByDecision(facts, limits);
  if (learned !== null) return learned;
  if (isHeldAtNight(facts, limits)) return decideNight(facts, limits);
  if (facts.messageOf === 'flap') return decideCalm(facts, limits);
  if (facts.kind === 'due') return decideDue(facts, limits);
  if (facts.kind === 'grew') return decideGrown(facts);
  return (
    decideFlapping(facts, limits) ??
    decideReturn(facts) ??
    decideStorm(facts, limits) ??
    admitOpened(facts, limits)
  );
}

function decideResolved({ openedStatus, openedBatch, told }: Facts): Verdict {
  if (openedStatus !== null && UNFINISHED.has(openedStatus))
    return { ...admit('waits for its beginning'), outcome: 'wait' };
  if (openedBatch !== null) return suppress('told', 'its beginning was part of a summary');
  const wasTold = told || (openedStatus !== null && TOLD.has(openedStatus));
  return wasTold
    ? admit('the incident that was told is over')
    : suppress('resolved-untold', 'nobody was told that it began');
}

/** A wake that finds the incident over has nothing to tell. */
function isNews({ kind, openEpisodes }: Facts): boolean {
  return kind !== 'due' || openEpisodes > 0;
}

function decideOutside(facts: Facts, why: string, limits: Limits): Verdict {
  return { ...admit(why), due: reminder(facts, limits), breaks: true };
}

function decideByDecision(facts: Facts, limits: Limits): Verdict | null {
  const { decision } = facts;
  if (decision === null) return null;
  const { kind, until, actor, note } = decision;
  // A decision on a critical counts only when the person said in words why.
  const hides = kind === 'ignore' || kind === 'snooze' || kind === 'digest';
  if (hides && facts.severity === 'critical' && note === null) return null;
  const term = until === null ? 'until it is taken back' : `until ${until.toISOString()}`;
  switch (kind) {
    case 'ignore': {
      const due = earliest(facts, until && { at: until, why: 'ignore over' });
      return facts.canaryOneIn !== null && facts.kind === 'opened'
        ? { ...admit(`canary: 1 in ${facts.canaryOneIn} of an ignored issue`), quiet: true, due }
        : { ...suppress('ignored', `ignored by ${actor} ${term}`), due };
    }
    case 'snooze':
      return {
        ...suppress('snoozed', `snoozed by ${actor} ${term}`),
        due: earliest(facts, until && { at: until, why: 'snooze over' }),
      };
    case 'digest':
      return {
        ...keepForDigest(facts, `kept for the digest by ${actor} ${term}`),
        due: earliest(facts, until && { at: until, why: 'digest over' }),
      };
    case 'important':
      return { ...admit(`marked important by ${actor}`), due: reminder(facts, limits) };
    default:
      return null;
  }
}

/** News waits for the digest of this window or the next; what is no news, or told by a summary of its own, does not. */
function keepForDigest({ kind, messageOf, openEpisodes, receivedAt }: Facts, why: string): Verdict {
  return kind === 'opened' || (kind === 'due' && messageOf === null && openEpisodes > 0)
    ? { ...hold('window', why, receivedAt), reason: 'digest-only' }
    : suppress('digest-only', why);
}

/** Only what is louder wakes people; an unknown severity always does. */
function isHeldAtNight({ severity, atNight }: Facts, { nightPushSeverity = null }: Limits): boolean {
  return (
    nightPushSeverity !== null &&
    atNight === true &&
    severity !== 'unknown' &&
    compareSeverity(severity, nightPushSeverity) > 0
  );
}

/** What would be told now waits for the digest; a summary that is under way anyway comes without a sound. */
function decideNight(facts: Facts, limits: Limits): Verdict {
  if (facts.messageOf === 'flap') return { ...decideCalm(facts, limits), quiet: true };
  const verdict =
    facts.kind === 'due'
      ? decideDue(facts, limits)
      : facts.kind === 'grew'
        ? decideGrown(facts)
        : (decideReturn(facts) ?? admitOpened(facts, limits));
  if (verdict.outcome !== 'admitted' || isEscalation(facts)) return verdict;
  const why = `${facts.severity} is below NIGHT_PUSH_SEVERITY (${limits.nightPushSeverity ?? ''}): it waits for the digest`;
  return { ...hold('window', why, facts.receivedAt), due: verdict.due };
}

/** What comes first: the end of the decision, or the moment at which it fires for longer than ever. */
function earliest({ longerAt, receivedAt }: Facts, end: Verdict['due']): Verdict['due'] {
  if (longerAt === null || longerAt <= receivedAt || (end !== null && end.at <= longerAt)) return end;
  return { at: longerAt, why: 'longer than usual' };
}

function decideCalm(facts: Facts, limits: Limits): Verdict {
  return facts.openEpisodes === 0
    ? { ...admit('it came and went many times and is calm now'), quiet: true }
    : {
        ...admit('it came and went many times and is still firing'),
        quiet: isQuiet(facts),
        due: reminder(facts, limits),
      };
}

function decideDue(facts: Facts, limits: Limits): Verdict {
  if (facts.openEpisodes === 0) return suppress('over', 'it was over before it became news again');
  if (WATCHED.has(facts.dueWhy) && (facts.told || isQuiet(facts)))
    return {
      ...suppress('told', 'nothing about it is unusual'),
      due: earliest(facts, null) ?? reminder(facts, limits),
    };
  if (facts.dueWhy !== 'reminder')
    return {
      ...admit(`${facts.dueWhy ?? 'its time came'}: still firing`),
      quiet: isQuiet(facts),
      // Others are told; when those who knew are reminded stays as it was.
      due: isEscalation(facts) ? null : reminder(facts, limits),
    };
  const waitMs = limits.remindAfterMs * 2 ** Math.min(facts.dues, 10);
  return {
    ...admit('still firing'),
    quiet: isQuiet(facts),
    due: { at: later(facts.receivedAt, waitMs), why: 'reminder' },
  };
}

/** Nobody said a word about it for as long as a route allows. */
function isEscalation({ dueWhy }: Facts): boolean {
  return dueWhy?.startsWith('not acknowledged for') === true;
}

function decideGrown(facts: Facts): Verdict {
  if (facts.openedBatch !== null) return suppress('told', 'it is part of a summary');
  // While its beginning is still on the way, that message will carry the count.
  if (facts.told || (facts.openedStatus !== null && UNFINISHED.has(facts.openedStatus)))
    return suppress('told', 'the incident was already told');
  if (facts.openedStatus === 'suppressed')
    return suppress('told', 'its beginning was held back and nothing but its size changed');
  return {
    ...admit(`grown to ${facts.openEpisodes} alerts, and nobody could be told of the first`),
    quiet: isQuiet(facts),
  };
}

function decideFlapping(facts: Facts, limits: Limits): Verdict | null {
  const { flapOpenings, flapWindowMs } = limits;
  const { flapping } = facts.returned;
  if (flapping === null) return null;
  const often = `${flapOpenings} times within ${Math.round(flapWindowMs / 60_000)} minutes`;
  if (flapping === 'goes on')
    return hold('flap', `came back ${often} and was told so`, later(facts.receivedAt, flapWindowMs));
  return {
    ...admit(`came back ${often}; more of it waits until it is calm`),
    quiet: isQuiet(facts),
    due: reminder(facts, limits),
  };
}

/** The same story again; a critical is told at every return, and so is a severity that nobody knows. */
function decideReturn({ returned: { story }, severity, receivedAt }: Facts): Verdict | null {
  if (story === null || severity === 'critical' || severity === 'unknown') return null;
  const ago = formatAgo(receivedAt.getTime() - story.toldAt.getTime());
  const times =
    story.returns === 1 ? 'this is its first return' : `it came back ${story.returns} times since`;
  return suppress('told', `told ${ago} ago and never calm for long; ${times}`);
}

function decideStorm(
  { stormRank, severity, receivedAt }: Facts,
  { stormCriticals, stormIncidents, stormSummaryMs }: Limits,
): Verdict | null {
  const limit = severity === 'critical' ? stormCriticals : stormIncidents;
  return stormRank <= limit
    ? null
    : hold(
        'storm',
        `more than ${limit} new incidents came within a minute`,
        later(receivedAt, stormSummaryMs),
      );
}

function admitOpened(facts: Facts, limits: Limits): Verdict {
  return {
    ...admit('first alert of a new incident'),
    quiet: isQuiet(facts),
    due: reminder(facts, limits) ?? earliest(facts, null),
  };
}

/** A critical that was told is told again while it lasts. */
function reminder({ severity, receivedAt }: Facts, { remindAfterMs }: Limits): Verdict['due'] {
  return severity === 'critical' ? { at: later(receivedAt, remindAfterMs), why: 'reminder' } : null;
}

function isQuiet({ decision }: Facts): boolean {
  return decision?.kind === 'quiet';
}

function formatAgo(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
