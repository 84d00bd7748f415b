/**
 * The Helm charts of the stack. `npm run monitoring` writes the Argo CD Applications from this table and `make monitoring`
 * renders or installs from it, so both always mean the same versions and values.
 */
import { stringify } from 'yaml';
import type { Environment } from './variables.ts';

interface Chart {
  /** Name of the release and of the values file. */
  readonly release: string;
  readonly chart: string;
  readonly repository: string;
  readonly version: string;
  readonly namespace: string;
  /** Argo CD's order. */
  readonly wave: number;
  readonly environments: readonly Environment[];
}

const COMMUNITY = 'https://prometheus-community.github.io/helm-charts';
const GRAFANA = 'https://grafana.github.io/helm-charts';
const BOTH = ['homelab', 'company'] as const;

/** Where Argo CD finds this repository; change it in one place. */
const REPOSITORY = 'https://git.example.com/platform/alertgest.git';
const REVISION = 'v0.1.0';

/** Every chart. The operator and its custom resources come first. */
export const CHARTS: readonly Chart[] = [
  chart('kube-prometheus-stack', COMMUNITY, '67.8.0', 'monitoring', 0, BOTH),
  chart('loki', GRAFANA, '6.29.0', 'monitoring', 1, BOTH),
  chart('alloy', GRAFANA, '0.12.5', 'monitoring', 2, BOTH),
  chart('prometheus-blackbox-exporter', COMMUNITY, '9.0.1', 'monitoring', 2, BOTH),
  chart('prometheus-smartctl-exporter', COMMUNITY, '0.15.1', 'monitoring-node', 2, ['homelab']),
  chart('prometheus-snmp-exporter', COMMUNITY, '5.6.0', 'monitoring', 2, ['homelab']),
  chart('prometheus-postgres-exporter', COMMUNITY, '7.0.0', 'monitoring', 2, BOTH),
  chart('prometheus-redis-exporter', COMMUNITY, '6.30.1', 'monitoring', 2, BOTH),
];

/** The charts of an environment, in their order. */
export function chartsOf(environment: Environment): readonly Chart[] {
  return CHARTS.filter(({ environments }) => environments.includes(environment));
}

/** The values files of a chart: first what both environments share. */
export function valuesOf({ release }: Chart, environment: Environment): readonly string[] {
  return [`monitoring/values/${release}.yaml`, `monitoring/values/${environment}/${release}.yaml`];
}

/** Argo CD's Applications: one per chart and one for everything that is not a chart. */
export function toApplications(environment: Environment): string {
  const documents = [
    ...chartsOf(environment).map((entry) => toApplication(entry, environment)),
    {
      ...head('monitoring-resources', 1),
      spec: {
        ...common('monitoring'),
        source: { repoURL: REPOSITORY, targetRevision: REVISION, path: `monitoring/overlays/${environment}` },
      },
    },
  ];
  const note = `# Written by \`npm run monitoring\` from monitoring/charts.ts; a test compares.
# kubectl apply -n argocd -f monitoring/argocd/${environment}.yaml
`;
  return (
    note + documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join('---\n')
  );
}

function chart(
  name: string,
  repository: string,
  version: string,
  namespace: string,
  wave: number,
  environments: readonly Environment[],
): Chart {
  return { release: name, chart: name, repository, version, namespace, wave, environments };
}

function toApplication(entry: Chart, environment: Environment): object {
  return {
    ...head(entry.release, entry.wave),
    spec: {
      ...common(entry.namespace),
      sources: [
        {
          repoURL: entry.repository,
          chart: entry.chart,
          targetRevision: entry.version,
          helm: {
            releaseName: entry.release,
            valueFiles: valuesOf(entry, environment).map((path) => `$values/${path}`),
          },
        },
        { repoURL: REPOSITORY, targetRevision: REVISION, ref: 'values' },
      ],
    },
  };
}

function head(name: string, wave: number): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      namespace: 'argocd',
      labels: { 'app.kubernetes.io/part-of': 'alertgest-monitoring' },
      annotations: { 'argocd.argoproj.io/sync-wave': String(wave) },
    },
  };
}

function common(namespace: string): object {
  return {
    project: 'default',
    destination: { server: 'https://kubernetes.default.svc', namespace },
    syncPolicy: {
      automated: { prune: true, selfHeal: true },
      // The custom resources of the operator are larger than the annotation of a client-side apply may be.
      syncOptions: ['ServerSideApply=true'],
      retry: { limit: 5, backoff: { duration: '10s', factor: 2, maxDuration: '3m' } },
    },
  };
}
