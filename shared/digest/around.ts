/** The sections below the five headings: who was woken, what was held, what is new, what changed, what is missing. Pure. */
import type { Line, Section } from './document.ts';
import type { NightFacts } from './facts.ts';
import { toRollout } from './notes.ts';
import { countOf, someOf, toName, toNumber } from './words.ts';
import type { Clock } from './words.ts';

const SHOWN = 8;
const SHOWN_EVENTS = 5;

const REASONS: Readonly<Record<string, string>> = {
  ignored: 'ignored by a decision',
  snoozed: 'snoozed by a decision',
  'digest-only': 'kept for the digest by a decision',
  window: 'held for this digest',
  storm: 'held for a storm summary',
  flap: 'held while it came and went',
  flapping: 'held while it came and went',
  told: 'part of what was told already',
  over: 'over before it was told',
  'no-route': 'not loud enough for any channel',
};

/** The sections in their order; each is shown, with "None" when there is nothing. */
export function toAround(facts: NightFacts, clock: Clock, cuts: string[]): Section[] {
  return [
    section('woke', '🔔', 'Told in the Night', toWoke(facts, clock, cuts)),
    section('held', '🔕', 'Held or Not Told', toHeld(facts)),
    section('new', '✨', 'Seen for the First Time', toFresh(facts, cuts)),
    section('returning', '🔁', 'Likely to Come Back', toReturning(facts, cuts)),
    section('changes', '🚀', 'Changes Beside the Alerts', toChanges(facts, clock)),
    section('compared', '📈', 'Compared with Other Nights', toCompared(facts)),
    section('missed', '🕳️', 'Truncated, Rejected or Missed', toMissed(facts)),
  ];
}

function section(id: string, emoji: string, title: string, lines: Line[]): Section {
  return { id, emoji, title, lines };
}

function toWoke({ wakes }: NightFacts, clock: Clock, cuts: string[]): Line[] {
  if (wakes.total === 0) return [];
  const hidden = wakes.total - wakes.shown.length;
  if (hidden > 0) cuts.push(`${countOf(hidden, 'further push', 'further pushes')} of the night`);
  return [
    { text: `${countOf(wakes.total, 'push', 'pushes')} with a sound.` },
    ...wakes.shown.map(({ severity, alertname, title, at, channels }) => ({
      severity,
      text: `${clock.at(at)} ${toName(alertname)} · ${toName(title)} (${channels.join(', ')})`,
    })),
  ];
}

function toHeld({ quietened }: NightFacts): Line[] {
  return quietened.map(({ reason, notices, issues, titles }) => {
    const isDecision = reason === 'ignored' || reason === 'snoozed' || reason === 'digest-only';
    const names = titles.map(({ name, why }) =>
      isDecision && why !== null ? `${toName(name)} (${toName(why)})` : toName(name),
    );
    return {
      text: `${countOf(notices, 'notice')} of ${countOf(issues, 'issue')}, ${REASONS[reason] ?? reason}: ${someOf(names, names.length, issues)}`,
    };
  });
}

function toFresh({ fresh, compare }: NightFacts, cuts: string[]): Line[] {
  if (fresh.length > 0 && compare.nights === 0)
    return [{ text: `${countOf(fresh.length, 'issue')}; no night before this one is known.` }];
  if (fresh.length > SHOWN)
    cuts.push(`${countOf(fresh.length - SHOWN, 'further issue')} seen for the first time`);
  return fresh.length === 0
    ? []
    : [
        { text: `${countOf(fresh.length, 'issue')} never seen before.` },
        ...fresh
          .slice(0, SHOWN)
          .map(({ title, episodes }) => ({ text: `${title}: ${countOf(episodes, 'alert')}` })),
      ];
}

function toReturning({ returning }: NightFacts, cuts: string[]): Line[] {
  if (returning.length > SHOWN)
    cuts.push(`${countOf(returning.length - SHOWN, 'further issue')} likely to come back`);
  return returning.slice(0, SHOWN).map(({ severity, title, flaps, nights }) => ({
    severity,
    text: `${title}: ${[flaps >= 3 ? `came ${toNumber(flaps)} times` : '', nights >= 3 ? `seen in ${nights} of the last 7 nights` : ''].filter((part) => part !== '').join(', ')}`,
  }));
}

function toChanges({ cluster, correlations }: NightFacts, clock: Clock): Line[] {
  if (cluster === null) return [{ text: 'The cluster was not asked.' }];
  const lines: Line[] = correlations
    .slice(0, SHOWN)
    .map((each) => ({ text: `${each.alertname}: ${toRollout(each, clock)}` }));
  for (const { namespace, name, at, replicas, images } of cluster.rollouts.slice(0, SHOWN))
    lines.push({
      text: `Rollout of ${toName(namespace)}/${toName(name)} at ${clock.at(at)}${toParts([images && toName(images), replicas && `replicas ${toName(replicas)}`])}`,
    });
  for (const { namespace, name, status, restarts, lastReason } of cluster.pods.slice(0, SHOWN))
    lines.push({
      text: `Pod ${toName(namespace)}/${toName(name)}: ${toName(status)}, ${countOf(restarts, 'restart')}${lastReason === null ? '' : `, last ended with ${toName(lastReason)}`}`,
    });
  if (cluster.nodes.length > 0)
    lines.push({ text: `Nodes under pressure: ${someOf(cluster.nodes.map(toName), 10)}` });
  if (cluster.busyPods.length > 0)
    lines.push({ text: `Pods near their limits: ${someOf(cluster.busyPods.map(toName), 5)}` });
  for (const { reason, count, object } of cluster.events.slice(0, SHOWN_EVENTS))
    lines.push({ text: `${toName(reason)}: ${toNumber(count)} × ${toName(object)}` });
  if (cluster.absent.length > 0) lines.push({ text: `Not known: ${someOf(cluster.absent.map(toName), 8)}` });
  return lines;
}

function toParts(parts: ReadonlyArray<string | null | undefined | false>): string {
  const kept = parts.filter((part) => typeof part === 'string' && part !== '');
  return kept.length === 0 ? '' : ` (${kept.join(', ')})`;
}

function toCompared({ compare, counts, windows }: NightFacts): Line[] {
  const lines: Line[] = [];
  const per = windows.length === 1 ? '' : ' in a night';
  if (compare.median !== null)
    lines.push({
      text: `${countOf(Math.round(counts.episodes / windows.length), 'alert')}${per}; the median of the last ${countOf(compare.nights, 'night')} is ${toNumber(compare.median)}`,
    });
  if (compare.lastWeek !== null)
    lines.push({ text: `The same night last week: ${countOf(compare.lastWeek, 'alert')}` });
  return lines;
}

function toMissed({ lost, between }: NightFacts): Line[] {
  const lines: Line[] = [];
  if (lost.truncated > 0)
    lines.push({
      text: `${countOf(lost.truncated, 'alert')} cut from webhooks by Alertmanager (max_alerts)`,
    });
  if (lost.rejected > 0) lines.push({ text: `${countOf(lost.rejected, 'alert')} could not be used` });
  lines.push(...lost.rejections.map((title) => ({ text: `Rejected: ${title}` })));
  if (lost.missed !== null && lost.missed.total > 0)
    lines.push({
      text: `${countOf(lost.missed.total, 'alert')} fired in Prometheus and never arrived: ${someOf(lost.missed.shown, lost.missed.shown.length, lost.missed.total)}`,
    });
  if (lost.missedWhy !== null) lines.push({ text: `Not compared with Prometheus: ${lost.missedWhy}` });
  if (between > 0)
    lines.push({ text: `${countOf(between, 'alert')} of the days between are kept but not counted here` });
  return lines;
}
