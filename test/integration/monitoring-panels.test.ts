/**
 * Every panel's query, evaluated by Prometheus' own engine on made-up series of the metrics it names: that it parses does not
 * yet mean that two sides of a division ever meet.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { DASHBOARDS, withoutVariables } from '../../monitoring/dashboards/catalogue.ts';
import { numberPanels } from '../../monitoring/dashboards/panel.ts';
import { TARGET_LABELS, findMetric } from '../../monitoring/metrics.ts';
import { readSelectors } from '../../monitoring/rules/expression.ts';
import type { Selector } from '../../monitoring/rules/expression.ts';
import { runTool, whyNoTool } from '../support/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'alertgest-panels-'));
/** They list what is wrong, and in the made-up series nothing is. */
const EMPTY_WHEN_ALL_IS_WELL = ['Kubernetes cluster: Failed jobs', 'Kubernetes cluster: Rollouts under way'];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(whyNoTool('promtool', '--version') !== null)('panels', () => {
  it('draw something of the metrics they name', () => {
    const queries = DASHBOARDS.flatMap((dashboard) =>
      numberPanels(dashboard)
        .filter(({ panel }) => panel.kind !== 'logs')
        .flatMap(({ panel }) =>
          panel.queries.map(({ expr }) => ({
            title: `${dashboard.title}: ${panel.title}`,
            expr: withoutVariables(expr),
          })),
        ),
    );
    const answers = evaluate(queries.map(({ expr }) => expr));
    expect(answers).toHaveLength(queries.length);
    const empty = queries.filter((_, at) => answers[at] === 'nil').map(({ title }) => title);
    expect([...new Set(empty)]).toEqual(EMPTY_WHEN_ALL_IS_WELL);
  });

  it('would be found out: two sides that never meet', () => {
    expect(evaluate(['sum by (node) (node_load5) / sum by (service) (redis_up)'])).toEqual(['nil']);
    expect(evaluate(['node_load5 / on (job) redis_up'])[0]).toContain('many-to-many');
  });
});

/** What promtool says to each query: it fails every one, because none equals what is expected, and shows what it got. */
function evaluate(exprs: readonly string[]): string[] {
  const file = join(folder, 'queries.yaml');
  const tests = exprs.map((expr) => ({
    interval: '1m',
    input_series: [...new Map(readSelectors(expr).flatMap(makeSeries))].map(([series, values]) => ({
      series,
      values,
    })),
    promql_expr_test: [{ expr, eval_time: '600m', exp_samples: [{ labels: '{never="equal"}', value: 0 }] }],
  }));
  writeFileSync(
    file,
    stringify({ evaluation_interval: '600m', tests }, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  const { stdout, stderr } = runTool('promtool', ['test', 'rules', file]);
  return (stdout + stderr)
    .split(/\n\s+expr: /)
    .slice(1)
    .map((block) => /(?:got|err): ?([\s\S]*)/.exec(block)?.[1]?.trim() ?? '');
}

/** Two series of a metric, from two pods on two nodes, with labels that the selector accepts. */
function makeSeries({ series, matchers }: Selector): [series: string, values: string][] {
  const metric = findMetric(series);
  const isCounter = metric?.type === 'counter' || metric?.type === 'histogram';
  const bounds = series.endsWith('_bucket') ? ['1', '2', '+Inf'] : [undefined];
  return [1, 2].flatMap((which) =>
    bounds.map((le): [string, string] => {
      const labels = new Map(
        [...TARGET_LABELS, ...(metric?.labels ?? [])].map((label) => [
          label,
          ['pod', 'instance', 'node'].includes(label) ? `${label}-${which}` : 'x',
        ]),
      );
      for (const { label, operator, value } of matchers) {
        if (operator === '=') labels.set(label, value);
        if (operator === '=~' && value !== '.*') labels.set(label, toExample(value));
      }
      if (le !== undefined) labels.set('le', le);
      const text = Array.from(labels, ([label, value]) => `${label}="${value}"`).join(',');
      return [
        `${series}{${text}}`,
        isCounter ? `0+${10 * which + (le === '+Inf' ? 5 : 0)}x700` : `${which}x700`,
      ];
    }),
  );
}

/** A value that a regular expression of ours accepts: its first branch, the dots filled. */
function toExample(pattern: string): string {
  return pattern.split('|')[0]?.replaceAll('5..', '500').replaceAll(/[.*+]/g, '') || 'x';
}
