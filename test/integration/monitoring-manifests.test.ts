import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { renderStack } from '../../build/monitoring-stack.ts';
import { CHARTS, chartsOf, valuesOf } from '../../monitoring/charts.ts';
import { DASHBOARDS } from '../../monitoring/dashboards/catalogue.ts';
import { ENVIRONMENTS } from '../../monitoring/variables.ts';
import { runTool, whyNoTool } from '../support/tools.ts';

const byName = (a = '', b = ''): number => a.localeCompare(b);
const ROOT = resolve(import.meta.dirname, '../..');
const noKubectl = whyNoTool('kubectl', 'version', '--client') !== null;
const noPromtool = whyNoTool('promtool', '--version') !== null;
const folder = mkdtempSync(join(tmpdir(), 'alertgest-manifests-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly securityContext: Readonly<Record<string, unknown>>;
}
interface Pod {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly type?: string;
    readonly jobTemplate?: { readonly spec: { readonly template: { readonly spec: Pod } } };
  };
  readonly data?: Readonly<Record<string, string>>;
}

const read = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');
const documents = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => document.toJS() as Manifest);
const values = CHARTS.flatMap((entry) =>
  entry.environments.flatMap((environment) => valuesOf(entry, environment)),
);

describe.skipIf(noKubectl).each(ENVIRONMENTS)('the resources of %s', (environment) => {
  const { status, stdout, stderr } = runTool(
    'kubectl',
    ['kustomize', `monitoring/overlays/${environment}`],
    ROOT,
  );
  const manifests = documents(stdout);
  const kinds = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);

  it('render', () => {
    expect(status, stderr).toBe(0);
    expect(kinds('PrometheusRule')).toHaveLength(6);
  });

  it('hold every dashboard with the label that Grafana’s sidecar looks for', () => {
    const found = kinds('ConfigMap').filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1');
    const uids = found.flatMap(({ data }) =>
      Object.values(data ?? {}).map((text) => (JSON.parse(text) as { uid: string }).uid),
    );
    expect(uids.toSorted(byName)).toEqual(DASHBOARDS.map(({ uid }) => uid).toSorted(byName));
  });

  it('open nothing to the outside and hold no secret', () => {
    expect(kinds('Service').filter(({ spec }) => spec?.type !== 'ClusterIP')).toEqual([]);
    expect(
      kinds('Secret')
        .map(({ metadata }) => metadata.name)
        .toSorted(byName),
    ).toEqual(['alertmanager-company', 'alertmanager-homelab']);
    for (const { data } of kinds('Secret')) {
      const text = Buffer.from(data?.['alertmanager.yaml'] ?? '', 'base64').toString('utf8');
      expect(text).toContain('receivers:');
      expect(text).not.toMatch(/hooks\.slack|(?:password|credentials|routing_key|api_key|api_url|token): /);
    }
    expect(kinds('NetworkPolicy').map(({ metadata }) => metadata.name)).toContain('default-deny');
  });

  it('run their jobs as nobody, without a token, with caps and pinned images', () => {
    const jobs = kinds('CronJob');
    expect(jobs.map(({ metadata }) => metadata.name).toSorted(byName)).toEqual([
      'archive-logs',
      'backup-dashboards',
      'backup-silences',
      'export-slo-panels',
    ]);
    for (const { spec } of jobs) {
      const pod = spec?.jobTemplate?.spec.template.spec;
      if (pod === undefined) throw new Error('a CronJob without a pod');
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of [...pod.initContainers, ...pod.containers]) {
        expect(container.image).toMatch(/:v?\d[\w.-]*$|@sha256:[0-9a-f]{64}$/);
        expect(Object.keys(container.resources.limits).toSorted(byName)).toEqual(['cpu', 'memory']);
        expect(container.securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('take thresholds from the environment and say what could not be rendered', () => {
    const target = join(folder, environment);
    const lines = renderStack(environment, target, { ...process.env, ALERT_QUEUE_MESSAGES: '4321' });
    expect(readFileSync(join(target, 'resources.yaml'), 'utf8')).toContain('> 4321');
    expect(readFileSync(join(target, 'rules.yaml'), 'utf8')).not.toContain('> 10000');
    expect(lines.join('\n')).toMatch(/resources\.yaml: \d+ objects, 6 of them rules/);
    expect(lines.join('\n')).toMatch(/charts/);
  });
});

describe('values of the charts', () => {
  it.each(ENVIRONMENTS)('are there for every chart of %s, as mappings', (environment) => {
    for (const entry of chartsOf(environment)) {
      for (const path of valuesOf(entry, environment)) expect(typeof parse(read(path)), path).toBe('object');
    }
  });

  it('leave no file unused', () => {
    const present = readdirSync(resolve(ROOT, 'monitoring/values'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `monitoring/values/${name}`);
    expect(present.filter((path) => !values.includes(path))).toEqual([]);
  });

  it.each([
    ['kube-prometheus-stack', 'prometheus.prometheusSpec.retention', '30d'],
    ['kube-prometheus-stack', 'prometheus.prometheusSpec.evaluationInterval', '15s'],
    [
      'kube-prometheus-stack',
      'prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.resources.requests.storage',
      '50Gi',
    ],
    ['kube-prometheus-stack', 'prometheus.prometheusSpec.resources.limits', { cpu: '300m', memory: '2Gi' }],
    ['kube-prometheus-stack', 'alertmanager.alertmanagerSpec.alertmanagerConfigMatcherStrategy.type', 'None'],
    ['kube-prometheus-stack', 'grafana.persistence.size', '10Gi'],
    ['kube-prometheus-stack', 'grafana.resources.limits', { cpu: '100m', memory: '400Mi' }],
    ['loki', 'loki.limits_config.retention_period', '720h'],
    ['loki', 'loki.compactor.retention_enabled', true],
    ['loki', 'loki.storage.type', 's3'],
    ['loki', 'singleBinary.resources.limits', { cpu: '300m', memory: '1Gi' }],
    ['alloy', 'alloy.resources.limits', { cpu: '50m', memory: '192Mi' }],
    ['company/kube-prometheus-stack', 'alertmanager.alertmanagerSpec.replicas', 3],
  ])('keep what was asked for: %s %s is %j', (file, path, expected) => {
    expect(dig(parse(read(`monitoring/values/${file}.yaml`)), path)).toEqual(expected);
  });

  it.skipIf(noPromtool)('scrape by rules that Prometheus accepts', () => {
    const stack: unknown = parse(read('monitoring/values/kube-prometheus-stack.yaml'));
    const configs = dig(stack, 'prometheus.prometheusSpec.additionalScrapeConfigs') as readonly object[];
    // Some packages of Prometheus are built without Kubernetes: what is found is replaced, the relabelling is not.
    const scrape_configs = configs.map((config) =>
      Object.fromEntries(
        Object.entries(config).map(([name, value]: [string, unknown]) =>
          name === 'kubernetes_sd_configs' ? ['static_configs', [{ targets: ['pod:1'] }]] : [name, value],
        ),
      ),
    );
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, stringify({ scrape_configs }));
    const { status, stdout, stderr } = runTool('promtool', ['check', 'config', file]);
    expect(status, stdout + stderr).toBe(0);
  });
});

describe('secrets', () => {
  const examples = documents(read('monitoring/examples/secrets.example.yaml'));
  const names = new Set([...examples.map(({ metadata }) => metadata.name), 'alertmanager-secrets']);
  const keys = Array.from(read('monitoring/examples/secrets.env.example').matchAll(/^([\w-]+)=(.*)$/gm));

  it('have examples without values', () => {
    expect(examples.flatMap(({ data }) => Object.values(data ?? {})).filter((value) => value !== '')).toEqual(
      [],
    );
    expect(keys.map(([, , value]) => value).filter((value) => value !== '')).toEqual([]);
  });

  it('that values and jobs name are among the examples', () => {
    const texts = [...values, 'monitoring/jobs/cron-jobs.yaml', 'monitoring/jobs/cron-job-patch.yaml']
      .map(read)
      .join('\n');
    const named = Array.from(
      texts.matchAll(
        /(?:existingSecret: |secretRef: \{ name: |secretName: |secrets: \[|ecret:\n\s+name: )([\w-]+)/g,
      ),
      ([, name = '']) => name,
    );
    expect(named.length).toBeGreaterThan(6);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });

  it('that Alertmanager reads are among the keys', () => {
    const texts =
      read('monitoring/alertmanager/alertmanager.yml') + read('monitoring/alertmanager/homelab.yml');
    const used = Array.from(
      texts.matchAll(/secrets\/alertmanager-secrets\/([\w-]+)/g),
      ([, key = '']) => key,
    );
    expect([...new Set(used)].toSorted(byName)).toEqual(keys.map(([, key = '']) => key).toSorted(byName));
  });

  it('can all be fetched from a store', () => {
    const external = documents(read('monitoring/examples/external-secrets.yaml'));
    expect(new Set(external.map(({ metadata }) => metadata.name))).toEqual(names);
  });
});

/** The value at a dotted path. */
function dig(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((inner: unknown, name) => (inner as Readonly<Record<string, unknown>>)[name], value);
}
