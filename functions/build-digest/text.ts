/** The plain text of a window's counts. Pure; every number comes from the counts. */
import type { CaptureWindow } from '../../shared/capture-window-config.ts';
import type { EpisodeCounts } from '../../shared/postgres/episodes.ts';
import { SEVERITIES } from '../../shared/severity.ts';

/** Alert types listed by name; the rest is summed up in one line. */
const TYPES_SHOWN = 12;

/** Writes the counts as a person reads them on a phone. */
export function toText(window: CaptureWindow, counts: EpisodeCounts): string {
  const clock = (time: Date): string =>
    time.toLocaleString('en-GB', {
      timeZone: window.zone,
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
    });
  const head = `${clock(window.start)} – ${clock(window.end)} (${window.zone})`;
  if (counts.episodes === 0) return `${head}\nNo alerts.`;
  const types = Object.entries(counts.byType).toSorted(([, a], [, b]) => b.episodes - a.episodes);
  const rest = types.slice(TYPES_SHOWN);
  return [
    head,
    `${plural(counts.episodes, 'alert')} of ${plural(types.length, 'type')}, ${plural(counts.issues, 'issue')}: ${counts.firing} still firing, ${counts.resolved} over (${percent(counts.resolved, counts.episodes)}).`,
    SEVERITIES.filter((severity) => counts.bySeverity[severity] !== undefined)
      .map((severity) => `${severity} ${counts.bySeverity[severity]?.episodes ?? 0}`)
      .join(' · '),
    ...types
      .slice(0, TYPES_SHOWN)
      .map(
        ([type, sum]) =>
          `${String(sum.episodes).padStart(6)}  ${type}${sum.firing > 0 ? `  (${sum.firing} firing)` : ''}`,
      ),
    ...(rest.length > 0
      ? [
          `        and ${plural(
            rest.reduce((sum, [, { episodes }]) => sum + episodes, 0),
            'alert',
          )} of ${plural(rest.length, 'other type')}`,
        ]
      : []),
  ].join('\n');
}

/** A share that never rounds up to all or down to none: 19,995 of 20,000 is not 100 %. */
export function percent(part: number, whole: number): string {
  if (part === whole) return '100 %';
  if (part === 0) return '0 %';
  const share = (part / whole) * 100;
  return share > 99.9 ? '> 99.9 %' : share < 0.1 ? '< 0.1 %' : `${share.toFixed(1)} %`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
