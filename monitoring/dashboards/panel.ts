/** Dashboards as plain values, and what Grafana's own SDK makes of them. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard as GrafanaDashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as LogsPanel } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder as LokiQuery } from '@grafana/grafana-foundation-sdk/loki';
import {
  DataqueryBuilder as PrometheusQuery,
  PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

/** `graph` is over time, `stat` one number now, `table` one row per series, `uptime` green and red over time, `logs` Loki. */
export type PanelKind = 'graph' | 'stat' | 'table' | 'uptime' | 'logs';

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly kind: PanelKind;
  readonly title: string;
  /** What the picture answers, and from when on it should worry. */
  readonly description?: string;
  /** Grafana's name of the unit. */
  readonly unit?: string;
  readonly queries: readonly Query[];
  /** From when on amber and red; falling values worry when amber is the larger one. */
  readonly limits?: readonly [amber: number, red: number];
  /** Part of the weekly picture for stakeholders. */
  readonly exported?: true;
}

/** A choice at the top of a dashboard: the values of a label. */
export interface Choice {
  readonly name: string;
  readonly query: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly owner: string;
  /** The questions it answers, for the catalogue. */
  readonly answers: string;
  readonly tags: readonly string[];
  readonly from?: string;
  readonly choices?: readonly Choice[];
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };
const LOKI = { type: 'loki', uid: '${logs}' };
const SIZES = { graph: [12, 8], stat: [6, 5], table: [12, 8], uptime: [24, 7], logs: [24, 10] } as const;
const REFERENCES = 'ABCDEFGH';

/** A panel over time. */
export function graph(
  title: string,
  unit: string,
  ...queries: readonly (readonly [expr: string, legend: string])[]
): Panel {
  return { kind: 'graph', title, unit, queries: queries.map(([expr, legend]) => ({ expr, legend })) };
}

/** One number, with limits when it can be bad. */
export function stat(
  title: string,
  unit: string,
  expr: string,
  limits?: readonly [number, number],
  description?: string,
): Panel {
  return {
    kind: 'stat',
    title,
    unit,
    queries: [{ expr, legend: '' }],
    ...(limits === undefined ? {} : { limits }),
    ...(description === undefined ? {} : { description }),
  };
}

/** One row per series. */
export function table(title: string, unit: string, expr: string, description?: string): Panel {
  return {
    kind: 'table',
    title,
    unit,
    queries: [{ expr, legend: '' }],
    ...(description === undefined ? {} : { description }),
  };
}

/** Up and down over time, one line per series. */
export function uptime(title: string, expr: string, legend: string): Panel {
  return { kind: 'uptime', title, queries: [{ expr, legend }], limits: [1, 0.99] };
}

/** Lines of logs. */
export function logs(title: string, expr: string): Panel {
  return { kind: 'logs', title, queries: [{ expr, legend: '' }] };
}

/** The panels of a dashboard with the numbers they have in Grafana. */
export function numberPanels(dashboard: Dashboard): { readonly id: number; readonly panel: Panel }[] {
  return dashboard.rows.flatMap(({ panels }) => panels).map((panel, at) => ({ id: at + 1, panel }));
}

/** The dashboard as Grafana imports it. */
export function toGrafana(dashboard: Dashboard): GrafanaDashboard {
  const builder = new DashboardBuilder(dashboard.title)
    .uid(dashboard.uid)
    .description(`${dashboard.answers} Owner: ${dashboard.owner}.`)
    .tags(['alertgest', ...dashboard.tags])
    .time({ from: dashboard.from ?? 'now-24h', to: 'now' })
    .timezone('browser')
    .refresh('1m')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Metrics').type('prometheus'))
    .withVariable(new DatasourceVariableBuilder('logs').label('Logs').type('loki'));
  for (const { name, query } of dashboard.choices ?? []) {
    builder.withVariable(
      new QueryVariableBuilder(name)
        .label(name)
        .datasource(PROMETHEUS)
        .query(query)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*')
        .current({ selected: true, text: 'All', value: '$__all' }),
    );
  }
  let y = 0;
  let id = 0;
  for (const row of dashboard.rows) {
    builder.withRow(new RowBuilder(row.title).gridPos({ x: 0, y, w: 24, h: 1 }).id(1000 + y));
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const [w, h] = SIZES[panel.kind];
      if (x + w > 24) [x, y, height] = [0, y + height, 0];
      builder.withPanel(
        toPanel(panel)
          .id((id += 1))
          .gridPos({ x, y, w, h }),
      );
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return builder.build();
}

type AnyPanel = TimeSeriesPanel | StatPanel | TablePanel | StateTimelinePanel | LogsPanel;

function toPanel(panel: Panel): AnyPanel {
  const builder = PANELS[panel.kind]();
  builder.title(panel.title).datasource(panel.kind === 'logs' ? LOKI : PROMETHEUS);
  if (panel.description !== undefined) builder.description(panel.description);
  if (panel.unit !== undefined && !(builder instanceof LogsPanel)) builder.unit(panel.unit);
  if (panel.limits !== undefined) builder.thresholds(toThresholds(panel.limits));
  for (const [at, query] of panel.queries.entries()) {
    const refId = REFERENCES[at] ?? 'H';
    if (panel.kind === 'logs') {
      builder.withTarget(new LokiQuery().expr(query.expr).maxLines(500).refId(refId));
      continue;
    }
    const target = new PrometheusQuery().expr(query.expr).legendFormat(query.legend).refId(refId);
    if (panel.kind === 'table') target.instant().format(PromQueryFormat.Table);
    if (panel.kind === 'stat') target.instant();
    builder.withTarget(target);
  }
  return builder;
}

const PANELS: Readonly<Record<PanelKind, () => AnyPanel>> = {
  graph: () => new TimeSeriesPanel().fillOpacity(8).lineWidth(1).showPoints(VisibilityMode.Never),
  stat: () =>
    new StatPanel()
      .graphMode(BigValueGraphMode.None)
      .colorMode(BigValueColorMode.Value)
      .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull'])),
  table: () => new TablePanel(),
  uptime: () => new StateTimelinePanel().mergeValues(true).showValue(VisibilityMode.Never),
  logs: () => new LogsPanel().showTime(true).wrapLogMessage(true),
};

/** Rising limits turn red above, falling ones below. */
function toThresholds([amber, red]: readonly [number, number]): ThresholdsConfigBuilder {
  const steps =
    amber <= red
      ? [
          { value: null, color: 'green' },
          ...(amber === red ? [] : [{ value: amber, color: 'orange' }]),
          { value: red, color: 'red' },
        ]
      : [
          { value: null, color: 'red' },
          { value: red, color: 'orange' },
          { value: amber, color: 'green' },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
