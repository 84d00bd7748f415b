/** What to do, by when: from severity, from whether it fires, and from how often it comes back. Pure. */
import { compareSeverity } from '../severity.ts';
import type { Line, Section } from './document.ts';
import type { Group, NightFacts } from './facts.ts';
import { correlationOf, groupName, samplesOf } from './notes.ts';
import { countOf, someOf } from './words.ts';
import type { Clock } from './words.ts';

const SHOWN_ACTIONS = { Immediate: 10, Today: 8, 'This week': 5 } as const;

/** The numbered actions, the most pressing first. */
export function toActions(facts: NightFacts, clock: Clock, cuts: string[]): Section {
  const { groups } = facts;
  const real = groups.filter(({ severity }) => severity !== 'none');
  const isCritical = ({ severity }: Group): boolean => severity === 'critical';
  const isLoud = ({ severity }: Group): boolean => compareSeverity(severity, 'warning') <= 0;
  const immediate = real.filter((group) => isCritical(group) && group.firing > 0);
  const today = real.filter(
    (group) =>
      !immediate.includes(group) &&
      isLoud(group) &&
      (group.firing > 0 || isCritical(group) || group.flapping),
  );
  const week = real.filter(
    (group) => !immediate.includes(group) && !today.includes(group) && (group.nights >= 3 || group.flapping),
  );
  const lines: Line[] = [];
  for (const [when, of] of [
    ['Immediate', immediate],
    ['Today', today],
    ['This week', week],
  ] as const) {
    lines.push(...of.slice(0, SHOWN_ACTIONS[when]).map((group) => toAction(group, when, facts, clock)));
    const hidden = of.slice(SHOWN_ACTIONS[when]);
    if (hidden.length > 0)
      cuts.push(
        `actions for ${countOf(hidden.length, 'further group')} (${when}): ${someOf(hidden.map(groupName), 5)}`,
      );
  }
  const nodes = facts.cluster?.nodes ?? [];
  if (nodes.length > 0)
    lines.push({
      when: 'This week',
      text: `Review the capacity of ${someOf(nodes, 5)}: short of memory or disk`,
    });
  return { id: 'actions', emoji: '🔧', title: 'Recommended Actions', lines };
}

function toAction(group: Group, when: NonNullable<Line['when']>, facts: NightFacts, clock: Clock): Line {
  const rollout = correlationOf(group, facts);
  const after =
    rollout === null
      ? ''
      : `; compare with the rollout of ${rollout.workload}${rollout.images === null ? '' : ` (${rollout.images})`} at ${clock.at(rollout.at)}`;
  const verb =
    group.firing > 0
      ? 'Look at'
      : group.severity === 'critical'
        ? 'Find out why it came and ended:'
        : 'Find out why it comes and goes:';
  return {
    when,
    severity: group.severity,
    text: `${verb} ${groupName(group)}, ${samplesOf(group, 2, group.firing > 0)}${after}`,
    ...toRunbook(group),
  };
}

/** A group's runbook as a line's link. */
export function toRunbook({ runbook }: Group): Pick<Line, 'link'> {
  return runbook === null ? {} : { link: { label: 'Runbook', url: runbook } };
}
