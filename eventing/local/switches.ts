/** Faults that tests switch on while the broker runs; all off, it behaves as well as a broker can. */
import type { Envelope } from './envelope.ts';

/** A probability from 0 to 1, or a choice made event by event. */
export type Chance = number | ((attributes: Envelope['attributes'], trigger?: string) => boolean);

export interface Switches {
  /** Answer senders after all deliveries, or at once; undefined leaves it to the Broker's async annotation. */
  sync: boolean | undefined;
  /** Deliver to a Trigger twice. */
  duplicate: Chance;
  /** Hold each delivery back for a random time up to this. */
  reorderMs: number;
  /** Say 202 and forget the event, as an in-memory channel does that dies. */
  dropAfterAccept: Chance;
  /** Refuse events with 500 while this many deliveries are under way. */
  queueMax: number;
}

/** The switches in their resting position. */
export function createSwitches(changes: Partial<Switches> = {}): Switches {
  return {
    sync: undefined,
    duplicate: 0,
    reorderMs: 0,
    dropAfterAccept: 0,
    queueMax: Infinity,
    ...changes,
  };
}

/** Whether a chance comes true for an event. */
export function happens(
  chance: Chance,
  random: () => number,
  { attributes }: Envelope,
  trigger?: string,
): boolean {
  if (typeof chance === 'function') return chance(attributes, trigger);
  return chance > 0 && random() < chance;
}

/** Random numbers from 0 to 1 that are the same again for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
