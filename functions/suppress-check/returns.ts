/**
 * Whether an incident is the same story again. What comes back before it was calm for long enough was told already: one
 * message tells it, not one for each return. Pure, and independent of the order in which notices are decided: the story
 * is told anew from the incidents' own times.
 */
import type { PastIncident } from '../../shared/postgres/past.ts';

export interface ReturnLimits {
  /** Calm this long makes the next opening a new story. */
  readonly calmMs: number;
  /** A story is told again after this long, however often it came back meanwhile. */
  readonly tellAgainMs: number;
  /** This many openings within the window are flapping. */
  readonly flapOpenings: number;
  readonly flapWindowMs: number;
}

/** A story that was told and goes on. */
export interface Story {
  readonly toldAt: Date;
  /** How often it came back since, the incident in question included. */
  readonly returns: number;
}

export interface Return {
  /** The story that the incident continues; null when it begins one. */
  readonly story: Story | null;
  /** Whether it is the one at which flapping is said, or comes after that; null while it does not flap. */
  readonly flapping: 'begins' | 'goes on' | null;
}

/** An incident that begins a story of its own. */
export const FIRST: Return = { story: null, flapping: null };

/**
 * Follows a pattern from its earlier incidents (earliest first) to the one in question. A decision starts anew, and so
 * does an end that nobody saw.
 */
export function followReturns(
  openedAt: Date,
  past: readonly PastIncident[],
  decidedAt: Date | null,
  limits: ReturnLimits,
): Return {
  const openings = [...past.map((incident) => incident.opened_at), openedAt];
  let current: Return = FIRST;
  let story: Story | null = null;
  let flapToldAt: Date | null = null;
  for (const [index, opening] of openings.entries()) {
    const before = past[index - 1];
    if (story !== null && !isSameStory(opening, before, story, decidedAt, limits)) story = null;
    if (story !== null) story = { toldAt: story.toldAt, returns: story.returns + 1 };
    const flapping = flappingAt(openings, index, flapToldAt, limits);
    current = { story, flapping };
    if (flapping === 'begins') flapToldAt = opening;
    const toldAt = toldAtOf(past[index]);
    if (toldAt !== null && (story === null || flapping === 'begins')) story = { toldAt, returns: 0 };
  }
  return current;
}

function isSameStory(
  opening: Date,
  before: PastIncident | undefined,
  { toldAt }: Story,
  decidedAt: Date | null,
  { calmMs, tellAgainMs }: ReturnLimits,
): boolean {
  if (before === undefined) return false;
  const calm = opening.getTime() - (before.closed_at ?? opening).getTime();
  return (
    !before.lost &&
    calm < calmMs &&
    opening.getTime() - toldAt.getTime() < tellAgainMs &&
    (decidedAt === null || decidedAt < toldAt || decidedAt > opening)
  );
}

function flappingAt(
  openings: readonly Date[],
  index: number,
  toldAt: Date | null,
  { flapOpenings, flapWindowMs, calmMs }: ReturnLimits,
): Return['flapping'] {
  const now = openings[index]?.getTime() ?? 0;
  const first = openings[index - flapOpenings + 1]?.getTime();
  if (first === undefined || now - first >= flapWindowMs) return null;
  return toldAt !== null && now - toldAt.getTime() < calmMs ? 'goes on' : 'begins';
}

/** When an incident was told of, or will be: what is still on its way or held for a summary counts. */
function toldAtOf(incident: PastIncident | undefined): Date | null {
  if (incident === undefined) return null;
  const { status, told_at, opened_at } = incident;
  return told_at ?? (status === 'suppressed' || status === 'dead' ? null : opened_at);
}
