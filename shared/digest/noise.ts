/** The noise report: the facts of a month, read for what nobody needs. The same facts as a digest, other questions. Pure. */
import type { DigestDocument, Line, Section } from './document.ts';
import type { Group, NightFacts } from './facts.ts';
import { groupName } from './notes.ts';
import { toVerdict } from './sections.ts';
import { countOf, createClock, duration, percent, someOf, toNumber } from './words.ts';

const SHOWN = 15;
/** What is over within this many minutes, by itself, needs nobody. */
const SHORT_MINUTES = 15;

/** Writes the report. */
export function toNoiseReport(facts: NightFacts): DigestDocument {
  const clock = createClock(facts.zone, facts.to);
  const real = facts.groups.filter(({ severity }) => severity !== 'none');
  const byFrequency = real.toSorted((a, b) => b.episodes - a.episodes);
  const healing = byFrequency.filter(
    ({ firing, lost, longest }) => firing === 0 && lost === 0 && longest !== null && longest <= SHORT_MINUTES,
  );
  const flapping = real.filter(({ flapping: flaps }) => flaps).toSorted((a, b) => flapsOf(b) - flapsOf(a));
  const noise = healing.reduce((sum, { episodes }) => sum + episodes, 0);
  const { episodes } = facts.counts;
  const cuts: string[] = [];
  return {
    version: 1,
    name: null,
    title: 'Noise report',
    span: `${clock.edge(facts.from)} → ${clock.edge(facts.to)} (${facts.zone})`,
    level: toVerdict(facts).level,
    verdict:
      episodes === 0
        ? 'No alerts'
        : `${toNumber(noise)} of ${countOf(episodes, 'alert')} (${percent(noise, episodes)}) are of issues that always ended by themselves within ${SHORT_MINUTES} min`,
    numbers: `${countOf(episodes, 'alert')} of ${countOf(Object.keys(facts.counts.byType).length, 'type')}.`,
    sections: [
      section('frequent', '🔊', 'Most Frequent', byFrequency, cuts, (group) =>
        toLine(
          group,
          `${countOf(group.episodes, 'alert')} (${percent(group.episodes, episodes)}), ${duration(group.minutes)} of firing in all`,
        ),
      ),
      section('healing', '🩹', 'Always Ended by Itself', healing, cuts, (group) =>
        toLine(
          group,
          `${countOf(group.episodes, 'alert')}, none longer than ${duration(group.longest ?? 0)}: a longer "for" or a decision would spare them`,
        ),
      ),
      section('flapping', '🔁', 'Came and Went', flapping, cuts, (group) =>
        toLine(group, `${toNumber(flapsOf(group))} times: ${group.flapper?.title ?? ''}`),
      ),
      {
        id: 'held',
        emoji: '🔕',
        title: 'Held or Not Told',
        lines: facts.quietened.map(({ reason, notices, issues }) => ({
          text: `${reason}: ${countOf(notices, 'notice')} of ${countOf(issues, 'issue')}`,
        })),
      },
    ],
    cuts,
    model: null,
  };
}

function section(
  id: string,
  emoji: string,
  title: string,
  groups: readonly Group[],
  cuts: string[],
  write: (group: Group) => Line,
): Section {
  const hidden = groups.slice(SHOWN);
  if (hidden.length > 0)
    cuts.push(
      `${title.toLowerCase()}: ${countOf(hidden.length, 'further group')}, ${someOf(hidden.map(groupName), 3)}`,
    );
  return { id, emoji, title, lines: groups.slice(0, SHOWN).map(write) };
}

function toLine(group: Group, text: string): Line {
  return { severity: group.severity, text: `${groupName(group)}: ${text}` };
}

function flapsOf({ flapper }: Group): number {
  return flapper?.flaps ?? 0;
}
