/** Writes everything under monitoring/ that is generated, so that rules, their proofs and dashboards have one source. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { format } from 'prettier';
import { toApplications } from '../monitoring/charts.ts';
import {
  toCatalogue,
  toConfigMaps,
  toDashboardFiles,
  toPictureList,
} from '../monitoring/dashboards/rendering.ts';
import { toMetricsPage, toRunbookIndex } from '../monitoring/reference.ts';
import { ruleGroups } from '../monitoring/rules/catalogue.ts';
import { toPrometheusRule, toRuleFile, toRuleTests } from '../monitoring/rules/rendering.ts';
import { ENVIRONMENTS, readVariables } from '../monitoring/variables.ts';
import type { Environment, Variables } from '../monitoring/variables.ts';

const ROOT = resolve(import.meta.dirname, '..');
const STYLE = { printWidth: 110, singleQuote: true, trailingComma: 'all' } as const;

/** All generated files by path, formatted as prettier leaves them, with the default thresholds. */
export async function renderMonitoring(): Promise<Map<string, string>> {
  const files: [string, string][] = ruleGroups(readVariables('homelab')).flatMap((group) => [
    [`monitoring/prometheus/rules/${group.file}.yaml`, toRuleFile(group)],
    ...toRuleTests(group).map(([suffix, text]): [string, string] => [
      `monitoring/prometheus/tests/${group.file}${suffix}.yaml`,
      text,
    ]),
  ]);
  files.push(
    ...toDashboardFiles().map(([name, text]): [string, string] => [
      `monitoring/grafana/dashboards/${name}`,
      text,
    ]),
    ['monitoring/grafana/kustomization.yaml', toConfigMaps()],
    ['monitoring/jobs/panels.json', toPictureList()],
    ['docs/dashboards.md', toCatalogue()],
    ['docs/metrics.md', toMetricsPage()],
    ['docs/runbooks/README.md', toRunbookIndex(ruleGroups(readVariables('homelab')))],
  );
  for (const environment of ENVIRONMENTS) {
    files.push(...renderRules(environment, readVariables(environment)));
    files.push([`monitoring/argocd/${environment}.yaml`, toApplications(environment)]);
  }
  return new Map(
    await Promise.all(files.map(async ([path, text]) => [path, await polish(path, text)] as const)),
  );
}

/** The PrometheusRules of an environment for given thresholds. */
export function renderRules(environment: Environment, variables: Variables): [path: string, text: string][] {
  return ruleGroups(variables).map((group) => [
    `monitoring/overlays/${environment}/rules/${group.file}.yaml`,
    toPrometheusRule(group),
  ]);
}

async function polish(path: string, text: string): Promise<string> {
  const parser = path.endsWith('.json') ? 'json' : path.endsWith('.md') ? 'markdown' : 'yaml';
  return format(text, { ...STYLE, parser });
}

if (import.meta.main) {
  for (const [path, text] of await renderMonitoring()) {
    mkdirSync(dirname(resolve(ROOT, path)), { recursive: true });
    writeFileSync(resolve(ROOT, path), text);
  }
}
