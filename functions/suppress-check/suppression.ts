/**
 * Who hears of a notice: admitted, held for a summary, or suppressed with a reason a person understands. Pure.
 * Order matters and reads from top to bottom. In doubt it admits: silence is the one unforgivable bug.
 */
import type { NoticeKind, NoticeStatus } from '../../shared/postgres/notices.ts';
import type { Severity } from '../../shared/severity.ts';
import type { Decision } from '../../shared/postgres/decisions.ts';

/** Closed set of reasons for not telling anyone now. */
export type SuppressedReason =
  'heartbeat' | 'ignored' | 'snoozed' | 'digest-only' | 'told' | 'flapping' | 'resolved-untold' | 'over';

export interface Facts {
  readonly kind: NoticeKind;
  readonly severity: Severity;
  readonly heartbeat: boolean;
  /** Why time made it news, for kind `due`. */
  readonly dueWhy: string | null;
  /** The message of a closed batch. */
  readonly isBatchMessage: boolean;
  readonly receivedAt: Date;
  /** Open episodes now; 0 when the incident is over. */
  readonly openEpisodes: number;
  /** Times this incident was due before. */
  readonly dues: number;
  readonly decision: Decision | null;
  readonly openedStatus: NoticeStatus | null;
  readonly openedBatch: string | null;
  readonly told: boolean;
  readonly ranks: { readonly storm: number; readonly flapping: number };
}

export interface Limits {
  readonly stormIncidents: number;
  readonly stormCriticals: number;
  readonly flapOpenings: number;
  readonly flapWindowMs: number;
  readonly remindAfterMs: number;
}

/** What to do with the notice, and when the incident becomes news again by itself. */
export interface Verdict {
  readonly outcome: 'admitted' | 'held' | 'suppressed' | 'wait';
  readonly reason: SuppressedReason | 'storm' | null;
  /** One sentence for people. */
  readonly why: string;
  readonly quiet: boolean;
  readonly due: {
    readonly at: Date;
    readonly why: 'reminder' | 'snooze over' | 'ignore over' | 'calm again';
  } | null;
}

const UNFINISHED: ReadonlySet<NoticeStatus> = new Set(['received', 'classified', 'admitted']);
const TOLD: ReadonlySet<NoticeStatus> = new Set(['notified', 'digested']);

/** Decides one notice. */
export function decide(facts: Facts, limits: Limits): Verdict {
  if (facts.heartbeat) return suppress('heartbeat', 'a heartbeat is watched, not told');
  if (facts.kind === 'resolved') return decideResolved(facts);
  if (facts.isBatchMessage) return admit('more alerts at once than one can read: they are summed up');
  const learned = decideByDecision(facts);
  if (learned !== null) return learned;
  if (facts.kind === 'due') return decideDue(facts, limits);
  if (facts.kind === 'grew') return decideGrown(facts);
  return decideFlapping(facts, limits) ?? decideStorm(facts, limits) ?? admitOpened(facts, limits);
}

function decideResolved({ openedStatus, told }: Facts): Verdict {
  if (openedStatus !== null && UNFINISHED.has(openedStatus))
    return { ...admit('waits for its beginning'), outcome: 'wait' };
  const wasTold = told || (openedStatus !== null && TOLD.has(openedStatus));
  return wasTold
    ? admit('the incident that was told is over')
    : suppress('resolved-untold', 'nobody was told that it began');
}

function decideByDecision(facts: Facts): Verdict | null {
  const { decision } = facts;
  if (decision === null) return null;
  const { kind, until, actor, note } = decision;
  // A decision on a critical counts only when the person said in words why.
  const hides = kind === 'ignore' || kind === 'snooze' || kind === 'digest';
  if (hides && facts.severity === 'critical' && note === null) return null;
  const term = until === null ? 'until it is taken back' : `until ${until.toISOString()}`;
  switch (kind) {
    case 'ignore':
      return {
        ...suppress('ignored', `ignored by ${actor} ${term}`),
        due: until && { at: until, why: 'ignore over' },
      };
    case 'snooze':
      return {
        ...suppress('snoozed', `snoozed by ${actor} ${term}`),
        due: until && { at: until, why: 'snooze over' },
      };
    case 'digest':
      return suppress('digest-only', `kept for the digest by ${actor} ${term}`);
    case 'important':
      return admit(`marked important by ${actor}`);
    default:
      return null;
  }
}

function decideDue(facts: Facts, limits: Limits): Verdict {
  const over = facts.openEpisodes === 0;
  switch (facts.dueWhy) {
    case 'calm again':
      return {
        ...admit(
          over
            ? 'it came and went many times and is calm again'
            : 'it came and went many times and is still firing',
        ),
        quiet: over || isQuiet(facts),
      };
    case 'reminder':
      if (over) return suppress('over', 'it was over before the reminder');
      return {
        ...admit('still firing'),
        quiet: isQuiet(facts),
        due: {
          at: new Date(facts.receivedAt.getTime() + limits.remindAfterMs * 2 ** Math.min(facts.dues, 10)),
          why: 'reminder',
        },
      };
    default:
      return over
        ? suppress('over', 'it was over before it became news again')
        : { ...admit(`${facts.dueWhy ?? 'its time came'}: still firing`), quiet: isQuiet(facts) };
  }
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

function decideFlapping(
  { ranks, receivedAt, decision }: Facts,
  { flapOpenings, flapWindowMs }: Limits,
): Verdict | null {
  if (ranks.flapping < flapOpenings) return null;
  const due = { at: new Date(receivedAt.getTime() + flapWindowMs), why: 'calm again' } as const;
  const minutes = Math.round(flapWindowMs / 60_000);
  if (ranks.flapping === flapOpenings) {
    return {
      ...admit(
        `came back ${flapOpenings} times within ${minutes} minutes; further ones wait until it is calm`,
      ),
      quiet: decision?.kind === 'quiet',
      due,
    };
  }
  return {
    ...suppress('flapping', `came back more than ${flapOpenings} times within ${minutes} minutes`),
    due,
  };
}

function decideStorm({ ranks, severity }: Facts, { stormCriticals, stormIncidents }: Limits): Verdict | null {
  const limit = severity === 'critical' ? stormCriticals : stormIncidents;
  if (ranks.storm <= limit) return null;
  return {
    outcome: 'held',
    reason: 'storm',
    why: `more than ${limit} new incidents within a minute`,
    quiet: false,
    due: null,
  };
}

function admitOpened(facts: Facts, limits: Limits): Verdict {
  const due =
    facts.severity === 'critical'
      ? ({ at: new Date(facts.receivedAt.getTime() + limits.remindAfterMs), why: 'reminder' } as const)
      : null;
  return { ...admit('first alert of a new incident'), quiet: isQuiet(facts), due };
}

function isQuiet({ decision }: Facts): boolean {
  return decision?.kind === 'quiet';
}

function admit(why: string): Verdict {
  return { outcome: 'admitted', reason: null, why, quiet: false, due: null };
}

function suppress(reason: SuppressedReason, why: string): Verdict {
  return { outcome: 'suppressed', reason, why, quiet: false, due: null };
}
