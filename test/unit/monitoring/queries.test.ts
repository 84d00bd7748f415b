import { describe, expect, it } from 'vitest';
import { DASHBOARDS, withoutVariables } from '../../../monitoring/dashboards/catalogue.ts';
import { numberPanels, toGrafana } from '../../../monitoring/dashboards/panel.ts';
import { ALERTGEST_METRICS, METRICS, TARGET_LABELS, findMetric } from '../../../monitoring/metrics.ts';
import { ruleGroups } from '../../../monitoring/rules/catalogue.ts';
import { readGrouping, readSelectors } from '../../../monitoring/rules/expression.ts';
import { readVariables } from '../../../monitoring/variables.ts';
import { OWN_METRICS } from '../../../shared/metrics.ts';

const ruleQueries = ruleGroups(readVariables('homelab')).flatMap(({ rules }) =>
  rules.map(({ alert, expr }) => [alert, expr] as const),
);
const panelQueries = DASHBOARDS.flatMap((dashboard) =>
  numberPanels(dashboard)
    .filter(({ panel }) => panel.kind !== 'logs')
    .flatMap(({ panel }) =>
      panel.queries.map(
        ({ expr }) => [`${dashboard.title}: ${panel.title}`, withoutVariables(expr)] as const,
      ),
    ),
);
const proofSeries = ruleGroups(readVariables('homelab')).flatMap(({ rules }) =>
  rules.flatMap(({ proof }) => [...proof.fires, ...(proof.quiet ?? [])].map(([series]) => series)),
);

describe('what a query reads', () => {
  it('is found: series, labels and grouping', () => {
    const expr =
      '100 * sum by (service) (rate(a_total{status=~"5..",x!="{y}"}[5m])) / on (node) group_left (z) max(b) > 0.5 or absent(c == 1)';
    expect(readSelectors(expr)).toMatchObject([
      {
        series: 'a_total',
        labels: ['status', 'x'],
        matchers: [
          { operator: '=~', value: '5..' },
          { operator: '!=', value: '{y}' },
        ],
      },
      { series: 'b', labels: [] },
      { series: 'c', labels: [] },
    ]);
    expect(readGrouping(expr)).toEqual(['service', 'node']);
  });

  it('is nothing in a constant', () => {
    expect(readSelectors('vector(1)')).toEqual([]);
  });
});

describe('the metric contract', () => {
  it('names every metric once', () => {
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  });

  it('has the nine metrics of the first proposal by name', () => {
    const names = ALERTGEST_METRICS.map(({ name }) => name.replace(/^alertgest_/, ''));
    expect(names).toEqual(
      expect.arrayContaining([
        'alerts_received_total',
        'alerts_stored_total',
        'alerts_discarded_total',
        'capture_window_active',
        'digest_generation_duration_seconds',
        'llm_request_duration_seconds',
        'llm_tokens_total',
        'teams_delivery_total',
        'k8s_context_collection_duration_seconds',
      ]),
    );
  });

  it('bounds the labels of ours and ends the names of counters with _total', () => {
    const unbounded = ['alertname', 'pattern', 'notice', 'instance', 'title', 'error'];
    for (const { name, type, labels } of ALERTGEST_METRICS) {
      expect(
        labels.filter((label) => unbounded.includes(label)),
        name,
      ).toEqual([]);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });

  it('knows the label values that queries about ours select', () => {
    const values = new Map(OWN_METRICS.map(({ name, labels }) => [name as string, labels]));
    const selected = [...ruleQueries, ...panelQueries].flatMap(([title, expr]) =>
      Array.from(
        expr.matchAll(/(alertgest_[a-z_]+)\{(\w+)=~?"([\w|-]+)"\}/g),
        ([, name = '', label = '', value = '']) => ({ title, known: values.get(name)?.[label], value }),
      ),
    );
    expect(selected.length).toBeGreaterThan(10);
    for (const { title, known, value } of selected) {
      if (typeof known === 'string') continue;
      expect(known, title).toEqual(expect.arrayContaining(value.split('|')));
    }
  });

  it('is used: every metric of ours is in a rule or a dashboard', () => {
    const used = new Set(
      [...ruleQueries, ...panelQueries].flatMap(([, expr]) =>
        readSelectors(expr).map(({ series }) => findMetric(series)?.name),
      ),
    );
    expect(ALERTGEST_METRICS.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });

  it.each([...ruleQueries, ...panelQueries])('covers %s', (_title, expr) => {
    const selectors = readSelectors(expr);
    expect(
      selectors.map(({ series }) => series).filter((series) => findMetric(series) === undefined),
    ).toEqual([]);
    for (const { series, labels } of selectors) {
      expect(
        labels.filter((label) => !labelsOf(series).includes(label)),
        series,
      ).toEqual([]);
    }
    const all = new Set(selectors.flatMap(({ series }) => labelsOf(series)));
    expect(readGrouping(expr).filter((label) => !all.has(label))).toEqual([]);
  });

  it('covers the series that prove the rules', () => {
    for (const proof of proofSeries) {
      const [selector] = readSelectors(proof);
      expect(
        selector?.labels.filter((label) => !labelsOf(selector.series).includes(label)),
        proof,
      ).toEqual([]);
    }
  });
});

describe('dashboards', () => {
  it('have one address each and fit the grid without overlapping', () => {
    expect(new Set(DASHBOARDS.map(({ uid }) => uid)).size).toBe(DASHBOARDS.length);
    for (const dashboard of DASHBOARDS) {
      const panels = toGrafana(dashboard).panels ?? [];
      const cells = new Set<string>();
      for (const { gridPos } of panels) {
        if (gridPos === undefined) throw new Error('a panel without a place');
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            expect(cells.has(`${x} ${y}`), `${dashboard.title} ${x} ${y}`).toBe(false);
            cells.add(`${x} ${y}`);
          }
        }
      }
    }
  });

  it('say what they answer and whose they are', () => {
    for (const { owner, answers } of DASHBOARDS) {
      expect(owner).not.toBe('');
      expect(answers).toMatch(/[.?]$/);
    }
  });
});

function labelsOf(series: string): readonly string[] {
  return [
    ...TARGET_LABELS,
    ...(findMetric(series)?.labels ?? []),
    ...(series.endsWith('_bucket') ? ['le'] : []),
  ];
}
