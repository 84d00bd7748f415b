/**
 * Whether a pattern is still what somebody judged: its numbers of now against the envelope of the decision. Pure.
 * Invariant: more of anything never turns "outside" into "inside"; the history an envelope was made of is inside.
 */
import type { Envelope } from '../../shared/envelope.ts';

/** Never at this hour counts only where this much history says when its hours are; ten days hold a weekend. */
const HOURS_KNOWN = { days: 10, episodes: 20 } as const;
/** At an hour never seen before, this many more than the busiest hour are outside. */
const ODD_HOUR_MARGIN = 2;

/** What a pattern does now. */
export interface Now {
  readonly at: Date;
  /** Episodes of the last 60 minutes and 24 hours. */
  readonly inHour: number;
  readonly inDay: number;
  /** The most alerts of the incident that fired at once. */
  readonly atOnce: number;
  /** How long the oldest open episode has fired; null when none is open. */
  readonly openForSeconds: number | null;
  /** Severity of a more severe twin that opened since the decision. */
  readonly louder: string | null;
}

/** Why a decision no longer holds. */
export interface Outside {
  /** Part of a sentence: "14 in the last hour (normally at most 3)". */
  readonly why: string;
  readonly evidence: {
    /** Everything that is outside; the first is told. */
    readonly reasons: readonly string[];
    readonly now: Omit<Now, 'at'>;
    readonly usual: Envelope['usual'];
    readonly limits: Envelope['limits'];
    readonly companions: readonly string[];
  };
}

/** Holds now against the envelope; null while it is inside. */
export function outside(envelope: Envelope, now: Now): Outside | null {
  const { usual, limits } = envelope;
  const { louder, openForSeconds } = now;
  const oddHour = isOddHour(envelope, now.at);
  const hourLimit = oddHour ? Math.min(limits.hour, usual.perHour + ODD_HOUR_MARGIN) : limits.hour;
  const reasons = [
    louder !== null && !envelope.louderSeen
      ? `the same alert is ${louder} now (not seen as that in the 30 days before)`
      : null,
    now.atOnce >= limits.atOnce ? `${now.atOnce} alerts at once (normally at most ${usual.atOnce})` : null,
    now.inHour >= hourLimit
      ? `${now.inHour} in the last hour (normally at most ${usual.perHour}${oddHour ? ', and never at this hour' : ''})`
      : null,
    openForSeconds !== null && openForSeconds >= limits.seconds
      ? `it has fired for ${toWords(openForSeconds)} (${usual.longestSeconds === null ? 'it was never seen to heal' : `never longer than ${toWords(usual.longestSeconds)} before`})`
      : null,
    now.inDay >= limits.day ? `${now.inDay} in the last 24 hours (normally at most ${usual.perDay})` : null,
  ].filter((reason) => reason !== null);
  const why = reasons[0];
  if (why === undefined) return null;
  const { at: _, ...numbers } = now;
  return {
    why,
    evidence: {
      reasons,
      now: numbers,
      usual,
      limits: { ...limits, hour: hourLimit },
      companions: envelope.companions.map((companion) => companion.alertname),
    },
  };
}

/** When the oldest open episode will have fired for longer than ever; null without an open one. */
export function longerThanUsualAt(envelope: Envelope, oldestOpen: Date | null): Date | null {
  return oldestOpen === null ? null : new Date(oldestOpen.getTime() + envelope.limits.seconds * 1_000);
}

/** The whole sentence of a push: who decided what, when, and why it came all the same. */
export function toBreakSentence(
  decision: { readonly kind: string; readonly actor: string },
  decidedAt: Date,
  why: string,
): string {
  const day = decidedAt.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return `${DONE[decision.kind] ?? 'decided'} by ${decision.actor} since ${day}, but ${why}`;
}

const DONE: Readonly<Record<string, string>> = {
  ignore: 'ignored',
  quiet: 'made quiet',
  digest: 'kept for the digest',
  snooze: 'snoozed',
};

/** Whether the pattern was never seen within an hour of this time of day; clocks change by an hour twice a year. */
function isOddHour({ days, episodes, hours }: Envelope, at: Date): boolean {
  if (days < HOURS_KNOWN.days || episodes < HOURS_KNOWN.episodes) return false;
  const hour = at.getUTCHours();
  return [23, 0, 1].every((offset) => (hours[(hour + offset) % 24] ?? 0) === 0);
}

function toWords(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
