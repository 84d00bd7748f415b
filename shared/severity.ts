/**
 * Severity as this project knows it. Senders spell it in many ways; a spelling listed below counts as its meaning and
 * every other one is `unknown`, which is never held back. So nothing is guessed from look-alikes: a homoglyph such as
 * "criticаl" with a Cyrillic "а" is `unknown`, which is told like a warning and can neither forge nor hide a critical.
 */

/** From loudest to quietest; `unknown` counts as loud as `warning` wherever a threshold is applied. */
export const SEVERITIES = ['critical', 'warning', 'info', 'none', 'unknown'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Longer values are not a severity; they are not even looked at. */
const MAX_LENGTH = 64;

/**
 * Spellings seen in the wild: Prometheus rules, syslog, Zabbix, Opsgenie, PagerDuty, Alerta, Grafana OnCall, incident scales.
 * Between two meanings the louder one wins (`high`, `error`, `major`). Of a numbered scale only 0 and 1 are critical.
 */
const ALIASES: Readonly<Record<Exclude<Severity, 'unknown'>, readonly string[]>> = {
  critical: [
    'critical crit fatal panic alert emergency emerg disaster blocker urgent severe',
    'page pager paging high highest error err major red',
    'p0 p1 s0 s1 sev0 sev1 severity0 severity1 prio1 priority1',
  ],
  warning: [
    'warning warn minor medium moderate average degraded ticket yellow amber orange',
    'p2 p3 s2 s3 sev2 sev3 severity2 severity3 prio2 prio3 priority2 priority3',
  ],
  info: [
    'info information informational notice notify low lowest email blue',
    'p4 p5 s4 s5 sev4 sev5 severity4 severity5 prio4 prio5 priority4 priority5',
  ],
  none: ['none debug trace heartbeat watchdog deadman'],
};

const SEVERITY_OF: ReadonlyMap<string, Severity> = new Map(
  Object.entries(ALIASES).flatMap(([severity, lines]) =>
    lines.flatMap((line) => line.split(' ')).map((alias) => [alias, severity as Severity] as const),
  ),
);

/** Loudness by severity, lower is louder. */
const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, unknown: 1, info: 2, none: 3 };

/** The severity a label means; case, spaces, `-` and `_` do not matter. Missing or unlisted is `unknown`. */
export function normalizeSeverity(value: string | undefined): Severity {
  if (value === undefined || value.length > MAX_LENGTH) return 'unknown';
  return SEVERITY_OF.get(value) ?? SEVERITY_OF.get(value.toLowerCase().replace(/[\s_-]/g, '')) ?? 'unknown';
}

/** Orders severities loudest first; `unknown` is equal to `warning`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return RANK[a] - RANK[b];
}
