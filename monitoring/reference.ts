/** The pages that are written from the tables: which alerts there are, which thresholds, which metrics. */
import { ALERTGEST_METRICS, APPLICATION_METRICS, METRICS } from './metrics.ts';
import type { Metric } from './metrics.ts';
import { INHIBITIONS } from './rules/ladders.ts';
import type { RuleGroup } from './rules/rule.ts';
import { VARIABLES } from './variables.ts';

/** The index of the runbooks: every alert, and every threshold. */
export function toRunbookIndex(groups: readonly RuleGroup[]): string {
  const tables = groups.map(
    ({ name, rules }) => `## ${name}

| alert | severity | category | after | first thing to try |
| --- | --- | --- | --- | --- |
${rules
  .map(({ alert, alsoKnownAs, severity, category, for: after, remediation }) => {
    const also = alsoKnownAs === undefined ? '' : ` (also ${alsoKnownAs.join(', ')})`;
    return `| [${alert}](${alert}.md)${also} | ${severity} | ${category} | ${after ?? 'at once'} | ${remediation} |`;
  })
  .join('\n')}`,
  );
  return `# Runbooks

This page is written by \`npm run monitoring\` from \`monitoring/rules\`; a test compares. Rules are evaluated every 15
seconds. Each alert carries \`severity\`, \`category\`, a summary, a description, a remediation (a suggestion: nothing
executes it) and the address of its page here.

${tables.join('\n\n')}

## Which alert mutes which

| while this fires | these are muted | on the same |
| --- | --- | --- |
${INHIBITIONS.map(({ source, targets, equal }) => `| ${source} | ${targets.join(', ')} | ${equal.join(', ')} |`).join('\n')}

## Thresholds

Set them by the environment variable of the same name in capitals: \`ALERT_CPU_THRESHOLD=85 make monitoring ENV=homelab\`.

| variable | homelab | company | meaning |
| --- | --- | --- | --- |
${Object.entries(VARIABLES)
  .map(
    ([name, { homelab, company, meaning }]) =>
      `| \`${name}\` | \`${escape(homelab)}\` | \`${escape(company)}\` | ${meaning} |`,
  )
  .join('\n')}
`;
}

/** The metric contract as a page. */
export function toMetricsPage(): string {
  const exporters = [...new Set(METRICS.map(({ exporter }) => exporter))].filter(
    (exporter) => exporter !== 'alertgest' && exporter !== 'application',
  );
  return `# Metrics

This page is written by \`npm run monitoring\` from \`monitoring/metrics.ts\`; a test compares. A query of a rule or a
dashboard about anything else fails the tests.

## alertgest

\`GET /metrics\` of the console, from Postgres: the numbers survive scaling to zero and are the same at every instance. No
label holds an alert's name or free text, so the number of series is bounded by channels, models and severities.

${toTable(ALERTGEST_METRICS)}

## Applications

The contract for your own services; [monitoring.md](monitoring.md) has an example.

${toTable(APPLICATION_METRICS)}

${exporters
  .map((exporter) => `## ${exporter}\n\n${toTable(METRICS.filter((metric) => metric.exporter === exporter))}`)
  .join('\n\n')}
`;
}

function toTable(metrics: readonly Metric[]): string {
  const rows = metrics.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return `| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
}

function escape(value: number | string): string {
  return String(value).replaceAll('|', '\\|');
}
