/**
 * What an alert is before it becomes YAML. A rule carries its own proof: series with which it fires and series with which
 * it does not, from which the promtool tests are written.
 */

/** Whom an alert concerns; the same words that alertgest's rules use. */
export type Category =
  | 'network'
  | 'storage'
  | 'media'
  | 'node'
  | 'workload'
  | 'database'
  | 'queue'
  | 'application'
  | 'security'
  | 'backup'
  | 'business'
  | 'meta';

/** A series in promtool's notation: its name with labels, and its values, one per interval. */
export type Series = readonly [series: string, values: string];

/** The evidence that a rule fires when it should and keeps quiet when it should. */
export interface Proof {
  /** When the rule is looked at, from the start of the series. */
  readonly at: string;
  /** Seconds or minutes between two values of the series; one minute unless said. */
  readonly step?: string;
  /** The labels of the alert besides severity and category. */
  readonly labels: Readonly<Record<string, string>>;
  /** What `$value` reads like in the texts, where they show it. */
  readonly value?: string;
  readonly fires: readonly Series[];
  /** Near the threshold, on the other side. Null only where a rule is meant to fire always. */
  readonly quiet: readonly Series[] | null;
}

/** One alert with everything a person needs who gets it. */
export interface AlertRule {
  readonly alert: string;
  /** Other names the same condition has in the proposals this stack came from. */
  readonly alsoKnownAs?: readonly string[];
  readonly severity: 'critical' | 'warning' | 'info' | 'none';
  readonly category: Category;
  readonly expr: string;
  readonly for?: string;
  readonly summary: string;
  readonly description: string;
  /** What to try first. A suggestion for a person: nothing executes it. */
  readonly remediation: string;
  readonly proof: Proof;
}

/** Alerts that are evaluated together, every 15 seconds. */
export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  readonly rules: readonly AlertRule[];
}

/** A group whose alerts know where their runbooks are. */
export interface RuleBook extends RuleGroup {
  readonly runbooks: string;
}

/** A PromQL expression written over several lines, on one. */
export function oneLine(expr: string): string {
  return expr.replace(/\s*\n\s*/g, ' ').trim();
}
