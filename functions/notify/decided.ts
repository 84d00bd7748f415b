/** How a message tells of a decision: "Ignored until … by …", and how to undo it. Pure. */
import type { DecisionKind } from '../../shared/postgres/decisions.ts';
import { inert } from './text.ts';
import { formatTime } from '../../shared/times.ts';

const ACTOR_CHARS = 100;
const NOTE_CHARS = 240;

/** A decision as its message tells it. */
export interface Decided {
  readonly kind: DecisionKind;
  readonly until: Date | null;
  readonly actor: string;
  readonly note: string | null;
  /** A newer decision took its place before this was sent. */
  readonly superseded: boolean;
}

const WORDS = {
  ignore: 'Ignored',
  quiet: 'Pushed without sound',
  digest: 'Kept for the digest',
  snooze: 'Snoozed',
  important: 'Marked important',
  note: 'Noted',
  revoke: 'Told again as before',
} as const satisfies Record<DecisionKind, string>;

/** The lines, the most important first; `undoable` when the message carries the way to undo it. */
export function toDecidedLines(
  { kind, until, actor, note, superseded }: Decided,
  now: Date,
  timeZone: string,
  undoable: boolean,
): readonly (string | null)[] {
  const term =
    until !== null
      ? ` until ${formatTime(until, now, timeZone)}`
      : kind === 'ignore'
        ? ' until it changes'
        : '';
  return [
    `${WORDS[kind]}${term} by ${actorWords(actor)}${undoable ? ' · Undo' : ''}`,
    note === null ? null : `Note: ${inert(note, NOTE_CHARS)}`,
    superseded ? 'Somebody decided again since; the issue shows what holds now' : null,
  ];
}

/** `link:ntfy` is whoever tapped the link that ntfy showed. */
function actorWords(actor: string): string {
  return actor.startsWith('link:')
    ? `a tap in ${inert(actor.slice('link:'.length), ACTOR_CHARS)}`
    : inert(actor, ACTOR_CHARS);
}
