/**
 * Claim, send, mark. No connection or transaction is held while a provider is called. A crash between the provider's
 * yes and our mark means the message is sent again after the lease: a lost page costs more than a repeated one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DeliveryError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { describeError } from '../../shared/log.ts';
import {
  claimDeliveries,
  markFailed,
  markSent,
  summarizeDeliveries,
} from '../../shared/postgres/deliveries.ts';
import type { Claim, DeliverySummary } from '../../shared/postgres/deliveries.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { nextAttemptMs } from './backoff.ts';
import type { Channel } from './channel.ts';
import type { Message } from './message.ts';

/** A provider that has not answered by then is cut off, in milliseconds. */
const SEND_TIMEOUT_MS = 10_000;
/** A next try this near is waited for here; later ones are the sweep's. */
const WAIT_HERE_MS = 6_000;
/** Notices that wait here at once in one process; a dead provider must not fill the function. */
const WAITERS = 4;

/** A mark that Postgres does not take is tried this often, with growing waits. */
const MARK_ATTEMPTS = 3;
const MARK_WAIT_MS = 500;

export interface DeliveryDeps {
  readonly pool: Pool;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly giveUpAfterMs: number;
  readonly log: Logger;
}

export interface Deliverer {
  /** Works the deliveries of a notice until all are final or the rest has to wait; answers where they stand. */
  deliver(
    notice: string,
    toMessage: (channel: string, possiblyRepeated: boolean) => Promise<Message>,
    signal: AbortSignal,
  ): Promise<DeliverySummary>;
}

/** Creates the worker of one process. */
export function createDeliverer(deps: DeliveryDeps): Deliverer {
  let waiters = 0;
  return {
    async deliver(notice, toMessage, signal) {
      for (;;) {
        const claims = await claimDeliveries(deps.pool, notice);
        await Promise.all(claims.map((claim) => send(deps, claim, toMessage, signal)));
        const summary = await summarizeDeliveries(deps.pool, notice);
        const waitMs = summary.nextInMs;
        if (waitMs === null || waitMs > WAIT_HERE_MS || waiters >= WAITERS || signal.aborted) return summary;
        waiters++;
        try {
          await sleep(Math.max(waitMs, 50), undefined, { signal });
        } catch {
          return summary;
        } finally {
          waiters--;
        }
      }
    },
  };
}

async function send(
  deps: DeliveryDeps,
  claim: Claim,
  toMessage: (channel: string, possiblyRepeated: boolean) => Promise<Message>,
  signal: AbortSignal,
): Promise<void> {
  const channel = deps.channels.get(claim.channel);
  let providerId: string | null;
  try {
    if (channel === undefined)
      throw new DeliveryError('delivery-permanent', `channel ${claim.channel} is no longer configured`);
    const message = await toMessage(claim.channel, claim.unknown_outcomes > 0);
    ({ providerId } = await channel.send(message, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]),
      previousId: null,
    }));
  } catch (error) {
    return fail(deps, claim, channel?.keyed ?? false, error);
  }
  await confirm(deps, claim, providerId);
}

/** The provider said yes; only the mark is missing. Without it the claim runs out, and the next run knows that it may repeat. */
async function confirm(deps: DeliveryDeps, claim: Claim, providerId: string | null): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await markSent(deps.pool, claim, providerId);
      return;
    } catch (error) {
      deps.log.error(
        { channel: claim.channel, attempt, ...describeError(error) },
        'sent, but not marked as sent',
      );
      if (attempt === MARK_ATTEMPTS) return;
      await sleep(MARK_WAIT_MS * attempt);
    }
  }
}

async function fail(deps: DeliveryDeps, claim: Claim, keyed: boolean, error: unknown): Promise<void> {
  const known = error instanceof DeliveryError;
  const outcomeUnknown = known && error.outcomeUnknown;
  const delayMs = nextAttemptMs(
    {
      attempts: claim.attempts,
      // An unexpected failure is our bug or an outage of Postgres; it is tried again, and seen in the log.
      retryable: known ? error.retryable : true,
      outcomeUnknown,
      unknownOutcomes: claim.unknown_outcomes + (outcomeUnknown ? 1 : 0),
      keyed,
      retryAfterMs: known ? error.retryAfterMs : undefined,
      ageMs: Date.now() - claim.created_at.getTime(),
      giveUpAfterMs: deps.giveUpAfterMs,
    },
    Math.random(),
  );
  deps.log[delayMs === null ? 'error' : 'warn'](
    { channel: claim.channel, attempts: claim.attempts, retryInMs: delayMs, ...describeError(error) },
    delayMs === null ? 'delivery given up' : 'delivery failed',
  );
  await markFailed(deps.pool, claim, {
    error: describeError(error).error.slice(0, 500),
    outcomeUnknown,
    delayMs,
  });
}
