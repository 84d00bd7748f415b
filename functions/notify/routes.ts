/**
 * Who is told by a routes file: Alertmanager's tree. A node matches when all its matchers do; its first matching child
 * takes over, and with `continue` the next ones too; where no child matches, the node itself tells its channels. Channels,
 * fallback and escalation are inherited, intervals are not. Pure.
 *
 * It differs where Alertmanager would be silent by accident: a critical (or unknown) severity that no route takes, or that
 * falls between active intervals, goes to every channel. Only words make it silent: `channels: []` and `mute_time_intervals`.
 */
import { compareSeverity, normalizeSeverity } from '../../shared/severity.ts';
import type { Severity } from '../../shared/severity.ts';
import { matchesAll } from '../../shared/matchers.ts';
import type { RouteInput, RoutesFile } from './routes-schema.ts';
import { nobody } from './routing.ts';
import type { Destination, EscalationPlan, Labels, Router } from './routing.ts';
import { isInside } from './time-intervals.ts';
import type { NamedIntervals } from './time-intervals.ts';

/** A route that takes an alert, and whether it speaks at that time. */
export interface RouteMatch {
  /** `routes[1].routes[0]`, or the name that the file gives. */
  readonly name: string;
  readonly channels: readonly string[];
  readonly fallback: readonly string[];
  readonly escalate: { readonly after: number; readonly channels: readonly string[] } | null;
  /** Why it is silent at that time: outside its active intervals, or inside one that mutes it. */
  readonly silence: { readonly by: 'active' | 'mute'; readonly intervals: readonly string[] } | null;
}

/** Who hears of one alert, and why. */
export interface Answer {
  readonly matches: readonly RouteMatch[];
  /** Channels to tell with the fallbacks of each. */
  readonly channels: ReadonlyMap<string, readonly string[]>;
  readonly escalations: readonly EscalationPlan[];
  /** Why nobody hears of it, or why everybody does although no route says so; null when the routes say who. */
  readonly why: string | null;
}

/** Answers for one alert. */
export function answerFor(file: RoutesFile, channels: readonly string[], labels: Labels, at: Date): Answer {
  const matches = findMatches(file, labels, at);
  const speaking = matches.filter(({ silence }) => silence === null);
  const told = new Map<string, readonly string[]>();
  for (const match of speaking) {
    for (const channel of match.channels)
      told.set(channel, [...new Set([...(told.get(channel) ?? []), ...match.fallback])]);
  }
  const escalations = speaking.flatMap(({ name, escalate }) =>
    escalate === null ? [] : [{ step: name, afterMs: escalate.after, channels: escalate.channels }],
  );
  const result = { matches, channels: withoutSelf(told), escalations };
  if (told.size > 0) return { ...result, why: null };
  const why = toSilence(matches, labels);
  if (!mayFailOpen(matches, normalizeSeverity(labels['severity']))) return { ...result, why };
  return { ...result, channels: new Map(channels.map((name) => [name, []])), why };
}

/** The router of a file. */
export function createRouter(file: RoutesFile, channels: readonly Destination[]): Router {
  const names = channels.map(({ name }) => name);
  const isQuiet = (name: string, severity: Severity, at: Date): boolean =>
    isQuietTime(file, name, severity, at);
  return {
    byLabels: true,
    isQuiet,
    route({ labels, severity, at }) {
      const answers = labels.map((each) => answerFor(file, names, each, at));
      const told = new Map<string, readonly string[]>();
      for (const answer of answers) {
        for (const [name, fallback] of answer.channels)
          told.set(name, [...new Set([...(told.get(name) ?? []), ...fallback])]);
      }
      if (told.size === 0) return nobody(answers[0]?.why ?? 'it has no labels to route by');
      const escalations = new Map(
        answers.flatMap((answer) => answer.escalations.map((plan) => [plan.step, plan] as const)),
      );
      return {
        deliveries: [...told].map(([channel, fallback]) => ({
          channel,
          fallback,
          quiet: isQuiet(channel, severity, at),
        })),
        escalations: [...escalations.values()],
        why: null,
        notes: toNotes(answers),
      };
    },
  };
}

/** Whether a channel is pushed to without sound. */
export function isQuietTime(file: RoutesFile, name: string, severity: Severity, at: Date): boolean {
  const quiet = file.channels.find((channel) => channel.name === name)?.quiet;
  if (quiet === undefined || compareSeverity(severity, quiet.below) <= 0) return false;
  return quiet.intervals.length === 0 || isInsideAny(file, quiet.intervals, at);
}

/** A message that went to everybody because the routes lost it says so. */
function toNotes(answers: readonly Answer[]): readonly string[] {
  const lost = answers.find(({ channels, why }) => channels.size > 0 && why !== null);
  return lost === undefined ? [] : [`sent to every channel: ${lost.why ?? ''}`];
}

/** What a node hands down to its children. */
type Inherited = Pick<RouteMatch, 'channels' | 'fallback' | 'escalate'>;

function findMatches(file: RoutesFile, labels: Labels, at: Date): readonly RouteMatch[] {
  const nothing: Inherited = { channels: [], fallback: [], escalate: null };
  return matchSiblings(file, file.routes, 'routes', { labels, at, inherited: nothing });
}

interface Asked {
  readonly labels: Labels;
  readonly at: Date;
  readonly inherited: Inherited;
}

function matchSiblings(
  file: RoutesFile,
  routes: readonly RouteInput[],
  path: string,
  asked: Asked,
): readonly RouteMatch[] {
  const matches: RouteMatch[] = [];
  for (const [index, route] of routes.entries()) {
    const found = matchRoute(file, route, `${path}[${index}]`, asked);
    matches.push(...found);
    if (found.length > 0 && !route.continue) break;
  }
  return matches;
}

function matchRoute(file: RoutesFile, route: RouteInput, path: string, asked: Asked): readonly RouteMatch[] {
  if (!matchesAll(route.matchers, asked.labels)) return [];
  const inherited: Inherited = {
    channels: route.channels ?? asked.inherited.channels,
    fallback: route.fallback ?? asked.inherited.fallback,
    escalate: route.escalate ?? asked.inherited.escalate,
  };
  const children = matchSiblings(file, route.routes, `${path}.routes`, { ...asked, inherited });
  if (children.length > 0) return children;
  return [{ ...inherited, name: route.name ?? path, silence: findSilence(file, route, asked.at) }];
}

function findSilence(file: RoutesFile, route: RouteInput, at: Date): RouteMatch['silence'] {
  const { active_time_intervals: active, mute_time_intervals: mute } = route;
  const muting = mute.filter((name) => isInsideAny(file, [name], at));
  if (muting.length > 0) return { by: 'mute', intervals: muting };
  return active.length === 0 || isInsideAny(file, active, at) ? null : { by: 'active', intervals: active };
}

function isInsideAny(file: RoutesFile, names: readonly string[], at: Date): boolean {
  return file.time_intervals.some(
    (named: NamedIntervals) => names.includes(named.name) && isInside(named, at),
  );
}

/** A channel never stands in for itself, nor one that is told anyway. */
function withoutSelf(told: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  return new Map([...told].map(([name, fallback]) => [name, fallback.filter((other) => !told.has(other))]));
}

/** Nobody said in words that a critical is not told: no route takes it, or those that do are not active now. */
function mayFailOpen(matches: readonly RouteMatch[], severity: Severity): boolean {
  return (
    (severity === 'critical' || severity === 'unknown') &&
    matches.every(({ silence }) => silence?.by === 'active')
  );
}

function toSilence(matches: readonly RouteMatch[], { alertname, severity, namespace }: Labels): string {
  if (matches.length === 0) {
    const named = Object.entries({ alertname, severity, namespace }).filter(
      ([, value]) => value !== undefined,
    );
    return `no route matches ${named.map(([name, value]) => `${name}=${value ?? ''}`).join(', ') || 'it'}`;
  }
  return matches
    .map(({ name, silence }) => {
      if (silence === null) return `${name} tells nobody`;
      const intervals = silence.intervals.join(', ');
      return silence.by === 'mute'
        ? `${name} is muted by ${intervals}`
        : `${name} is only active in ${intervals}`;
    })
    .join('; ');
}
