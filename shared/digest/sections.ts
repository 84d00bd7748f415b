/** Writes a digest: verdict, the five headings in their order, then what stands beside them. Pure; the same facts give the same text. */
import { compareSeverity, SEVERITIES } from '../severity.ts';
import { toActions, toRunbook } from './actions.ts';
import { toAround } from './around.ts';
import { SEVERITY_EMOJI } from './document.ts';
import type { DigestDocument, Level, Line, Section } from './document.ts';
import type { Group, NightFacts } from './facts.ts';
import { groupName, notesOf, samplesOf } from './notes.ts';
import type { Note } from './notes.ts';
import { countOf, createClock, duration, percent, someOf, toName, toNumber } from './words.ts';
import type { Clock } from './words.ts';

/** Groups with lines of their own under "Key Patterns"; the rest is counted and named as cut. */
const SHOWN_PATTERNS = 12;
const NOTES_PER_GROUP = 3;

/** A note a model wrote and a verifier let pass, with the facts filled in. */
export interface ModelNote {
  readonly id: string;
  readonly group: string;
  readonly text: string;
}

export interface Written {
  readonly facts: NightFacts;
  /** From a model; none without one. */
  readonly notes?: readonly ModelNote[];
  /** Groups in the order in which to look at them; it only counts among those of one severity. */
  readonly order?: readonly string[];
  /** What the model was not shown. */
  readonly cut?: string | null;
  readonly model?: string | null;
}

/** Writes the document. */
export function toDocument({
  facts: counted,
  notes = [],
  order = [],
  cut = null,
  model = null,
}: Written): DigestDocument {
  const facts = { ...counted, groups: inOrder(counted.groups, order) };
  const clock = createClock(facts.zone, facts.to);
  const cuts: string[] = cut === null ? [] : [cut];
  const byGroup = Map.groupBy(notes, ({ group }) => group);
  const { level, text } = toVerdict(counted);
  return {
    version: 1,
    name: facts.name === 'all' ? null : facts.name,
    title: facts.windows.length === 1 ? 'Overnight digest' : `Digest of ${facts.windows.length} nights`,
    span: `${clock.edge(facts.from)} → ${clock.edge(facts.to)} (${facts.zone})`,
    level,
    verdict: text,
    numbers: toNumbers(facts),
    sections: [
      toAttention(facts, clock, byGroup),
      toSummary(facts, clock),
      toPatterns(facts, clock, byGroup, cuts),
      toActions(facts, clock, cuts),
      toBreakdown(facts),
      ...toAround(facts, clock, cuts),
    ],
    cuts,
    model: notes.length === 0 ? null : model,
  };
}

/** Groups of one severity change places; what fires still stands before what is over. */
function inOrder(groups: readonly Group[], order: readonly string[]): Group[] {
  const placeOf = ({ id }: Group): number => (order.includes(id) ? order.indexOf(id) : order.length);
  return groups.toSorted(
    (a, b) =>
      compareSeverity(a.severity, b.severity) ||
      Number(b.firing > 0) - Number(a.firing > 0) ||
      placeOf(a) - placeOf(b),
  );
}

/** The one line that decides whether coffee comes first. */
export function toVerdict(facts: NightFacts): { level: Level; text: string } {
  const { groups, earlier } = facts;
  const firing = groups.filter((group) => group.firing > 0 && group.severity !== 'none');
  const critical = firing.filter(({ severity }) => severity === 'critical');
  const old = earlier.filter(({ severity, heartbeat }) => severity === 'critical' && !heartbeat);
  const names = (of: readonly Group[]): string => someOf(of.map(groupName), 3);
  if (critical.length + old.length > 0) {
    const count = sumFiring(critical) + old.reduce((sum, each) => sum + each.firing, 0);
    const which = someOf([...critical.map(groupName), ...old.map(({ alertname }) => toName(alertname))], 3);
    return { level: 'urgent', text: `${countOf(count, 'critical alert')} still firing: ${which}` };
  }
  const loud = firing.filter(({ severity }) => compareSeverity(severity, 'warning') <= 0);
  if (loud.length > 0)
    return {
      level: 'attention',
      text: `Nothing critical is firing; ${countOf(sumFiring(loud), 'alert')} still ${sumFiring(loud) === 1 ? 'fires' : 'fire'}: ${names(loud)}`,
    };
  const were = groups.filter(({ severity }) => severity === 'critical');
  const missed = facts.lost.missed?.total ?? 0;
  if (were.length > 0 || missed > 0)
    return {
      level: 'look',
      text: [
        were.length > 0
          ? `Nothing loud is firing; ${countOf(sumOf(were), 'critical alert')} came and ended: ${names(were)}`
          : 'Nothing loud is firing',
        missed > 0 ? `${countOf(missed, 'alert')} never arrived` : '',
      ]
        .filter((part) => part !== '')
        .join('; '),
    };
  const real = facts.counts.episodes - facts.heartbeats.episodes;
  return real === 0
    ? {
        level: 'silent',
        text: facts.windows.length === 1 ? 'A quiet night: no alerts' : 'Quiet nights: no alerts',
      }
    : { level: 'calm', text: 'Calm: nothing loud fires and nothing critical came' };
}

function toNumbers({ counts, heartbeats, groups }: NightFacts): string {
  if (counts.episodes === 0) return '0 alerts.';
  const types = Object.keys(counts.byType).length;
  const firing = counts.firing - heartbeats.firing;
  const bySeverity = SEVERITIES.map((severity) => {
    const of = groups.filter((group) => group.severity === severity);
    return [severity, sumFiring(of)] as const;
  }).filter(([, count]) => count > 0);
  const which = bySeverity.map(([severity, count]) => `${toNumber(count)} ${severity}`).join(', ');
  const beats = heartbeats.episodes === 0 ? '' : `, and ${countOf(heartbeats.episodes, 'heartbeat')}`;
  return `${countOf(counts.episodes, 'alert')} of ${countOf(types, 'type')}: ${toNumber(counts.resolved)} over (${percent(counts.resolved, counts.episodes)}), ${toNumber(firing)} still firing${which === '' ? '' : ` (${which})`}${beats}.`;
}

function toAttention(
  facts: NightFacts,
  clock: Clock,
  notes: ReadonlyMap<string, readonly ModelNote[]>,
): Section {
  const wanted = facts.groups.filter((group) => group.severity !== 'none');
  const isLoud = ({ severity }: Group): boolean => compareSeverity(severity, 'warning') <= 0;
  const firing = wanted.filter((group) => group.firing > 0);
  const lines: Line[] = [];
  for (const group of firing.filter(isLoud))
    lines.push(toFiring(group, clock), ...toNoteLines(group, { facts, clock }, notes, 1));
  for (const issue of facts.earlier.filter(({ heartbeat, severity }) => !heartbeat && severity !== 'none'))
    lines.push({
      severity: issue.severity,
      text: `${toName(issue.alertname)} · ${toName(issue.title)}: ${toNumber(issue.firing)} still firing from before, since ${clock.at(issue.since)}`,
    });
  for (const group of wanted.filter((each) => each.firing === 0 && each.severity === 'critical'))
    lines.push(toOver(group, clock));
  for (const group of firing.filter((each) => !isLoud(each))) lines.push(toFiring(group, clock));
  return { id: 'attention', emoji: '🚨', title: 'Requires Immediate Attention', lines };
}

function toFiring(group: Group, clock: Clock): Line {
  const more = group.episodes > group.firing ? ` of ${toNumber(group.episodes)}` : '';
  const pods = group.pods === null || group.pods < 2 ? '' : `, ${countOf(group.pods, 'pod')}`;
  return {
    severity: group.severity,
    text: `${groupName(group)}: ${toNumber(group.firing)}${more} still firing${pods}, since ${clock.at(group.firingSince ?? group.firstSeen)}: ${samplesOf(group, 5, true)}`,
    ...toRunbook(group),
  };
}

function toOver(group: Group, clock: Clock): Line {
  const span = `${clock.at(group.firstSeen)} to ${clock.at(group.lastSeen)}`;
  return {
    severity: group.severity,
    text: `${groupName(group)}: over, ${countOf(group.episodes, 'alert')} from ${span}: ${samplesOf(group)}`,
    ...toRunbook(group),
  };
}

function toNoteLines(
  group: Group,
  scene: { facts: NightFacts; clock: Clock },
  model: ReadonlyMap<string, readonly ModelNote[]>,
  most = NOTES_PER_GROUP,
): Line[] {
  const written = (model.get(group.id) ?? []).map(({ id, text }) => ({ text, note: id, ai: true }));
  const ruled = notesOf(group, scene).map(({ id, text }: Note) => ({ text, note: id }));
  return [...written, ...ruled].slice(0, most).map((line) => ({ ...line, text: `↳ ${line.text}` }));
}

function toSummary(facts: NightFacts, clock: Clock): Section {
  const { groups, counts, compare } = facts;
  const lines: Line[] = [{ text: toNumbers(facts) }];
  const real = groups.filter(({ severity }) => severity !== 'none');
  const busiest = real.toSorted((a, b) => b.episodes - a.episodes)[0];
  if (busiest !== undefined && real.length > 1)
    lines.push({
      text: `Most frequent: ${groupName(busiest)}, ${countOf(busiest.episodes, 'alert')} (${percent(busiest.episodes, counts.episodes)}), severity ${busiest.severity}.`,
    });
  const first = real
    .filter(({ severity }) => severity === 'critical')
    .toSorted((a, b) => a.firstSeen.getTime() - b.firstSeen.getTime())[0];
  if (first !== undefined)
    lines.push({
      text: `The first critical alert: ${groupName(first)} at ${clock.at(first.firstSeen)}, ${samplesOf(first, 2)}.`,
    });
  if (compare.median !== null)
    lines.push({
      text: `${toCompared(counts.episodes / facts.windows.length, compare.median)} the median of the last ${countOf(compare.nights, 'night')} (${toNumber(compare.median)}).`,
    });
  return { id: 'summary', emoji: '📊', title: 'Overnight Summary', lines };
}

function toCompared(tonight: number, median: number): string {
  return Math.round(tonight) > Math.round(median)
    ? 'More than'
    : Math.round(tonight) < Math.round(median)
      ? 'Fewer than'
      : 'As many as';
}

function toPatterns(
  facts: NightFacts,
  clock: Clock,
  notes: ReadonlyMap<string, readonly ModelNote[]>,
  cuts: string[],
): Section {
  const told = facts.groups
    .filter(({ severity }) => severity !== 'none')
    .map((group) => ({ group, lines: toNoteLines(group, { facts, clock }, notes) }))
    .filter(({ lines }) => lines.length > 0);
  const lines = told.slice(0, SHOWN_PATTERNS).flatMap(({ group, lines: own }) => [
    {
      severity: group.severity,
      text: `${groupName(group)}: ${countOf(group.episodes, 'alert')}, ${duration(group.minutes)} in all`,
    },
    ...own,
  ]);
  const hidden = told.slice(SHOWN_PATTERNS);
  if (hidden.length > 0)
    cuts.push(
      `notes on ${countOf(hidden.length, 'further group')}: ${someOf(
        hidden.map(({ group }) => groupName(group)),
        5,
      )}`,
    );
  return { id: 'patterns', emoji: '🔍', title: 'Key Patterns Identified', lines };
}

function toBreakdown({ counts, heartbeats }: NightFacts): Section {
  const lines = SEVERITIES.flatMap((severity): Line[] => {
    const of = counts.bySeverity[severity];
    if (of === undefined) return [];
    const beats = severity === 'none' && heartbeats.episodes > 0 ? `, heartbeats among them` : '';
    return [
      {
        severity,
        text: `${SEVERITY_EMOJI[severity]} ${severity[0]?.toUpperCase()}${severity.slice(1)}: ${toNumber(of.episodes)} (${percent(of.resolved, of.episodes)} over, ${toNumber(of.firing)} firing${beats})`,
      },
    ];
  });
  return { id: 'breakdown', emoji: '📋', title: 'Alert Breakdown by Severity', lines };
}

function sumFiring(groups: readonly Group[]): number {
  return groups.reduce((sum, { firing }) => sum + firing, 0);
}

function sumOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { episodes }) => sum + episodes, 0);
}
