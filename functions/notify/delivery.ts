/**
 * Claim, send, mark; each channel by itself. No connection or transaction is held while a provider is called. A crash
 * between the provider's yes and our mark means the message is sent again after the lease: a lost page costs more than a
 * repeated one. One slow or broken channel never delays another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DeliveryError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { describeError } from '../../shared/log.ts';
import {
  claimDelivery,
  isTooLate,
  lastProviderId,
  markFailed,
  markSent,
  summarizeDeliveries,
  waitingDeliveries,
} from '../../shared/postgres/deliveries.ts';
import type {
  Claim,
  DeliverySummary,
  Marked,
  Owner,
  WaitingDelivery,
} from '../../shared/postgres/deliveries.ts';
import { claimInPace, collapseBacklog } from '../../shared/postgres/pace.ts';
import type { Pace, PacedClaim } from '../../shared/postgres/pace.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { inSpan } from '../../shared/trace.ts';
import { nextAttemptMs } from './backoff.ts';
import { toCallSpan } from './call-span.ts';
import type { Channel, Sent } from './channel.ts';
import { createCircuits } from './circuit.ts';
import type { Circuits } from './circuit.ts';
import type { Message } from './message.ts';

/** A provider that has not answered by then is cut off, in milliseconds. */
const SEND_TIMEOUT_MS = 10_000;
/** A next try this near is waited for here; later ones are the sweep's. */
const WAIT_HERE_MS = 6_000;
/** Deliveries that wait here at once in one process; a dead provider must not fill the function. */
const WAITERS = 4;

/** A mark that Postgres does not take is tried this often, with growing waits. */
const MARK_ATTEMPTS = 3;
const MARK_WAIT_MS = 500;

/** A provider that comes back is not flooded with what waited for it. */
const RETRY_PACE: Pace = { max: 2, perMs: 1_000 };
/** More than these waiting for one channel are told in one message. */
const BACKLOG = { single: 30, criticals: 10 } as const;

export interface DeliveryDeps {
  readonly pool: Pool;
  readonly channels: ReadonlyMap<string, Channel>;
  /** The pace of channels that have one, by name; what is urgent does not wait for it. */
  readonly paces?: ReadonlyMap<string, Pace>;
  readonly giveUpAfterMs: number;
  /** Milliseconds since 1970 by this process' clock; a test moves it. */
  readonly now?: () => number;
  readonly log: Logger;
}

/** One message as a delivery asks for it. */
export interface Telling {
  readonly channel: string;
  /** An earlier attempt may have arrived. */
  readonly possiblyRepeated: boolean;
  /** Without sound on this channel. */
  readonly quiet: boolean;
  /** The channel that could not be reached and for which this one stands in. */
  readonly insteadOf: string | null;
  /** The delivery whose message sums up all that waited for the channel; null for a message about its owner alone. */
  readonly summaryOf: string | null;
}

/** What is to be delivered. */
export interface Work {
  readonly owner: Owner;
  /** Urgent messages do not wait for a channel's pace. */
  readonly isUrgent: boolean;
  readonly toMessage: (telling: Telling) => Promise<Message>;
  readonly signal: AbortSignal;
}

/** Where the deliveries stand, and the notices whose deliveries travelled with them. */
export interface Delivered extends DeliverySummary {
  readonly carried: readonly string[];
}

export interface Deliverer {
  /** Works the deliveries of an owner until all are final or the rest has to wait; answers where they stand. */
  deliver(work: Work): Promise<Delivered>;
}

/** Creates the worker of one process. */
export function createDeliverer(deps: DeliveryDeps): Deliverer {
  const worker: Worker = { ...deps, now: deps.now ?? Date.now, circuits: createCircuits(), waiters: 0 };
  return {
    async deliver(work) {
      const carried = new Set<string>();
      const worked = new Set<string>();
      for (let isDone = false; !isDone;) {
        const waiting = await waitingDeliveries(deps.pool, work.owner);
        const fresh = waiting.filter(({ id }) => !worked.has(id));
        for (const { id } of fresh) worked.add(id);
        const ends = await Promise.all(fresh.map((delivery) => workOne(worker, work, delivery)));
        for (const notice of ends.flatMap((end) => end.carried)) carried.add(notice);
        // What stands in for a delivery that died was planned with its death; each is worked once.
        isDone = ends.every(({ died }) => !died);
      }
      return { ...(await summarizeDeliveries(deps.pool, work.owner)), carried: [...carried] };
    },
  };
}

/** The deliverer's dependencies and what it remembers. */
interface Worker extends DeliveryDeps {
  readonly now: () => number;
  readonly circuits: Circuits;
  waiters: number;
}

/** How work on a delivery ended: whether it died here, and the notices that travelled with it. */
interface End {
  readonly died: boolean;
  readonly carried: readonly string[];
}

const LEFT: End = { died: false, carried: [] };

/** Works one delivery until it is final or has to wait for long. */
async function workOne(worker: Worker, work: Work, delivery: WaitingDelivery): Promise<End> {
  let { attempts } = delivery;
  let waitMs = delivery.next_in_ms;
  for (;;) {
    if (waitMs > 0 && !(await waitHere(worker, waitMs, work.signal))) return LEFT;
    waitMs = worker.circuits.waitMs(delivery.channel, worker.now(), SEND_TIMEOUT_MS);
    if (waitMs > 0) continue;
    const turn = await takeTurn(worker, work, { ...delivery, attempts });
    if (turn.claim === null && turn.waitMs <= 0) return LEFT;
    if (turn.claim !== null) {
      attempts = turn.claim.attempts;
      const attempt = await attemptOne(worker, work, turn.claim);
      if (attempt.nextInMs === null) return attempt;
      turn.waitMs = attempt.nextInMs;
    }
    ({ waitMs } = turn);
  }
}

/** Waits when that is soon and few others do; false leaves it to the sweep. */
async function waitHere(worker: Worker, waitMs: number, signal: AbortSignal): Promise<boolean> {
  if (waitMs > WAIT_HERE_MS || worker.waiters >= WAITERS || signal.aborted) return false;
  worker.waiters++;
  try {
    await sleep(Math.max(waitMs, 50), undefined, { signal });
    return true;
  } catch {
    return false;
  } finally {
    worker.waiters--;
  }
}

/** Claims at once, or in pace when the channel has one or comes back from an outage. */
async function takeTurn(
  { pool, paces }: Worker,
  { isUrgent }: Work,
  delivery: WaitingDelivery,
): Promise<{ -readonly [Key in keyof PacedClaim]: PacedClaim[Key] }> {
  const pace = isUrgent ? undefined : paces?.get(delivery.channel);
  if (pace !== undefined) return claimInPace(pool, delivery, pace);
  if (delivery.attempts > 0) return claimInPace(pool, delivery, RETRY_PACE);
  return { claim: (await claimDelivery(pool, delivery.id)) ?? null, waitMs: 0 };
}

/** How an attempt ended; `nextInMs` is when to try again, null when that is not for this worker to do. */
interface Attempt extends End {
  readonly nextInMs: number | null;
}

async function attemptOne(worker: Worker, work: Work, claim: Claim): Promise<Attempt> {
  const channel = worker.channels.get(claim.channel);
  let sent: Sent;
  try {
    if (channel === undefined)
      throw new DeliveryError('delivery-permanent', `channel ${claim.channel} is no longer configured`);
    if (channel.closes && claim.notice !== null && (await isTooLate(worker.pool, claim.notice, channel.name)))
      throw new DeliveryError('delivery-permanent', 'the incident is over: nobody would close what it opens');
    const isSummary = await isBacklog(worker, channel, claim);
    const message = await work.toMessage({
      channel: claim.channel,
      possiblyRepeated: claim.unknown_outcomes > 0,
      quiet: claim.quiet,
      insteadOf: claim.instead_of,
      summaryOf: isSummary ? claim.id : null,
    });
    const previousId =
      claim.notice === null || isSummary
        ? null
        : await lastProviderId(worker.pool, claim.notice, claim.channel);
    const signal = AbortSignal.any([work.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]);
    sent = await inSpan(toCallSpan('send', channel, claim.notice), () =>
      channel.send(message, { signal, previousId }),
    );
  } catch (error) {
    return fail(worker, claim, channel?.keyed ?? false, error);
  }
  worker.circuits.succeeded(claim.channel);
  return { nextInMs: null, died: false, carried: await confirm(worker, claim, sent) };
}

/** Whether the message sums up what waited for its channel. A provider that keeps something open is told one by one. */
async function isBacklog({ pool, paces }: Worker, channel: Channel, claim: Claim): Promise<boolean> {
  const mayPileUp = claim.attempts > 1 || paces?.has(channel.name) === true;
  return (
    !channel.closes && claim.notice !== null && mayPileUp && (await collapseBacklog(pool, claim, BACKLOG))
  );
}

/** The provider said yes; only the mark is missing. Without it the claim runs out, and the next run knows that it may repeat. */
async function confirm({ pool, log }: Worker, claim: Claim, sent: Sent): Promise<readonly string[]> {
  if (sent.note !== undefined)
    log.warn({ channel: claim.channel, note: sent.note }, 'sent, but not all of it');
  for (let attempt = 1; ; attempt++) {
    try {
      return (await markSent(pool, claim, sent)).carried;
    } catch (error) {
      log.error({ channel: claim.channel, attempt, ...describeError(error) }, 'sent, but not marked as sent');
      if (attempt === MARK_ATTEMPTS) return [];
      await sleep(MARK_WAIT_MS * attempt);
    }
  }
}

async function fail(worker: Worker, claim: Claim, keyed: boolean, error: unknown): Promise<Attempt> {
  const known = error instanceof DeliveryError ? error : null;
  const outcomeUnknown = known?.outcomeUnknown ?? false;
  if (known?.retryable === true) worker.circuits.failed(claim.channel, worker.now(), known.retryAfterMs);
  const retryable = known?.retryable ?? true;
  const ageMs = worker.now() - claim.created_at.getTime();
  const delayMs = nextAttemptMs(
    {
      attempts: claim.attempts,
      // An unexpected failure is our bug or an outage of Postgres; it is tried again, and seen in the log.
      retryable,
      outcomeUnknown,
      unknownOutcomes: claim.unknown_outcomes + (outcomeUnknown ? 1 : 0),
      keyed,
      retryAfterMs: known?.retryAfterMs,
      ageMs,
      giveUpAfterMs: worker.giveUpAfterMs,
    },
    Math.random(),
  );
  worker.log[delayMs === null ? 'error' : 'warn'](
    { channel: claim.channel, attempts: claim.attempts, retryInMs: delayMs, ...describeError(error) },
    delayMs === null ? 'delivery given up' : 'delivery failed',
  );
  const marked: Marked = await markFailed(worker.pool, claim, {
    error: describeError(error).error.slice(0, 500),
    outcomeUnknown,
    delayMs,
    // Its time is over; that of others which travel with it may not be.
    ...(retryable && ageMs >= worker.giveUpAfterMs && { spareYoungerMs: worker.giveUpAfterMs }),
  });
  return {
    nextInMs: marked.held ? delayMs : null,
    died: marked.held && delayMs === null,
    carried: delayMs === null ? marked.carried : [],
  };
}
