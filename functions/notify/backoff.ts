/** When a failed delivery is tried again. Pure. */

/** Waits between tries, in seconds; the last one repeats until the delivery is given up. */
const WAITS_S = [1, 5, 20, 60, 300] as const;
/** No try follows another sooner, in milliseconds. */
const SHORTEST_MS = 200;
/** Sends whose outcome nobody knows are spaced at least this far apart, in seconds, and counted. */
const UNKNOWN_WAIT_S = 60;
/** After this many unknown outcomes on a channel that cannot collapse repeats, sending again does more harm than good. */
const UNKNOWN_LIMIT = 3;

export interface Failure {
  /** Tries so far, this one included. */
  readonly attempts: number;
  readonly retryable: boolean;
  readonly outcomeUnknown: boolean;
  /** Unknown outcomes so far, this one included. */
  readonly unknownOutcomes: number;
  /** Whether the provider collapses a repeat by its key. */
  readonly keyed: boolean;
  readonly retryAfterMs: number | undefined;
  /** How long the delivery has been tried, in milliseconds. */
  readonly ageMs: number;
  readonly giveUpAfterMs: number;
}

/**
 * Milliseconds until the next try, or null to give up. Waits are anything up to the whole (full jitter), so that many
 * deliveries do not come back at once; a provider's Retry-After is never undercut. `random` is in [0, 1).
 */
export function nextAttemptMs(failure: Failure, random: number): number | null {
  if (!failure.retryable || failure.ageMs >= failure.giveUpAfterMs) return null;
  if (failure.outcomeUnknown && !failure.keyed && failure.unknownOutcomes >= UNKNOWN_LIMIT) return null;
  const index = Math.min(failure.attempts, WAITS_S.length) - 1;
  const baseMs = (WAITS_S[index] ?? 1) * 1_000;
  const jitteredMs = Math.max(baseMs * random, SHORTEST_MS);
  const floorMs = Math.max(
    failure.retryAfterMs ?? 0,
    failure.outcomeUnknown && !failure.keyed ? UNKNOWN_WAIT_S * 1_000 : 0,
  );
  return Math.max(jitteredMs, floorMs * (1 + random / 10));
}
