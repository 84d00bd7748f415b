/** Turns dashboards into files: JSON that Grafana imports, the ConfigMaps for its sidecar, and the catalogue page. */
import { stringify } from 'yaml';
import { DASHBOARDS } from './catalogue.ts';
import { numberPanels, toGrafana } from './panel.ts';

const NOTE = 'written by `npm run monitoring` from monitoring/dashboards; a test compares.';

/** Every dashboard as JSON by file name. */
export function toDashboardFiles(): [name: string, text: string][] {
  return DASHBOARDS.map((dashboard) => [`${dashboard.uid}.json`, JSON.stringify(toGrafana(dashboard))]);
}

/** One ConfigMap per dashboard, with the label that Grafana's sidecar looks for. */
export function toConfigMaps(): string {
  return `# Written${NOTE.slice('written'.length)}\n${stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'monitoring',
    generatorOptions: {
      disableNameSuffixHash: true,
      labels: { grafana_dashboard: '1', 'app.kubernetes.io/part-of': 'alertgest-monitoring' },
      annotations: { grafana_folder: 'alertgest' },
    },
    configMapGenerator: DASHBOARDS.map(({ uid }) => ({
      name: `dashboard-${uid}`,
      files: [`dashboards/${uid}.json`],
    })),
  })}`;
}

/** The panels that are exported as pictures once a week (jobs/export-panels.ts). */
export function toPictureList(): string {
  const pictures = DASHBOARDS.flatMap((dashboard) =>
    numberPanels(dashboard)
      .filter(({ panel }) => panel.exported)
      .map(({ id, panel }) => ({
        uid: dashboard.uid,
        panel: id,
        name: panel.title
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, '-')
          .replaceAll(/^-|-$/g, ''),
        from: dashboard.from ?? 'now-24h',
      })),
  );
  return JSON.stringify(pictures);
}

/** The page that says which dashboard answers what, and whose it is. */
export function toCatalogue(): string {
  const rows = DASHBOARDS.map(
    ({ uid, title, owner, answers, rows }) =>
      `| [${title}](../monitoring/grafana/dashboards/${uid}.json) | ${answers} | ${owner} | ${rows.flatMap(({ panels }) => panels).length} |`,
  );
  const owners = [...new Set(DASHBOARDS.map(({ owner }) => owner))].map(
    (owner) =>
      `| ${owner} | ${DASHBOARDS.filter((dashboard) => dashboard.owner === owner)
        .map(({ title }) => title)
        .join(', ')} |`,
  );
  return `# Dashboards

This page is ${NOTE}

Grafana's sidecar loads them from ConfigMaps with the label \`grafana_dashboard\`; they cannot be edited in Grafana, so every
environment shows the same. Change the source, run \`npm run monitoring\`, and let Argo CD do the rest. Every query is held
against the metric contract ([metrics.md](metrics.md)).

| dashboard | answers | owner | panels |
| --- | --- | --- | --- |
${rows.join('\n')}

## Owners

An owner reviews its dashboards once a quarter, answers questions about them, and deletes what nobody opened.

| owner | dashboards |
| --- | --- |
${owners.join('\n')}
`;
}
