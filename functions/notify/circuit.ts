/**
 * A channel that keeps failing is left alone for a while, so that it neither fills the function nor is hammered: after
 * some failures in a row claims for it wait, then one goes first to see whether it answers again. A provider's
 * Retry-After closes the way for everybody, not only for the message that was answered. Known to one process only.
 */

/** Failures in a row that open the circuit. */
const FAILURES = 5;
/** How long it stays open at first, in milliseconds; each failed probe doubles it. */
const FIRST_WAIT_MS = 5_000;
const LAST_WAIT_MS = 60_000;

interface Standing {
  failures: number;
  /** Nobody goes before, in milliseconds. */
  openUntil: number;
  /** Nor before the time that the provider itself asked for. */
  askedUntil: number;
}

export interface Circuits {
  /** Milliseconds until a message may be tried on the channel; 0 lets the caller go, and while it is away nobody else probes. */
  waitMs(channel: string, now: number, probeMs: number): number;
  succeeded(channel: string): void;
  /** A failure that trying again may cure. */
  failed(channel: string, now: number, retryAfterMs?: number): void;
}

/** Creates the circuits of one process, all closed. */
export function createCircuits(): Circuits {
  const standings = new Map<string, Standing>();
  const standingOf = (channel: string): Standing => {
    const standing = standings.get(channel) ?? { failures: 0, openUntil: 0, askedUntil: 0 };
    standings.set(channel, standing);
    return standing;
  };
  return {
    waitMs(channel, now, probeMs) {
      const standing = standingOf(channel);
      const until = Math.max(standing.openUntil, standing.askedUntil);
      if (now < until) return until - now;
      // One goes first; whoever comes while it is away waits for what it finds.
      if (standing.failures >= FAILURES) standing.openUntil = now + probeMs;
      return 0;
    },
    succeeded(channel) {
      standings.delete(channel);
    },
    failed(channel, now, retryAfterMs = 0) {
      const standing = standingOf(channel);
      standing.failures++;
      const beyond = standing.failures - FAILURES;
      const waitMs = beyond < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** beyond, LAST_WAIT_MS);
      standing.openUntil = now + waitMs;
      standing.askedUntil = Math.max(standing.askedUntil, now + retryAfterMs);
    },
  };
}
