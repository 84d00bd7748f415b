/**
 * The pattern: what makes alerts "the same issue". Same pattern ⇔ same alertname, severity, cluster, namespace, workload and resource.
 * A label counts by its role (pattern-labels.ts), its value by what of it lasts (pattern-values.ts, workload.ts); no alert is known by name.
 * The trap is that an alert about a thing also carries the labels of the exporter that saw it: where the thing is named,
 * the exporter's own pod, container, service and address do not count.
 * Invariant: what a restart, a rollout, a reschedule or a second Prometheus changes never changes the pattern; another machine,
 * namespace, severity or named thing always does. In doubt a label counts: a split is noise, a wrong merge hides an outage.
 */
import { createHash } from 'node:crypto';

import { toLabelRole } from './label-role.ts';
import { count, countFallbacks, Result } from './pattern-count.ts';
import type { Role } from './pattern-labels.ts';
import { find, readLabels, toScene, toText, type Label } from './pattern-scene.ts';
import { maskText } from './pattern-values.ts';
import { normalizeSeverity, type Severity } from './severity.ts';

export interface PatternInput {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Pattern {
  /** `v1:` and 32 hexadecimal digits; the version is the version of these rules. */
  readonly pattern: string;
  readonly alertname: string;
  readonly severity: Severity;
  readonly namespace: string | null;
  readonly cluster: string | null;
  /** What counted, as it went into the hash. */
  readonly identity: Readonly<Record<string, string>>;
  /** Source label → the value of it that counted. */
  readonly kept: Readonly<Record<string, string>>;
  /** Source label → why it did not count. */
  readonly dropped: Readonly<Record<string, string>>;
  /** The identity in a few words, without the alert's name. */
  readonly title: string;
}

const VERSION = 'v1';
const MAX_TITLE = 120;

/** The pattern of an alert. Pure, never throws; the cost is linear in the number of labels. */
export function toPattern(alert: PatternInput, options: { readonly cluster: string }): Pattern {
  const result = new Result();
  const labels = readLabels(alert.labels, result.dropped);
  const alertname = toAlertname(labels, alert);
  const rawSeverity = find(labels, 'severity')?.value;
  const severity = normalizeSeverity(rawSeverity);
  const clusterLabel = find(labels, 'cluster')?.value;

  result.set('alertname', alertname);
  result.set(
    'severity',
    severity === 'unknown' && rawSeverity ? `unknown ${rawSeverity.toLowerCase()}` : severity,
  );
  if (options.cluster !== '') result.set('cluster', options.cluster);
  if (clusterLabel !== undefined && clusterLabel !== options.cluster) {
    result.set('cluster label', clusterLabel);
  }

  const scene = toScene(labels);
  for (const label of labels) count(label, scene, result);
  countFallbacks(labels, scene, result);
  if (!labels.some(saysSomething)) result.set('summary', maskText(toText(alert.annotations['summary'])));

  const namespace = scene.namespace?.value ?? null;
  return {
    pattern: hash(result.identity),
    alertname,
    severity,
    namespace,
    cluster: (clusterLabel ?? options.cluster) || null,
    identity: Object.fromEntries(result.identity),
    kept: Object.fromEntries(result.kept),
    dropped: Object.fromEntries(result.dropped),
    title: toTitle(result.identity, namespace, options.cluster),
  };
}

/** An alert without a name takes its summary's words for one; nothing else would tell it from its neighbours. */
function toAlertname(labels: readonly Label[], alert: PatternInput): string {
  const label = find(labels, 'alertname');
  if (label !== undefined) return label.value;
  const rule = labels.find(
    ({ name }) => name === 'rulename' || name === 'alert' || name === '__name__',
  )?.value;
  return rule ?? (maskText(toText(alert.annotations['summary'])) || 'unnamed');
}

/** Whether a label says more than which rule, how loud, which cluster and which Prometheus. */
function saysSomething(label: Label): boolean {
  if (label.role === 'alertname' || label.role === 'severity' || label.role === 'cluster') return false;
  return (
    label.role !== 'noise' || !/^(?:replica label|bookkeeping of the rule|internal label)$/.test(label.reason)
  );
}

function hash(identity: ReadonlyMap<string, string>): string {
  const canonical = JSON.stringify([...identity].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  return `${VERSION}:${createHash('sha256').update(canonical).digest('hex').slice(0, 32)}`;
}

/** What a title names first: things, then parts of machines, then words, then conditions. */
const TITLE_ORDER: ReadonlyMap<Role, number> = new Map(
  [
    'object target name volume',
    'host stable-id',
    'part mountpoint',
    'service',
    'word address',
    'path',
    'code status',
  ].flatMap((roles, order) => roles.split(' ').map((role) => [role as Role, order] as const)),
);
/** Named only when nothing else is: who scrapes and who is responsible. */
const LAST_RESORT: ReadonlySet<string> = new Set(['job', 'team', 'owner', 'environment', 'env']);
const UNTITLED: ReadonlySet<string> = new Set([
  'alertname',
  'severity',
  'cluster',
  'cluster label',
  'namespace',
  'kind',
  'node',
  'instance',
]);

/** `production/api gateway 5xx`: the workload in its namespace, or the machine, then what distinguishes it. */
function toTitle(identity: ReadonlyMap<string, string>, namespace: string | null, cluster: string): string {
  const machine = identity.get('node') ?? identity.get('instance');
  const workload = identity.get('workload');
  const names = [...identity.keys()]
    .filter((key) => key !== 'workload' && !UNTITLED.has(key))
    .map((key) => ({ key, value: identity.get(key) ?? '', role: toLabelRole(key).role }))
    .sort((a, b) => (TITLE_ORDER.get(a.role) ?? 3) - (TITLE_ORDER.get(b.role) ?? 3));
  const things = names.filter(({ key }) => !LAST_RESORT.has(key)).map(({ value }) => value);
  if (things.length === 0 && workload === undefined && machine === undefined)
    things.push(...names.map(({ value }) => value));
  const lead = workload ?? (machine === undefined ? things.shift() : undefined);
  const place = [machine === undefined || lead !== undefined ? namespace : null, lead]
    .filter(Boolean)
    .join('/');
  const words = [...new Set([place, machine, ...things.filter((value) => value !== lead)])]
    .filter(Boolean)
    .join(' ');
  // A scheme says nothing here, and a phone would make a link of it.
  const title = words === '' ? cluster || 'everything' : words.replaceAll(/https?:\/\//g, '');
  return title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE - 1).toWellFormed()}…` : title;
}
