/** Turns alert rules into files: rule files, PrometheusRule manifests, and promtool tests that prove each alert. */
import { stringify } from 'yaml';
import type { AlertRule, RuleBook, Series } from './rule.ts';

const INTERVAL = '15s';
const NOTE = '# Written by `npm run monitoring` from monitoring/rules; a test compares.\n';

/** A rule file as Prometheus reads it. */
export function toRuleFile(group: RuleBook): string {
  return NOTE + write({ groups: [toGroup(group)] });
}

/** The same as a manifest of the Prometheus Operator. */
export function toPrometheusRule(group: RuleBook): string {
  return (
    NOTE +
    write({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: {
        name: `alertgest-${group.file}`,
        namespace: 'monitoring',
        labels: { 'app.kubernetes.io/part-of': 'alertgest-monitoring', release: 'monitoring' },
      },
      spec: { groups: [toGroup(group)] },
    })
  );
}

/**
 * The tests of a group: each alert with a case that fires and one that does not. Proofs over days are in a file of their
 * own that evaluates once an hour: promtool evaluates the whole group at every interval.
 */
export function toRuleTests(group: RuleBook): [suffix: string, text: string][] {
  const isSlow = (rule: AlertRule): boolean => rule.proof.at.endsWith('h');
  const files: [string, string, readonly AlertRule[]][] = [
    ['', INTERVAL, group.rules.filter((rule) => !isSlow(rule))],
    ['-over-days', '1h', group.rules.filter(isSlow)],
  ];
  return files
    .filter(([, , rules]) => rules.length > 0)
    .map(([suffix, interval, rules]) => [suffix, toTestFile(group, interval, rules)]);
}

/** The annotations of an alert; templates are left to Prometheus. */
export function toAnnotations(rule: AlertRule, runbooks: string): Record<string, string> {
  return {
    summary: rule.summary,
    description: rule.description,
    remediation: rule.remediation,
    runbook_url: `${runbooks}/${rule.alert}.md`,
  };
}

function toGroup(group: RuleBook): object {
  return {
    name: group.name,
    interval: INTERVAL,
    rules: group.rules.map((rule) => ({
      alert: rule.alert,
      expr: rule.expr,
      ...(rule.for === undefined ? {} : { for: rule.for }),
      labels: { severity: rule.severity, category: rule.category },
      annotations: toAnnotations(rule, group.runbooks),
    })),
  };
}

function toTestFile(group: RuleBook, interval: string, rules: readonly AlertRule[]): string {
  const tests = rules.flatMap((rule) => [
    toCase(rule, 'fires', rule.proof.fires, [toExpected(rule, group.runbooks)]),
    ...(rule.proof.quiet === null ? [] : [toCase(rule, 'is quiet', rule.proof.quiet, [])]),
  ]);
  return NOTE + write({ rule_files: [`../rules/${group.file}.yaml`], evaluation_interval: interval, tests });
}

function toCase(
  rule: AlertRule,
  what: string,
  series: readonly Series[],
  expected: readonly object[],
): object {
  return {
    name: `${rule.alert} ${what}`,
    interval: rule.proof.step ?? '1m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: rule.proof.at, alertname: rule.alert, exp_alerts: expected }],
  };
}

function toExpected(rule: AlertRule, runbooks: string): object {
  const annotations = Object.entries(toAnnotations(rule, runbooks)).map(([name, text]) => [
    name,
    fill(rule, text),
  ]);
  return {
    exp_labels: { severity: rule.severity, category: rule.category, ...rule.proof.labels },
    exp_annotations: Object.fromEntries(annotations),
  };
}

/** What Prometheus makes of a template, for the labels and the value of the proof. */
function fill(rule: AlertRule, text: string): string {
  return text.replace(/\{\{\s*(.*?)\s*\}\}/g, (_, action: string) => {
    if (action.startsWith('$labels.')) return rule.proof.labels[action.slice('$labels.'.length)] ?? '';
    if (action.startsWith('$value') && rule.proof.value !== undefined) return rule.proof.value;
    throw new Error(`${rule.alert}: the proof does not say what {{ ${action} }} reads like`);
  });
}

function write(value: object): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
