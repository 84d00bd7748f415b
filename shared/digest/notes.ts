/**
 * What is worth knowing about a group beyond its counts: ten rules over the facts, each true by construction. They are
 * the digest's notes when no model is configured, and what a model has to be better than.
 */
import type { Correlation, Group, NightFacts } from './facts.ts';
import { countOf, duration, percent, someOf, toNumber } from './words.ts';
import type { Clock } from './words.ts';

export type NoteRule =
  | 'flapping'
  | 'healed alone'
  | 'nights running'
  | 'same node'
  | 'after a rollout'
  | 'first seen'
  | 'usually quiet'
  | 'one source'
  | 'all at once'
  | 'crashing pod';

export interface Note {
  /** Of its group and rule, so that it is the same in every run. */
  readonly id: string;
  readonly group: string;
  readonly rule: NoteRule;
  readonly text: string;
}

/** A life shorter than this that ended by itself healed alone, in minutes. */
const HEALED_MINUTES = 10;
/** Alerts that began within this many minutes of each other came at once. */
const AT_ONCE_MINUTES = 10;
const AT_ONCE_ALERTS = 10;
const NIGHTS_RUNNING = 3;
/** One issue makes this share of a group of several. */
const ONE_SOURCE = 0.8;

interface Scene {
  readonly facts: NightFacts;
  readonly clock: Clock;
}

type Rule = (group: Group, scene: Scene) => string | null;

/** In the order in which a group's notes are told. */
const RULES: Readonly<Record<NoteRule, Rule>> = {
  'after a rollout': (group, { facts, clock }) => {
    const match = correlationOf(group, facts);
    return match === null ? null : toRollout(match, clock);
  },
  flapping: ({ flapper }) =>
    flapper === null ? null : `Came and went ${toNumber(flapper.flaps)} times: ${flapper.title}`,
  'crashing pod': (group, { facts }) => {
    const titles = group.samples.map(({ title }) => title);
    const pod = facts.cluster?.pods.find(
      ({ namespace, workload }) =>
        namespace === group.namespace && titles.some((title) => title.includes(workload)),
    );
    if (pod === undefined) return null;
    const reason = pod.lastReason === null ? '' : `, last ended with ${pod.lastReason}`;
    return `Pod ${pod.name} is ${pod.status}: ${countOf(pod.restarts, 'restart')}${reason}`;
  },
  'nights running': ({ running, nights }) =>
    running >= NIGHTS_RUNNING
      ? `Night number ${running} in a row with it`
      : nights >= NIGHTS_RUNNING
        ? `Seen in ${nights} of the last 7 nights`
        : null,
  // On the first night of all everything is new, and nothing is told by it.
  'first seen': ({ fresh, issues }, { facts }) =>
    fresh === 0 || facts.compare.nights === 0
      ? null
      : fresh === issues
        ? 'Never seen before this night'
        : `${countOf(fresh, 'issue')} of ${toNumber(issues)} never seen before this night`,
  'usually quiet': ({ usuallyQuiet }) =>
    usuallyQuiet ? 'Usually quiet: not seen in the nights before' : null,
  'same node': (group, { facts }) => {
    const node = facts.nodes.find(({ node: name }) =>
      group.samples.some(({ title }) => title.includes(name)),
    );
    return node === undefined
      ? null
      : `${node.node} had ${countOf(node.alerts, 'alert')} of ${countOf(node.types, 'type')} in all`;
  },
  'one source': ({ samples, issues, episodes }) => {
    const top = samples.toSorted((a, b) => b.episodes - a.episodes)[0];
    return top === undefined ||
      issues < 2 ||
      top.episodes < episodes * ONE_SOURCE ||
      top.episodes === episodes
      ? null
      : `${toNumber(top.episodes)} of ${toNumber(episodes)} are ${top.title} (${percent(top.episodes, episodes)})`;
  },
  'all at once': ({ episodes, firstSeen, lastStart }, { clock }) =>
    episodes >= AT_ONCE_ALERTS && lastStart.getTime() - firstSeen.getTime() <= AT_ONCE_MINUTES * 60_000
      ? `All ${toNumber(episodes)} began within ${AT_ONCE_MINUTES} minutes of ${clock.at(firstSeen)}`
      : null,
  'healed alone': ({ firing, lost, longest }) =>
    firing === 0 && lost === 0 && longest !== null && longest < HEALED_MINUTES
      ? `Healed alone: none lasted longer than ${duration(longest)}`
      : null,
};

/** The notes of a group, the most telling first. */
export function notesOf(group: Group, scene: Scene): Note[] {
  return Object.entries(RULES).flatMap(([rule, apply]) => {
    const text = apply(group, scene);
    return text === null
      ? []
      : [{ id: `${group.id}.${rule.replaceAll(' ', '-')}`, group: group.id, rule: rule as NoteRule, text }];
  });
}

/** "39 of 50 alerts (78.0 %) began within 2 h after the rollout of api-server (v1.2.3 → v1.2.4) at 22:30". */
export function toRollout({ within, total, workload, images, at }: Correlation, clock: Clock): string {
  const what = images === null ? '' : ` (${images})`;
  return `${toNumber(within)} of ${countOf(total, 'alert')} (${percent(within, total)}) began within 2 h after the rollout of ${workload}${what} at ${clock.at(at)}`;
}

/** The rollout that a group's alerts followed. */
export function correlationOf(group: Group, { correlations }: NightFacts): Correlation | null {
  return (
    correlations.find(
      ({ alertname, namespace, workload }) =>
        alertname === group.alertname &&
        namespace === group.namespace &&
        group.samples.some(({ title }) => title.includes(workload)),
    ) ?? null
  );
}

/** A group as a line names it: "HighMemoryUsage (production)". */
export function groupName({ alertname, namespace }: Group): string {
  return namespace === null ? alertname : `${alertname} (${namespace})`;
}

/** The issues of a group by name. */
export function samplesOf(group: Group, shown = 3, onlyFiring = false): string {
  const firing = group.samples.filter((sample) => sample.firing > 0);
  const of = onlyFiring ? firing : group.samples;
  const all = onlyFiring && firing.length < group.samples.length ? firing.length : group.issues;
  return someOf(
    of.map(({ title }) => title),
    shown,
    all,
  );
}
