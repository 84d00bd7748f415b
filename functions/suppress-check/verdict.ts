/** What can be decided about a notice, and the words for it. Pure. */
import type { BatchKind } from '../../shared/postgres/batches.ts';
import type { DueWhy } from '../../shared/postgres/incidents.ts';

/** Closed set of reasons for not telling anyone now. */
export type SuppressedReason =
  'heartbeat' | 'ignored' | 'snoozed' | 'digest-only' | 'told' | 'flapping' | 'resolved-untold' | 'over';

/** What to do with the notice, and when the incident becomes news again by itself. */
export interface Verdict {
  readonly outcome: 'admitted' | 'held' | 'suppressed' | 'wait';
  readonly reason: SuppressedReason | BatchKind | null;
  /** For `held`: when the batch's message is due. */
  readonly batchDueAt: Date | null;
  /** One sentence for people. */
  readonly why: string;
  readonly quiet: boolean;
  readonly due: { readonly at: Date; readonly why: DueWhy } | null;
  /** Whether it sets the decision aside: what was decided about has changed. */
  readonly breaks: boolean;
}

/** It is told. */
export function admit(why: string): Verdict {
  return { outcome: 'admitted', reason: null, why, quiet: false, batchDueAt: null, due: null, breaks: false };
}

/** It waits for a summary that is due at a time. */
export function hold(reason: BatchKind, why: string, batchDueAt: Date): Verdict {
  return { outcome: 'held', reason, why, quiet: false, batchDueAt, due: null, breaks: false };
}

/** Nobody is told. */
export function suppress(reason: SuppressedReason, why: string): Verdict {
  return { outcome: 'suppressed', reason, why, quiet: false, batchDueAt: null, due: null, breaks: false };
}

/** A time and some milliseconds. */
export function later(time: Date, byMs: number): Date {
  return new Date(time.getTime() + byMs);
}
