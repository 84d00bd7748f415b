/** What was done, in one sentence each, for people who want to know why they were or were not told. Pure. */
import type { TimelineNotice } from '../../../shared/postgres/timeline.ts';

/** What a decision means, as a button and as a state. */
export const DECISION_WORDS = {
  ignore: { button: 'Ignore', state: 'ignored', help: 'not told until it ends' },
  quiet: { button: 'Quiet', state: 'quiet', help: 'told without sound' },
  digest: { button: 'Digest only', state: 'digest only', help: 'never pushed' },
  snooze: { button: 'Snooze', state: 'snoozed', help: 'not told for a while, then told if it still fires' },
  important: { button: 'Important', state: 'important', help: 'always told, whatever the limits' },
  note: { button: 'Note only', state: 'note', help: 'changes nothing' },
  revoke: { button: 'Take back', state: 'taken back', help: 'told as if nothing had been said' },
} as const;

const KINDS: Readonly<Record<TimelineNotice['kind'], string>> = {
  opened: 'It began',
  grew: 'It grew',
  resolved: 'It ended',
  due: 'Its time came',
};

const REASONS: Readonly<Record<string, string>> = {
  heartbeat: 'a heartbeat is watched, not told',
  ignored: 'the issue is ignored',
  snoozed: 'the issue is snoozed',
  'digest-only': 'the issue is kept for the digest',
  told: 'the incident was already told',
  flapping: 'it comes and goes; one message sums it up',
  'resolved-untold': 'nobody was told that it began',
  over: 'it was over before it became news again',
  'no-route': 'no channel wants it',
  undeliverable: 'every delivery failed',
  'summary-undeliverable': 'the summary it was part of could not be delivered',
  storm: 'too many new incidents at once; one message sums them up',
  flap: 'it comes and goes; one message sums it up',
};

/** What the piece of news was. */
export function toKindWords({ kind, open_episodes }: Pick<TimelineNotice, 'kind' | 'open_episodes'>): string {
  return kind === 'grew' ? `It grew to ${open_episodes} alerts` : KINDS[kind];
}

/** Why it was sent, held or not sent. */
export function toVerdict(notice: Pick<TimelineNotice, 'status' | 'reason' | 'why' | 'quiet'>): string {
  const because = notice.why ?? REASONS[notice.reason ?? ''] ?? notice.reason;
  const after = because === null ? '' : `: ${because}`;
  const silently = notice.quiet ? ' without sound' : '';
  const words: Readonly<Record<TimelineNotice['status'], string>> = {
    received: 'Not decided yet',
    classified: 'Not decided yet',
    admitted: `Being sent${silently}${after}`,
    notified: `Told${silently}${after}`,
    held: `Waits for a summary${after}`,
    digested: `Told within a summary${after}`,
    suppressed: `Not told${after}`,
    dead: `Nobody could be told${after}`,
  };
  return words[notice.status];
}

/** Whether a verdict is good news for the pipeline, bad, or neither. */
export function toTone(status: TimelineNotice['status']): 'good' | 'bad' | 'none' {
  return status === 'notified' || status === 'digested' ? 'good' : status === 'dead' ? 'bad' : 'none';
}

/** A span in the largest unit that fits, e.g. `3 h`. */
export function toSpan(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.round(ms / 1_000))} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** `1 alert`, `2 alerts`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-GB')} ${noun}${number === 1 ? '' : 's'}`;
}
