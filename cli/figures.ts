/** The night in numbers: each from the console's API, from the answers to our posts, or from the phone. */
import type { Audit, ConsoleApi, Counts } from './console-api.ts';
import type { Summary } from './poster.ts';

export interface Figures {
  readonly posts: number;
  readonly alerts: number;
  readonly counts: Counts;
  readonly issues: number;
  readonly incidents: number;
  /** Shown by the phone. */
  readonly pushes: number;
  /** Notices that the system says were told. */
  readonly notified: number;
  /** Notices told as a line of a summary, and those that still wait for theirs. */
  readonly summedUp: number;
  readonly waiting: number;
  /** Why nobody was told of the others, most frequent first. */
  readonly heldBack: readonly HeldBack[];
  readonly audit: Audit;
}

export interface HeldBack {
  readonly count: number;
  readonly reason: string;
  readonly why: string;
}

/** Asks for everything. */
export async function gatherFigures(
  api: ConsoleApi,
  { posts, alerts }: Pick<Summary, 'posts' | 'alerts'>,
  pushes: number,
  from: Date,
  to: Date,
): Promise<Figures> {
  const [counts, byState, issues, audit] = [
    await api.readCounts(from, to),
    await api.countNotices(),
    await api.countIssues(),
    await api.readAudit(),
  ];
  const untold = [...(await api.listNotices('suppressed')), ...(await api.listNotices('dead'))];
  const groups = Map.groupBy(untold, ({ reason, why }) =>
    JSON.stringify([reason ?? '', sameWords(why ?? '')]),
  );
  const heldBack = [...groups].map(([key, notices]) => {
    const [reason = '', why = ''] = JSON.parse(key) as string[];
    return { count: notices.length, reason, why };
  });
  return {
    posts,
    alerts,
    counts,
    ...issues,
    pushes,
    notified: byState['notified'] ?? 0,
    summedUp: byState['digested'] ?? 0,
    waiting: byState['held'] ?? 0,
    heldBack: heldBack.toSorted((a, b) => b.count - a.count),
    audit,
  };
}

/** Reasons that differ only in how long ago and how often are one reason. */
function sameWords(why: string): string {
  return why.replace(
    /^told \d+ \w+ ago and never calm for long; .*/,
    'told before, and never calm for long since',
  );
}

/** The paragraph and the list of what was held back, at most 80 columns wide. Pure. */
export function toFigures(figures: Figures): string {
  const { counts, audit } = figures;
  const untold = figures.heldBack.reduce((sum, { count }) => sum + count, 0);
  const lines = figures.heldBack.map(({ count, reason, why }) =>
    `  ${String(count).padStart(6)}  ${reason.padEnd(15)}  ${why}`.trimEnd(),
  );
  const problems = Object.entries(audit).filter(([, count]) => typeof count === 'number' && count > 0);
  return [
    `  ${number(figures.posts)} webhooks carried ${number(figures.alerts)} alerts, re-sent groups and copies included:`,
    `  ${number(counts.episodes)} episodes of ${number(Object.keys(counts.byType).length)} types, ${number(figures.issues)} issues, ${number(figures.incidents)} incidents.`,
    `  ${number(figures.pushes)} pushes on the phone for ${number(figures.notified)} pieces of news sent${figures.pushes === figures.notified ? '' : ' (THESE DIFFER)'};`,
    `  ${number(figures.summedUp)} more were lines of summaries among them, ${number(figures.waiting)} wait for a summary.`,
    `  ${number(untold)} pieces of news were pushed to nobody, and this is why:`,
    '',
    ...lines,
    '',
    audit.clean
      ? '  Audit clean: everything that was taken in came to its end.'
      : `  AUDIT NOT CLEAN: ${problems.map(([name, count]) => `${name} ${String(count)}`).join(', ')}.`,
  ].join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en-GB');
}
